package serververbs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/cmd/mekiki/internal/libraryverbs"
	"mekiki/cmd/mekiki/internal/searchverbs"
	"mekiki/embed/builtin"
	"mekiki/embed/models"
	"mekiki/index"
	"mekiki/index/ingest"
	"mekiki/index/ingest/prepared"
	"mekiki/index/ingest/textrecord"
	"mekiki/index/local"
	"mekiki/search"
	"mekiki/search/contract"
	"mekiki/server"
)

const demoLong = `Try Mekiki on the built-in model and gallery, without any files of your own.

It installs ONNX Runtime if necessary, compiles the built-in model, makes a library
of the gallery (scenes drawn for this purpose) and serves the page on this machine.
With --query it answers one query in the terminal instead. What the model makes of
the gallery comes with the program; "mekiki index" runs it, over your own pictures.

The built-in model is a small BLIP-2 that knows the world of these drawings and
not photographs; for your own pictures get a published model with "mekiki pull".
Everything is kept in the cache folder: the second run starts in a second and
needs no network.`

const demoExample = `  mekiki demo
  mekiki demo --query "two cats beside a pizza"
  mekiki demo --query "a rocket at night" --json
  mekiki demo --query "cats" --ask "how many cats are there?" --json`

type demoOptions struct {
	query   string
	asking  searchverbs.Asking
	limit   int
	noServe bool
	address string
	noOpen  bool
}

// NewDemoCommand makes the verb "demo".
func NewDemoCommand(app *cli.App) *cobra.Command {
	var options demoOptions
	command := &cobra.Command{
		Use:     "demo",
		Short:   "Try it on the built-in model and gallery",
		Long:    demoLong,
		Example: demoExample,
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return runDemo(command.Context(), app, options)
		},
	}
	flags := command.Flags()
	flags.StringVar(&options.query, "query", "", "answer this query in the terminal and exit")
	options.asking.AddFlags(flags)
	flags.IntVarP(&options.limit, "limit", "k", 5, "hits to show with --query")
	flags.BoolVar(&options.noServe, "no-serve", false, "prepare everything and exit")
	flags.StringVar(&options.address, "addr", server.DefaultAddress, "address to serve on; a free port is taken if it is in use")
	flags.BoolVar(&options.noOpen, "no-open", false, "do not open a browser")
	return command
}

// runDemo prepares the built-in model and a library of the gallery, then answers
// a query or serves.
func runDemo(ctx context.Context, app *cli.App, options demoOptions) error {
	cache, err := app.CacheFolder()
	if err != nil {
		return err
	}
	app.Model = models.BuiltinName
	engine, err := app.OpenEngine(ctx)
	if err != nil {
		return err
	}
	defer engine.Close()
	folder := filepath.Join(cache, "demo")
	if err := unpack(ctx, builtin.Gallery(), filepath.Join(folder, "gallery")); err != nil {
		return err
	}
	app.Library = filepath.Join(folder, "library-"+engine.Space().Fingerprint[:12])
	library, reads, err := openDemoLibrary(ctx, app)
	if err != nil {
		return err
	}
	defer library.Close()
	if reads == nil {
		if err := fillDemoLibrary(ctx, app, library, engine, filepath.Join(folder, "gallery")); err != nil {
			return err
		}
	}
	switch {
	case options.query != "":
		return answerDemo(ctx, app, library, engine, options)
	case options.noServe:
		return nil
	}
	return serveDemo(ctx, app, library, engine, options, reads)
}

// openDemoLibrary opens the demo's library for writing or, while another demo is
// at work on it, for reading; reads is then the reason.
func openDemoLibrary(ctx context.Context, app *cli.App) (library *local.Library, reads, err error) {
	return openServed(func(readOnly bool) (*local.Library, error) { return app.OpenLibrary(ctx, readOnly) }, func(_, _ error) {})
}

// fillDemoLibrary brings the gallery's images and texts in, unless they are there. What the checkpoint makes of them is
// part of the program, so that the model need not run; it does for whatever else is in the folder, and for all where it merges
// tokens, which makes other vectors of pictures.
func fillDemoLibrary(ctx context.Context, app *cli.App, library *local.Library, engine *cli.Session, gallery string) error {
	snapshot := library.Snapshot()
	images, texts := snapshot.Count(index.KindImage), snapshot.Count(index.KindText)
	snapshot.Close()
	options := ingest.Options{Paths: []string{filepath.Join(gallery, "images")}, BatchSize: demoBatch}
	var embedder textrecord.Engine = engine
	if (images == 0 || texts == 0) && !engine.Manifest().Fast() {
		collection, err := preparedGallery(ctx, app)
		if err != nil {
			return err
		}
		if collection != nil {
			options.Prepared, embedder = collection.Puts(engine.Space()), collection.Embedder(engine)
		}
	}
	if _, err := libraryverbs.IndexPaths(ctx, app, library, engine, options); err != nil {
		return err
	}
	if texts > 0 {
		return nil
	}
	data, err := fs.ReadFile(builtin.Gallery(), "texts.txt")
	if err != nil {
		return fmt.Errorf("read the gallery's texts: %w", err)
	}
	if _, err := textrecord.AddFile(ctx, library, embedder, bytes.NewReader(data), textrecord.Options{Source: "gallery"}); err != nil {
		return fmt.Errorf("add the gallery's texts: %w", err)
	}
	return nil
}

// preparedGallery gives what the model's checkpoint makes of the gallery; nil where it is of another checkpoint.
func preparedGallery(ctx context.Context, app *cli.App) (*prepared.Collection, error) {
	checksum, err := app.BuiltinChecksum(ctx)
	if err != nil {
		return nil, err
	}
	collection, err := prepared.Read(builtin.Gallery())
	if err != nil || collection.Checkpoint != checksum {
		return nil, err
	}
	return collection, nil
}

func answerDemo(ctx context.Context, app *cli.App, library *local.Library, engine *cli.Session, options demoOptions) error {
	request := contract.Request{Text: options.query, Limit: options.limit, Filter: index.Filter{Kinds: []index.Kind{index.KindImage}}}
	if err := options.asking.Apply(&request); err != nil {
		return err
	}
	return searchverbs.WithSearcher(ctx, app, library, engine, request, func(searcher *search.Searcher) error {
		answer, err := searcher.Search(ctx, request)
		if err != nil {
			return searchverbs.QueryFailure(app, err)
		}
		return searchverbs.ShowHits(ctx, app, library, answer, searchverbs.Output{Thumbnails: "auto"})
	})
}

// serveDemo serves the page, on another port when the usual one is taken.
func serveDemo(ctx context.Context, app *cli.App, library *local.Library, engine *cli.Session, options demoOptions, reads error) error {
	served := serving{library: library, disk: library, engine: engine, reads: reads, browser: !options.noOpen && !app.AsJSON}
	err := serveLibrary(ctx, app, served, server.Options{Address: options.address})
	if !errors.Is(err, syscall.EADDRINUSE) {
		return err
	}
	host, _, splitErr := net.SplitHostPort(options.address)
	if splitErr != nil {
		return err
	}
	return serveLibrary(ctx, app, served, server.Options{Address: net.JoinHostPort(host, "0")})
}

// unpack writes files to folder, leaving alone those that are there in full. Each
// file appears whole or not at all.
func unpack(ctx context.Context, files fs.FS, folder string) error {
	return fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		target := filepath.Join(folder, filepath.FromSlash(path))
		if entry.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		data, err := fs.ReadFile(files, path)
		if err != nil {
			return fmt.Errorf("unpack the gallery: %w", err)
		}
		if present, err := os.ReadFile(target); err == nil && bytes.Equal(present, data) {
			return nil
		}
		if err := os.WriteFile(target+".part", data, 0o644); err != nil {
			return fmt.Errorf("unpack the gallery: %w", err)
		}
		return os.Rename(target+".part", target)
	})
}
