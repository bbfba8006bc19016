package libraryverbs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/index"
	"mekiki/index/local"
	"mekiki/index/xmp"
	"mekiki/internal/hint"
	"mekiki/internal/progress"
	"mekiki/search/query"
)

const xmpLong = `Write what people gave pictures in Mekiki into XMP files beside them, where digiKam,
darktable, Lightroom, Immich and others read it; or take the last such run back.
The pictures themselves are never written to.`

const xmpWriteLong = `Write tags, people, ratings, titles and descriptions, dates and favourites into XMP
sidecars: IMG_1.jpg.xmp, or IMG_1.xmp where that is there and is this picture's
alone. Without flags all of these are written, but no captions; name some for these
alone. Captions by a model are written where nobody has described the picture, are
marked, and give way to what people write.

What others wrote into a sidecar stays. What Mekiki wrote it keeps there, in a
namespace of its own: so it removes only that, and a value that another program has
changed since stays until it changes in Mekiki too.

FILTERS are those of searches, such as tag:family or folder:Holiday; without any,
all pictures are meant. --dry-run lists what would change. Ctrl-C stops between two
files; the same command continues. A sidecar that is not well-formed or too large
is left as it is, with its reason: exit status 3. "mekiki xmp undo" takes a run back.`

const xmpWriteExample = `  mekiki xmp write --dry-run
  mekiki xmp write
  mekiki xmp write --tags --ratings folder:Holiday
  mekiki xmp write --captions rating:4..5
  mekiki xmp undo`

const xmpUndoLong = `Give the sidecars of the last run what they held before it, and remove those that
were not there. A sidecar that has changed since is left as it is, and named: exit
status 3. Run it again to take the run before back.`

type xmpOptions struct {
	kinds  map[xmp.Kinds]*bool
	dryRun bool
}

// NewXMPCommand makes the verb "xmp".
func NewXMPCommand(app *cli.App) *cobra.Command {
	command := &cobra.Command{Use: "xmp", Short: "Write tags, ratings and the like into XMP sidecars, or take that back", Long: xmpLong}
	options := xmpOptions{kinds: map[xmp.Kinds]*bool{}}
	write := &cobra.Command{
		Use: "write [FILTER]…", Short: "Write sidecars", Long: xmpWriteLong, Example: xmpWriteExample,
		RunE: func(command *cobra.Command, arguments []string) error {
			return runXMPWrite(command.Context(), app, options, arguments)
		},
	}
	flags := write.Flags()
	for _, each := range []struct {
		kind        xmp.Kinds
		name, usage string
	}{
		{xmp.Tags, "tags", "write tags (dc:subject, lr:hierarchicalSubject, digiKam:TagsList)"},
		{xmp.People, "people", "write people (Iptc4xmpExt:PersonInImage, and tags below \"People\")"},
		{xmp.Ratings, "ratings", "write ratings (xmp:Rating)"},
		{xmp.Titles, "titles", "write titles and people's descriptions (dc:title, dc:description)"},
		{xmp.Dates, "dates", "write dates (photoshop:DateCreated, exif:DateTimeOriginal)"},
		{xmp.Favourites, "favourites", "write favourites as picked (digiKam:PickLabel, xmpDM:pick)"},
		{xmp.Captions, "captions", "write captions by a model where there is no description (dc:description)"},
	} {
		options.kinds[each.kind] = flags.Bool(each.name, false, each.usage)
	}
	flags.BoolVar(&options.dryRun, "dry-run", false, "only show what would be written")
	undo := &cobra.Command{
		Use: "undo", Short: "Take the last run back", Long: xmpUndoLong, Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return runXMPUndo(command.Context(), app) },
	}
	command.AddCommand(write, undo)
	return command
}

// chosen gives what is to be written.
func (o xmpOptions) chosen() (kinds xmp.Kinds) {
	for kind, is := range o.kinds {
		if *is {
			kinds |= kind
		}
	}
	if kinds == 0 {
		return xmp.Given
	}
	return kinds
}

// filterOf reads filters as searches have them: nothing else may stand among them.
func filterOf(arguments []string) (index.Filter, error) {
	quoted := make([]string, len(arguments))
	for i, argument := range arguments { // folder:Little Italy is one argument, whose quotes the shell took away
		name, value, is := strings.Cut(argument, ":")
		if quoted[i] = argument; is && strings.Contains(value, " ") && !strings.ContainsAny(value, `":`) {
			quoted[i] = name + `:"` + value + `"`
		}
	}
	read, err := query.Parse(strings.Join(quoted, " "), query.Options{})
	if err != nil {
		return index.Filter{}, cli.UsageError("%w", err)
	}
	if len(read.Clauses)+len(read.Phrases)+len(read.Unwanted)+len(read.UnwantedPhrases)+len(read.Asks) > 0 {
		return index.Filter{}, hint.Wrap(cli.UsageError("%q is not a filter alone", read.Source),
			"name filters such as tag:family, folder:Holiday or rating:4..5, each in quotes where it has blanks")
	}
	filter := read.Filters.Filter
	filter.Kinds = []index.Kind{index.KindImage}
	if filter.Hidden == index.ChoiceExclude {
		filter.Hidden = index.ChoiceInclude
	}
	return filter, nil
}

func runXMPWrite(ctx context.Context, app *cli.App, options xmpOptions, arguments []string) error {
	filter, err := filterOf(arguments)
	if err != nil {
		return err
	}
	folder, err := app.LibraryFolder()
	if err == nil {
		folder, err = filepath.Abs(folder)
	}
	if err != nil {
		return err
	}
	// The library is only read, so that a server may have it meanwhile.
	return app.WithExistingLibrary(ctx, true, func(library *local.Library) error {
		snapshot := library.Snapshot()
		defer snapshot.Close()
		records, _, err := snapshot.List(ctx, filter, index.Page{})
		if err != nil {
			return err
		}
		reporter := app.Progress()
		report, err := xmp.Write(ctx, records, xmp.Options{
			Kinds: options.chosen(), LibraryFolder: folder, DryRun: options.dryRun,
			Progress: func(done, total int) {
				reporter.Report(progress.State{Task: "Writing sidecars", Done: int64(done), Total: int64(total), Unit: progress.Images})
			},
		})
		reporter.Finish()
		return errors.Join(err, showXMPReport(app, report))
	})
}

// showXMPReport says what was written, or would be.
func showXMPReport(app *cli.App, report xmp.Report) error {
	if app.AsJSON {
		if err := app.PrintJSON(report); err != nil {
			return err
		}
	} else if err := printXMPReport(app, report); err != nil {
		return err
	}
	if report.Refused > 0 {
		return cli.WithStatus(cli.ExitPartial, nil)
	}
	return nil
}

func printXMPReport(app *cli.App, report xmp.Report) error {
	var text strings.Builder
	for _, file := range report.Files {
		if file.State == xmp.Written && !report.DryRun && !app.Verbose {
			continue
		}
		fmt.Fprintf(&text, "%s\t%s", file.State, cli.Printable(cmp.Or(file.Sidecar, file.Picture)))
		if file.Reason != "" {
			fmt.Fprintf(&text, "\t%s", cli.Printable(file.Reason))
		}
		text.WriteString("\n")
		for _, change := range file.Changes {
			fmt.Fprintf(&text, "\t%s\n", cli.Printable(changeText(change)))
		}
	}
	verb := "wrote"
	if report.DryRun {
		verb = "would write"
	}
	fmt.Fprintf(&text, "%s %s; %d unchanged, %d skipped, %d refused", verb, cli.Counted(report.Written, "sidecar", "sidecars"), report.Unchanged, report.Skipped, report.Refused)
	if report.Kept > 0 {
		fmt.Fprintf(&text, "; %s newer in other programs stay", cli.Counted(report.Kept, "value", "values"))
	}
	if report.Written > 0 && !report.DryRun {
		text.WriteString("\nto take this back: mekiki xmp undo")
	}
	_, err := fmt.Fprintln(app.Out, text.String())
	return err
}

func changeText(change xmp.Change) string {
	text := change.Property
	switch {
	case change.Kept:
		return fmt.Sprintf("%s stays %q", text, change.After)
	case len(change.Add)+len(change.Remove) > 0:
		for _, each := range change.Add {
			text += " +" + each
		}
		for _, each := range change.Remove {
			text += " -" + each
		}
		return text
	case change.After == "":
		return fmt.Sprintf("%s %q is removed", text, change.Before)
	case change.Before == "":
		return fmt.Sprintf("%s %q", text, change.After)
	}
	return fmt.Sprintf("%s %q, before %q", text, change.After, change.Before)
}

func runXMPUndo(ctx context.Context, app *cli.App) error {
	folder, err := app.LibraryFolder()
	if err != nil {
		return err
	}
	report, err := xmp.Undo(ctx, folder, time.Now())
	if errors.Is(err, xmp.ErrNothingToUndo) {
		return cli.WithStatus(cli.ExitNothing, err)
	}
	if err != nil {
		return err
	}
	if app.AsJSON {
		err = app.PrintJSON(report)
	} else {
		for _, file := range report.Files {
			if _, err := fmt.Fprintf(app.Out, "%s\t%s\t%s\n", file.State, cli.Printable(file.Sidecar), cli.Printable(file.Reason)); err != nil {
				return err
			}
		}
		_, err = fmt.Fprintf(app.Out, "%s as before, %d removed, %d left as they are\n",
			cli.Counted(report.Restored, "sidecar is", "sidecars are"), report.Removed, report.Refused)
	}
	if err == nil && report.Refused > 0 {
		return cli.WithStatus(cli.ExitPartial, nil)
	}
	return err
}
