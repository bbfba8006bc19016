package server

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"mekiki/embed/pixels"
	"mekiki/index/excerpt"
	"mekiki/index/renditions"
	"mekiki/internal/hint"
	"mekiki/server/api"
	"mekiki/server/auth"
	"mekiki/server/editing"
	"mekiki/server/gate"
	"mekiki/server/idempotency"
	"mekiki/server/jobs"
	"mekiki/server/memory"
	"mekiki/server/metrics"
	"mekiki/server/openapi"
	"mekiki/server/page"
	"mekiki/server/queries"
	"mekiki/server/suggest"
	"mekiki/server/transport"
	"mekiki/server/uploads"
	"mekiki/server/webhooks"
)

// Server serves the API and the page. Make it with [New].
type Server struct {
	options     Options
	echo        *echo.Echo
	document    *openapi.Document
	documentTag string
	metrics     *metrics.Metrics
	tokens      *auth.Store
	sessions    *auth.Sessions
	jobs        *jobs.Manager

	// What the rooms of the API share.
	library  api.Library
	bodies   api.Bodies
	compute  api.Compute
	pictures api.Pictures
	uploads  uploads.Room
	editing  editing.Room
	answers  *idempotency.Answers
	webhooks *webhooks.Sender
	queries  queries.Room
	decoder  *pixels.Decoder // of originals

	renditions                       *renditions.Store
	searches, reads, making, streams *gate.Gate
	connections                      transport.Connections

	// handling counts the requests whose handlers are at work.
	handling atomic.Int64
	// draining is closed when the server is not ready any more, stopping when
	// requests are to end.
	draining, stopping chan struct{}
	ran                sync.Once
}

// New makes a server. It does not listen yet: see [Server.Run].
func New(options Options) (*Server, error) {
	if err := options.Validate(); err != nil {
		return nil, fmt.Errorf("server options: %w", err)
	}
	options = options.withDefaults()
	document, err := openapi.Parse(openapiDocument)
	if err != nil {
		return nil, err
	}
	if options.Roots, err = options.realRoots(); err != nil {
		return nil, err
	}
	limits := options.Limits
	decoder := options.Decoder
	if decoder == nil {
		if decoder, err = pixels.NewDecoder(pixels.Options{}); err != nil {
			return nil, err
		}
	}
	measured, registry := metrics.New()
	tokens := auth.NewStore(options.Tokens, options.TokenFile, options.Now, func(err error) {
		options.Logger.Error("the tokens are as they were before", logError, err)
	})
	s := &Server{
		options: options, document: document, documentTag: page.Tag(openapiDocument), metrics: measured,
		tokens: tokens, sessions: auth.NewSessions(tokens, options.Now),
		jobs:     jobs.New(limits.Jobs, options.JobsFile, options.Logger, options.Now),
		library:  api.Library{Library: excerpt.Guard(options.Library)},
		decoder:  decoder,
		pictures: api.Pictures{Decoder: decoder.Limited(limits.UploadBytes, limits.UploadPixels)},
		searches: gate.New(limits.Searches, limits.SearchQueue, limits.QueueTimeout),
		reads:    gate.New(limits.Reads, limits.Reads, limits.QueueTimeout),
		making:   gate.New(limits.Renditions, renditionQueue, limits.SearchTime),
		streams:  gate.New(limits.Streams, 0, limits.QueueTimeout),
		draining: make(chan struct{}), stopping: make(chan struct{}),
	}
	s.compute = api.Compute{Places: s.searches, Longest: limits.SearchTime}
	s.bodies = api.Bodies{
		JSON: gate.New(limits.Reads, limits.Reads, limits.QueueTimeout), Forms: gate.New(limits.Uploads, limits.Uploads, limits.QueueTimeout),
		JSONBytes: limits.BodyBytes, ImageBytes: limits.UploadBytes, JSONTime: limits.ReadTime, FormTime: limits.UploadTime,
	}
	s.uploads = uploads.Room{Store: s.newUploads(), Bodies: s.bodies, Compute: s.compute, Enabled: !options.NoUploads}
	s.renditions = renditions.New(renditions.Options{
		Library: s.library, Decoder: decoder, Folder: options.RenditionFolder, LibraryFolder: options.LibraryFolder, Admit: s.making.Enter,
	})
	s.editing = editing.New(editing.Options{
		Library: s.library, Bodies: s.bodies, Remove: s.uploads.Store.RemoveAll, ReadOnly: s.readOnly, Now: options.Now, Logger: options.Logger,
		Renamed: s.renameShared,
	})
	s.answers = &idempotency.Answers{Now: options.Now, BodyBytes: max(limits.BodyBytes, editing.BodyBytes), BodyTime: limits.ReadTime}
	s.queries = queries.Room{
		Searcher: options.Searcher, Library: s.library, Bodies: s.bodies, Compute: s.compute, Pictures: s.pictures, Suggester: &suggest.Suggester{}, Compare: s.compareScenes, Measure: s.metrics.Search,
	}
	s.webhooks = webhooks.New(options.Webhooks, options.WebhooksFile, options.Logger, options.Now)
	s.jobs.Ended = s.jobEnded
	s.watch(registry)
	if s.echo, err = s.newEcho(); err != nil {
		return nil, err
	}
	if err := s.addRoutes(); err != nil {
		return nil, err
	}
	s.addAgents()
	if err := s.addPages(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Server) newEcho() (*echo.Echo, error) {
	compress, err := transport.Compress()
	if err != nil {
		return nil, err
	}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = echo.ExtractIPDirect()
	e.HTTPErrorHandler = s.answerError
	e.Use(s.observe, compress, transport.Secure, s.checkSite, s.cors(), s.knownAddress)
	return e, nil
}

// jobEnded tells webhooks of a job, without what may be long.
func (s *Server) jobEnded(job jobs.Job) {
	job.Result = nil
	job.Paths = job.Paths[:min(len(job.Paths), webhookPaths)]
	s.webhooks.Emit(webhooks.EventJobFinished, struct {
		Job jobs.Job `json:"job"`
	}{job})
}

// Handler gives the server's handler, to be served or tested without a listener.
// Jobs run only while [Server.Run] does.
func (s *Server) Handler() http.Handler { return s.echo }

// errAlreadyRan refuses a second run.
var errAlreadyRan = errors.New("the server has run already")

// Run listens and serves until the context ends. Then it is not ready any more,
// but serves on for Limits.DrainTime; after that it lets requests finish for
// Limits.ShutdownTime, ends jobs and returns. When it returns, no handler is at
// work, unless one did not heed the end of its request for as long again. It
// returns nil after an orderly end. ready, which may be nil, is called with the address once connections are
// accepted. A server runs once.
func (s *Server) Run(ctx context.Context, ready func(address net.Addr)) error {
	first := false
	s.ran.Do(func() { first = true })
	if !first {
		return errAlreadyRan
	}
	listener, err := s.listen(ctx)
	if err != nil {
		return err
	}
	return s.serve(ctx, listener, ready)
}

// serve is Run with a listener that is open.
func (s *Server) serve(ctx context.Context, listener net.Listener, ready func(address net.Addr)) (err error) {
	server := &http.Server{
		Handler:           s.echo,
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       connectionTime,
		WriteTimeout:      connectionTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    transport.MaxHeaderBytes,
		ErrorLog:          log.New(transport.LogWriter{Logger: s.options.Logger}, "", 0),
		ConnState:         s.connections.Track,
	}
	var background sync.WaitGroup
	jobsContext, stopJobs := context.WithCancel(context.WithoutCancel(ctx))
	s.resumeJobs(jobsContext)
	background.Go(func() { s.jobs.Run(jobsContext) })
	background.Go(func() { s.webhooks.Run(jobsContext) })
	background.Go(func() { s.webhooks.Watch(jobsContext, s.library) })
	background.Go(func() { s.queries.Suggester.Watch(jobsContext, s.library.Read) })
	background.Go(func() { s.editing.WatchTrash(jobsContext) })
	if s.options.ReadWords {
		background.Go(func() { s.followWords(jobsContext) })
	}
	background.Go(func() { memory.New(s.idle).Watch(jobsContext) })
	failed := make(chan error, 1)
	background.Go(func() { failed <- server.Serve(transport.Listener{Listener: listener}) })
	s.options.Logger.Info("serving", "address", listener.Addr().String(), "tokens", len(s.options.Tokens))
	if ready != nil {
		ready(listener.Addr())
	}
	select {
	case err = <-failed:
		// Handlers are still at work on what the caller closes next.
		err = errors.Join(fmt.Errorf("serve: %w", err), s.shutDown(server))
	case <-ctx.Done():
		s.drain(failed)
		err = s.shutDown(server)
	}
	stopJobs()
	s.renditions.Close()
	background.Wait()
	return err
}

// CheckAddress fails for an address that is none, and for one that other machines can reach when there are no tokens.
func CheckAddress(address string, tokens []auth.Token) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return hint.Wrap(fmt.Errorf("address %q: %w", address, err), "give a host and a port, such as "+DefaultAddress)
	}
	if len(tokens) == 0 && !auth.IsLoopback(auth.HostName(host)) {
		return hint.Wrap(
			fmt.Errorf("address %q can be reached from other machines, and there are no tokens", address),
			"make a token with mekiki token new and pass --token-file, or listen on 127.0.0.1")
	}
	return nil
}

// listen opens the port, after making sure that strangers cannot come in
// unasked.
func (s *Server) listen(ctx context.Context) (net.Listener, error) {
	if err := CheckAddress(s.options.Address, s.options.Tokens); err != nil {
		return nil, err
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", s.options.Address)
	if err != nil {
		return nil, hint.Wrap(fmt.Errorf("listen: %w", err), "choose another port with --addr, or 0 for a free one")
	}
	if address, ok := listener.Addr().(*net.TCPAddr); ok && len(s.options.Tokens) == 0 && !address.IP.IsLoopback() {
		return nil, errors.Join(fmt.Errorf("address %q means %s, which other machines can reach, and there are no tokens", s.options.Address, address.IP), listener.Close())
	}
	return listener, nil
}

// drain serves on for a while, not ready any more, so that those who send requests here see it and go elsewhere.
func (s *Server) drain(failed <-chan error) {
	close(s.draining)
	wait := s.options.Limits.DrainTime
	if wait <= 0 {
		return
	}
	s.options.Logger.Info("not ready any more, stopping soon", "after", wait)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case err := <-failed:
		s.options.Logger.Warn("serving ended while requests were to go elsewhere", logError, err)
	}
}

func (s *Server) shutDown(server *http.Server) error {
	close(s.stopping)
	s.options.Logger.Info("stopping")
	ctx, cancel := context.WithTimeout(context.Background(), s.options.Limits.ShutdownTime)
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		s.options.Logger.Warn("requests were cut off", "after", s.options.Limits.ShutdownTime)
		err = server.Close()
		s.awaitHandlers(s.options.Limits.ShutdownTime)
	}
	if err != nil {
		return fmt.Errorf("stop serving: %w", err)
	}
	return nil
}

// awaitHandlers waits until the handlers of requests that were cut off have ended, at most for longest.
func (s *Server) awaitHandlers(longest time.Duration) {
	ticker := time.NewTicker(handlerTick)
	defer ticker.Stop()
	for began := time.Now(); s.handling.Load() > 0; <-ticker.C {
		if time.Since(began) > longest {
			s.options.Logger.Warn("requests are still at work", "requests", s.handling.Load())
			return
		}
	}
}

// idle reports that nothing is at work.
func (s *Server) idle() bool {
	for _, through := range s.gates() {
		if through.Busy() > 0 {
			return false
		}
	}
	return s.jobs.Running() == 0
}
