package serververbs

import (
	"context"
	"errors"
	"io"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/embed"
	"mekiki/embed/answering"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/facets"
	"mekiki/index/ingest"
	"mekiki/index/ingest/captioning"
	"mekiki/index/ingest/reading"
	"mekiki/index/ingest/report"
	"mekiki/index/ingest/textrecord"
	"mekiki/search"
	"mekiki/search/ask"
	"mekiki/search/contract"
	"mekiki/search/duplicates"
	"mekiki/search/embeddings"
	"mekiki/search/locate"
	"mekiki/search/lookup"
	"mekiki/server"
	"mekiki/server/jobs"
	"mekiki/server/problem"
)

// switcher is the model that a server answers with, and its change for another of the library's. Requests go on side by side;
// a change waits until those that are at work have their answer, and the next ones wait for it, so that no request meets one model and the vectors
// of another, and no more than two models are open at a time.
type switcher struct {
	app     *cli.App
	library cli.Library
	answers *answering.Engine // nil without a second stage
	logger  *slog.Logger

	places  *semaphore.Weighted // one for each request, all for a change
	current atomic.Pointer[openModel]
	// working counts the jobs that use the model.
	working  atomic.Int64
	changing sync.Mutex
	first    *cli.Session // closed by who opened it
	words    string       // folder of the models that read words
}

// openModel is an open model with what answers by it.
type openModel struct {
	session  *cli.Session
	searcher *search.Searcher
	asker    *ask.Asker // nil without a second stage
	ingester server.Ingester
	chores   jobs.Chores
}

// newSwitcher begins with a model that is open.
func newSwitcher(app *cli.App, s serving, answers answers, logger *slog.Logger) (*switcher, error) {
	w := &switcher{app: app, library: s.library, answers: answers.engine, logger: logger, places: semaphore.NewWeighted(maximumAnswering), first: s.engine, words: s.words}
	opened, err := w.open(s.engine, answers.asker)
	if err != nil {
		return nil, err
	}
	w.current.Store(opened)
	return w, nil
}

// open makes what answers by a model.
func (w *switcher) open(session *cli.Session, asker *ask.Asker) (*openModel, error) {
	searcher, err := w.app.NewSearcher(w.library, session, asker)
	if err != nil {
		return nil, err
	}
	return &openModel{
		session: session, searcher: searcher, asker: asker, chores: chores{w.app, w.library, session, asker, w.words},
		ingester: server.IngesterOf(w.library, session.Engine, session.Manifest().Config.Preprocess.ImageSize),
	}, nil
}

// session is the model that answers now.
func (w *switcher) session() *cli.Session { return w.current.Load().session }

// close closes the model that answers, unless somebody else does.
func (w *switcher) close() error {
	if session := w.session(); session != w.first {
		return session.Retire()
	}
	return nil
}

// change makes searches use another space of the library, with its model.
func (w *switcher) change(ctx context.Context, space embed.Space) error {
	w.changing.Lock()
	defer w.changing.Unlock()
	if w.session().Space() == space {
		return w.library.ServeSpace(ctx, space)
	}
	session, err := w.app.OpenFingerprint(ctx, w.first, space.Fingerprint)
	if errors.Is(err, cli.ErrNoModel) {
		p := problem.Newf(problem.Conflict, "the model %.12s is not on this machine", space.Fingerprint)
		p.Hint = "mekiki models lists those that are; mekiki pull or mekiki import brings one in"
		return p
	}
	if err != nil {
		return err
	}
	next, err := w.openBeside(session)
	if err == nil {
		err = session.Warm(ctx)
	}
	if err == nil {
		err = w.take(ctx, next, space)
	}
	if err != nil {
		return errors.Join(err, session.Retire())
	}
	return nil
}

// openBeside makes what answers by another model than the first.
func (w *switcher) openBeside(session *cli.Session) (*openModel, error) {
	var asker *ask.Asker
	if w.answers != nil {
		var err error
		if asker, err = w.app.NewAsker(w.answers, session, w.library.Decoder()); errors.Is(err, ask.ErrNoVision) {
			p := problem.Newf(problem.Conflict, "the model that answers questions sees pictures with another encoder than %s", session.Name)
			p.Hint = "stop the server, run mekiki spaces serve --model NAME, and start it with --model NAME"
			return nil, p
		} else if err != nil {
			return nil, err
		}
	}
	return w.open(session, asker)
}

// take puts a model in the place of the one that answers, once nothing is at work with that.
func (w *switcher) take(ctx context.Context, next *openModel, space embed.Space) error {
	busy := func(what string) error {
		p := problem.Newf(problem.Conflict, "%s; the model is as it was", what)
		p.Hint = "try again in a while, or stop the job"
		return p
	}
	if w.working.Load() > 0 {
		return busy("pictures are being read with the model that answers")
	}
	waiting, stop := context.WithTimeout(ctx, changeWait)
	defer stop()
	if err := w.places.Acquire(waiting, maximumAnswering); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return busy("requests are still being answered")
	}
	defer w.places.Release(maximumAnswering)
	if err := w.library.ServeSpace(ctx, space); err != nil {
		return err
	}
	before := w.current.Swap(next)
	w.logger.Info("another model answers", "model", next.session.Name, "before", before.session.Name)
	if err := before.session.Retire(); err != nil {
		w.logger.Warn("the former model is not closed", "error", err)
	}
	return nil
}

// with answers a request by the model that is open.
func (w *switcher) with(ctx context.Context, answer func(*openModel) error) error {
	if err := w.places.Acquire(ctx, 1); err != nil {
		return err
	}
	defer w.places.Release(1)
	return answer(w.current.Load())
}

// at is with, for a job.
func (w *switcher) at(ctx context.Context, work func(*openModel) error) error {
	return w.with(ctx, func(open *openModel) error {
		w.working.Add(1)
		defer w.working.Add(-1)
		return work(open)
	})
}

// answered is with, of a request that has a value for an answer.
func answered[T any](ctx context.Context, do func(context.Context, func(*openModel) error) error, ask func(*openModel) (T, error)) (answer T, err error) {
	err = do(ctx, func(open *openModel) (err error) {
		answer, err = ask(open)
		return err
	})
	return answer, err
}

// switchedSearcher searches by the model that answers.
type switchedSearcher struct{ *switcher }

func (w switchedSearcher) Search(ctx context.Context, request contract.Request) (contract.Response, error) {
	return answered(ctx, w.with, func(open *openModel) (contract.Response, error) { return open.searcher.Search(ctx, request) })
}

func (w switchedSearcher) Stream(ctx context.Context, request contract.Request) iter.Seq2[contract.Response, error] {
	return func(yield func(contract.Response, error) bool) {
		err := w.with(ctx, func(open *openModel) error {
			open.searcher.Stream(ctx, request)(yield)
			return nil
		})
		if err != nil {
			yield(contract.Response{}, err)
		}
	}
}

func (w switchedSearcher) Similar(ctx context.Context, request contract.Request) (contract.Response, error) {
	return answered(ctx, w.with, func(open *openModel) (contract.Response, error) { return open.searcher.Similar(ctx, request) })
}

func (w switchedSearcher) Facets(ctx context.Context, request contract.Request, query facets.Query) (contract.Facets, error) {
	return answered(ctx, w.with, func(open *openModel) (contract.Facets, error) { return open.searcher.Facets(ctx, request, query) })
}

func (w switchedSearcher) Lookup(ctx context.Context, request lookup.Request) (lookup.Response, error) {
	return answered(ctx, w.with, func(open *openModel) (lookup.Response, error) { return open.searcher.Lookup(ctx, request) })
}

func (w switchedSearcher) Locate(ctx context.Context, request locate.Request) (locate.Response, error) {
	return answered(ctx, w.with, func(open *openModel) (locate.Response, error) { return open.searcher.Locate(ctx, request) })
}

func (w switchedSearcher) Duplicates(ctx context.Context, request duplicates.Request) (duplicates.Response, error) {
	return answered(ctx, w.with, func(open *openModel) (duplicates.Response, error) { return open.searcher.Duplicates(ctx, request) })
}

func (w switchedSearcher) Embed(ctx context.Context, request embeddings.Request) (embeddings.Response, error) {
	return answered(ctx, w.with, func(open *openModel) (embeddings.Response, error) { return open.searcher.Embed(ctx, request) })
}

func (w switchedSearcher) CompareScenes(ctx context.Context, progress func(done, total int)) (duplicates.Compared, error) {
	return answered(ctx, w.at, func(open *openModel) (duplicates.Compared, error) { return open.searcher.CompareScenes(ctx, progress) })
}

// switchedIngester reads pictures and texts with the model that answers.
type switchedIngester struct{ *switcher }

func (w switchedIngester) Ingest(ctx context.Context, options ingest.Options) (report.Summary, error) {
	return answered(ctx, w.at, func(open *openModel) (report.Summary, error) { return open.ingester.Ingest(ctx, options) })
}

func (w switchedIngester) AddTexts(ctx context.Context, texts []textrecord.Text) ([]index.ID, error) {
	return answered(ctx, w.at, func(open *openModel) ([]index.ID, error) { return open.ingester.AddTexts(ctx, texts) })
}

// switchedChores does the other jobs with the model that answers.
type switchedChores struct{ *switcher }

func (w switchedChores) CaptionWriter(source captioning.Source, samples int) (captioning.Writer, error) {
	if _, err := w.current.Load().chores.CaptionWriter(source, samples); err != nil {
		return nil, err
	}
	return switchedWriter{w.switcher, source, samples}, nil
}

// switchedWriter writes captions with the model that answers when its job, which holds on to it, runs.
type switchedWriter struct {
	*switcher
	source  captioning.Source
	samples int
}

func (w switchedWriter) WriteCaptions(ctx context.Context, pictures []*pixels.Image, tokens []embed.ImageTokens) ([][]index.Caption, error) {
	writer, err := w.current.Load().chores.CaptionWriter(w.source, w.samples)
	if err != nil {
		return nil, err
	}
	return writer.WriteCaptions(ctx, pictures, tokens)
}

func (w switchedWriter) NeedsPixels() bool {
	writer, err := w.current.Load().chores.CaptionWriter(w.source, w.samples)
	return err == nil && writer.NeedsPixels()
}

// switchedAsker asks by the model that answers. A request that has begun with a picture holds on to it until it ends.
type switchedAsker struct{ *switcher }

func (w switchedAsker) Model() answering.Model { return w.current.Load().asker.Model() }

// hold keeps the model from being changed until ctx ends.
func (w switchedAsker) hold(ctx context.Context) (*ask.Asker, error) {
	if err := w.places.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { w.places.Release(1) })
	return w.current.Load().asker, nil
}

func (w switchedAsker) Records(ctx context.Context, reader index.Reader, ids []index.ID) ([]ask.Picture, []error, error) {
	asker, err := w.hold(ctx)
	if err != nil {
		return nil, nil, err
	}
	return asker.Records(ctx, reader, ids)
}

func (w switchedAsker) Image(ctx context.Context, image *pixels.Image, hash index.Hash) (ask.Picture, error) {
	asker, err := w.hold(ctx)
	if err != nil {
		return ask.Picture{}, err
	}
	return asker.Image(ctx, image, hash)
}

func (w switchedAsker) Answer(ctx context.Context, picture ask.Picture, question ask.Question, written func(piece string) error) (ask.Answer, error) {
	return w.current.Load().asker.Answer(ctx, picture, question, written)
}

func (w switchedChores) Recaption(ctx context.Context, options captioning.RecaptionOptions) (captioning.Recaptioned, error) {
	return answered(ctx, w.at, func(open *openModel) (captioning.Recaptioned, error) { return open.chores.Recaption(ctx, options) })
}

func (w switchedChores) AddTextFile(ctx context.Context, source io.Reader, options textrecord.Options) (textrecord.Summary, error) {
	return answered(ctx, w.at, func(open *openModel) (textrecord.Summary, error) {
		return open.chores.AddTextFile(ctx, source, options)
	})
}

// ReadWords needs no model that searches; one may be changed meanwhile.
func (w switchedChores) ReadWords(ctx context.Context, options reading.Options) (reading.Progress, error) {
	return w.current.Load().chores.ReadWords(ctx, options)
}

func (w switchedChores) Compact(ctx context.Context) (index.CompactResult, error) {
	return w.current.Load().chores.Compact(ctx)
}
