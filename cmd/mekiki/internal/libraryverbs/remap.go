package libraryverbs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/index"
	"mekiki/index/local"
	"mekiki/internal/hint"
)

const remapLong = `Tell the library that a folder has another path, for instance because a drive was
mounted elsewhere or a folder was renamed. Paths in and below OLD become paths in
NEW; no picture is read, and records keep their tags and captions. The files
themselves are not touched.

Indexing NEW has the same result but reads every file again; this takes a moment.
If it is interrupted, the same command continues.`

const remapExample = `  mekiki remap /media/old/Pictures ~/Pictures --dry-run
  mekiki remap /media/old/Pictures ~/Pictures`

// NewRemapCommand makes the verb "remap".
func NewRemapCommand(app *cli.App) *cobra.Command {
	var dryRun, force bool
	command := &cobra.Command{
		Use:     "remap OLD NEW",
		Short:   "Tell the library that a folder has another path",
		Long:    remapLong,
		Example: remapExample,
		Args:    cobra.ExactArgs(2),
		RunE: func(command *cobra.Command, arguments []string) error {
			return runRemap(command.Context(), app, arguments[0], arguments[1], dryRun, force)
		},
	}
	command.Flags().BoolVar(&dryRun, "dry-run", false, "only show what would be rewritten")
	command.Flags().BoolVar(&force, "force", false, "rewrite even if no file is at its new path")
	return command
}

// remapping is what a remap does.
type remapping struct {
	batches []index.Batch
	// Records and Paths count what is rewritten, Failures the paths of files that
	// could not be indexed. Missing counts the new paths at which nothing is, and
	// Taken those that another record has, which are left alone.
	Records  int `json:"records"`
	Paths    int `json:"paths"`
	Failures int `json:"failures"`
	Missing  int `json:"missing"`
	Taken    int `json:"taken"`
}

func runRemap(ctx context.Context, app *cli.App, from, to string, dryRun, force bool) error {
	if from == "" || to == "" {
		return cli.UsageError("a path is empty: name two folders")
	}
	from, fromErr := filepath.Abs(from)
	to, toErr := filepath.Abs(to)
	if err := errors.Join(fromErr, toErr); err != nil {
		return err
	}
	if from == to {
		return cli.UsageError("OLD and NEW are the same folder: %s", from)
	}
	return app.WithExistingLibrary(ctx, dryRun, func(library *local.Library) error {
		plan, err := planRemap(ctx, library, from, to)
		if err != nil {
			return err
		}
		if plan.Paths+plan.Failures+plan.Taken == 0 {
			return hint.Wrap(fmt.Errorf("%s: the library has nothing below it: %w", from, index.ErrNotFound), "mekiki export lists the paths that it has")
		}
		if plan.Paths > 0 && plan.Missing == plan.Paths && !force && !dryRun {
			return hint.Wrap(fmt.Errorf("none of the %s is in %s", cli.Counted(plan.Paths, "file", "files"), to),
				"check the name, or connect the drive; --force rewrites the paths anyway")
		}
		if !dryRun {
			for _, batch := range plan.batches {
				if err := ctx.Err(); err != nil {
					return err
				}
				if _, err := library.Write(ctx, batch); err != nil {
					return err
				}
			}
		}
		return printRemap(app, plan, dryRun)
	})
}

// planRemap finds the paths in and below a folder, and what they are to become.
func planRemap(ctx context.Context, library index.Source, from, to string) (plan remapping, err error) {
	reader, err := library.Reader(ctx)
	if err != nil {
		return plan, err
	}
	defer reader.Close()
	var batch index.Batch
	flush := func(limit int) {
		if len(batch.Attach)+len(batch.Detach)+len(batch.Failures) > limit {
			plan.batches, batch = append(plan.batches, batch), index.Batch{}
		}
	}
	for record, err := range reader.All(ctx) {
		if err != nil {
			return plan, err
		}
		before := plan.Paths
		for i, file := range record.Files {
			target, below := remapped(file.Path, from, to)
			if !below {
				continue
			}
			owner, err := index.One(reader.RecordsByPath(ctx, []string{target}))
			if err != nil {
				return plan, err
			}
			if owner != nil && owner.ID != record.ID {
				plan.Taken++
				continue
			}
			if _, err := os.Lstat(target); errors.Is(err, fs.ErrNotExist) {
				plan.Missing++
			}
			plan.Paths++
			batch.Detach = append(batch.Detach, file.Path)
			file.Path, file.MountLength = target, 0 // the next run sees where it is mounted
			batch.Attach = append(batch.Attach, index.Attach{ID: record.ID, File: file, First: i == 0})
		}
		if plan.Paths > before {
			plan.Records++
		}
		flush(remapBatch)
	}
	failures, err := reader.Failures(ctx)
	if err != nil {
		return plan, err
	}
	for _, failure := range failures {
		target, below := remapped(failure.File.Path, from, to)
		if !below {
			continue
		}
		plan.Failures++
		batch.Resolved = append(batch.Resolved, failure.File.Path)
		failure.File.Path = target
		batch.Failures = append(batch.Failures, failure)
		flush(remapBatch)
	}
	flush(0)
	return plan, nil
}

// remapped gives the path that one in or below a folder has in another.
func remapped(path, from, to string) (string, bool) {
	if path == from {
		return to, true
	}
	separator := string(filepath.Separator)
	rest, below := strings.CutPrefix(path, strings.TrimSuffix(from, separator)+separator)
	return filepath.Join(to, rest), below
}

func printRemap(a *cli.App, plan remapping, dryRun bool) error {
	if a.AsJSON {
		return a.PrintJSON(struct {
			remapping
			DryRun bool `json:"dry_run"`
		}{plan, dryRun})
	}
	verb := "rewrote"
	if dryRun {
		verb = "would rewrite"
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s of %s", verb, cli.Counted(plan.Paths, "path", "paths"), cli.Counted(plan.Records, "record", "records"))
	if plan.Failures > 0 {
		fmt.Fprintf(&text, ", and those of %s that could not be indexed", cli.Counted(plan.Failures, "file", "files"))
	}
	text.WriteString("\n")
	if plan.Missing > 0 {
		fmt.Fprintf(&text, "%d of the new paths do not exist\n", plan.Missing)
	}
	if plan.Taken > 0 {
		fmt.Fprintf(&text, "%s skipped: another record has the new path\n", cli.Counted(plan.Taken, "path was", "paths were"))
	}
	_, err := io.WriteString(a.Out, text.String())
	return err
}
