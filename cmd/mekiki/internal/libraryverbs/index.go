package libraryverbs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/cmd/mekiki/internal/libraryverbs/prepare"
	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/ingest"
	"mekiki/index/ingest/reading"
	"mekiki/index/ingest/report"
	"mekiki/internal/hint"
	"mekiki/search/ask"
)

const indexLong = `Bring folders and files of images into the library.

Every image below the paths is read, described by the model and kept: its
vectors, a caption, a thumbnail, and its metadata. Files that have not changed
since the last run are not read again; moved, copied, changed and deleted files
are recognised. A changed file stays the same record, with the tags that people
gave it. Files that cannot be indexed are listed by "mekiki status --failed" and
tried again when they change.

Records of a drive that is not connected are kept. Files that describe a picture
(x.jpg.xmp, x.xmp, x.jpg.json) are read with it, and again when they change. Files
of other kinds are skipped and counted.

These are left out: hidden files, folders that systems keep for themselves
(@eaDir, #recycle, $RECYCLE.BIN, __MACOSX, lost+found, …; docs/library.md has the
list), folders that hold a file named .nomedia, and whatever a file named
.mekikiignore in any folder excludes, in the form of .gitignore. A record that a
rule excludes now is taken out of the library; its tags are kept for 90 days.

A glob without a slash is matched with names at any depth (drafts, "*.jpg"); one
with a slash, with the path below PATH ("2009/**/raw") or with the whole path. **
matches any number of folders; *, ? and [a-z] match parts of a name. Case matters.
{a,b} and ! are not supported.

All images are searchable by their vectors before captions are written, of those
that were looked at last first, then the newest. Ctrl-C stops at the next commit;
the same command continues from there, with either. With
--watch, the program stays and follows changes.

While "mekiki serve" has the library, the server does the work, with its model, and
this command shows its progress; any folder that the server's process can read may
be named. Ctrl-C cancels the server's job; if the terminal closes, it goes on.`

const indexExample = `  mekiki index ~/Pictures
  mekiki index ~/Pictures --exclude drafts --exclude "*.gif"
  mekiki index ~/Pictures --watch`

type indexOptions struct {
	ingest.Options
	captions   captionChoice
	samples    int
	noCaptions bool
	tokens     string
	reread     string
	nice       bool
	megapixels int64
	readWords  bool
	words      string // folder of the models that read words
}

// NewIndexCommand makes the verb "index".
func NewIndexCommand(app *cli.App) *cobra.Command {
	options := indexOptions{captions: captionChoice{count: 1}}
	command := &cobra.Command{
		Use:     "index PATH…",
		Short:   "Bring folders of images into the library",
		Long:    indexLong,
		Example: indexExample,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(command *cobra.Command, arguments []string) error {
			options.Paths = arguments
			return runIndex(command.Context(), app, options)
		},
	}
	flags := command.Flags()
	flags.StringArrayVar(&options.Include, "include", nil, "index only files that match this glob, whatever their extension (may be repeated)")
	flags.StringArrayVar(&options.Exclude, "exclude", nil, "leave out files and folders that match this glob (may be repeated)")
	flags.BoolVar(&options.Hidden, "hidden", false, "include hidden files and folders")
	flags.BoolVar(&options.SystemFolders, "system-folders", false, "include folders that systems keep for themselves, and those with a file named .nomedia")
	flags.BoolVar(&options.NoExtension, "no-extension", false, "detect images among files without an extension")
	flags.BoolVar(&options.Again, "again", false, "bring in pictures too that were removed for good when the trash was emptied")
	flags.StringVar(&options.reread, "reread", "", "what to read again of unchanged files: metadata")
	flags.Int64Var(&options.megapixels, "megapixels", pixels.DefaultMaxPixels/1_000_000, "largest image to read, in megapixels")
	flags.BoolVar(&options.FollowSymlinks, "follow-symlinks", false, "follow symbolic links")
	flags.IntVar(&options.MaxDepth, "max-depth", 0, "levels of folders to enter, 1 for the files of PATH alone (0: no limit)")
	flags.Var(&options.captions, "captions", "captions to keep for each image, who writes them (itg: the Q-Former, lm: the second stage, or both), or both of these: lm,2")
	flags.IntVar(&options.samples, "caption-samples", 0, "captions that the second stage draws for each image besides the likeliest")
	flags.BoolVar(&options.noCaptions, "no-captions", false, "write no captions")
	flags.StringVar(&options.tokens, "tokens", "int8", "how to keep image tokens, which reranking reads: int8, int4 or none")
	flags.BoolVar(&options.NewSpace, "new-space", false, "add this model beside the library's (see \"mekiki spaces\")")
	flags.IntVar(&options.BatchSize, "batch", 64, "images in one commit")
	flags.IntVar(&options.Workers, "workers", 0, "files decoded at once (0: one for each processor, four at most); --threads bounds the model")
	flags.Var(&options.Shard, "shard", "index only this part of the files, such as 2/8, while other machines index the others into the same cluster")
	flags.BoolVar(&options.nice, "nice", false, "leave the machine to other programs: run with the lowest priority")
	flags.BoolVar(&options.Watch, "watch", false, "stay and follow changes of the files")
	flags.BoolVar(&options.PollOnly, "poll", false, "scan the folders while watching, for drives that do not report changes")
	flags.DurationVar(&options.PollInterval, "poll-interval", 0, "time between two scans of the folders (0: 30s)")
	flags.BoolVar(&options.readWords, "read-words", false, "then read the words in the library's pictures that were not read yet, with --watch also in those that come in (see docs/words.md)")
	cli.AddWordsFlag(flags, &options.words)
	return command
}

// ready turns the flags into the options of ingest.
func (o indexOptions) ready() (ingest.Options, error) {
	options := o.Options
	switch o.tokens {
	case "int8":
		options.Packing = embed.PackInt8
	case "int4":
		options.Packing = embed.PackInt4
	case "none":
		options.NoTokens = true
	default:
		return options, cli.UsageError("--tokens %q: must be int8, int4 or none", o.tokens)
	}
	if o.megapixels < 1 || o.megapixels > pixels.MaximumPixels/1_000_000 {
		return options, cli.UsageError("--megapixels %d: must be from 1 to %d", o.megapixels, pixels.MaximumPixels/1_000_000)
	}
	options.MaxPixels = o.megapixels * 1_000_000
	if options.Reread = o.reread == "metadata"; o.reread != "" && !options.Reread {
		return options, cli.UsageError("--reread %q: must be metadata", o.reread)
	}
	if o.samples < 0 || o.samples > ask.MaximumSamples {
		return options, cli.UsageError("--caption-samples %d: give 0 to %d", o.samples, ask.MaximumSamples)
	}
	options.Captions, options.CaptionSource = o.captions.count, o.captions.source
	if o.BatchSize < 1 {
		return options, cli.UsageError("--batch %d: give 1 or more", o.BatchSize)
	}
	if o.noCaptions || o.captions.count == 0 {
		options.Captions, options.CaptionSource = -1, ""
	}
	checked := options
	checked.CaptionSource = "" // its writer comes with the model
	if err := checked.Validate(); err != nil {
		return options, cli.UsageError("%w", err)
	}
	return options, checkPaths(options.Paths)
}

// checkPaths fails when none of the paths is there, before a library is made
// for nothing. A single one that is missing is reported by indexing.
func checkPaths(paths []string) error {
	var problems []error
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil {
			problems = append(problems, err)
		}
	}
	if len(problems) < len(paths) {
		return nil
	}
	return hint.Wrap(fmt.Errorf("index: %w", errors.Join(problems...)), "give folders or files that exist; quote names with spaces")
}

func runIndex(ctx context.Context, app *cli.App, flags indexOptions) error {
	options, err := flags.ready()
	if err != nil {
		return err
	}
	if options.Shard.Of > 0 && app.Cluster == "" {
		return hint.Wrap(cli.UsageError("--shard %s: a library on a disk has one writer", options.Shard), "leave it out, or name a cluster with --cluster")
	}
	options.CaptionsLater = true
	flags.lower(app)
	err = app.WithModel(ctx, func(library cli.Library, engine *cli.Session) error {
		writer, done, err := app.OpenCaptionWriter(ctx, engine, options.CaptionSource, flags.samples)
		if err != nil {
			return err
		}
		defer done()
		options.CaptionWriter = writer
		words, closeWords, err := openWords(ctx, app, engine, flags)
		if err != nil {
			return err
		}
		defer closeWords()
		watched := newWatchedWords(app, library, engine, words, options.Watch)
		if watched != nil {
			options.Afterwards = watched.read
		}
		summary, err := IndexPaths(ctx, app, library, engine, options)
		if err != nil {
			return err
		}
		if watched != nil {
			return printIndexed(app, app.FolderOf(library), indexReport{Summary: summary, words: &watched.total})
		}
		read, err := readWords(ctx, app, library, engine, words, summary.Interrupted)
		if err != nil {
			return err
		}
		prepare.Search(ctx, app, library, summary)
		return printIndexed(app, app.FolderOf(library), indexReport{Summary: summary, words: read})
	})
	return handIndexing(ctx, app, err, flags, options)
}

// lower gives the process the lowest priority, where that was asked for.
func (o indexOptions) lower(app *cli.App) {
	if !o.nice {
		return
	}
	if err := lowerPriority(); err != nil {
		app.Log().Warn("the priority is not lowered", "error", err)
	}
}

// errInterrupted: Ctrl-C or another signal came first.
var errInterrupted = errors.New("stopped before the end; what was done is kept")

// indexReport is what a run did.
type indexReport struct {
	report.Summary
	words          *reading.Progress // nil where nobody asked for words
	captionsFollow bool              // a server writes them when nothing else is to be done
}

// printIndexed says what a run did, and sets the exit status.
func printIndexed(a *cli.App, library string, done indexReport) error {
	summary, words := done.Summary, done.words
	if a.AsJSON {
		failures := []failureLine{}
		for _, failure := range summary.Failures {
			failures = append(failures, failureLineOf(failure))
		}
		err := a.PrintJSON(struct {
			report.Summary
			Seconds  float64       `json:"seconds"`
			Library  string        `json:"library"`
			Failures []failureLine `json:"failures"`
			// Words is how far reading the words in pictures came; nil where nobody asked for it.
			Words *reading.Progress `json:"words,omitempty"`
			// CaptionsFollow says that a server writes captions of what came in when nothing else is to be done.
			CaptionsFollow bool `json:"captions_follow,omitempty"`
		}{summary, summary.Duration.Seconds(), library, failures, words, done.captionsFollow})
		if err != nil {
			return err
		}
	} else if _, err := io.WriteString(a.Out, indexedText(summary)+done.followText()+wordsText(words)); err != nil {
		return err
	}
	switch {
	case summary.Interrupted || words != nil && words.Left() > 0:
		return cli.WithStatus(cli.ExitInterrupted, errInterrupted)
	case summary.Failed > 0 || words != nil && words.Failed > 0:
		return cli.WithStatus(cli.ExitPartial, nil)
	}
	return nil
}

// followText says that captions follow; "" where they do not.
func (r indexReport) followText() string {
	if !r.captionsFollow || r.Added+r.Changed == 0 {
		return ""
	}
	return "the server writes the captions that are missing when nothing else is to be done; its page shows how far it is\n"
}

// indexedText says in words what a run did.
func indexedText(summary report.Summary) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %d new, %d changed, %d unchanged, %d moved or copied, %d gone, %d failed\n",
		cli.Counted(summary.Seen, "file", "files"), summary.Added, summary.Changed, summary.Unchanged+summary.Reread,
		summary.Attached, summary.Removed, summary.Failed)
	if summary.Reread > 0 {
		fmt.Fprintf(&text, "the metadata of %s was read again%s\n", cli.Counted(summary.Reread, "file", "files"),
			map[bool]string{true: ", once, because this version reads more of it"}[summary.Older > 0])
	}
	if summary.Excluded > 0 {
		fmt.Fprintf(&text, "%s taken out of the library, because a rule excludes %s now\n",
			cli.Counted(summary.Excluded, "file was", "files were"), map[bool]string{true: "it", false: "them"}[summary.Excluded == 1])
	}
	if summary.Purged > 0 {
		fmt.Fprintf(&text, "%s left out, because the trash was emptied of %s (--again brings %[2]s in)\n",
			cli.Counted(summary.Purged, "file was", "files were"), map[bool]string{true: "it", false: "them"}[summary.Purged == 1])
	}
	if summary.Damaged > 0 {
		fmt.Fprintf(&text, "%s damaged and could be read only in part\n", cli.Counted(summary.Damaged, "picture is", "pictures are"))
	}
	if summary.Captioned > 0 {
		fmt.Fprintf(&text, "captions were written for %s\n", cli.Counted(summary.Captioned, "picture", "pictures"))
	}
	text.WriteString(passedOverText(summary.PassedOver))
	if summary.Seen == 0 && !summary.Interrupted {
		text.WriteString("No pictures were found there: docs/images.md has the formats. Hidden folders (--hidden) and files without an extension (--no-extension) are skipped.\n")
	}
	for i, failure := range summary.Failures {
		if i == 10 {
			fmt.Fprintf(&text, "  … %d more: mekiki status --failed\n", summary.Failed-i)
			break
		}
		fmt.Fprintf(&text, "  %s: %s\n", cli.Printable(failure.File.Path), cli.Printable(failure.Reason))
	}
	return text.String()
}

// shownKinds is how many kinds of files that were passed over are named.
const shownKinds = 8

// passedOverText says how many files of other kinds there were, and of which kinds,
// the most first.
func passedOverText(kinds map[string]int) string {
	total := 0
	for _, count := range kinds {
		total += count
	}
	if total == 0 {
		return ""
	}
	names := slices.SortedFunc(maps.Keys(kinds), func(a, b string) int {
		return cmp.Or(cmp.Compare(kinds[b], kinds[a]), strings.Compare(a, b))
	})
	var parts []string
	for i, name := range names {
		if i == shownKinds {
			parts = append(parts, "…")
			break
		}
		kind := cli.Printable(name)
		if name == "" {
			kind = "without an extension"
		}
		parts = append(parts, fmt.Sprint(kinds[name], " ", kind))
	}
	return fmt.Sprintf("%s skipped: %s\n", cli.Counted(total, "file of another kind was", "files of other kinds were"), strings.Join(parts, ", "))
}

// failureLine is the JSON form of a file that could not be indexed.
type failureLine struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
	Time   string `json:"time"`
}

func failureLineOf(failure index.Failure) failureLine {
	return failureLine{failure.File.Path, failure.Reason, failure.Time.UTC().Format("2006-01-02T15:04:05Z")}
}
