package libraryverbs

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/cmd/mekiki/internal/remote"
	"mekiki/index"
	"mekiki/index/local"
	"mekiki/internal/progress"
	"mekiki/server/jobs"
)

const compactLong = `Free the disk space of removed images and their thumbnails, and write the catalog
anew. What has been in the trash for 30 days is removed first. Searching continues
meanwhile.

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
			err := app.WithExistingLibrary(command.Context(), false, func(library *local.Library) error {
				return runCompact(command.Context(), app, library)
			})
			return handCompacting(command.Context(), app, err)
		},
	}
}

func runCompact(ctx context.Context, app *cli.App, library *local.Library) error {
	if _, err := index.PurgeTrash(ctx, library, time.Now().Add(-index.TrashedFor)); err != nil {
		return err
	}
	result, err := library.Compact(ctx)
	if err != nil {
		return err
	}
	return printCompacted(app, result)
}

// handCompacting has the server that has the library compact it, where err says that it is locked.
func handCompacting(ctx context.Context, app *cli.App, err error) error {
	client, err := app.Handover(ctx, err)
	if client == nil {
		return err
	}
	defer client.Close()
	job, err := app.RunJob(ctx, client, "compact", jobs.Request{Kind: jobs.KindCompact})
	if err != nil {
		return err
	}
	if job.State == jobs.Cancelled {
		return cli.WithStatus(cli.ExitInterrupted, errInterrupted)
	}
	var result jobs.Compacted
	if err := remote.Result(job, &result); err != nil {
		return err
	}
	return printCompacted(app, index.CompactResult(result))
}

func printCompacted(app *cli.App, result index.CompactResult) error {
	if app.AsJSON {
		return app.PrintJSON(map[string]any{
			"before_bytes": result.Before, "after_bytes": result.After, "segments": result.Segments, "skipped": result.Skipped,
		})
	}
	skipped := ""
	if result.Skipped > 0 {
		skipped = fmt.Sprintf(", %d skipped because of damage: mekiki check", result.Skipped)
	}
	_, err := fmt.Fprintf(app.Out, "%s before, %s after; %s rewritten%s\n",
		progress.Count(result.Before, progress.Bytes), progress.Count(result.After, progress.Bytes), cli.Counted(result.Segments, "segment", "segments"), skipped)
	return err
}
