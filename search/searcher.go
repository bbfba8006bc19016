package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync/atomic"
	"time"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/excerpt"
	"mekiki/index/facets"
	"mekiki/internal/lru"
	"mekiki/internal/sorted"
	"mekiki/search/ask"
	"mekiki/search/contract"
	"mekiki/search/cursor"
	"mekiki/search/duplicates"
	"mekiki/search/embeddings"
	"mekiki/search/inputs"
	"mekiki/search/locate"
	"mekiki/search/lookup"
	"mekiki/search/scoring"
	"mekiki/search/translation"
)

// Options configure a Searcher. The zero value is ready to use.
type Options struct {
	// Calibration turns scores into probabilities; nil means
	// DefaultCalibration. ParseCalibration reads a model's own.
	Calibration *scoring.Calibration
	// Window is the largest number of candidates that each leg of a query
	// proposes; 0 means 1000.
	Window int
	// FirstWindow is that number where a library holds more than ten times
	// Window, until a page reaches further; 0 means 256. It is at least twice
	// the number of candidates to rerank.
	FirstWindow int
	// LastWindow is that number where somebody reads on to the end of Window, and again; 0 means 16,000.
	LastWindow int
	// RerankBudget and RerankCount are the defaults of requests; 0 means one
	// second and 128, which is the published number.
	RerankBudget time.Duration
	RerankCount  int
	// RerankBatch is the number of pairs that ITM reads at a time; 0 means 8.
	// A budget is overrun by at most one batch.
	RerankBatch int
	// TokenCacheBytes bounds the image tokens kept in memory; 0 means 128 MiB,
	// negative none.
	TokenCacheBytes int64
	// MatchCacheEntries bounds the ITM results kept; 0 means 65,536.
	MatchCacheEntries int
	// RankingCacheEntries bounds the rankings kept for later pages; 0 means 32.
	RankingCacheEntries int
	// Interpreter puts words into the language that the model reads; nil leaves them as they are.
	Interpreter *translation.Interpreter
	// Scenes keeps what comparing pictures for duplicates has found; nil keeps it in memory.
	Scenes *duplicates.Kept
	// Asker puts questions to hits; nil refuses them.
	Asker *ask.Asker
	// Decoder reads originals; nil means one with the defaults of package pixels.
	Decoder *pixels.Decoder
	// Logger receives what is not worth an error; nil means none.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Calibration == nil {
		calibration := scoring.DefaultCalibration()
		o.Calibration = &calibration
	}
	set := func(value *int, standard int) {
		if *value == 0 {
			*value = standard
		}
	}
	set(&o.Window, defaultWindow)
	set(&o.FirstWindow, defaultFirstWindow)
	set(&o.LastWindow, defaultLastWindow)
	set(&o.RerankCount, DefaultRerankCount)
	set(&o.RerankBatch, defaultRerankBatch)
	set(&o.MatchCacheEntries, defaultMatchEntries)
	set(&o.RankingCacheEntries, defaultRankingEntries)
	o.RerankBudget = cmp.Or(o.RerankBudget, DefaultRerankBudget)
	o.TokenCacheBytes = cmp.Or(o.TokenCacheBytes, defaultTokenCacheBytes)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Scenes = cmp.Or(o.Scenes, duplicates.NewKept("", o.Logger))
	return o
}

// Validate reports every option out of its range.
func (o Options) Validate() error {
	var problems []error
	if o.Calibration != nil {
		problems = append(problems, o.Calibration.Validate())
	}
	for name, value := range sorted.All(map[string]int{
		"window": o.Window, "first window": o.FirstWindow, "last window": o.LastWindow, "rerank count": o.RerankCount, "rerank batch": o.RerankBatch,
		"match cache": o.MatchCacheEntries, "ranking cache": o.RankingCacheEntries,
	}) {
		if value < 0 {
			problems = append(problems, fmt.Errorf("%s %d is negative", name, value))
		}
	}
	return errors.Join(problems...)
}

// Searcher answers requests over one library with one model. It is safe for
// concurrent use.
type Searcher struct {
	library     index.Source
	engine      inputs.Engine
	model       *inputs.Model
	locator     *locate.Locator
	lookups     *lookup.Finder
	options     Options
	calibration scoring.Calibration
	logger      *slog.Logger

	matches  *lru.Cache[matchKey, clauseAnswer]
	rankings *lru.Cache[rankingKey, *ranking]
	counts   *lru.Cache[countsKey, *facets.Counts]

	// warm says that ITM has answered once, so that its graph is loaded.
	warm atomic.Bool
}

// New makes a Searcher. It owns neither the library nor the engine. engine may
// be nil: requests are then answered by words alone, with a warning.
func New(library index.Source, engine inputs.Engine, options Options) (*Searcher, error) {
	if library == nil {
		return nil, errors.New("search: no library")
	}
	library = excerpt.GuardSource(library)
	if err := options.Validate(); err != nil {
		return nil, fmt.Errorf("search options: %w", err)
	}
	options = options.withDefaults()
	if options.Decoder == nil {
		decoder, err := pixels.NewDecoder(pixels.Options{})
		if err != nil {
			return nil, fmt.Errorf("search options: %w", err)
		}
		options.Decoder = decoder
	}
	model := inputs.New(engine, options.Decoder, options.TokenCacheBytes)
	return &Searcher{
		model: model,
		lookups: &lookup.Finder{
			Library: library, Engine: engine, Model: model, Calibration: *options.Calibration,
			RerankBudget: options.RerankBudget, RerankCount: options.RerankCount, RerankBatch: options.RerankBatch,
		},
		locator: &locate.Locator{Library: library, Engine: engine, Model: model, Calibration: *options.Calibration},
		library: library, engine: engine, options: options, calibration: *options.Calibration, logger: options.Logger,
		matches:  lru.New[matchKey, clauseAnswer](int64(options.MatchCacheEntries)),
		rankings: lru.New[rankingKey, *ranking](int64(options.RankingCacheEntries)),
		counts:   lru.New[countsKey, *facets.Counts](keptCounts),
	}, nil
}

// Calibration gives the curves and thresholds in use.
func (s *Searcher) Calibration() scoring.Calibration { return s.calibration }

// Search answers a request with its final answer. What the caller can put
// right is a [contract.Error].
func (s *Searcher) Search(ctx context.Context, request contract.Request) (contract.Response, error) {
	var last contract.Response
	err := s.answer(ctx, request, false, func(response contract.Response) bool {
		last = response
		return true
	})
	if err != nil {
		return contract.Response{}, err
	}
	return last, nil
}

// Stream answers a request at once in fused order, and then again when ITM has
// read the best candidates. After an error nothing more comes.
func (s *Searcher) Stream(ctx context.Context, request contract.Request) iter.Seq2[contract.Response, error] {
	return func(yield func(contract.Response, error) bool) {
		err := s.answer(ctx, request, true, func(response contract.Response) bool { return yield(response, nil) })
		if err != nil {
			yield(contract.Response{}, err)
		}
	}
}

// Similar looks for pictures like an image or a record of the library, with
// words if there are any. The record itself is left out.
func (s *Searcher) Similar(ctx context.Context, request contract.Request) (contract.Response, error) {
	if request.Pictures() == 0 {
		return contract.Response{}, &contract.Error{Code: contract.CodeEmptyRequest, Field: "image", Message: "there is no picture to compare with", Remedy: "give an image or a record"}
	}
	return s.Search(ctx, request)
}

// Lookup finds the texts that describe a picture: those of the library, which
// are its text records and the captions of like pictures, or the labels given.
// What the caller can put right is a [contract.Error].
func (s *Searcher) Lookup(ctx context.Context, request lookup.Request) (lookup.Response, error) {
	return s.lookups.Lookup(ctx, request)
}

// Locate says where in a picture a text is. What the caller can put right is a [contract.Error].
func (s *Searcher) Locate(ctx context.Context, request locate.Request) (locate.Response, error) {
	return s.locator.Locate(ctx, request)
}

// Duplicates finds groups of images that are the same at one level.
func (s *Searcher) Duplicates(ctx context.Context, request duplicates.Request) (duplicates.Response, error) {
	return duplicates.Find(ctx, s.library, s.options.Scenes, request)
}

// CompareScenes is [duplicates.Kept.Compare].
func (s *Searcher) CompareScenes(ctx context.Context, progress func(done, total int)) (duplicates.Compared, error) {
	return s.options.Scenes.Compare(ctx, s.library, progress)
}

// Embed makes vectors of texts and pictures. What the caller can put right is a [contract.Error].
func (s *Searcher) Embed(ctx context.Context, request embeddings.Request) (embeddings.Response, error) {
	return embeddings.Make(ctx, s.library, s.model, request)
}

// errStopped ends an answer that nobody reads any more.
var errStopped = errors.New("stopped")

// answer gives emit the answers to a request: with first set, the fused one
// before the reranked one.
func (s *Searcher) answer(ctx context.Context, request contract.Request, first bool, emit func(contract.Response) bool) error {
	started := time.Now()
	p, err := s.prepare(request)
	if err != nil {
		return err
	}
	p.key = excerpt.Apart(ctx, p.key)
	from, err := cursor.Parse(p.request.Cursor, p.key.short())
	if err != nil {
		return err
	}
	if err := s.interpret(ctx, p); err != nil {
		return err
	}
	if len(p.asks) > 0 && s.options.Asker == nil {
		return noAsker()
	}
	r := &reply{searcher: s, plan: p, from: from, offset: p.request.Offset, started: started, parsed: contract.Milliseconds(started), stream: first, emit: emit}
	if from != nil {
		r.offset = from.Offset
	}
	if r.snapshot, err = s.library.Reader(ctx); err != nil {
		return fmt.Errorf("read library: %w", err)
	}
	defer r.snapshot.Close()
	if err := inputs.CheckRecords(ctx, r.snapshot, append([]index.ID{p.request.Record}, p.request.Records...)); err != nil {
		return err
	}
	if err := s.respell(ctx, r.snapshot, p); err != nil {
		return err
	}
	if p.listing() && len(p.unwanted)+len(p.unwantedPhrases) == 0 {
		return r.list(ctx)
	}
	send := func(k *ranking) error { return r.send(ctx, k) }
	if known := s.knownRanking(p, r.snapshot, from, r.offset); known != nil {
		again := *known
		again.timings = contract.Timings{} // nothing of it was done again
		return ignoreStopped(send(&again))
	}
	return ignoreStopped(s.rank(ctx, r.snapshot, p, from, first && from == nil, send))
}

// reply is one request on its way to being answered.
type reply struct {
	searcher *Searcher
	snapshot index.Reader
	plan     *plan
	from     *cursor.Cursor // nil for a first page
	offset   int
	started  time.Time
	parsed   float64
	stream   bool // whether earlier answers are of use
	emit     func(contract.Response) bool
}

// list sends a page of what the filters leave.
func (r *reply) list(ctx context.Context) error {
	if len(r.plan.asks) > 0 {
		return ignoreStopped(r.listAsked(ctx))
	}
	response, _, err := listPage(ctx, r.snapshot, r.plan, r.offset, r.from.Behind())
	if err != nil {
		return err
	}
	return ignoreStopped(r.sendListed(response))
}

// sendListed sends a page of a listing.
func (r *reply) sendListed(response contract.Response) error {
	response.Timings.ParseMS, response.Timings.TotalMS = r.parsed, contract.Milliseconds(r.started)
	if !r.emit(response) {
		return errStopped
	}
	return nil
}

// send cuts the page asked for out of a ranking and sends it.
func (r *reply) send(ctx context.Context, k *ranking) error {
	k, err := r.searcher.widen(ctx, r.snapshot, r.plan, k, r.offset)
	if err != nil {
		return err
	}
	answers, err := r.askRanking(ctx, k)
	if err != nil {
		return err
	}
	return r.sendPage(ctx, k, answers)
}

// sendPage sends the page asked for, with what hits have answered; answers is nil without questions.
func (r *reply) sendPage(ctx context.Context, k *ranking, answers *asking) error {
	response, err := k.page(ctx, r.snapshot, r.plan.request, r.offset, answers)
	if err != nil {
		return err
	}
	response.Timings.ParseMS, response.Timings.TotalMS = r.parsed, contract.Milliseconds(r.started)
	if response.Next > 0 {
		response.Cursor = cursor.Cursor{Key: r.plan.key.short(), Offset: response.Next, Sequence: k.sequence, Reranked: k.read}.String()
	}
	if r.from != nil && r.from.Sequence != k.sequence {
		response.Warnings = append(response.Warnings, "the library has changed since the first page; the order may have shifted")
	}
	if !r.emit(response) {
		return errStopped
	}
	return nil
}

// ignoreStopped takes the end of an answer that nobody reads any more for no
// error.
func ignoreStopped(err error) error {
	if errors.Is(err, errStopped) {
		return nil
	}
	return err
}

// knownRanking gives a ranking made earlier: any for a later page, so that
// pages fit together, but for a first page only one of the present library.
func (s *Searcher) knownRanking(p *plan, snapshot index.Reader, from *cursor.Cursor, offset int) *ranking {
	known, ok := s.rankings.Get(p.key)
	switch {
	case !ok:
		return nil
	case from != nil && from.Sequence == known.sequence:
		return known
	case from == nil && (offset > 0 || known.sequence == snapshot.Sequence()):
		return known
	}
	return nil
}

// rank makes the ranking of a plan and sends it.
func (s *Searcher) rank(ctx context.Context, snapshot index.Reader, p *plan, from *cursor.Cursor, first bool, send func(*ranking) error) error {
	r, err := s.retrieve(ctx, snapshot, p, s.firstWindow(snapshot, p))
	if err != nil {
		return err
	}
	fused := time.Now()
	r.fuse()
	r.timings.FuseMS = contract.Milliseconds(fused)
	count, deadline := min(p.request.RerankCount, len(r.candidates)), time.Now().Add(p.request.RerankBudget)
	if from != nil {
		count, deadline = min(from.Reranked, len(r.candidates)), time.Time{}
	}
	if p.reranks() && s.engine != nil && !s.model.CanMatch() && !r.unread {
		r.warnings = append(r.warnings, inputs.NoMatcher)
	}
	if !p.reranks() || !s.model.CanMatch() || r.unread || count == 0 {
		return s.finish(p, r.ranking(contract.StageFinal, 0, 0), send)
	}
	var partial func() error
	if first {
		if err := send(r.ranking(contract.StageFirst, 0, count)); err != nil {
			return err
		}
		partial = func() error { return send(r.soFar(count)) }
	}
	read, err := r.rerank(ctx, count, deadline, partial)
	if err != nil {
		return err
	}
	r.findSurprise()
	r.judgeAll()
	return s.finish(p, r.ranking(contract.StageReranked, read, count), send)
}

// finish keeps a final ranking and sends it.
func (s *Searcher) finish(p *plan, final *ranking, send func(*ranking) error) error {
	final.retrieval.release()
	s.rankings.Put(p.key, final, 1)
	return send(final)
}
