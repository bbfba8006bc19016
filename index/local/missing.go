package local

import (
	"fmt"
	"mekiki/index"
	"mekiki/internal/hint"
	"mekiki/internal/plural"
	"mekiki/internal/vfs"
	"path/filepath"
	"slices"
)

// noCatalog is the error of a folder without a catalog: no library yet, or one
// that has lost it. What it still holds must not be taken for rubbish.
func noCatalog(fsys vfs.FS, folder string) error {
	segments, err := segmentFiles(fsys, folder)
	if err != nil {
		return err
	}
	if len(segments) == 0 {
		return index.ErrNotLibrary
	}
	return hint.Wrap(fmt.Errorf("open library %s: %w: its folder %s is missing or empty, although %s there", folder, index.ErrDamaged, catalogFolder, plural.Count(len(segments), "file of vectors is", "files of vectors are")),
		"put the folder "+catalogFolder+" back, or restore a backup to another folder; to begin anew, delete the library")
}

// checkMissing adds what opening found missing and reading the files that are
// there does not tell. What a newer checkpoint has made up for is left out.
func (l *Library) checkMissing(checkpoints []uint64, report *index.CheckReport) {
	newest := uint64(0)
	if len(checkpoints) > 0 {
		newest = checkpoints[len(checkpoints)-1]
	}
	for _, finding := range l.Findings() {
		number, isLog := numbered(filepath.Base(finding.File), logSuffix)
		told := slices.ContainsFunc(report.Findings, func(f index.Finding) bool { return f.File == finding.File })
		if isLog && number >= newest && !told {
			report.Findings = append(report.Findings, finding)
		}
	}
}
