package libraryverbs

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/index/local"
	"mekiki/internal/hint"
	"mekiki/internal/progress"
)

const backupLong = `Write a copy of the library to one file, a tar archive with checksums. Other
processes can search and index meanwhile. The pictures themselves are not in it:
back them up as you do your other files.`

// NewBackupCommand makes the verb "backup".
func NewBackupCommand(app *cli.App) *cobra.Command {
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

func runBackup(ctx context.Context, app *cli.App, name string) error {
	if stat, err := os.Stat(name); err == nil && !stat.Mode().IsRegular() {
		return hint.Wrap(fmt.Errorf("back up to %s: it exists and is not a file", name), "name a file, such as library.tar")
	}
	return app.WithExistingLibrary(ctx, true, func(library *local.Library) error {
		size, err := writeBackup(ctx, app, library, name)
		if err != nil {
			return err
		}
		if app.AsJSON {
			return app.PrintJSON(map[string]any{"file": name, "bytes": size})
		}
		_, err = fmt.Fprintf(app.Out, "%s: %s\n", name, progress.Count(size, progress.Bytes))
		return err
	})
}

// writeBackup writes a backup with progress, and says how large it is.
func writeBackup(ctx context.Context, a *cli.App, library *local.Library, name string) (int64, error) {
	reporter := a.Progress()
	defer reporter.Finish()
	return writeWhole(name, func(file io.Writer) error {
		counter := &byteCounter{reporter, progress.State{Task: "back up", Unit: progress.Bytes}}
		return library.Backup(ctx, io.MultiWriter(file, counter))
	})
}

// writeWhole writes beside the file's name and renames, so that a file of that
// name is whole, and says how large it is.
func writeWhole(name string, write func(io.Writer) error) (int64, error) {
	file, err := os.Create(name + ".part")
	if err != nil {
		return 0, err
	}
	buffered := bufio.NewWriterSize(file, 1<<20)
	err = write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = file.Sync()
	}
	stat, statErr := file.Stat()
	if err = errors.Join(err, statErr, file.Close()); err == nil {
		err = os.Rename(name+".part", name)
	}
	if err != nil {
		return 0, errors.Join(err, os.Remove(name+".part"))
	}
	return stat.Size(), nil
}

// byteCounter is a writer that reports how much it was given.
type byteCounter struct {
	reporter *progress.Reporter
	state    progress.State
}

// Write implements io.Writer.
func (c *byteCounter) Write(data []byte) (int, error) {
	c.state.Done += int64(len(data))
	c.reporter.Report(c.state)
	return len(data), nil
}
