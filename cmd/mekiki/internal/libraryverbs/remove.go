package libraryverbs

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/cmd/mekiki/internal/remote"
	"mekiki/index"
	"mekiki/internal/hint"
)

const removeLong = `Remove records from the library for good, by id, by path, or by folder, and past
the trash, into which the page and the API put what they remove. The files
themselves are not touched; indexing their folder again brings the pictures back,
but not what people gave them. --folder also forgets the tags that the
library keeps of lost pictures of that folder.`

const removeExample = `  mekiki remove 17 42
  mekiki remove ~/Pictures/old.jpg
  mekiki remove --folder ~/Pictures/2009
  mekiki remove --texts`

type removeOptions struct {
	folders []string
	texts   bool
	dryRun  bool
}

// NewRemoveCommand makes the verb "remove".
func NewRemoveCommand(app *cli.App) *cobra.Command {
	var options removeOptions
	command := &cobra.Command{
		Use:     "remove [ID|PATH]…",
		Short:   "Remove records from the library",
		Long:    removeLong,
		Example: removeExample,
		RunE: func(command *cobra.Command, arguments []string) error {
			return runRemove(command.Context(), app, options, arguments)
		},
	}
	flags := command.Flags()
	flags.StringArrayVar(&options.folders, "folder", nil, "remove every file in or below this folder (may be repeated)")
	flags.BoolVar(&options.texts, "texts", false, "remove every text")
	flags.BoolVar(&options.dryRun, "dry-run", false, "only show what would be removed")
	return command
}

func runRemove(ctx context.Context, app *cli.App, options removeOptions, arguments []string) error {
	if slices.Contains(options.folders, "") {
		return cli.UsageError("--folder is empty: name a folder, or . for this one")
	}
	if len(arguments) == 0 && len(options.folders) == 0 && !options.texts {
		return cli.UsageError("nothing to remove: name ids or paths, or use --folder or --texts")
	}
	write := func(library cli.Library, batch index.Batch) (int, error) {
		result, err := library.Write(ctx, batch)
		return result.Removed, err
	}
	err := app.WithAnyLibrary(ctx, options.dryRun, func(library cli.Library) error {
		return remove(ctx, app, library, options, arguments, write)
	})
	client, err := app.Handover(ctx, err)
	if client == nil {
		return err
	}
	defer client.Close()
	return app.WithAnyLibrary(ctx, true, func(library cli.Library) error {
		return remove(ctx, app, library, options, arguments, func(_ cli.Library, batch index.Batch) (int, error) {
			return handRemoval(ctx, client, batch)
		})
	})
}

// handRemoval has the server that has the library take out what a batch does, piece by piece.
func handRemoval(ctx context.Context, client *remote.Client, batch index.Batch) (removed int, err error) {
	send := func(what remote.Removal) error {
		count, err := client.Remove(ctx, what)
		removed += count
		return err
	}
	var ids []string
	for _, id := range batch.Remove {
		ids = append(ids, id.String())
	}
	for some := range slices.Chunk(ids, removalsAtOnce) {
		if err := send(remote.Removal{Records: some}); err != nil {
			return removed, err
		}
	}
	for some := range slices.Chunk(batch.Detach, removalsAtOnce) {
		if err := send(remote.Removal{Files: some}); err != nil {
			return removed, err
		}
	}
	for some := range slices.Chunk(batch.Resolved, removalsAtOnce) {
		if err := send(remote.Removal{Failures: some}); err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// remove finds what is to be removed, has write remove it, and says what went.
func remove(ctx context.Context, app *cli.App, library cli.Library, options removeOptions, arguments []string, write func(cli.Library, index.Batch) (int, error)) error {
	batch, records, err := removal(ctx, library, options, arguments)
	if err != nil {
		return err
	}
	removed := 0
	if !options.dryRun {
		if removed, err = write(library, batch); err != nil {
			return err
		}
	}
	switch {
	case app.AsJSON:
		return app.PrintJSON(map[string]any{
			"records": records, "paths": len(batch.Detach), "removed": removed, "dry_run": options.dryRun,
		})
	case options.dryRun:
		_, err = fmt.Fprintf(app.Out, "would remove %s\n", removedText(records, &batch))
	default:
		text := "removed " + removedText(removed, &batch) + ", for good"
		if removed > 0 {
			text += `; "mekiki compact" frees their disk space`
		}
		_, err = fmt.Fprintln(app.Out, text)
	}
	return err
}

// removedText says in words what a removal takes out.
func removedText(records int, batch *index.Batch) string {
	text := cli.Counted(records, "record", "records") + " and " + cli.Counted(len(batch.Detach), "path", "paths")
	if failures := len(batch.Resolved); failures > 0 {
		text += ", and forgot " + cli.Counted(failures, "file", "files") + " that could not be indexed"
	}
	return text
}

// removal finds what is to be removed, and how many records that will be.
func removal(ctx context.Context, library cli.Library, options removeOptions, arguments []string) (batch index.Batch, records int, err error) {
	snapshot, err := library.Reader(ctx)
	if err != nil {
		return batch, 0, err
	}
	defer snapshot.Close()
	batch.Final = true
	for _, argument := range arguments {
		if id, err := index.ParseID(argument); err == nil {
			record, err := index.One(snapshot.Records(ctx, []index.ID{id}))
			if err == nil && record == nil {
				err = fmt.Errorf("record %d: %w in the library", id, index.ErrNotFound)
			}
			if err != nil {
				return batch, 0, err
			}
			batch.Remove = append(batch.Remove, id)
			continue
		}
		path, err := filepath.Abs(argument)
		if err != nil {
			return batch, 0, err
		}
		failure, err := index.One(snapshot.FailuresOf(ctx, []string{path}))
		if err != nil {
			return batch, 0, err
		}
		if failure != nil {
			batch.Resolved = append(batch.Resolved, path)
			continue
		}
		record, err := index.One(snapshot.RecordsByPath(ctx, []string{path}))
		if err != nil {
			return batch, 0, err
		}
		if record == nil {
			return batch, 0, hint.Wrap(fmt.Errorf("%s: %w in the library", path, index.ErrNotFound), "name a folder with --folder")
		}
		batch.Detach = append(batch.Detach, path)
	}
	if options.texts {
		texts, _, err := snapshot.List(ctx, index.Filter{Kinds: []index.Kind{index.KindText}, Hidden: index.ChoiceInclude, Trash: index.ChoiceInclude}, index.Page{})
		if err != nil {
			return batch, 0, err
		}
		for _, record := range texts {
			batch.Remove = append(batch.Remove, record.ID)
		}
	}
	kept, err := library.Kept()
	if err != nil {
		return batch, 0, err
	}
	if err := removeFolders(ctx, snapshot, kept, options.folders, &batch); err != nil {
		return batch, 0, err
	}
	records, err = recordsLost(ctx, snapshot, &batch)
	return batch, records, err
}

// recordsLost counts the records that the batch removes, by name or with their last
// path, after leaving out what it says twice.
func recordsLost(ctx context.Context, reader index.Reader, batch *index.Batch) (int, error) {
	slices.Sort(batch.Remove)
	slices.Sort(batch.Detach)
	batch.Remove, batch.Detach = slices.Compact(batch.Remove), slices.Compact(batch.Detach)
	lost, left := map[index.ID]bool{}, map[index.ID]int{}
	for _, id := range batch.Remove {
		lost[id] = true
	}
	records, err := reader.RecordsByPath(ctx, batch.Detach)
	if err != nil {
		return 0, err
	}
	for _, record := range records {
		if record == nil {
			continue // the file went before
		}
		if _, begun := left[record.ID]; !begun {
			left[record.ID] = len(record.Files)
		}
		left[record.ID]--
		if left[record.ID] == 0 {
			lost[record.ID] = true
		}
	}
	return len(lost), nil
}

// removeFolders adds to batch what is in or below the folders.
func removeFolders(ctx context.Context, reader index.Reader, kept []index.Kept, names []string, batch *index.Batch) error {
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
	for record, err := range reader.All(ctx) {
		if err != nil {
			return err
		}
		for _, path := range record.Paths() {
			if inFolder(path) {
				batch.Detach = append(batch.Detach, path)
			}
		}
	}
	for _, lost := range kept {
		if inFolder(lost.Path) {
			batch.Detach = append(batch.Detach, lost.Path)
		}
	}
	failures, err := reader.Failures(ctx)
	if err != nil {
		return err
	}
	for _, failure := range failures {
		if inFolder(failure.File.Path) {
			batch.Resolved = append(batch.Resolved, failure.File.Path)
		}
	}
	for _, folder := range folders {
		if !found[folder] {
			return hint.Wrap(fmt.Errorf("%s: the library has nothing below it: %w", folder, index.ErrNotFound),
				"mekiki export lists the paths that it has")
		}
	}
	return nil
}
