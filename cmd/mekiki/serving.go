package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/term"

	"mekiki/embed/models"
	"mekiki/index"
	"mekiki/internal/progress"
	"mekiki/server"
	"mekiki/ui"
)

// serving is what a server is made of.
type serving struct {
	options  server.Options
	engine   *session
	library  *index.Library
	readOnly bool
	uploads  bool
	// ready is called with the page's address; it may be nil.
	ready func(address string)
}

// serve runs a server over an open model and library until ctx ends.
func (a *app) serve(ctx context.Context, s serving) error {
	searcher, err := a.newSearcher(s.library, s.engine)
	if err != nil {
		return err
	}
	page, err := ui.Files()
	if err != nil {
		return err
	}
	options := s.options
	options.Searcher, options.Library, options.LibraryFolder, options.Page = searcher, server.LibraryOf(s.library), s.library.Folder(), page
	options.Models = a.modelLister(s.engine)
	if !s.readOnly {
		options.Ingester = server.IngesterOf(s.library, s.engine.Engine, s.engine.Manifest().Config.Preprocess.ImageSize)
		if s.uploads {
			options.UploadFolder = filepath.Join(filepath.Dir(s.library.Folder()), filepath.Base(s.library.Folder())+"-uploads")
		}
	}
	served, err := server.New(options)
	if err != nil {
		return err
	}
	if s.readOnly {
		following, stop := context.WithCancel(ctx)
		var group sync.WaitGroup
		group.Go(func() { follow(following, s.library, options.Logger) })
		defer group.Wait()
		defer stop()
	}
	return served.Run(ctx, func(at net.Addr) {
		address := pageAddress(options.Address, at)
		a.announce(address)
		if s.ready != nil {
			s.ready(address)
		}
	})
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

func (a *app) announce(address string) {
	if a.asJSON {
		// Standard output being gone shows when results are written to it.
		_ = a.printJSON(map[string]string{"message_type": "serving", "address": address})
		return
	}
	fmt.Fprintf(a.out, "Serving %s (the API is at %sapi/docs). Ctrl-C stops.\n", address, address)
}

// modelLister lists the compiled models, with the one that is open as the active one.
func (a *app) modelLister(engine *session) func() []server.Model {
	config := engine.Manifest().Config
	active := server.Model{
		Name: engine.name, Fingerprint: engine.Manifest().Fingerprint, Precision: string(engine.Manifest().Precision), ImageSize: config.Vision.ImageSize,
		Parts: engine.Space().Parts, Width: engine.Space().Width, Captions: engine.HasCaptions(), Active: true,
	}
	return func() []server.Model {
		listed := []server.Model{active}
		options, err := a.modelOptions(engine.runtime, progress.New(a.errors, progress.Quiet))
		if err != nil {
			return listed
		}
		all, err := models.List(options)
		if err != nil {
			a.log().Warn("models not listed", "error", err)
		}
		for _, model := range all {
			if model.Problem != nil || model.Manifest.Fingerprint == active.Fingerprint {
				continue
			}
			config := model.Manifest.Config
			listed = append(listed, server.Model{
				Name: model.Name, Fingerprint: model.Manifest.Fingerprint, Precision: string(model.Manifest.Precision), ImageSize: config.Vision.ImageSize,
				Parts: config.QueryTokens, Width: config.ProjectionSize, Captions: model.Manifest.HasCaptionHead,
			})
		}
		return listed
	}
}

func isTerminal(file *os.File) bool { return term.IsTerminal(int(file.Fd())) }

// serveDemo serves the demo's library and opens a browser where there is one.
func serveDemo(ctx context.Context, app *app, library *index.Library, engine *session, writable bool, options demoOptions) error {
	logger, err := app.serverLog("")
	if err != nil {
		return err
	}
	demo := serving{
		options: server.Options{Address: freeAddress(ctx, options.address), Version: version(), Logger: logger},
		engine:  engine, library: library, readOnly: !writable, uploads: true,
	}
	if !options.noOpen && hasBrowser(app) {
		demo.ready = func(address string) {
			if err := openFile(ctx, address); err != nil {
				logger.Debug("no browser opened", "error", err)
			}
		}
	}
	return app.serve(ctx, demo)
}

// freeAddress is the address itself or, while another program has its port, the
// same host with a free port.
func freeAddress(ctx context.Context, address string) string {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err == nil {
		// Nothing was accepted: closing loses nothing.
		_ = listener.Close()
		return address
	}
	host, _, splitErr := net.SplitHostPort(address)
	if splitErr != nil || !errors.Is(err, syscall.EADDRINUSE) {
		return address
	}
	return net.JoinHostPort(host, "0")
}

// hasBrowser tells whether somebody sits in front of a screen.
func hasBrowser(app *app) bool {
	file, ok := app.out.(*os.File)
	if !ok || !isTerminal(file) || app.asJSON || os.Getenv("SSH_CONNECTION") != "" {
		return false
	}
	return runtime.GOOS != "linux" || os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != ""
}
