package libraryverbs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/cmd/mekiki/internal/remote"
	"mekiki/index/ingest/textrecord"
	"mekiki/internal/progress"
	"mekiki/server/jobs"
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
	err := app.WithModel(ctx, func(library cli.Library, engine *cli.Session) error {
		reporter := app.Progress()
		defer reporter.Finish()
		options.Progress = func(done int) {
			reporter.Report(progress.State{Task: "add texts", Done: int64(done), Unit: progress.Steps})
		}
		summary, err := textrecord.AddFile(ctx, library, engine.Engine, source, options)
		if err != nil {
			return err
		}
		return printTexts(app, summary)
	})
	return handTexts(ctx, app, err, name, source, options)
}

func printTexts(app *cli.App, summary textrecord.Summary) error {
	if app.AsJSON {
		return app.PrintJSON(summary)
	}
	_, err := fmt.Fprintf(app.Out, "%s: %d new or changed, %d known\n", cli.Counted(summary.Read, "text", "texts"), summary.Added, summary.Known)
	return err
}

// handTexts has the server that has the library bring in the texts, where err says that it is locked.
func handTexts(ctx context.Context, app *cli.App, err error, name string, source io.Reader, options textrecord.Options) error {
	client, err := app.Handover(ctx, err)
	if client == nil {
		return err
	}
	defer client.Close()
	if name == "-" {
		// The server reads files, not this command's input.
		if name, err = spool(source); err != nil {
			return err
		}
		defer func() { _ = os.Remove(name) }() // a file of the system's folder for temporary ones
	}
	if name, err = filepath.Abs(name); err != nil {
		return err
	}
	job, err := app.RunJob(ctx, client, "add texts", jobs.Request{Kind: jobs.KindTexts, File: name, Format: string(options.Format), Source: options.Source})
	if err != nil {
		return err
	}
	if job.State == jobs.Cancelled {
		return cli.WithStatus(cli.ExitInterrupted, errInterrupted)
	}
	var summary textrecord.Summary
	if err := remote.Result(job, &summary); err != nil {
		return err
	}
	return printTexts(app, summary)
}

// spool writes all of an input to a temporary file, which the user alone can read, and gives its name.
func spool(source io.Reader) (name string, err error) {
	file, err := os.CreateTemp("", "mekiki-texts-*")
	if err != nil {
		return "", err
	}
	_, err = io.Copy(file, source)
	if err = errors.Join(err, file.Close()); err != nil {
		return "", errors.Join(err, os.Remove(file.Name()))
	}
	return file.Name(), nil
}
