package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"mekiki/index"
	"mekiki/internal/hint"
	"mekiki/internal/progress"
)

const checkLong = `Read every byte of the library and verify it.

With --repair, damaged pieces are moved to the library's quarantine folder, what
is derived is built anew, and images that lost their vectors are marked, so that
the next "mekiki index" makes them again. Nothing is deleted.`

func newCheckCommand(app *app) *cobra.Command {
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
	command.Flags().BoolVar(&repair, "repair", false, "put right what can be put right")
	return command
}

func runCheck(ctx context.Context, app *app, repair bool) error {
	return app.withUnsearched(ctx, !repair, func(library *index.Library) error {
		check := library.Check
		if repair {
			check = library.Repair
		}
		report, err := check(ctx)
		if err != nil {
			return err
		}
		if err := app.printCheck(report); err != nil {
			return err
		}
		if report.Damaged() && !repair {
			return hint.Wrap(errors.New("the library is damaged"), "mekiki check --repair")
		}
		return nil
	})
}

func (a *app) printCheck(report index.CheckReport) error {
	if a.asJSON {
		report.Findings = append([]index.Finding{}, report.Findings...) // a list, though it be empty
		return a.printJSON(report)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%d records; %d files, %s verified\n", report.Records, report.Files, progress.Count(report.Bytes, progress.Bytes))
	for _, finding := range report.Findings {
		kind := "remark"
		if finding.Damage {
			kind = "damage"
		}
		fmt.Fprintf(&text, "  %s: %s at byte %d: %s\n", kind, finding.File, finding.Offset, finding.Message)
	}
	switch {
	case report.Repaired > 0:
		fmt.Fprintf(&text, "%d repaired; run \"mekiki index\" on your folders to make lost vectors again\n", report.Repaired)
	case len(report.Findings) == 0:
		fmt.Fprintln(&text, "every byte is as it was written")
	}
	_, err := io.WriteString(a.out, text.String())
	return err
}
