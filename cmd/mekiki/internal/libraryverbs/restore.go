package libraryverbs

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/index"
	"mekiki/index/local"
	"mekiki/index/local/maintain"
	"mekiki/internal/progress"
)

const restoreLong = `Make a library from a backup, in the folder that --library names, which must be
empty or missing. Every byte is verified before the library appears; derived data
is then built again.`

// NewRestoreCommand makes the verb "restore".
func NewRestoreCommand(app *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:     "restore FILE",
		Short:   "Make a library from a backup",
		Long:    restoreLong,
		Example: "  mekiki restore library.tar --library ~/restored",
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, arguments []string) error {
			return runRestore(command.Context(), app, arguments[0])
		},
	}
}

func runRestore(ctx context.Context, app *cli.App, name string) error {
	if err := readBackup(ctx, app, name); err != nil {
		return err
	}
	// What is derived is built as the library is opened.
	return app.WithExistingLibrary(ctx, false, func(library *local.Library) error {
		snapshot := library.Snapshot()
		defer snapshot.Close()
		images, texts := snapshot.Count(index.KindImage), snapshot.Count(index.KindText)
		if app.AsJSON {
			return app.PrintJSON(map[string]any{"library": library.Folder(), "images": images, "texts": texts})
		}
		_, err := fmt.Fprintf(app.Out, "%s: %s, %s\n", library.Folder(), cli.Counted(images, "image", "images"), cli.Counted(texts, "text", "texts"))
		return err
	})
}

// readBackup makes the library of the file, with progress.
func readBackup(ctx context.Context, a *cli.App, name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	stat, err := file.Stat()
	if err != nil {
		return err
	}
	folder, err := a.LibraryFolder()
	if err != nil {
		return err
	}
	reporter := a.Progress()
	defer reporter.Finish()
	counted := io.TeeReader(file, &byteCounter{reporter, progress.State{Task: "restore", Total: stat.Size(), Unit: progress.Bytes}})
	if err := maintain.Restore(ctx, bufio.NewReaderSize(counted, 1<<20), folder); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
