package libraryverbs

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/index/local"
	"mekiki/internal/progress"
)

const compactLong = `Free the disk space of removed images and their thumbnails, and write the catalog
anew. Searching continues meanwhile.

A library whose catalog is damaged is not compacted: run "mekiki check --repair"
first.`

// NewCompactCommand makes the verb "compact".
func NewCompactCommand(app *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "compact",
		Short: "Free the disk space of removed images",
		Long:  compactLong,
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return app.WithExistingLibrary(command.Context(), false, func(library *local.Library) error {
				return runCompact(command.Context(), app, library)
			})
		},
	}
}

func runCompact(ctx context.Context, app *cli.App, library *local.Library) error {
	result, err := library.Compact(ctx)
	if err != nil {
		return err
	}
	if app.AsJSON {
		return app.PrintJSON(map[string]any{
			"before_bytes": result.Before, "after_bytes": result.After, "segments": result.Segments, "skipped": result.Skipped,
		})
	}
	skipped := ""
	if result.Skipped > 0 {
		skipped = fmt.Sprintf(", %d skipped because of damage: mekiki check", result.Skipped)
	}
	_, err = fmt.Fprintf(app.Out, "%s before, %s after; %s rewritten%s\n",
		progress.Count(result.Before, progress.Bytes), progress.Count(result.After, progress.Bytes), cli.Counted(result.Segments, "segment", "segments"), skipped)
	return err
}
