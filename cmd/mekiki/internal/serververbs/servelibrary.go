package serververbs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"golang.org/x/term"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/embed/answering"
	"mekiki/embed/models"
	"mekiki/index"
	"mekiki/index/local"
	"mekiki/index/originals"
	"mekiki/index/renditions"
	"mekiki/index/xmp"
	"mekiki/internal/progress"
	"mekiki/search/ask"
	"mekiki/server"
	"mekiki/server/handover"
	"mekiki/server/status"
	"mekiki/ui"
)

// serving is what a server is made of.
type serving struct {
	engine  *cli.Session
	library cli.Library
	// disk is the library where it is on a disk of this machine; nil for one on a cluster.
	disk *local.Library
	// reads says why the library is open for reading only; nil when it is not.
	reads error
	// noUploads takes no images by upload.
	noUploads bool
	// writeXMP writes sidecars of what people change below the roots.
	writeXMP bool
	// words is the folder of the models that read words in pictures; "" for those that were pulled.
	words string
	// browser opens the page once it is served, where there is a screen.
	browser bool
}

// serveLibrary runs a server over an open model and library until ctx ends. options are
// what the caller chooses; what it is made of is filled in here.
func serveLibrary(ctx context.Context, a *cli.App, s serving, options server.Options) (err error) {
	answers, err := openAnswers(ctx, a, s)
	if err != nil {
		return err
	}
	if answers.engine != nil {
		defer func() { err = errors.Join(err, answers.engine.Close()) }()
	}
	page, err := ui.Files()
	if err != nil {
		return err
	}
	if options.Logger == nil {
		if options.Logger, err = serverLog(a, ""); err != nil {
			return err
		}
	}
	model, err := newSwitcher(a, s, answers, options.Logger)
	if err != nil {
		return err
	}
	if answers.engine != nil {
		options.Asker, options.Questions = switchedAsker{model}, suggestedQuestions()
	}
	defer func() { err = errors.Join(err, model.close()) }()
	options.Interpreter = s.engine.Interpreter()
	options.Version, options.Decoder = cli.Version(), s.library.Decoder()
	options.Searcher, options.Library, options.LibraryFolder, options.Page = switchedSearcher{model}, s.library, s.folder(), page
	options.Models = modelLister(a, model.session)
	options.Ready = func(ctx context.Context) error { return s.ready(ctx, model.session()) }
	options.Ingester, options.Chores, options.Switch = switchedIngester{model}, switchedChores{model}, model.change
	published := &publisher{folder: s.folder(), secret: handover.NewSecret(), logger: options.Logger}
	options.OwnerSecret = published.secret
	defer published.withdraw()
	options.UploadFolder, options.NoUploads = originals.FolderOf(s.folder()), s.noUploads
	if onCluster, is := s.library.(*cli.OnCluster); is {
		options.UploadFolder, options.UploadKeeper, options.TemporaryFolder = "", onCluster.Uploads(), s.folder()
	}
	options.RenditionFolder = renditions.FolderOf(s.library.DerivedFolder())
	options.JobsFile = filepath.Join(s.library.DerivedFolder(), "jobs.json")
	options.WebhooksFile = filepath.Join(s.library.DerivedFolder(), "webhooks.json")
	reader := newReader(s.disk, s.reads, options.Logger)
	reader.promoted = func(ctx context.Context) {
		sweepUploads(ctx, s.disk, options.UploadFolder, options.Logger)
		published.writing()
	}
	options.Writable = reader.writable
	if s.reads == nil && s.disk != nil {
		reader.promoted(ctx)
	}
	served, err := server.New(options)
	if err != nil {
		return err
	}
	background, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	group.Go(func() {
		// The first search should not be the slow one.
		if err := s.engine.Warm(background); err != nil && background.Err() == nil {
			options.Logger.Warn("model not warmed up", "error", err)
		}
	})
	if s.reads != nil {
		group.Go(func() { reader.refreshLoop(background) })
	}
	if s.writeXMP {
		group.Go(func() {
			sidecars := xmp.Options{Kinds: xmp.Given, LibraryFolder: s.folder(), Roots: options.Roots}
			xmp.Follow(background, s.library, sidecars, xmpQuiet, func() bool { return reader.writable() == nil }, options.Logger)
		})
	}
	return served.Run(ctx, func(at net.Addr) {
		address := pageAddress(options.Address, at)
		published.listening(address)
		announce(a, address)
		if s.browser && hasScreen(a) {
			group.Go(func() {
				if err := cli.OpenFile(background, address); err != nil {
					options.Logger.Debug("no browser opened", "error", err)
				}
			})
		}
	})
}

// answers is an open second stage; zero where there is none.
type answers struct {
	engine *answering.Engine
	asker  *ask.Asker
}

// openAnswers opens the second stage. Where none was asked for, a server does without.
func openAnswers(ctx context.Context, a *cli.App, s serving) (answers, error) {
	engine, err := a.OpenAnswerEngine(ctx, s.engine.Runtime)
	if errors.Is(err, cli.ErrNoAnswers) && a.Answers == "" {
		return answers{}, nil
	}
	if err != nil {
		return answers{}, err
	}
	asker, err := a.NewAsker(engine, s.engine, s.library.Decoder())
	if err != nil {
		return answers{}, errors.Join(err, engine.Close())
	}
	return answers{engine: engine, asker: asker}, nil
}

// sweepUploads settles what a crash left among the uploads. Serving does not depend
// on it.
func sweepUploads(ctx context.Context, library *local.Library, folder string, logger *slog.Logger) {
	swept, err := originals.Sweep(ctx, library, folder, logger)
	if err != nil {
		logger.Warn("uploads not swept", "error", err)
	}
	if swept != (originals.Swept{}) {
		logger.Info("uploads swept", "removed", swept.Removed, "aside", swept.Aside, "found", swept.Found)
	}
	if swept.Aside > 0 {
		logger.Warn("uploads without a record were moved out of the folder of uploads", "files", swept.Aside, "to", originals.AsideOf(library.Folder()),
			"try", "to have them back, move them to a folder of yours and index it")
	}
}

// folder is that of the library, or, of one on a cluster, that for what may be deleted: it is never indexed.
func (s serving) folder() string {
	if s.disk == nil {
		return s.library.DerivedFolder()
	}
	return s.disk.Folder()
}

// errNotReady is why a server is not ready, without addresses, because anybody may ask.
var errNotReady = errors.New("the engine or the store of the cluster does not answer")

// ready fails when the library is not where it was opened, which is said without
// its path, because anybody may ask, or does not answer, and when it does not fit the model.
func (s serving) ready(ctx context.Context, engine *cli.Session) error {
	if s.disk == nil {
		reader, err := s.library.Reader(ctx)
		if err != nil {
			return errNotReady
		}
		return errors.Join(reader.Close(), cli.Fits(ctx, s.library, engine))
	}
	err := s.disk.Present()
	if errors.Is(err, index.ErrMoved) {
		return index.ErrMoved
	}
	if err != nil {
		return err
	}
	return cli.Fits(ctx, s.library, engine)
}

// pageAddress is what to open in a browser on this machine.
func pageAddress(asked string, at net.Addr) string {
	host, _, err := net.SplitHostPort(asked)
	_, port, portErr := net.SplitHostPort(at.String())
	if err != nil || portErr != nil {
		return "http://" + at.String() + "/"
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port) + "/"
}

func announce(a *cli.App, address string) {
	if a.AsJSON {
		// Standard output being gone shows when results are written to it.
		_ = a.PrintJSON(map[string]string{"message_type": "serving", "address": address})
		return
	}
	fmt.Fprintf(a.Out, "Serving %s (the API is at %sapi/docs). Ctrl-C stops.\n", address, address)
}

// modelLister lists the compiled models, with the one that is open as the active one.
func modelLister(a *cli.App, current func() *cli.Session) func() []status.Model {
	return func() []status.Model { return listModels(a, current()) }
}

func listModels(a *cli.App, engine *cli.Session) []status.Model {
	config := engine.Manifest().Config
	active := status.Model{
		Name: engine.Name, Fingerprint: engine.Manifest().Fingerprint, Precision: string(engine.Manifest().Precision), ImageSize: config.Vision.ImageSize,
		Parts: engine.Space().Parts, Width: engine.Space().Width, Captions: engine.Capabilities().Caption, Capabilities: engine.Capabilities(), Active: true,
	}
	listed := []status.Model{active}
	options, err := a.ModelOptions(engine.Runtime, progress.New(a.Stderr, progress.Quiet))
	if err != nil {
		return listed
	}
	all, err := models.List(options)
	if err != nil {
		a.Log().Warn("models not listed", "error", err)
	}
	for _, model := range all {
		if model.Problem != nil || model.Manifest.Fingerprint == active.Fingerprint {
			continue
		}
		config := model.Manifest.Config
		listed = append(listed, status.Model{
			Name: model.Name, Fingerprint: model.Manifest.Fingerprint, Precision: string(model.Manifest.Precision), ImageSize: config.Vision.ImageSize,
			Parts: config.QueryTokens, Width: config.ProjectionSize, Captions: model.Manifest.Capabilities().Caption, Capabilities: model.Manifest.Capabilities(),
		})
	}
	return listed
}

func isTerminal(file *os.File) bool { return term.IsTerminal(int(file.Fd())) }

// hasScreen tells whether somebody sits in front of a screen.
func hasScreen(app *cli.App) bool {
	file, ok := app.Out.(*os.File)
	if !ok || !isTerminal(file) || app.AsJSON || os.Getenv("SSH_CONNECTION") != "" {
		return false
	}
	return runtime.GOOS != "linux" || os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != ""
}
