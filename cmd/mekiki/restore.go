package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"mekiki/index"
)

const restoreLong = `Make a library of a backup, in the folder that --library names, which must be
empty or missing. Every byte is verified before there is a library; what is
derived is then built anew.`

func newRestoreCommand(app *app) *cobra.Command {
	return &cobra.Command{
		Use:     "restore FILE",
		Short:   "Make a library of a backup",
		Long:    restoreLong,
		Example: "  mekiki restore library.tar --library ~/restored",
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, arguments []string) error {
			return runRestore(command.Context(), app, arguments[0])
		},
	}
}

func runRestore(ctx context.Context, app *app, name string) (err error) {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	folder, err := app.libraryFolder()
	if err != nil {
		return err
	}
	if err := index.Restore(ctx, bufio.NewReaderSize(file, 1<<20), folder); err != nil {
		return err
	}
	library, err := app.openUnsearched(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, library.Close()) }()
	snapshot := library.Snapshot()
	defer snapshot.Close()
	if app.asJSON {
		return app.printJSON(map[string]any{"library": library.Folder(), "images": snapshot.Count(index.KindImage), "texts": snapshot.Count(index.KindText)})
	}
	_, err = fmt.Fprintf(app.out, "%s: %d images, %d texts\n", library.Folder(), snapshot.Count(index.KindImage), snapshot.Count(index.KindText))
	return err
}
