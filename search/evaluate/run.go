package evaluate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"mekiki/index"
	"mekiki/search"
	"mekiki/search/contract"
	"mekiki/search/evaluate/datasets"
	"mekiki/search/evaluate/statistics"
	"mekiki/search/lookup"
	"mekiki/search/scoring"
)

// Source is what is evaluated on.
type Source struct {
	// Files holds the pictures, under the paths of the dataset.
	Files fs.FS
	// Dataset is searched as a whole.
	Dataset datasets.Dataset
	// Sets are further queries; it may be empty.
	Sets datasets.QuerySets
}

// Options configure an evaluation.
type Options struct {
	// Splits are those whose captions are asked; none means all. Everything is
	// searched all the same.
	Splits []string
	// Sample is the largest number of pictures asked about, drawn at random
	// with a fixed seed; 0 means all.
	Sample int
	// K is the number of candidates that ITM reads; 0 means 128, as published.
	K int
	// Calibration is the model's; nil means search.DefaultCalibration.
	Calibration *scoring.Calibration
	// Open makes an empty library in a folder. Run and Calibrate need it.
	Open func(ctx context.Context, folder string) (Library, error)
	// Folder is where the libraries are made, and removed at the end; "" means
	// the system's.
	Folder string
	// Progress is called as the evaluation goes on.
	Progress func(doing string, done, total int)
	// Model names the model in the report.
	Model string
}

func (o Options) withDefaults() Options {
	if o.K == 0 {
		o.K = search.DefaultRerankCount
	}
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	return o
}

// check refuses what leaves nothing to ask, before pictures are indexed for it.
func (o Options) check(dataset datasets.Dataset) error {
	if o.K < 1 || o.Sample < 0 {
		return fmt.Errorf("k %d or sample %d is out of range", o.K, o.Sample)
	}
	if len(dataset.Images) == 0 {
		return errors.New("there are no pictures")
	}
	return dataset.CheckSplits(o.Splits...)
}

// evaluation is one evaluation on its way.
type evaluation struct {
	engine  Engine
	source  Source
	options Options

	neutral, own Library
	pictures     []placed // all that is searched
	asked        []placed // those asked about
	searchers    map[Library]*search.Searcher
	report       *Report
}

// Run evaluates a model on annotated pictures. It indexes them first, into
// libraries that it removes again.
func Run(ctx context.Context, engine Engine, source Source, options Options) (report Report, err error) {
	started := time.Now()
	options = options.withDefaults()
	if err := options.check(source.Dataset); err != nil {
		return Report{}, fmt.Errorf("evaluate: %w", err)
	}
	folder, err := os.MkdirTemp(options.Folder, "mekiki-eval-")
	if err != nil {
		return Report{}, fmt.Errorf("evaluate: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	e := &evaluation{engine: engine, source: source, options: options, report: &Report{
		Dataset: source.Dataset.Name, Model: options.Model, Fingerprint: engine.Space().Fingerprint, K: options.K,
	}}
	if err := e.build(ctx, folder); err != nil {
		return Report{}, err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	for _, step := range []func(context.Context) error{
		e.textToImage, e.imageToText, e.nameQueries, e.freePhrasing, e.partial, e.nearMisses, e.verdicts,
	} {
		if err := step(ctx); err != nil {
			return Report{}, err
		}
	}
	e.report.Seconds = statistics.RoundTo(time.Since(started).Seconds(), 1)
	return *e.report, nil
}

// build indexes the dataset and chooses what is asked.
func (e *evaluation) build(ctx context.Context, folder string) (err error) {
	var texts []string
	seen := map[string]bool{}
	for _, image := range e.source.Dataset.Images {
		for _, caption := range image.Captions {
			if !seen[caption] {
				seen[caption] = true
				texts = append(texts, caption)
			}
		}
	}
	open := func(name string) (library Library) {
		if err == nil {
			library, err = e.options.Open(ctx, filepath.Join(folder, name))
		}
		return library
	}
	e.neutral, e.own = open("neutral"), open("own")
	targets := []target{{library: e.neutral, names: NamesNeutral, texts: texts}, {library: e.own, names: NamesOwn}}
	if err != nil {
		return errors.Join(fmt.Errorf("make library: %w", err), e.close())
	}
	e.pictures, err = build(ctx, targets, e.engine, e.source.Files, e.source.Dataset, func(done, total int) {
		e.options.Progress("index pictures", done, total)
	})
	if err != nil {
		return errors.Join(err, e.close())
	}
	e.asked = e.choose()
	e.source.Sets = e.source.Sets.Only(e.options.Splits...)
	e.report.Images, e.report.Texts = len(e.pictures), len(texts)
	return nil
}

func (e *evaluation) close() error {
	var problems []error
	for _, library := range []Library{e.neutral, e.own} {
		if library != nil {
			problems = append(problems, library.Close())
		}
	}
	return errors.Join(problems...)
}

// choose gives the pictures that are asked about.
func (e *evaluation) choose() []placed {
	var asked []placed
	for _, picture := range e.pictures {
		if len(e.options.Splits) == 0 || slices.Contains(e.options.Splits, picture.image.Split) {
			asked = append(asked, picture)
		}
	}
	return sample(asked, e.options.Sample)
}

// sample draws count of the items with a fixed seed, in their order; 0 keeps
// them all.
func sample[T any](items []T, count int) []T {
	if count <= 0 || count >= len(items) {
		return items
	}
	places := rand.New(rand.NewPCG(5, 5)).Perm(len(items))[:count]
	slices.Sort(places)
	drawn := make([]T, count)
	for i, place := range places {
		drawn[i] = items[place]
	}
	return drawn
}

// bench gives the bench of a library. There is one of each, so that what ITM
// has read once is remembered.
func (e *evaluation) bench(library Library, doing string) (*bench, error) {
	searcher := e.searchers[library]
	if searcher == nil {
		var err error
		searcher, err = search.New(library, e.engine, search.Options{Calibration: e.options.Calibration, MatchCacheEntries: 1 << 20})
		if err != nil {
			return nil, err
		}
		if e.searchers == nil {
			e.searchers = map[Library]*search.Searcher{}
		}
		e.searchers[library] = searcher
	}
	return &bench{searcher: searcher, k: e.options.K, matches: e.engine.Capabilities().Match, progress: func(done, total int) { e.options.Progress(doing, done, total) }}, nil
}

// textToImage asks for each picture by each of its captions.
func (e *evaluation) textToImage(ctx context.Context) error {
	questions := e.captionQuestions()
	b, err := e.bench(e.neutral, "text to image")
	if err != nil {
		return err
	}
	if err := e.latency(ctx, b, questions); err != nil {
		return err
	}
	e.report.TextToImage, err = b.run(ctx, questions, modes())
	return err
}

// captionQuestions ask for the chosen pictures by all their captions. A caption
// that several pictures have is right for each of them.
func (e *evaluation) captionQuestions() []question {
	owners := map[string]map[index.ID]bool{}
	for _, picture := range e.pictures {
		for _, caption := range picture.image.Captions {
			if owners[caption] == nil {
				owners[caption] = map[index.ID]bool{}
			}
			owners[caption][picture.id] = true
		}
	}
	var questions []question
	for number, picture := range e.asked {
		for _, caption := range picture.image.Captions {
			questions = append(questions, question{text: caption, right: owners[caption], cluster: number})
		}
	}
	return questions
}

// latency times hybrid queries whose words were never embedded before.
func (e *evaluation) latency(ctx context.Context, b *bench, questions []question) error {
	quiet := *b
	quiet.progress = nil
	if _, err := quiet.run(ctx, sample(questions, 200), modes()[2:3]); err != nil {
		return err
	}
	e.report.Latency = latencyOf(quiet.timings)
	var texts []string
	for _, question := range sample(questions, 100) {
		texts = append(texts, question.text)
	}
	reader, err := e.neutral.Reader(ctx)
	if err != nil {
		return fmt.Errorf("read library: %w", err)
	}
	defer reader.Close()
	e.report.Approximate, err = approximate(ctx, reader, e.engine, texts)
	return err
}

// imageToText asks for the captions of each picture among all captions.
func (e *evaluation) imageToText(ctx context.Context) error {
	b, err := e.bench(e.neutral, "image to text")
	if err != nil {
		return err
	}
	result := &Modes{}
	var plain, reranked []statistics.Outcome
	for number, picture := range e.asked {
		for _, rerank := range []bool{false, true} {
			request := lookup.Request{
				Record: picture.id, Sources: []lookup.TextSource{lookup.TextSourceRecord}, Limit: rankDepth,
				Show: contract.ShowAll, RerankBudget: -1, RerankCount: e.options.K,
			}
			if rerank && !b.matches {
				continue
			}
			if rerank {
				request.RerankBudget = unlimited
			}
			response, err := b.searcher.Lookup(ctx, request)
			if err != nil {
				return fmt.Errorf("look up %s: %w", picture.image.Path, err)
			}
			found := statistics.Outcome{Cluster: number}
			for _, hit := range response.Texts {
				if slices.Contains(picture.image.Captions, hit.Text) {
					found.Rank = hit.Rank
					break
				}
			}
			if rerank {
				reranked = append(reranked, found)
			} else {
				plain = append(plain, found)
			}
		}
		b.progress(number+1, len(e.asked))
	}
	result.set("itc", statistics.RecallOf(plain))
	if b.matches {
		result.set("itc_itm", statistics.RecallOf(reranked))
	}
	e.report.ImageToText = result
	return nil
}

// byName gives the record of each picture by its file name.
func (e *evaluation) byName() map[string]index.ID {
	records := map[string]index.ID{}
	for _, picture := range e.pictures {
		records[path.Base(picture.image.Path)] = picture.id
	}
	return records
}

// questions gives those queries that some picture answers.
func (e *evaluation) questions(queries []datasets.Query) []question {
	return slices.DeleteFunc(e.allQuestions(queries), func(q question) bool { return len(q.right) == 0 })
}

// allQuestions gives every query with its right and unclear answers.
func (e *evaluation) allQuestions(queries []datasets.Query) []question {
	records := e.byName()
	find := func(names []string) map[index.ID]bool {
		found := map[index.ID]bool{}
		for _, name := range names {
			if id, ok := records[path.Base(name)]; ok {
				found[id] = true
			}
		}
		return found
	}
	questions := make([]question, len(queries))
	for i, query := range queries {
		questions[i] = question{text: query.Query, right: find(query.Images), unclear: find(query.Unclear), cluster: i}
	}
	return questions
}

// nameQueries asks by name, where pictures have names.
func (e *evaluation) nameQueries(ctx context.Context) error {
	questions := append(e.nameQuestions(), e.questions(e.source.Sets.Names)...)
	b, err := e.bench(e.own, "name queries")
	if err != nil {
		return err
	}
	e.report.NameQueries, err = b.run(ctx, questions, modes())
	return err
}

// partial asks in a few words. Which of several right pictures comes first is
// of no account, and unclear ones count neither way.
func (e *evaluation) partial(ctx context.Context) error {
	questions := sample(e.questions(e.source.Sets.Partial), 4*e.options.Sample)
	if len(questions) == 0 {
		return nil
	}
	b, err := e.bench(e.neutral, "partial queries")
	if err != nil {
		return err
	}
	e.report.Partial, err = b.run(ctx, questions, modes())
	return err
}

func (e *evaluation) freePhrasing(ctx context.Context) error {
	questions := e.questions(e.source.Sets.FreePhrasing)
	if len(questions) == 0 {
		return nil
	}
	b, err := e.bench(e.neutral, "free phrasing")
	if err != nil {
		return err
	}
	e.report.FreePhrasing, err = b.run(ctx, questions, modes())
	return err
}
