package evaluate

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"mekiki/index"
	"mekiki/index/keyword"
	"mekiki/search/contract"
	"mekiki/search/evaluate/logistic"
	"mekiki/search/evaluate/statistics"
	"mekiki/search/query"
	"mekiki/search/scoring"
	"mekiki/search/words"
)

// SelfCalibration is a scoring model that was fitted on a library without labels.
type SelfCalibration struct {
	Calibration scoring.Calibration `json:"calibration"`
	// Images is how many pictures the library has; Fitted and HeldOut are those whose
	// captions were fitted to and those that Before and After are of.
	Images  int `json:"images"`
	Fitted  int `json:"fitted"`
	HeldOut int `json:"held_out"`
	// Before is of the calibration in use until now.
	Before SelfFit `json:"before"`
	After  SelfFit `json:"after"`
	// Seconds is what it took.
	Seconds float64 `json:"seconds"`
}

// SelfFit says how well a calibration finds pictures by their own texts.
type SelfFit struct {
	// First is the percentage of texts by which their own picture is found first.
	First float64 `json:"first"`
	// LogLoss is the mean of -ln of the probability that was given to the truth, of what
	// ITM read; less is better.
	LogLoss float64 `json:"log_loss"`
	// StrongPrecision is the percentage of own pictures among the strong hits, and
	// StrongRecall that of own pictures that are strong hits.
	StrongPrecision float64 `json:"strong_precision"`
	StrongRecall    float64 `json:"strong_recall"`
}

// SelfCalibrate fits the scoring model on a library without labels: a picture's own
// caption, and a piece of it, are true of the picture, and not of those nearest to the
// caption, unless their captions have all of its words. Without its own picture a caption is a query that
// nothing answers. Half of the sample is fitted to; before and after are measured on
// the rest.
//
// What words are worth cannot be learned so, since a caption has all of its own words,
// nor what names are: these weights stay those of the calibration in use.
func SelfCalibrate(ctx context.Context, library Library, engine Engine, options CalibrateOptions) (SelfCalibration, error) {
	started := time.Now()
	if options.Sample == 0 {
		options.Sample = selfSample
	}
	options = options.withDefaults()
	before := scoring.DefaultCalibration()
	if options.Calibration != nil {
		before = *options.Calibration
	}
	e := &evaluation{engine: engine, options: options.Options, neutral: library, report: &Report{}}
	pictures, err := e.observeOwn(ctx)
	if err != nil {
		return SelfCalibration{}, err
	}
	var halves [2][]observed
	for i, seen := range pictures {
		halves[i%2] = append(halves[i%2], seen...)
	}
	if len(pictures)/2 < leastSelfFit {
		return SelfCalibration{}, fmt.Errorf("%w: %d pictures are found by theirs, and %d are needed", ErrFewCaptions, len(pictures), 2*leastSelfFit)
	}
	calibration, err := fit(halves[0], options)
	if err != nil {
		return SelfCalibration{}, err
	}
	calibration.Images, calibration.Name = e.report.Images, before.Name
	for _, feature := range []scoring.Feature{scoring.FeatureWords, scoring.FeatureAllWords, scoring.FeatureCaptioned} {
		calibration.Weights[feature], calibration.ExpectedITM[feature] = before.Weights[feature], before.ExpectedITM[feature]
	}
	return SelfCalibration{
		Calibration: calibration, Images: e.report.Images, Fitted: (len(pictures) + 1) / 2, HeldOut: len(pictures) / 2,
		Before: measureFit(before, halves[1]), After: measureFit(calibration, halves[1]), Seconds: statistics.RoundTo(time.Since(started).Seconds(), 1),
	}, calibration.Validate()
}

// observeOwn asks for a sample of pictures by their own captions and a piece of each, and
// gives what was seen by picture. Those that ITM did not get to read are left out.
func (e *evaluation) observeOwn(ctx context.Context) ([][]observed, error) {
	questions, err := e.ownCaptions(ctx)
	if err != nil {
		return nil, err
	}
	b, err := e.bench(e.neutral, "ask captions")
	if err != nil {
		return nil, err
	}
	var pictures [][]observed
	for number, question := range questions {
		whole, near, err := b.observeOwn(ctx, groupCaptions, question, nil)
		if err != nil {
			return nil, err
		}
		seen := []observed{whole, whole.unanswered()}
		if pieces := piecesOf(question.text); len(pieces) > 0 {
			question.text = pieces[number%len(pieces)]
			piece, _, err := b.observeOwn(ctx, groupPartial, question, near)
			if err != nil {
				return nil, err
			}
			seen = append(seen, piece)
		}
		if slices.ContainsFunc(whole.candidates, func(o observation) bool { return o.right && o.read }) {
			pictures = append(pictures, seen)
		}
		b.progress(number+1, len(questions))
	}
	return pictures, nil
}

// observeOwn asks by meaning alone, among some pictures or all, and says which ITM read.
// Pictures that are not the text's own, but whose captions have all of its words, may be
// Right as well, and are left out.
func (b *bench) observeOwn(ctx context.Context, group string, q question, among []index.ID) (seen observed, read []index.ID, err error) {
	meaning := 1.0
	response, err := b.searcher.Search(ctx, contract.Request{
		Text: query.Escape(q.text), Weight: &meaning, Show: contract.ShowAll, Limit: 1000, RerankBudget: unlimited, RerankCount: b.k, Explain: true,
		Filter: index.Filter{IDs: among},
	})
	if err != nil {
		return observed{}, nil, fmt.Errorf("search %q: %w", q.text, err)
	}
	terms := keyword.Terms(q.text)
	seen.group = group
	for _, hit := range response.Hits {
		said := keyword.Terms(hit.Caption)
		lacks := slices.ContainsFunc(terms, func(term string) bool { return !slices.Contains(said, term) })
		if q.right[hit.ID] || lacks {
			seen.candidates = append(seen.candidates, observe(hit, q))
		}
		if hit.Explanation.Match != nil {
			read = append(read, hit.ID)
		}
	}
	return seen, read, nil
}

// unanswered is the same query without its answers.
func (q observed) unanswered() observed {
	return observed{group: groupUnanswered, candidates: slices.DeleteFunc(slices.Clone(q.candidates), func(o observation) bool { return o.right })}
}

// piecesOf cuts a caption at stop words and signs: "a red book, and two dogs" has the
// pieces "red book" and "two dogs". One piece that is nearly all of it is none.
func piecesOf(caption string) []string {
	var pieces []string
	var piece []string
	end := func() {
		if text := strings.Join(piece, " "); words.Count(text) > 0 {
			pieces = append(pieces, text)
		}
		piece = nil
	}
	for _, word := range strings.Fields(caption) {
		if len(keyword.Terms(word)) == 0 {
			end()
			continue
		}
		piece = append(piece, strings.TrimRight(word, ",.;:"))
		if strings.ContainsAny(word, ",.;:") {
			end()
		}
	}
	end()
	if len(pieces) == 1 && words.Count(pieces[0]) == words.Count(caption) {
		return nil
	}
	return pieces
}

// measureFit says how well a calibration does on queries that it was not fitted to, among
// what ITM read.
func measureFit(calibration scoring.Calibration, queries []observed) SelfFit {
	var fit SelfFit
	var asked, found, strong, right, rightStrong, total float64
	for _, query := range queries {
		best := [2]float64{math.Inf(-1), math.Inf(-1)} // of the others and of its own
		for _, candidate := range query.candidates {
			if !candidate.read {
				continue
			}
			odds, own := candidate.odds(calibration), 0
			called := scoring.Sigmoid(odds) >= calibration.Strong
			if called && query.group != groupUnanswered {
				strong++
			}
			if candidate.right {
				own = 1
				right++
				if called {
					rightStrong++
				}
			}
			best[own] = max(best[own], odds)
		}
		if query.group != groupUnanswered {
			asked++
			if best[1] > best[0] {
				found++
			}
		}
	}
	for _, e := range fullExamples(queries) {
		wrong := logistic.Dot(calibration.Weights, e.Features)
		if e.Right {
			wrong = -wrong
		}
		fit.LogLoss, total = fit.LogLoss+e.Weight*math.Log1p(math.Exp(min(wrong, 700))), total+e.Weight
	}
	fit.First, fit.LogLoss = statistics.RoundTo(100*found/asked, 1), statistics.RoundTo(fit.LogLoss/total, 4)
	fit.StrongPrecision, fit.StrongRecall = statistics.RoundTo(100*rightStrong/max(strong, 1), 1), statistics.RoundTo(100*rightStrong/right, 1)
	return fit
}
