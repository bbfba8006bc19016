package evaluate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"

	"mekiki/index"
	"mekiki/search"
	"mekiki/search/query"
)

// CalibrateOptions configure Calibrate.
type CalibrateOptions struct {
	Options
	// UnansweredStrong is the largest share of queries that nothing answers
	// which may get a strong hit, 0 to 1; 0 means 0.03.
	UnansweredStrong float64
	// UnansweredShown is the same for any hit; 0 means 0.2.
	UnansweredShown float64
}

// observation is one candidate of one query, with what every signal said.
type observation struct {
	cosine, keyword float64
	match           float64 // NaN when ITM has not read it
	right           bool
}

// observed is one query with its candidates.
type observed struct {
	candidates []observation
	answered   bool
	names      bool
}

// Calibrate fits a model's calibration to annotated pictures: the logistic
// curves from raw scores to probabilities, the thresholds of the verdicts, and
// the weights of fusion. The source's captions, names and unanswered queries
// are all needed, of splits on which nothing is reported.
func Calibrate(ctx context.Context, engine Engine, source Source, options CalibrateOptions) (calibration search.Calibration, err error) {
	options.Options = options.Options.withDefaults()
	if options.UnansweredStrong == 0 {
		options.UnansweredStrong = 0.03
	}
	if options.UnansweredShown == 0 {
		options.UnansweredShown = 0.2
	}
	folder, err := os.MkdirTemp(options.Folder, "mekiki-calibrate-")
	if err != nil {
		return search.Calibration{}, fmt.Errorf("calibrate: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	e := &evaluation{engine: engine, source: source, options: options.Options, report: &Report{}}
	if err := e.build(ctx, folder); err != nil {
		return search.Calibration{}, err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	queries, err := e.observe(ctx)
	if err != nil {
		return search.Calibration{}, err
	}
	return fit(queries, options)
}

// observe asks every query of the splits once.
func (e *evaluation) observe(ctx context.Context) ([]observed, error) {
	var questions []question
	for number, picture := range e.asked {
		for _, caption := range picture.image.Captions {
			questions = append(questions, question{text: caption, right: map[index.ID]bool{picture.id: true}, cluster: number})
		}
	}
	for _, query := range e.source.Sets.NoMatch {
		questions = append(questions, question{text: query.Query})
	}
	plain, err := e.bench(e.neutral, "ask for calibration")
	if err != nil {
		return nil, err
	}
	result, err := e.observeAll(ctx, plain, questions, false)
	if err != nil {
		return nil, err
	}
	named, err := e.bench(e.own, "ask by name for calibration")
	if err != nil {
		return nil, err
	}
	more, err := e.observeAll(ctx, named, append(e.nameQuestions(), e.questions(e.source.Sets.Names)...), true)
	return append(result, more...), err
}

func (e *evaluation) observeAll(ctx context.Context, b *bench, questions []question, names bool) ([]observed, error) {
	var result []observed
	for number, question := range questions {
		request := search.Request{
			Text: query.Escape(question.text), Show: search.ShowAll, Limit: 1000, RerankBudget: unlimited, RerankCount: e.options.K, Explain: true,
		}
		if names {
			request.RerankBudget = -1
		}
		response, err := b.searcher.Search(ctx, request)
		if err != nil {
			return nil, fmt.Errorf("search %q: %w", question.text, err)
		}
		entry := observed{answered: len(question.right) > 0, names: names}
		for _, hit := range response.Hits {
			seen := observation{match: math.NaN(), right: question.right[hit.ID]}
			if leg := hit.Explanation.Vector; leg != nil {
				seen.cosine = leg.Score
			}
			if leg := hit.Explanation.Keyword; leg != nil {
				seen.keyword = leg.Score
			}
			if hit.Explanation.Match != nil {
				seen.match = hit.Explanation.Match.Score
			}
			entry.candidates = append(entry.candidates, seen)
		}
		result = append(result, entry)
		b.progress(number+1, len(questions))
	}
	return result, nil
}

// fit chooses every number of a calibration.
func fit(queries []observed, options CalibrateOptions) (search.Calibration, error) {
	calibration := search.DefaultCalibration()
	var match []pair
	var vector []example
	unanswered := unansweredWeight(queries)
	for _, query := range queries {
		if query.names {
			continue
		}
		weight := 1.0
		if !query.answered {
			weight = unanswered
		}
		for _, candidate := range query.candidates {
			if !math.IsNaN(candidate.match) {
				match = append(match, pair{example{candidate.match, candidate.right, weight}, candidate.cosine})
				vector = append(vector, example{candidate.cosine, candidate.right, weight})
			}
		}
	}
	var err error
	if calibration.Match, calibration.MatchCosine, err = fitMatch(match); err != nil {
		return search.Calibration{}, fmt.Errorf("fit the match curve: %w", err)
	}
	if calibration.Vector, err = fitLogistic(vector); err != nil {
		return search.Calibration{}, fmt.Errorf("fit the vector curve: %w", err)
	}
	chooseThresholds(&calibration, queries, options)
	chooseFusion(&calibration, queries)
	chooseKeywordOdds(&calibration, queries)
	return calibration, calibration.Validate()
}

// unansweredWeight makes the queries that nothing answers count as much as all
// those that something does: of what people ask, nobody knows the shares.
func unansweredWeight(queries []observed) float64 {
	var answered, unanswered float64
	for _, query := range queries {
		switch {
		case query.names:
		case query.answered:
			answered++
		default:
			unanswered++
		}
	}
	return max(answered, 1) / max(unanswered, 1)
}

// chooseThresholds puts the verdicts between what true captions and unanswered
// queries get for their best candidate.
func chooseThresholds(calibration *search.Calibration, queries []observed, options CalibrateOptions) {
	var captions, nothing []float64 // log-odds
	for _, query := range queries {
		best, right := math.Inf(-1), math.Inf(-1)
		for _, candidate := range query.candidates {
			if math.IsNaN(candidate.match) {
				continue
			}
			odds := calibration.Match.Odds(candidate.match + calibration.MatchCosine*candidate.cosine)
			best = max(best, odds)
			if candidate.right {
				right = max(right, odds)
			}
		}
		switch {
		case query.names:
		case query.answered && !math.IsInf(right, 0):
			captions = append(captions, right)
		case !query.answered && !math.IsInf(best, 0):
			nothing = append(nothing, best)
		}
	}
	slices.Sort(captions)
	slices.Sort(nothing)
	if len(captions) == 0 || len(nothing) == 0 {
		return
	}
	strong := percentile(nothing, 1-options.UnansweredStrong)
	if most := percentile(captions, 0.05); most > strong { // room between them
		strong = (strong + most) / 2
	}
	weak := percentile(nothing, 1-options.UnansweredShown)
	if most := percentile(captions, 0.02); most > weak {
		weak = (weak + most) / 2
	}
	probability := func(odds float64) float64 { return roundTo(1/(1+math.Exp(-odds)), 4) }
	calibration.Strong = probability(strong)
	calibration.Weak = min(probability(weak), calibration.Strong)
}

// chooseFusion takes the weight and scale with the best mean of the first
// places among captions and among names.
func chooseFusion(calibration *search.Calibration, queries []observed) {
	best := -1.0
	for _, scale := range []float64{1, 2, 4, 8, 16} {
		for weight := 0.3; weight < 0.985; weight += 0.02 {
			score := firstPlaces(queries, func(o observation) float64 {
				return weight*(o.cosine+1)/2 + (1-weight)*o.keyword/(o.keyword+scale)
			})
			if score > best+1e-9 {
				best = score
				calibration.FusionWeight, calibration.KeywordScale = roundTo(weight, 2), scale
			}
		}
	}
}

// firstPlaces is the mean reciprocal rank of the right answer, of captions and
// of names in equal parts.
func firstPlaces(queries []observed, score func(observation) float64) float64 {
	var sums, counts [2]float64
	for _, query := range queries {
		rank := rankOfRight(query.candidates, score)
		if !query.answered || rank == 0 {
			continue
		}
		kind := 0
		if query.names {
			kind = 1
		}
		sums[kind] += 1 / float64(rank)
		counts[kind]++
	}
	total, kinds := 0.0, 0.0
	for kind := range sums {
		if counts[kind] > 0 {
			total += sums[kind] / counts[kind]
			kinds++
		}
	}
	return total / max(kinds, 1)
}

// rankOfRight is the place of the right candidate, 0 without one; a tie counts
// against it.
func rankOfRight(candidates []observation, score func(observation) float64) int {
	right := math.Inf(-1)
	for _, candidate := range candidates {
		if candidate.right {
			right = max(right, score(candidate))
		}
	}
	if math.IsInf(right, -1) {
		return 0
	}
	rank := 1
	for _, candidate := range candidates {
		if !candidate.right && score(candidate) >= right {
			rank++
		}
	}
	return rank
}

// chooseKeywordOdds takes the smallest bonus for words that puts the most
// right answers first among what ITM has read.
func chooseKeywordOdds(calibration *search.Calibration, queries []observed) {
	best := -1.0
	for _, bonus := range []float64{0, 0.25, 0.5, 1, 1.5, 2, 3, 4} {
		score := 0.0
		for _, query := range queries {
			if query.names || !query.answered {
				continue
			}
			rank := rankOfRight(query.candidates, func(o observation) float64 {
				if math.IsNaN(o.match) {
					return -1000 + o.cosine
				}
				return calibration.Match.Odds(o.match+calibration.MatchCosine*o.cosine) + bonus*o.keyword/(o.keyword+calibration.KeywordScale)
			})
			if rank == 1 {
				score++
			}
		}
		if score > best*1.001+1e-9 { // worth something beyond chance
			best = score
			calibration.KeywordOdds = bonus
		}
	}
}
