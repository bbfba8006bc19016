package evaluate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"

	"mekiki/search/contract"
	"mekiki/search/evaluate/logistic"
	"mekiki/search/evaluate/statistics"
	"mekiki/search/query"
	"mekiki/search/scoring"
)

// CalibrateOptions configure Calibrate.
type CalibrateOptions struct {
	Options
	// UnansweredStrong is the largest share of queries that nothing answers
	// which may get a strong hit, 0 to 1; 0 means 0.03.
	UnansweredStrong float64
	// UnansweredShown is the same for any hit; 0 means 0.12.
	UnansweredShown float64
	// StrongPrecision is the least share of strong hits that must be right, with
	// every group of queries counting as much; 0 means 0.92.
	StrongPrecision float64
}

func (o CalibrateOptions) withDefaults() CalibrateOptions {
	o.Options = o.Options.withDefaults()
	for value, standard := range map[*float64]float64{&o.UnansweredStrong: 0.03, &o.UnansweredShown: 0.12, &o.StrongPrecision: 0.92} {
		if *value == 0 {
			*value = standard
		}
	}
	return o
}

// observation is one candidate of one query, with what every signal said.
type observation struct {
	features scoring.Features
	read     bool    // ITM has read it
	name     float64 // the worth of its names, 0 where they lack a word
	right    bool
}

// libraryWeight is what log-odds lose for each e-fold of pictures beyond those of the
// fit. Where one picture is right however large the library, each has so much smaller a
// chance to be it, and 1 would have to go; where the right ones grow with the library,
// nothing. Half lies between.
const libraryWeight = -0.5

// The groups of queries, each of which counts as much as any other.
const (
	groupCaptions   = "captions"
	groupFree       = "free phrasing"
	groupPartial    = "partial"
	groupUnanswered = "unanswered"
	groupNames      = "names"
)

// observed is one query with its candidates.
type observed struct {
	group      string
	candidates []observation
}

// Calibrate fits a model's calibration to annotated pictures: the scoring model and the
// thresholds of the verdicts. Captions and queries that nothing answers are needed;
// names, free phrasing and partial queries are used where the source has them.
// All should be of splits on which nothing is reported.
func Calibrate(ctx context.Context, engine Engine, source Source, options CalibrateOptions) (calibration scoring.Calibration, err error) {
	options = options.withDefaults()
	if err := options.check(source.Dataset); err != nil {
		return scoring.Calibration{}, fmt.Errorf("calibrate: %w", err)
	}
	folder, err := os.MkdirTemp(options.Folder, "mekiki-calibrate-")
	if err != nil {
		return scoring.Calibration{}, fmt.Errorf("calibrate: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	e := &evaluation{engine: engine, source: source, options: options.Options, report: &Report{}}
	if err := e.build(ctx, folder); err != nil {
		return scoring.Calibration{}, err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	queries, err := e.observe(ctx)
	if err != nil {
		return scoring.Calibration{}, err
	}
	calibration, err = fit(queries, options)
	calibration.Images = len(e.pictures)
	return calibration, err
}

// observe asks the queries of the splits, a sample of each group: as many as
// pictures of captions and free phrasing, four times as many partial ones, for
// they are of four kinds.
func (e *evaluation) observe(ctx context.Context) ([]observed, error) {
	count := e.options.Sample
	answered, unanswered := e.verdictSets()
	asked := map[string][]question{}
	for _, set := range answered {
		group := set.name
		if group != groupCaptions && group != groupFree {
			group = groupPartial
		}
		asked[group] = append(asked[group], set.questions...)
	}
	for _, set := range unanswered {
		group := groupPartial // so that each form is seen with and without an answer
		if set.name == "no match" || set.name == "everyday" {
			group = groupUnanswered
		}
		asked[group] = append(asked[group], set.questions...)
	}
	asked[groupFree], asked[groupPartial] = sample(asked[groupFree], count), sample(asked[groupPartial], 4*count)
	asked[groupNames] = append(e.nameQuestions(), e.questions(e.source.Sets.Names)...)
	var result []observed
	for _, group := range []string{groupCaptions, groupFree, groupPartial, groupUnanswered, groupNames} {
		library := e.neutral
		if group == groupNames {
			library = e.own
		}
		b, err := e.bench(library, "ask "+group)
		if err != nil {
			return nil, err
		}
		more, err := b.observe(ctx, group, asked[group])
		if err != nil {
			return nil, err
		}
		result = append(result, more...)
	}
	return result, nil
}

// observe asks questions and keeps what every signal said of every candidate.
func (b *bench) observe(ctx context.Context, group string, questions []question) ([]observed, error) {
	var result []observed
	for number, question := range questions {
		request := contract.Request{
			Text: query.Escape(question.text), Show: contract.ShowAll, Limit: 1000, RerankBudget: unlimited, RerankCount: b.k, Explain: true,
			Fusion: contract.FusionReciprocalRank, // what is to be fitted must not choose what is read
		}
		if group == groupNames {
			request.RerankBudget = -1
		}
		response, err := b.searcher.Search(ctx, request)
		if err != nil {
			return nil, fmt.Errorf("search %q: %w", question.text, err)
		}
		entry := observed{group: group}
		for _, hit := range response.Hits {
			if !question.unclear[hit.ID] {
				entry.candidates = append(entry.candidates, observe(hit, question))
			}
		}
		result = append(result, entry)
		b.progress(number+1, len(questions))
	}
	return result, nil
}

// observe reads the evidence off a hit.
func observe(hit contract.Hit, q question) observation {
	seen := observation{right: q.right[hit.ID]}
	for _, part := range hit.Explanation.Evidence {
		for feature := range seen.features {
			if scoring.Feature(feature).String() == part.Feature {
				seen.features[feature] = part.Value
				seen.read = seen.read || scoring.Feature(feature) == scoring.FeatureITM
			}
		}
	}
	if hit.Explanation.NameProbability > 0 {
		seen.name = hit.Explanation.NameCoverage
	}
	return seen
}

// odds is what a calibration makes of what an observation shows.
func (o observation) odds(c scoring.Calibration) float64 { return c.Odds(o.evidence()) }

// evidence has the features of an observation.
func (o observation) evidence() scoring.Evidence {
	e := scoring.Evidence{
		ITM: math.NaN(), ITC: o.features[scoring.FeatureITC], ContentWords: int(math.Round(math.Exp(o.features[scoring.FeatureLength]))),
		Words: o.features[scoring.FeatureWords], Captioned: o.features[scoring.FeatureCaptioned] > 0,
	}
	if o.read {
		e.ITM = o.features[scoring.FeatureITM]
	}
	return e
}

// fit chooses every number of a calibration.
func fit(queries []observed, options CalibrateOptions) (scoring.Calibration, error) {
	calibration := scoring.Calibration{Version: scoring.CalibrationVersion, Library: libraryWeight}
	examples := fullExamples(queries)
	if err := logistic.Fit(&calibration, append(examples, withoutWords(examples)...)); err != nil {
		return scoring.Calibration{}, err
	}
	var odds, worth []float64
	var right []bool
	for _, query := range queries {
		for _, candidate := range query.candidates {
			if query.group == groupNames && candidate.name > 0 {
				odds, worth, right = append(odds, candidate.odds(calibration)), append(worth, candidate.name), append(right, candidate.right)
			}
		}
	}
	calibration.Name = logistic.FitName(odds, worth, right)
	var unanswered []float64
	for _, query := range queries {
		if best := query.best(calibration); query.group == groupUnanswered && !math.IsInf(best, 0) {
			unanswered = append(unanswered, best)
		}
	}
	chooseThresholds(&calibration, examples, unanswered, options)
	return calibration, calibration.Validate()
}

// best is the highest log-odds that a candidate of a query has that ITM has read.
func (q observed) best(calibration scoring.Calibration) float64 {
	best := math.Inf(-1)
	for _, candidate := range q.candidates {
		if candidate.read {
			best = max(best, candidate.odds(calibration))
		}
	}
	return best
}

// fullExamples gives every pair that ITM has read. Groups of queries count as
// much as each other, since nobody knows the shares of what people will ask,
// and so do the queries of a group.
func fullExamples(queries []observed) []logistic.Example {
	counts, largest := map[string]int{}, 0
	for _, query := range queries {
		if query.group != groupNames {
			counts[query.group]++
			largest = max(largest, counts[query.group])
		}
	}
	var examples []logistic.Example
	for _, query := range queries {
		for _, candidate := range query.candidates {
			if query.group != groupNames && candidate.read {
				weight := float64(largest) / float64(counts[query.group])
				examples = append(examples, logistic.Example{Features: candidate.features, Right: candidate.right, Weight: weight})
			}
		}
	}
	return examples
}

// withoutWords gives examples as they are where words have no say.
func withoutWords(examples []logistic.Example) []logistic.Example {
	without := make([]logistic.Example, len(examples))
	for i, e := range examples {
		without[i] = e
		for _, feature := range []scoring.Feature{scoring.FeatureWords, scoring.FeatureAllWords, scoring.FeatureCaptioned} {
			without[i].Features[feature] = 0
		}
	}
	return without
}

// chooseThresholds puts strong where enough of the examples above it are right, and
// few enough of the queries that nothing answers reach it, but nowhere below an
// even chance; and weak where not too many of those queries reach it.
func chooseThresholds(calibration *scoring.Calibration, examples []logistic.Example, unanswered []float64, options CalibrateOptions) {
	strong, weak := preciseOdds(calibration.Weights, examples, options.StrongPrecision), math.Inf(-1)
	if len(unanswered) > 0 {
		slices.Sort(unanswered)
		strong = max(strong, statistics.Percentile(unanswered, 1-options.UnansweredStrong))
		weak = statistics.Percentile(unanswered, 1-options.UnansweredShown)
	}
	up := func(odds float64) float64 { return math.Ceil(scoring.Sigmoid(odds)*1e4) / 1e4 }
	calibration.Strong = max(up(strong), 0.5)
	calibration.Weak = min(up(weak), calibration.Strong)
}

// preciseOdds is the lowest log-odds from which on enough examples are right.
func preciseOdds(weights scoring.Features, examples []logistic.Example, precision float64) float64 {
	type judged struct{ odds, right, weight float64 }
	all := make([]judged, len(examples))
	for i, e := range examples {
		all[i] = judged{odds: logistic.Dot(weights, e.Features), weight: e.Weight}
		if e.Right {
			all[i].right = e.Weight
		}
	}
	slices.SortFunc(all, func(a, b judged) int { return cmp.Compare(b.odds, a.odds) })
	lowest := math.Inf(1)
	var right, total float64
	for _, j := range all {
		right, total = right+j.right, total+j.weight
		if right >= precision*total {
			lowest = j.odds
		}
	}
	return lowest
}
