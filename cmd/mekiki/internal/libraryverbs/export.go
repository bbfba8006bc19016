package libraryverbs

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/index"
	"mekiki/index/export"
	"mekiki/index/filters"
)

const exportLong = `Write the library's records as JSON lines, one object for each image or text.`

type exportOptions struct {
	output  string
	vectors bool
	kind    string
	folders []string
	tags    []string
}

// NewExportCommand makes the verb "export".
func NewExportCommand(app *cli.App) *cobra.Command {
	var options exportOptions
	command := &cobra.Command{
		Use:     "export",
		Short:   "Write the library's records as JSON lines",
		Long:    exportLong,
		Example: "  mekiki export --output library.jsonl\n  mekiki export --kind image --folder ~/Pictures/2024 --vectors",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return runExport(command.Context(), app, options)
		},
	}
	flags := command.Flags()
	flags.StringVarP(&options.output, "output", "o", "", "file to write (default: standard output)")
	flags.BoolVar(&options.vectors, "vectors", false, "add each record's vectors")
	flags.StringVar(&options.kind, string(filters.Kind), "", "only records of this kind: image or text")
	flags.StringArrayVar(&options.folders, string(filters.Folder), nil, "only records in or below this folder, or any folder of this name (may be repeated)")
	flags.StringArrayVar(&options.tags, string(filters.Tag), nil, "only records with this tag (may be repeated)")
	return command
}

func runExport(ctx context.Context, app *cli.App, options exportOptions) error {
	filter := index.Filter{Tags: options.tags}
	for _, folder := range options.folders {
		path, err := folderToMatch(folder)
		if err != nil {
			return err
		}
		filter.Folders = append(filter.Folders, path)
	}
	if options.kind != "" {
		kind, err := index.ParseKind(options.kind)
		if err != nil {
			return cli.UsageError("--kind: %w", err)
		}
		filter.Kinds = []index.Kind{kind}
	}
	return app.WithAnyLibrary(ctx, true, func(library cli.Library) error {
		snapshot, err := library.Reader(ctx)
		if err != nil {
			return err
		}
		defer snapshot.Close()
		return writeExport(app, options.output, func(target io.Writer) error {
			return export.Export(ctx, snapshot, target, index.ExportOptions{Filter: filter, Vectors: options.vectors})
		})
	})
}

// writeExport writes to the file, which is whole or as it was, or to standard output.
func writeExport(a *cli.App, name string, write func(io.Writer) error) (err error) {
	if name == "" {
		return write(a.Out)
	}
	if stat, err := os.Stat(name); err != nil || stat.Mode().IsRegular() {
		_, err = writeWhole(name, write)
		return err
	}
	file, err := os.Create(name) // a device or a pipe, or the error that it is a folder
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return write(file)
}

// folderToMatch gives a folder as filters know it: a name alone is any folder of
// that name, everything else one place.
func folderToMatch(folder string) (string, error) {
	if folder == "" {
		return "", cli.UsageError("--folder is empty: name a folder")
	}
	if folder == filepath.Base(folder) && folder != "." && folder != ".." {
		return folder, nil
	}
	return filepath.Abs(folder)
}
