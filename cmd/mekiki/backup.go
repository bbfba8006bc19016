package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"mekiki/index"
	"mekiki/internal/progress"
)

const backupLong = `Write a copy of the library to one file, a tar archive with checksums. Searching
and indexing by other processes go on meanwhile. Images themselves are not in
it: back them up as you do your other files.`

func newBackupCommand(app *app) *cobra.Command {
	return &cobra.Command{
		Use:     "backup FILE",
		Short:   "Write a copy of the library to one file",
		Long:    backupLong,
		Example: "  mekiki backup library.tar\n  mekiki restore library.tar --library ~/restored",
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, arguments []string) error {
			return runBackup(command.Context(), app, arguments[0])
		},
	}
}

func runBackup(ctx context.Context, app *app, name string) (err error) {
	library, err := app.openUnsearched(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, library.Close()) }()
	size, err := writeBackup(ctx, library, name)
	if err != nil {
		return err
	}
	if app.asJSON {
		return app.printJSON(map[string]any{"file": name, "bytes": size})
	}
	_, err = fmt.Fprintf(app.out, "%s: %s\n", name, progress.Count(size, progress.Bytes))
	return err
}

// writeBackup writes beside the file's name and renames, so that a file of that
// name is a whole backup.
func writeBackup(ctx context.Context, library *index.Library, name string) (int64, error) {
	file, err := os.Create(name + ".part")
	if err != nil {
		return 0, err
	}
	buffered := bufio.NewWriterSize(file, 1<<20)
	err = library.Backup(ctx, buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = file.Sync()
	}
	stat, statErr := file.Stat()
	if err = errors.Join(err, statErr, file.Close()); err != nil {
		return 0, errors.Join(err, os.Remove(name+".part"))
	}
	return stat.Size(), os.Rename(name+".part", name)
}
