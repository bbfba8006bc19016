package local

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"mekiki/index"
	"mekiki/index/local/catalog"
	"mekiki/index/local/keywords"
	"mekiki/index/local/maintain"
	"mekiki/index/local/thumbnail"
	"mekiki/internal/vfs"
)

// Check reads every byte of the library and verifies it. It changes nothing.
// Writers wait meanwhile, readers do not.
func (l *Library) Check(ctx context.Context) (index.CheckReport, error) {
	l.writer.Lock()
	defer l.writer.Unlock()
	report, _, err := l.check(ctx)
	if err != nil {
		return report, fmt.Errorf("check library: %w", err)
	}
	return report, nil
}

// check also gives the records whose blocks are damaged, by space.
func (l *Library) check(ctx context.Context) (index.CheckReport, map[uint64]map[index.ID]bool, error) {
	view, err := l.current()
	if err != nil {
		return index.CheckReport{}, nil, err
	}
	defer view.release()
	subject := maintain.Inspection{
		Fsys: l.fsys, Folder: l.folder, ReadOnly: l.readOnly.Load(), State: view.state, Segments: view.segments,
		Thumbs: view.thumbs, Words: l.derived.keywordStore, Findings: l.Findings(),
	}
	return subject.Check(ctx)
}

// Repair does what Check does, moves damaged pieces of the catalog to the
// library's quarantine folder, rebuilds what is derived, and takes damaged
// vectors and tokens out, so that the next indexing run makes them again.
func (l *Library) Repair(ctx context.Context) (index.CheckReport, error) {
	if l.readOnly.Load() {
		return index.CheckReport{}, fmt.Errorf("repair library: %w", index.ErrReadOnly)
	}
	l.writer.Lock()
	defer l.writer.Unlock()
	report, lost, err := l.check(ctx)
	if err == nil && len(report.Findings) > 0 {
		err = l.repair(ctx, &report, lost)
	}
	if err != nil {
		return report, fmt.Errorf("repair library: %w", err)
	}
	return report, nil
}

func (l *Library) repair(ctx context.Context, report *index.CheckReport, lost map[uint64]map[index.ID]bool) error {
	request := &writeRequest{prepare: func(c *commit) error {
		for space, ids := range lost {
			for id := range ids {
				c.RemoveLocation(space, id)
			}
		}
		return nil
	}}
	if err := l.commit(ctx, []*writeRequest{request}); err != nil {
		return err
	}
	damagedCatalog := false
	for _, finding := range report.Findings {
		if finding.Damage && filepath.Dir(finding.File) == catalog.Folder {
			l.catalog.Damaged[finding.File] = true
			damagedCatalog = true
		}
	}
	if damagedCatalog {
		if err := l.checkpointAll(ctx); err != nil {
			return err
		}
		l.catalog.Damaged = map[string]bool{}
	}
	if err := l.repairDerived(ctx, report); err != nil {
		return err
	}
	for _, finding := range report.Findings {
		if finding.Remedy != maintain.RemedyCompact {
			report.Repaired++
		}
	}
	l.mutex.Lock()
	l.findings = nil
	l.mutex.Unlock()
	return nil
}

// repairDerived removes damaged thumbnails and fills the keyword index anew.
func (l *Library) repairDerived(ctx context.Context, report *index.CheckReport) error {
	words := false
	for _, finding := range report.Findings {
		switch {
		case strings.HasPrefix(finding.File, filepath.Join(catalog.DerivedFolder, thumbnail.Folder)):
			if err := l.fsys.Remove(filepath.Join(l.folder, finding.File)); vfs.IgnoreMissing(err) != nil {
				return err
			}
		case finding.File == filepath.Join(catalog.DerivedFolder, keywords.Folder):
			words = true
		}
	}
	if !words {
		return nil
	}
	view, err := l.current()
	if err != nil {
		return err
	}
	defer view.release()
	if err := l.derived.keywordStore.Rebuild(ctx, view.state); err != nil {
		return err
	}
	return l.swap(view.with(view.segments.With(nil, nil), l.derived))
}
