package libraryverbs

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/index/ingest/textrecord"
	"mekiki/index/local"
	"mekiki/internal/progress"
)

const textsAddLong = `Add texts to the library: labels, product names, descriptions. An image finds
the texts that describe it ("mekiki lookup").

FILE has one text a line; or it is CSV with a header, whose columns text and id
are the text and your own id, and whose other columns are kept as fields; or JSON
lines with "text", "id", "tags" and further values. The file's extension says
which; - reads standard input. A text whose id is known replaces the old one.`

const textsExample = `  mekiki texts add labels.txt
  mekiki texts add products.csv
  printf 'a red shoe\na blue shoe\n' | mekiki texts add -`

// NewTextsCommand makes the verb "texts".
func NewTextsCommand(app *cli.App) *cobra.Command {
	texts := &cobra.Command{
		Use:   "texts",
		Short: "Add texts that images are matched with",
		Args:  cobra.NoArgs,
		RunE:  func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	var format string
	add := &cobra.Command{
		Use:     "add FILE",
		Short:   "Add a file of texts",
		Long:    textsAddLong,
		Example: textsExample,
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, arguments []string) error {
			return runTextsAdd(command.Context(), app, arguments[0], format)
		},
	}
	add.Flags().StringVar(&format, "format", "", "format of the file: lines, csv or jsonl (default: by its extension)")
	texts.AddCommand(add)
	return texts
}

func runTextsAdd(ctx context.Context, app *cli.App, name, format string) error {
	options := textrecord.Options{Format: textrecord.Format(format)}
	switch options.Format {
	case textrecord.Lines, textrecord.CSV, textrecord.JSONL:
	case "":
		options.Format = textrecord.FormatOf(name)
	default:
		return cli.UsageError("--format %q: must be %s, %s or %s", format, textrecord.Lines, textrecord.CSV, textrecord.JSONL)
	}
	source := io.Reader(app.In)
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		source, options.Source = file, filepath.Base(name)
	}
	return app.WithModel(ctx, func(library *local.Library, engine *cli.Session) error {
		reporter := app.Progress()
		defer reporter.Finish()
		options.Progress = func(done int) {
			reporter.Report(progress.State{Task: "add texts", Done: int64(done), Unit: progress.Steps})
		}
		summary, err := textrecord.AddFile(ctx, library, engine.Engine, source, options)
		if err != nil {
			return err
		}
		if app.AsJSON {
			return app.PrintJSON(summary)
		}
		_, err = fmt.Fprintf(app.Out, "%s: %d new or changed, %d known\n", cli.Counted(summary.Read, "text", "texts"), summary.Added, summary.Known)
		return err
	})
}
