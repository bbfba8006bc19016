package serververbs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/index/local"
	"mekiki/internal/hint"
	"mekiki/server"
	"mekiki/server/auth"
	"mekiki/server/webhooks"
)

const serveLong = `Serve the page and the HTTP API over a library.

On a loopback address, the default, no token is needed. On any other, people and
programs show a token, and the server refuses to start without any: make one with
"mekiki token new". Put a reverse proxy in front for TLS.

While the server runs it holds the library for writing. If another process holds
it, the server is read-only, follows what that process writes, and becomes the
writer when it ends. A library in a place that cannot be written to, or on a full
disk, is served read-only until that changes.

docs/api.md describes the API, docs/operations.md the limits; the server itself
shows the API at /api/docs and metrics for Prometheus at /metrics.`

const serveExample = `  mekiki serve
  mekiki serve --root ~/Pictures
  mekiki serve --addr :8080 --token-file tokens.txt --host photos.example`

type serveOptions struct {
	address    string
	hosts      []string
	origins    []string
	webhooks   string
	tokenFile  string
	roots      []string
	noUploads  bool
	noCaptions bool
	writeXMP   bool
	readWords  bool
	words      string
	logLevel   string
	limits     server.Limits
	uploadMiB  int64
	megapixels int64
	cacheMiB   int64
}

// NewServeCommand makes the verb "serve".
func NewServeCommand(app *cli.App) *cobra.Command {
	var options serveOptions
	command := &cobra.Command{
		Use:     "serve",
		Short:   "Serve the page and the HTTP API",
		Long:    serveLong,
		Example: serveExample,
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return runServe(command.Context(), app, options)
		},
	}
	flags := command.Flags()
	flags.StringVar(&options.address, "addr", server.DefaultAddress, "address to serve on; port 0 takes a free one")
	flags.StringArrayVar(&options.hosts, "host", nil, "another host name of the server (may be repeated)")
	flags.StringArrayVar(&options.origins, "cors-origin", nil, "origin whose pages may call the API with a token, such as https://photos.example (may be repeated)")
	flags.StringVar(&options.webhooks, "webhooks", "", "file of addresses to tell of jobs and new pictures (docs/webhooks.md)")
	flags.StringVar(&options.tokenFile, "token-file", "", "file of tokens made by \"mekiki token new\"")
	flags.StringArrayVar(&options.roots, "root", nil, "folder that may be indexed through the server (may be repeated)")
	flags.BoolVar(&options.noUploads, "no-uploads", false, "refuse uploads of images")
	flags.BoolVar(&options.noCaptions, "no-captions", false, "write no captions")
	flags.BoolVar(&options.writeXMP, "write-xmp", false, "write what people give pictures below --root into XMP sidecars (see docs/xmp.md)")
	flags.BoolVar(&options.readWords, "read-words", false, "read the words in pictures while nothing else is to be done (see docs/words.md)")
	cli.AddWordsFlag(flags, &options.words)
	flags.StringVar(&options.logLevel, "log-level", "", "what to log: debug, info (every request), warn or error (default: warn on a terminal, else info)")
	flags.IntVar(&options.limits.Searches, "searches", 0, "largest number of concurrent searches (0: one for every two cores, at least 2)")
	flags.IntVar(&options.limits.SearchQueue, "search-queue", 0, "largest number of searches that wait (0: as many as run)")
	flags.DurationVar(&options.limits.SearchTime, "search-time", 0, "longest time of one search (0: 30s)")
	flags.DurationVar(&options.limits.DrainTime, "drain-time", 0, "how long to go on serving after the signal to stop, with /readyz failing so that load balancers notice")
	flags.Int64Var(&options.uploadMiB, "upload-mib", server.DefaultUploadMiB, "largest uploaded image in MiB")
	flags.Int64Var(&options.megapixels, "upload-megapixels", server.DefaultUploadMegapixels, "largest uploaded image in megapixels")
	flags.Int64Var(&options.cacheMiB, "token-cache-mib", 128, "memory in MiB for the image tokens of recently matched pictures")
	return command
}

// runServe opens the model and the library and serves until it is told to stop.
func runServe(ctx context.Context, app *cli.App, options serveOptions) (err error) {
	prepared, err := options.prepare(app)
	if err != nil {
		return err
	}
	engine, err := app.OpenEngine(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	if options.readWords { // a job would fail long after anybody looks
		words, err := app.OpenWords(ctx, engine.Runtime, options.words)
		if err != nil {
			return err
		}
		if err := words.Close(); err != nil {
			return err
		}
	}
	if app.Cluster != "" {
		return serveCluster(ctx, app, engine, options, prepared)
	}
	library, reads, err := openServed(func(readOnly bool) (*local.Library, error) { return app.OpenLibrary(ctx, readOnly) },
		func(reads, err error) { prepared.Logger.Warn("serving read-only", "why", reads, "error", err) })
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, library.Close()) }()
	return serveLibrary(ctx, app, serving{engine: engine, library: library, disk: library, reads: reads, noUploads: options.noUploads, writeXMP: options.writeXMP, words: options.words}, prepared)
}

// serveCluster serves a library on a cluster. What the server keeps on this machine may be deleted at any time.
func serveCluster(ctx context.Context, app *cli.App, engine *cli.Session, options serveOptions, prepared server.Options) (err error) {
	library, err := app.OpenCluster(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, library.Close()) }()
	if err := os.MkdirAll(library.DerivedFolder(), 0o700); err != nil {
		return err
	}
	return serveLibrary(ctx, app, serving{engine: engine, library: library, noUploads: options.noUploads, writeXMP: options.writeXMP, words: options.words}, prepared)
}

// prepare turns the flags into the server's options, as far as they go without a
// model and a library, so that mistakes show before either is opened.
func (o serveOptions) prepare(app *cli.App) (server.Options, error) {
	logger, err := serverLog(app, o.logLevel)
	if err != nil {
		return server.Options{}, err
	}
	tokens, err := readTokens(o.tokenFile)
	if err != nil {
		return server.Options{}, err
	}
	if _, _, err := net.SplitHostPort(o.address); err != nil {
		return server.Options{}, hint.Wrap(cli.UsageError("--addr %q: %w", o.address, err), "give a host and a port, such as "+server.DefaultAddress)
	}
	if err := server.CheckAddress(o.address, tokens); err != nil {
		return server.Options{}, err
	}
	if o.uploadMiB <= 0 || o.megapixels <= 0 || o.uploadMiB > maximumUpload || o.megapixels > maximumUpload {
		return server.Options{}, cli.UsageError("--upload-mib and --upload-megapixels must be above 0 and at most %d", maximumUpload)
	}
	if o.cacheMiB <= 0 || o.cacheMiB > maximumCache {
		return server.Options{}, cli.UsageError("--token-cache-mib must be above 0 and at most %d", maximumCache)
	}
	app.TokenCache = o.cacheMiB << 20
	o.limits.UploadBytes, o.limits.UploadPixels = o.uploadMiB<<20, o.megapixels*1_000_000
	for _, origin := range o.origins {
		if err := auth.CheckOrigin(origin); err != nil {
			return server.Options{}, cli.UsageError("--cors-origin: %w", err)
		}
	}
	if len(o.origins) > 0 && len(tokens) == 0 {
		return server.Options{}, hint.Wrap(cli.UsageError("--cors-origin needs tokens: without, every page of the origin could do everything"), "make a token with mekiki token new and pass --token-file")
	}
	tokenFile := o.tokenFile
	if tokenFile != "" {
		if tokenFile, err = filepath.Abs(tokenFile); err != nil {
			return server.Options{}, fmt.Errorf("--token-file: %w", err)
		}
	}
	options := server.Options{Address: o.address, Hosts: o.hosts, Origins: o.origins, Tokens: tokens, TokenFile: tokenFile, Limits: o.limits, Logger: logger}
	options.ReadWords = o.readWords
	if o.noCaptions {
		options.Captions = -1
	}
	if o.webhooks != "" {
		if options.Webhooks, err = webhooks.ReadConfig(o.webhooks); err != nil {
			return options, cli.UsageError("--webhooks: %w", err)
		}
	}
	if o.writeXMP && len(o.roots) == 0 {
		return options, hint.Wrap(cli.UsageError("--write-xmp writes below --root only, and there is none"), "name the folders of the pictures with --root")
	}
	for _, root := range o.roots {
		absolute, err := filepath.Abs(root)
		if err != nil {
			return options, fmt.Errorf("--root: %w", err)
		}
		info, err := os.Stat(absolute)
		if err != nil {
			return options, cli.UsageError("--root: %w", err)
		}
		if !info.IsDir() {
			return options, cli.UsageError("--root: %s is not a folder", absolute)
		}
		options.Roots = append(options.Roots, absolute)
	}
	return options, nil
}

// tokensVariable holds tokens for those who have no place for a file: the lines of
// one, with semicolons or line ends between them.
const tokensVariable = "MEKIKI_TOKENS"

func readTokens(path string) ([]auth.Token, error) {
	if path == "" {
		text := strings.ReplaceAll(os.Getenv(tokensVariable), ";", "\n")
		tokens, err := auth.ParseTokens(strings.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", tokensVariable, err)
		}
		return tokens, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--token-file: %w", err)
	}
	defer file.Close()
	tokens, err := auth.ParseTokens(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(tokens) == 0 {
		return nil, hint.Wrap(fmt.Errorf("%s has no tokens", path), "mekiki token new --scope read >> "+path)
	}
	return tokens, nil
}

// serverLog is the log of a server: on a terminal it says only what is wrong, into
// a file or a journal it tells of every request.
func serverLog(a *cli.App, level string) (*slog.Logger, error) {
	least := slog.LevelInfo
	if file, ok := a.Stderr.(*os.File); ok && isTerminal(file) {
		least = slog.LevelWarn
	}
	if a.Verbose {
		least = slog.LevelDebug
	}
	if level != "" {
		if err := least.UnmarshalText([]byte(level)); err != nil {
			return nil, cli.UsageError("--log-level %q: must be debug, info, warn or error", level)
		}
	}
	options := &slog.HandlerOptions{Level: least}
	if a.AsJSON {
		return slog.New(slog.NewJSONHandler(a.Stderr, options)), nil
	}
	return slog.New(slog.NewTextHandler(a.Stderr, options)), nil
}
