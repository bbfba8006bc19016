package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/ingest"
	"mekiki/internal/hint"
)

const indexLong = `Bring folders and files of images into the library.

Every image below the paths is read, described by the model and kept: its
vectors, a caption, a thumbnail, and what the file says about itself. What is
unchanged since the last time is not read again; moved, copied, changed and
deleted files are recognised. Files that cannot be indexed are listed by
"mekiki status --failed" and tried again when they change.

A glob without a slash is about names, however deep (drafts, "*.jpg"); one with a
slash is about the path below PATH ("2009/**/raw"), or about the whole path. **
stands for any number of folders; *, ? and [a-z] for parts of a name. Upper and
lower case differ; there is no {a,b} and no !.

Ctrl-C stops at the next commit; the same command goes on from there. With
--watch it stays and follows changes.`

const indexExample = `  mekiki index ~/Pictures
  mekiki index ~/Pictures --exclude drafts --exclude "*.gif"
  mekiki index ~/Pictures --watch`

type indexOptions struct {
	ingest.Options
	noCaptions bool
	tokens     string
}

func newIndexCommand(app *app) *cobra.Command {
	var options indexOptions
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
	flags.StringArrayVar(&options.Include, "include", nil, "take only files that match this glob, whatever their extension (may be repeated)")
	flags.StringArrayVar(&options.Exclude, "exclude", nil, "leave out files and folders that match this glob (may be repeated)")
	flags.BoolVar(&options.Hidden, "hidden", false, "take in hidden files and folders")
	flags.BoolVar(&options.FollowSymlinks, "follow-symlinks", false, "go through symbolic links")
	flags.IntVar(&options.MaxDepth, "max-depth", 0, "how many folders deep to go, 1 for the files of PATH alone (0: no limit)")
	flags.IntVar(&options.Captions, "captions", 1, "captions to keep for each image")
	flags.BoolVar(&options.noCaptions, "no-captions", false, "write no captions")
	flags.StringVar(&options.tokens, "tokens", "int8", "how to keep image tokens, which reranking reads: int8, int4 or none")
	flags.BoolVar(&options.NewSpace, "new-space", false, "add this model beside the library's (see \"mekiki spaces\")")
	flags.IntVar(&options.BatchSize, "batch", 64, "images in one commit")
	flags.BoolVar(&options.Watch, "watch", false, "stay and follow changes")
	flags.BoolVar(&options.PollOnly, "poll", false, "look through the folders while watching, for drives that do not tell of changes")
	flags.DurationVar(&options.PollInterval, "poll-interval", 0, "how often to look through the folders (0: 30s)")
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
		return options, usage("--tokens %q: it is int8, int4 or none", o.tokens)
	}
	if o.Captions < 0 {
		return options, usage("--captions %d is negative: give 0 for none", o.Captions)
	}
	if o.BatchSize < 1 {
		return options, usage("--batch %d: give 1 or more", o.BatchSize)
	}
	if o.noCaptions || o.Captions == 0 {
		options.Captions = -1
	}
	if err := options.Validate(); err != nil {
		return options, usage("%w", err)
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
	return hint.Wrap(fmt.Errorf("index: %w", errors.Join(problems...)), "give folders or files that are there; quote names with spaces")
}

func runIndex(ctx context.Context, app *app, flags indexOptions) error {
	options, err := flags.ready()
	if err != nil {
		return err
	}
	return app.withModel(ctx, func(library *index.Library, engine *session) error {
		summary, err := app.index(ctx, library, engine, options)
		if err != nil {
			return err
		}
		if summary.Seen == 0 && !summary.Interrupted && !app.asJSON {
			fmt.Fprintln(app.errors, "No pictures were found there. Hidden folders and other kinds of files are passed over: docs/images.md has the formats.")
		}
		return app.printIndexed(ctx, library, summary)
	})
}

// errInterrupted: Ctrl-C or another signal came first.
var errInterrupted = errors.New("stopped before the end; what is done is kept")

// printIndexed says what a run did, and sets the exit status.
func (a *app) printIndexed(ctx context.Context, library *index.Library, summary ingest.Summary) error {
	if a.asJSON {
		failures := []failureLine{}
		for _, failure := range summary.Failures {
			failures = append(failures, failureLineOf(failure))
		}
		err := a.printJSON(struct {
			ingest.Summary
			Seconds  float64       `json:"seconds"`
			Library  string        `json:"library"`
			Failures []failureLine `json:"failures"`
		}{summary, summary.Duration.Seconds(), library.Folder(), failures})
		if err != nil {
			return err
		}
	} else if _, err := io.WriteString(a.out, indexedText(summary)); err != nil {
		return err
	}
	switch {
	case summary.Interrupted:
		return withStatus(exitInterrupted, errInterrupted)
	case summary.Failed > 0:
		return withStatus(exitPartial, nil)
	}
	return nil
}

// indexedText says in words what a run did.
func indexedText(summary ingest.Summary) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d files: %d new, %d unchanged, %d moved or copied, %d gone, %d failed\n",
		summary.Seen, summary.Added, summary.Unchanged, summary.Attached, summary.Removed, summary.Failed)
	for i, failure := range summary.Failures {
		if i == 10 {
			fmt.Fprintf(&text, "  … %d more: mekiki status --failed\n", summary.Failed-i)
			break
		}
		fmt.Fprintf(&text, "  %s: %s\n", printable(failure.File.Path), printable(failure.Reason))
	}
	return text.String()
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
