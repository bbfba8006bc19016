package libraryverbs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/index"
	"mekiki/index/local"
	"mekiki/index/originals"
	"mekiki/internal/hint"
	"mekiki/internal/progress"
)

const checkLong = `Read and verify every byte of the library, and the original of every upload.
Originals are kept in a folder beside the library: LIBRARY-uploads.

With --repair, damaged pieces are moved to the library's quarantine folder,
derived data is built again, and images that lost their vectors are marked, so
that the next "mekiki index" computes them again. Uploads without a record are
moved to the folder quarantine/uploads. Nothing is deleted but what is left of an
interrupted upload or deletion.`

// NewCheckCommand makes the verb "check".
func NewCheckCommand(app *cli.App) *cobra.Command {
	var repair bool
	command := &cobra.Command{
		Use:   "check",
		Short: "Verify every byte of the library",
		Long:  checkLong,
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return runCheck(command.Context(), app, repair)
		},
	}
	command.Flags().BoolVar(&repair, "repair", false, "repair what can be repaired")
	return command
}

func runCheck(ctx context.Context, app *cli.App, repair bool) error {
	return app.WithExistingLibrary(ctx, !repair, func(library *local.Library) error {
		check := library.Check
		if repair {
			check = library.Repair
		}
		report, err := check(ctx)
		if err != nil {
			return err
		}
		damaged := report.Damaged() && !repair
		kept, err := checkUploads(ctx, app, library, &report, repair)
		if err != nil {
			return err
		}
		if err := printCheck(app, report); err != nil {
			return err
		}
		switch {
		case damaged:
			return hint.Wrap(errors.New("the library is damaged"), "mekiki check --repair")
		case kept > 0:
			return hint.Wrap(fmt.Errorf("%s missing or damaged", cli.Counted(kept, "original of an upload is", "originals of uploads are")), "upload the pictures again, or restore the files from a copy")
		}
		return nil
	})
}

// checkUploads adds what is wrong with the originals of uploads to the report and
// counts those that are lost.
func checkUploads(ctx context.Context, app *cli.App, library *local.Library, report *index.CheckReport, repair bool) (lost int, err error) {
	folder := originals.FolderOf(library.Folder())
	if repair {
		if _, err := originals.Sweep(ctx, library, folder, app.Log()); err != nil {
			return 0, err
		}
	}
	before := len(report.Findings)
	err = originals.Check(ctx, library, folder, report)
	for _, finding := range report.Findings[before:] {
		if finding.Damage {
			lost++
		}
	}
	return lost, err
}

func printCheck(a *cli.App, report index.CheckReport) error {
	if a.AsJSON {
		report.Findings = append([]index.Finding{}, report.Findings...) // a list, though it be empty
		return a.PrintJSON(report)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s; %s, %s verified\n", cli.Counted(report.Records, "record", "records"), cli.Counted(report.Files, "file", "files"), progress.Count(report.Bytes, progress.Bytes))
	for _, finding := range report.Findings {
		kind := "remark"
		if finding.Damage {
			kind = "damage"
		}
		place := finding.File
		if finding.Offset > 0 {
			place = fmt.Sprintf("%s at byte %d", place, finding.Offset)
		}
		fmt.Fprintf(&text, "  %s: %s: %s\n", kind, place, finding.Message)
		if finding.Remedy != "" {
			fmt.Fprintf(&text, "    try: %s\n", finding.Remedy)
		}
	}
	switch {
	case report.Repaired > 0:
		fmt.Fprintf(&text, "%d repaired; run \"mekiki index\" on your folders to compute lost vectors again\n", report.Repaired)
	case len(report.Findings) == 0:
		fmt.Fprintln(&text, "no damage found")
	}
	_, err := io.WriteString(a.Out, text.String())
	return err
}
