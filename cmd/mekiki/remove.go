package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mekiki/index"
	"mekiki/internal/hint"
)

const removeLong = `Take records out of the library, by id, by path, or by folder. The files
themselves are not touched; indexing their folder again brings them back.`

const removeExample = `  mekiki remove 17 42
  mekiki remove ~/Pictures/old.jpg
  mekiki remove --folder ~/Pictures/2009
  mekiki remove --texts`

type removeOptions struct {
	folders []string
	texts   bool
	dryRun  bool
}

func newRemoveCommand(app *app) *cobra.Command {
	var options removeOptions
	command := &cobra.Command{
		Use:     "remove [ID|PATH]…",
		Short:   "Take records out of the library",
		Long:    removeLong,
		Example: removeExample,
		RunE: func(command *cobra.Command, arguments []string) error {
			return runRemove(command.Context(), app, options, arguments)
		},
	}
	flags := command.Flags()
	flags.StringArrayVar(&options.folders, "folder", nil, "remove every file in or below this folder (may be repeated)")
	flags.BoolVar(&options.texts, "texts", false, "remove every text")
	flags.BoolVar(&options.dryRun, "dry-run", false, "only say what would be removed")
	return command
}

func runRemove(ctx context.Context, app *app, options removeOptions, arguments []string) (err error) {
	if len(arguments) == 0 && len(options.folders) == 0 && !options.texts {
		return usage("remove what? Name ids or paths, or use --folder or --texts")
	}
	library, err := app.openUnsearched(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, library.Close()) }()
	batch, err := removal(library, options, arguments)
	if err != nil {
		return err
	}
	removed := 0
	if !options.dryRun {
		result, err := library.Write(ctx, batch)
		if err != nil {
			return err
		}
		removed = result.Removed
	}
	if app.asJSON {
		return app.printJSON(map[string]any{
			"records": len(batch.Remove), "paths": len(batch.Detach), "removed": removed, "dry_run": options.dryRun,
		})
	}
	if options.dryRun {
		fmt.Fprintf(app.out, "would remove %d records and %d paths\n", len(batch.Remove), len(batch.Detach))
		return nil
	}
	fmt.Fprintf(app.out, "removed %d records; \"mekiki compact\" gives their room back\n", removed)
	return nil
}

// removal finds what is to be removed.
func removal(library *index.Library, options removeOptions, arguments []string) (index.Batch, error) {
	var batch index.Batch
	snapshot := library.Snapshot()
	defer snapshot.Close()
	for _, argument := range arguments {
		if id, err := index.ParseID(argument); err == nil {
			if _, there := snapshot.Record(id); !there {
				return batch, fmt.Errorf("record %d: %w", id, index.ErrNotFound)
			}
			batch.Remove = append(batch.Remove, id)
			continue
		}
		path, err := filepath.Abs(argument)
		if err != nil {
			return batch, err
		}
		if _, known := snapshot.RecordByPath(path); !known {
			return batch, hint.Wrap(fmt.Errorf("%s: %w in the library", path, index.ErrNotFound), "name a folder with --folder")
		}
		batch.Detach = append(batch.Detach, path)
	}
	for record := range snapshot.All() {
		if options.texts && record.Kind == index.KindText {
			batch.Remove = append(batch.Remove, record.ID)
		}
	}
	err := removeFolders(snapshot, options.folders, &batch)
	return batch, err
}

// removeFolders adds to batch what is in or below the folders.
func removeFolders(snapshot *index.Snapshot, names []string, batch *index.Batch) error {
	var folders []string
	for _, name := range names {
		path, err := filepath.Abs(name)
		if err != nil {
			return err
		}
		folders = append(folders, strings.TrimSuffix(path, string(filepath.Separator))+string(filepath.Separator))
	}
	found := map[string]bool{}
	inFolder := func(path string) bool {
		at := slices.IndexFunc(folders, func(folder string) bool { return strings.HasPrefix(path, folder) })
		if at >= 0 {
			found[folders[at]] = true
		}
		return at >= 0
	}
	for record := range snapshot.All() {
		for _, path := range record.Paths() {
			if inFolder(path) {
				batch.Detach = append(batch.Detach, path)
			}
		}
	}
	for _, failure := range snapshot.Failures() {
		if inFolder(failure.File.Path) {
			batch.Resolved = append(batch.Resolved, failure.File.Path)
		}
	}
	for _, folder := range folders {
		if !found[folder] {
			return hint.Wrap(fmt.Errorf("%s: nothing of it is in the library: %w", folder, index.ErrNotFound),
				"mekiki export lists the paths that are")
		}
	}
	return nil
}
