package evaluate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"

	"mekiki/search"
	"mekiki/search/query"
)

// CalibrateOptions configure Calibrate.
type CalibrateOptions struct {
	Options
	// UnansweredStrong is the largest share of queries that nothing answers
	// which may get a strong hit, 0 to 1; 0 means 0.03.
	UnansweredStrong float64
	// UnansweredShown is the same for any hit; 0 means 0.15.
	UnansweredShown float64
	// StrongPrecision is the least share of strong hits that must be right, with
	// every group of queries counting as much; 0 means 0.85.
	StrongPrecision float64
}

func (o CalibrateOptions) withDefaults() CalibrateOptions {
	o.Options = o.Options.withDefaults()
	for value, standard := range map[*float64]float64{&o.UnansweredStrong: 0.03, &o.UnansweredShown: 0.15, &o.StrongPrecision: 0.85} {
		if *value == 0 {
			*value = standard
		}
	}
	return o
}

// observation is one candidate of one query, with what every signal said.
type observation struct {
	evidence search.Evidence
	keyword  float64
	named    float64 // the share of the words among its names
	right    bool
}

func (o observation) read() bool { return !math.IsNaN(o.evidence.Logit) }

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
	answered   bool
}

// Calibrate fits a model's calibration to annotated pictures: the logistic
// curves from evidence to probabilities, the thresholds of the verdicts, and
// the weights of fusion. Captions and queries that nothing answers are needed;
// names, free phrasing and partial queries are used where the source has them.
// All should be of splits on which nothing is reported.
func Calibrate(ctx context.Context, engine Engine, source Source, options CalibrateOptions) (calibration search.Calibration, err error) {
	options = options.withDefaults()
	if err := options.check(source.Dataset); err != nil {
		return search.Calibration{}, fmt.Errorf("calibrate: %w", err)
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
		request := search.Request{
			Text: query.Escape(question.text), Show: search.ShowAll, Limit: 1000, RerankBudget: unlimited, RerankCount: b.k, Explain: true,
		}
		if group == groupNames {
			request.RerankBudget = -1
		}
		response, err := b.searcher.Search(ctx, request)
		if err != nil {
			return nil, fmt.Errorf("search %q: %w", question.text, err)
		}
		entry := observed{group: group, answered: len(question.right) > 0}
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
func observe(hit search.Hit, q question) observation {
	seen := observation{
		evidence: search.Evidence{Logit: math.NaN(), ContentWords: search.ContentWords(q.text), Caption: math.NaN()},
		right:    q.right[hit.ID],
		named:    hit.Explanation.NameCoverage,
	}
	if leg := hit.Explanation.Vector; leg != nil {
		seen.evidence.Cosine = leg.Score
	}
	if leg := hit.Explanation.Keyword; leg != nil {
		seen.keyword = leg.Score
	}
	if share := hit.Explanation.CaptionShare; share != nil {
		seen.evidence.Caption = *share
	}
	if match := hit.Explanation.Match; match != nil && len(match.Clauses) == 1 {
		seen.evidence.Logit = match.Clauses[0].Logit
	}
	return seen
}

// fit chooses every number of a calibration.
func fit(queries []observed, options CalibrateOptions) (search.Calibration, error) {
	calibration := search.DefaultCalibration()
	examples := curveExamples(queries)
	captioned := slices.ContainsFunc(examples, func(e example) bool { return e.evidence.Caption > 0 })
	for _, curve := range []struct {
		name            string
		target          *search.Curve
		read, captioned bool
	}{
		{"match", &calibration.Match, true, captioned}, {"vector", &calibration.Vector, false, captioned},
		{"uncaptioned match", &calibration.MatchUncaptioned, true, false}, {"uncaptioned vector", &calibration.VectorUncaptioned, false, false},
	} {
		fitted, err := fitCurve(examples, curve.read, curve.captioned)
		if err != nil {
			return search.Calibration{}, fmt.Errorf("fit the %s curve: %w", curve.name, err)
		}
		*curve.target = fitted
	}
	chooseThresholds(&calibration, queries, examples, options)
	chooseFusion(&calibration, queries)
	return calibration, calibration.Validate()
}

// curveExamples gives every pair that ITM has read. Groups of queries count as
// much as each other, since nobody knows the shares of what people will ask,
// and so do the queries of a group.
func curveExamples(queries []observed) []example {
	counts, largest := map[string]int{}, 0
	for _, query := range queries {
		if query.group != groupNames {
			counts[query.group]++
			largest = max(largest, counts[query.group])
		}
	}
	var examples []example
	for _, query := range queries {
		for _, candidate := range query.candidates {
			if query.group != groupNames && candidate.read() {
				weight := float64(largest) / float64(counts[query.group])
				examples = append(examples, example{candidate.evidence, candidate.right, weight})
			}
		}
	}
	return examples
}

// chooseThresholds puts strong where enough of the hits above it are right, and
// few enough of the queries that nothing answers reach it, but nowhere below an
// even chance; and weak where not too many of those queries reach it.
func chooseThresholds(calibration *search.Calibration, queries []observed, examples []example, options CalibrateOptions) {
	var nothing []float64 // log-odds
	for _, query := range queries {
		best := math.Inf(-1)
		for _, candidate := range query.candidates {
			if candidate.read() {
				best = max(best, calibration.Match.Odds(candidate.evidence))
			}
		}
		if query.group == groupUnanswered && !math.IsInf(best, 0) {
			nothing = append(nothing, best)
		}
	}
	strong, weak := preciseOdds(calibration.Match, examples, options.StrongPrecision), math.Inf(-1)
	if len(nothing) > 0 {
		slices.Sort(nothing)
		strong = max(strong, percentile(nothing, 1-options.UnansweredStrong))
		weak = percentile(nothing, 1-options.UnansweredShown)
	}
	probability := func(odds float64) float64 { return roundTo(1/(1+math.Exp(-odds)), 4) }
	calibration.Strong = max(probability(strong), 0.5)
	calibration.Weak = min(probability(weak), calibration.Strong)
}

// preciseOdds is the lowest log-odds from which on enough examples are right.
func preciseOdds(curve search.Curve, examples []example, precision float64) float64 {
	type judged struct{ odds, right, weight float64 }
	all := make([]judged, len(examples))
	for i, e := range examples {
		all[i] = judged{odds: curve.Odds(e.evidence), weight: e.weight}
		if e.right {
			all[i].right = e.weight
		}
	}
	slices.SortFunc(all, func(a, b judged) int {
		switch {
		case a.odds > b.odds:
			return -1
		case a.odds < b.odds:
			return 1
		}
		return 0
	})
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

// leastGain is how much better the first places have to be for captions to count
// for fewer words: less is noise of a few queries.
const leastGain = 0.001

// chooseFusion takes the weight, scale and caption words with the best mean of
// the first places among captions, free phrasing, partial queries and names, in
// equal parts.
func chooseFusion(calibration *search.Calibration, queries []observed) {
	chosen := math.Inf(-1)
	for _, captionWords := range []float64{0, 4, 3, 2, 1.5, 1} {
		tried := search.Calibration{CaptionWords: captionWords}
		if best := bestFusion(&tried, queries); best > chosen+leastGain {
			chosen = best
			calibration.FusionWeight, calibration.KeywordScale, calibration.CaptionWords = tried.FusionWeight, tried.KeywordScale, captionWords
		}
	}
}

// bestFusion gives a calibration the best weight and scale, and how good they
// are.
func bestFusion(calibration *search.Calibration, queries []observed) float64 {
	best := math.Inf(-1)
	for _, scale := range []float64{1, 2, 4, 8, 16} {
		tried := *calibration
		tried.KeywordScale = scale
		for weight := 0.2; weight < 0.985; weight += 0.02 {
			score := firstPlaces(queries, func(o observation) float64 {
				return weight*(o.evidence.Cosine+1)/2 + (1-weight)*tried.Words(o.keyword, o.evidence.ContentWords, o.named)
			})
			if score > best+1e-9 {
				best = score
				calibration.FusionWeight, calibration.KeywordScale = roundTo(weight, 2), scale
			}
		}
	}
	return best
}

// firstPlaces is the mean reciprocal rank of the first right answer, of all
// groups in equal parts.
func firstPlaces(queries []observed, score func(observation) float64) float64 {
	sums, counts := map[string]float64{}, map[string]float64{}
	for _, query := range queries {
		if rank := rankOfRight(query.candidates, score); query.answered && rank > 0 {
			sums[query.group] += 1 / float64(rank)
			counts[query.group]++
		}
	}
	total := 0.0
	for group := range sums {
		total += sums[group] / counts[group]
	}
	return total / float64(max(len(sums), 1))
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
