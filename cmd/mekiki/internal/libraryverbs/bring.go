package libraryverbs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/index"
	"mekiki/index/bring"
	"mekiki/index/bring/digikam"
	"mekiki/index/bring/immich"
	"mekiki/index/bring/lightroom"
	"mekiki/index/bring/photoprism"
	"mekiki/index/bring/takeout"
	"mekiki/index/local"
	"mekiki/internal/hint"
	"mekiki/internal/progress"
	"mekiki/server/editing"
)

const bringLong = `Bring what you gave your pictures in another program: tags, albums (as collections),
people, ratings, favourites, titles and descriptions. Index the pictures first: they
are found by path, by content, or by name and size.

What you gave in Mekiki wins, unless --overwrite says otherwise, and what a picture
says already is not given again. --map /there=/here says where a folder of the other
program lies on this machine. --dates takes dates over too, where the other program
has another one than the file. The other program's data is only read.

--dry-run shows what would change, with every picture that was not found and why.
"mekiki bring undo" takes the last run back. While a server has the library, it
makes the changes. Ctrl-C stops; the same command continues.`

// bringOptions are the flags that all sources have.
type bringOptions struct {
	mappings  []string
	overwrite bool
	dates     bool
	dryRun    bool
}

// NewBringCommand makes the verb "bring".
func NewBringCommand(app *cli.App) *cobra.Command {
	command := &cobra.Command{Use: "bring", Short: "Bring tags, albums, people and ratings from other programs", Long: bringLong}
	add := func(use, short, long, example string, count cobra.PositionalArgs, source func(arguments []string) (bring.Source, error)) *cobra.Command {
		var options bringOptions
		verb := &cobra.Command{
			Use: use, Short: short, Long: long, Example: example, Args: count,
			RunE: func(command *cobra.Command, arguments []string) error {
				opened, err := source(arguments)
				if err != nil {
					return err
				}
				return runBring(command.Context(), app, options, opened)
			},
		}
		flags := verb.Flags()
		flags.StringArrayVar(&options.mappings, "map", nil, "folder of the other program and where it lies here, as /there=/here (may be repeated)")
		flags.BoolVar(&options.overwrite, "overwrite", false, "let the other program win where you gave another value in Mekiki")
		flags.BoolVar(&options.dates, "dates", false, "take over dates too, where they are not the file's own")
		flags.BoolVar(&options.dryRun, "dry-run", false, "only show what would change")
		command.AddCommand(verb)
		return verb
	}
	add("takeout FOLDER", "From an unpacked Google Takeout",
		"Read a Google Takeout of Google Photos, unpacked: favourites, people and descriptions\nfrom the JSON beside the pictures, albums from the folders. Its pictures may be the\nlibrary's own files, or copies of them.",
		"  mekiki bring takeout ~/Takeout --dry-run", cobra.ExactArgs(1),
		func(arguments []string) (bring.Source, error) { return takeout.Source(arguments[0]), nil })
	add("photoprism FOLDER…", "From PhotoPrism's YAML files",
		"Read PhotoPrism's YAML files: storage/sidecar (or the originals, where they lie beside\nthe pictures) and storage/albums. --map says which folder of originals belongs to the\nfolder of sidecars. Keywords and titles that PhotoPrism made up itself are left out.",
		"  mekiki bring photoprism storage/sidecar storage/albums --map $PWD/storage/sidecar=$HOME/Pictures", cobra.MinimumNArgs(1),
		func(arguments []string) (bring.Source, error) { return photoprism.Source(arguments...), nil })
	add("digikam DATABASE", "From digiKam's database",
		"Read digikam4.db, digiKam's SQLite database: tags, people, ratings, titles, captions,\nand accepted pictures as favourites.",
		"  mekiki bring digikam ~/Pictures/digikam4.db", cobra.ExactArgs(1),
		func(arguments []string) (bring.Source, error) { return digikam.Source(arguments[0]), nil })
	add("lightroom CATALOG", "From a catalog of Lightroom Classic",
		"Read a .lrcat catalog of Lightroom Classic: keywords, people, collections, ratings,\nflagged pictures as favourites, titles and captions. Close Lightroom first.",
		`  mekiki bring lightroom "Lightroom Catalog.lrcat" --map "C:/Users/Ada/Pictures=/home/ada/Pictures"`, cobra.ExactArgs(1),
		func(arguments []string) (bring.Source, error) { return lightroom.Source(arguments[0]), nil })
	addImmich(add)
	command.AddCommand(&cobra.Command{
		Use: "undo", Short: "Take the last run back", Args: cobra.NoArgs,
		Long: "Take back what the last run brought: what it added goes, and values are as they were\nbefore, unless they have changed since. Run it again for the run before.",
		RunE: func(command *cobra.Command, _ []string) error { return runBringUndo(command.Context(), app) },
	})
	return command
}

func addImmich(add func(use, short, long, example string, count cobra.PositionalArgs, source func([]string) (bring.Source, error)) *cobra.Command) {
	var keyFile, key string
	verb := add("immich ADDRESS", "From an Immich server",
		"Ask an Immich server by its HTTP API: tags, albums, people, ratings, favourites and\ndescriptions of the key's user. The key needs the permissions asset.read, album.read,\ntag.read and person.read. Pictures are found by the hash that Immich has of them.",
		"  MEKIKI_BRING_IMMICH_KEY=… mekiki bring immich http://photos.local:2283 --dry-run", cobra.ExactArgs(1),
		func(arguments []string) (bring.Source, error) {
			if keyFile != "" {
				data, err := readKey(keyFile)
				if err != nil {
					return nil, err
				}
				key = data
			}
			if key = strings.TrimSpace(key); key == "" {
				return nil, hint.Wrap(cli.UsageError("Immich needs an API key"), "make one in Immich's account settings, and give it in MEKIKI_BRING_IMMICH_KEY or with --key-file")
			}
			return immich.Source(immich.Server{Address: arguments[0], Key: key}), nil
		})
	verb.Flags().StringVar(&keyFile, "key-file", "", "file with the API key")
	verb.Flags().StringVar(&key, "key", "", "API key; better in the environment or a file, since others may see command lines")
}

func readKey(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("--key-file: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maximumKey))
	if err != nil {
		return "", fmt.Errorf("--key-file: %w", err)
	}
	return string(data), nil
}

// runBring takes a source over, itself or through the server that has the library.
func runBring(ctx context.Context, app *cli.App, flags bringOptions, source bring.Source) error {
	options := bring.Options{Overwrite: flags.overwrite, Dates: flags.dates, DryRun: flags.dryRun}
	for _, text := range flags.mappings {
		mapping, err := bring.ParseMapping(text)
		if err != nil {
			return cli.UsageError("--map: %w", err)
		}
		options.Mappings = append(options.Mappings, mapping)
	}
	var report bring.Report
	err := withBringing(ctx, app, flags.dryRun, func(library *local.Library, folder string, apply func(context.Context, []bring.Edit) error) (err error) {
		snapshot := library.Snapshot()
		defer snapshot.Close()
		reporter := app.Progress()
		defer reporter.Finish()
		options.Folder, options.Apply = folder, apply
		options.Progress = func(stage string, done, total int) {
			reporter.Report(progress.State{Task: stage, Done: int64(done), Total: int64(total), Unit: progress.Images})
		}
		report, err = bring.Run(ctx, snapshot, source, options)
		return err
	})
	if err != nil && report.Run == "" {
		return err
	}
	return errors.Join(err, showBringReport(app, report))
}

// withBringing opens the library, and gives what changes it: the library itself, or the server that has it.
func withBringing(ctx context.Context, app *cli.App, readOnly bool, do func(*local.Library, string, func(context.Context, []bring.Edit) error) error) error {
	folder, err := app.LibraryFolder()
	if err == nil {
		folder, err = filepath.Abs(folder)
	}
	if err != nil {
		return err
	}
	err = app.WithExistingLibrary(ctx, readOnly, func(library *local.Library) error {
		return do(library, folder, func(ctx context.Context, edits []bring.Edit) error {
			var batch index.Batch
			for _, edit := range edits {
				edit.AddTo(&batch)
			}
			_, err := library.Write(ctx, batch)
			return err
		})
	})
	client, err := app.Handover(ctx, err)
	if client == nil {
		return err
	}
	defer client.Close()
	return app.WithExistingLibrary(ctx, true, func(library *local.Library) error {
		return do(library, folder, func(ctx context.Context, edits []bring.Edit) error {
			for _, edit := range edits {
				if _, err := client.Edit(ctx, editFor(edit)); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// editFor gives an edit as the server takes it.
func editFor(edit bring.Edit) editing.Edit {
	asked := editing.Edit{
		IDs: []string{edit.ID.String()}, AddTags: edit.AddTags, RemoveTags: edit.RemoveTags, AddCollections: edit.AddCollections,
		RemoveCollections: edit.RemoveCollections, AddPeople: edit.AddPeople, RemovePeople: edit.RemovePeople,
	}
	text := func(member index.GivenMembers, name, value string, target **string) {
		switch {
		case edit.Set&member == 0:
		case value == "":
			asked.Clear = append(asked.Clear, name)
		default:
			*target = &value
		}
	}
	text(index.GivenTitle, "title", edit.To.Title, &asked.Title)
	text(index.GivenDescription, "description", edit.To.Description, &asked.Description)
	date := ""
	if !edit.To.Date.IsZero() {
		date = edit.To.Date.Format("2006-01-02T15:04:05")
	}
	text(index.GivenDate, "date", date, &asked.Date)
	if edit.Set&index.GivenFavourite != 0 {
		asked.Favourite = &edit.To.Favourite
	}
	switch {
	case edit.Set&index.GivenRating == 0:
	case edit.To.Rating == nil:
		asked.Clear = append(asked.Clear, "rating")
	default:
		asked.Rating = edit.To.Rating
	}
	return asked
}

func showBringReport(app *cli.App, report bring.Report) error {
	if app.AsJSON {
		return app.PrintJSON(report)
	}
	var text strings.Builder
	for _, each := range report.ProblemList {
		fmt.Fprintf(&text, "cannot be read\t%s\t%s\n", cli.Printable(each.Where), cli.Printable(each.Reason))
	}
	for _, each := range report.UnmatchedList {
		fmt.Fprintf(&text, "not found\t%s\t%s\n", cli.Printable(each.Path), cli.Printable(each.Reason))
	}
	for _, each := range report.ConflictList {
		fmt.Fprintf(&text, "differs\t%s\t%s is %q here, %q there\n", cli.Printable(each.Path), each.Member, cli.Printable(each.Here), cli.Printable(each.There))
	}
	matched := 0
	for _, count := range report.Matched {
		matched += count
	}
	verb := "changed"
	if report.DryRun {
		verb = "would change"
	}
	fmt.Fprintf(&text, "%s found (%d by path, %d by content, %d by name and size), %d not found\n", cli.Counted(matched, "picture", "pictures"),
		report.Matched[bring.ByPath], report.Matched[bring.ByContent], report.Matched[bring.ByNameSize], report.Unmatched)
	fmt.Fprintf(&text, "%s %s: %d tags, %d in albums, %d people, %d ratings, %d favourites, %d titles, %d descriptions, %d dates", verb,
		cli.Counted(report.Changed, "record", "records"), report.Tags, report.Albums, report.People, report.Ratings, report.Favourites,
		report.Titles, report.Descriptions, report.Dates)
	if report.Conflicts > 0 {
		fmt.Fprintf(&text, "; %s differ from what you gave in Mekiki", cli.Counted(report.Conflicts, "value", "values"))
	}
	if report.Run != "" {
		text.WriteString("\nto take this back: mekiki bring undo")
	}
	_, err := fmt.Fprintln(app.Out, text.String())
	return err
}

func runBringUndo(ctx context.Context, app *cli.App) error {
	var report bring.UndoReport
	err := withBringing(ctx, app, false, func(library *local.Library, folder string, apply func(context.Context, []bring.Edit) error) (err error) {
		snapshot := library.Snapshot()
		defer snapshot.Close()
		report, err = bring.Undo(ctx, snapshot, folder, apply, time.Now())
		return err
	})
	if errors.Is(err, bring.ErrNothingToUndo) {
		return cli.WithStatus(cli.ExitNothing, err)
	}
	if err != nil {
		return err
	}
	if app.AsJSON {
		return app.PrintJSON(report)
	}
	_, err = fmt.Fprintf(app.Out, "%s as before, %d values stay that have changed since, %d records are gone\n",
		cli.Counted(report.Changed, "record is", "records are"), report.Kept, report.Gone)
	return err
}
