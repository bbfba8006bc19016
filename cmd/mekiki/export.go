package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"mekiki/index"
)

const exportLong = `Write the library's records as JSON lines, one object for each image or text.`

type exportOptions struct {
	output  string
	vectors bool
	kind    string
	folders []string
	tags    []string
}

func newExportCommand(app *app) *cobra.Command {
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
	flags.StringVar(&options.kind, "kind", "", "only images or texts: image or text")
	flags.StringArrayVar(&options.folders, "folder", nil, "only what is in or below this folder, or any of this name (may be repeated)")
	flags.StringArrayVar(&options.tags, "tag", nil, "only what has this tag (may be repeated)")
	return command
}

func runExport(ctx context.Context, app *app, options exportOptions) error {
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
			return usage("--kind: %w", err)
		}
		filter.Kinds = []index.Kind{kind}
	}
	return app.withUnsearched(ctx, true, func(library *index.Library) (err error) {
		target := io.Writer(app.out)
		if options.output != "" {
			file, err := os.Create(options.output)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, file.Close()) }()
			target = file
		}
		snapshot := library.Snapshot()
		defer snapshot.Close()
		return snapshot.Export(ctx, target, index.ExportOptions{Filter: filter, Vectors: options.vectors})
	})
}

// folderToMatch gives a folder as filters know it: a name alone is any folder of
// that name, everything else one place.
func folderToMatch(folder string) (string, error) {
	if folder == "" {
		return "", usage("--folder is empty: name a folder")
	}
	if folder == filepath.Base(folder) && folder != "." && folder != ".." {
		return folder, nil
	}
	return filepath.Abs(folder)
}
