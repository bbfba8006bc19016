package evaluate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"mekiki/index"
	"mekiki/search"
	"mekiki/search/contract"
	"mekiki/search/evaluate/statistics"
	"mekiki/search/query"
)

// rankDepth is how many hits are looked at for the right one; below it the
// reciprocal rank counts as zero.
const rankDepth = 100

// unlimited is a budget that no reranking of an evaluation uses up.
const unlimited = 10 * time.Minute

// question is a query with its right answers.
type question struct {
	text  string
	right map[index.ID]bool
	// unclear are those that may be called right or wrong.
	unclear map[index.ID]bool
	cluster int
}

// Rank is the place of the first right answer, from 1, among hits that are not
// unclear; 0 without one.
func (q question) rank(hits []contract.Hit) int {
	passed := 0
	for _, hit := range hits {
		switch {
		case q.right[hit.ID]:
			return hit.Rank - passed
		case q.unclear[hit.ID]:
			passed++
		}
	}
	return 0
}

// mode is one way of ranking.
type mode struct {
	name   string
	weight *float64
	rerank bool
}

func modes() []mode {
	vectorsAlone := 1.0
	return []mode{
		{"itc", &vectorsAlone, false}, {"itc_itm", &vectorsAlone, true}, {"hybrid", nil, false}, {"hybrid_itm", nil, true},
	}
}

func (m *Modes) set(name string, recall statistics.Recall) {
	switch name {
	case "itc":
		m.ITC = &recall
	case "itc_itm":
		m.ITCITM = &recall
	case "hybrid":
		m.Hybrid = &recall
	case "hybrid_itm":
		m.HybridITM = &recall
	}
}

// bench asks questions of one searcher.
type bench struct {
	searcher *search.Searcher
	k        int
	matches  bool // the model can match
	progress func(done, total int)
	// timings are those of the last run of a mode.
	timings []contract.Timings
}

// request is a question in a mode, as a user would type it.
func (b *bench) request(text string, m mode) contract.Request {
	request := contract.Request{
		Text: query.Escape(text), Weight: m.weight, Show: contract.ShowAll, Limit: rankDepth, RerankBudget: -1, RerankCount: b.k,
	}
	if m.rerank {
		request.RerankBudget = unlimited
	}
	return request
}

// run asks all questions in all modes. Each question goes through its modes at
// once, so that ITM's answers are still remembered from one to the next.
func (b *bench) run(ctx context.Context, questions []question, wanted []mode) (*Modes, error) {
	if !b.matches {
		wanted = slices.DeleteFunc(slices.Clone(wanted), func(m mode) bool { return m.rerank })
	}
	outcomes := make([][]statistics.Outcome, len(wanted))
	for number, question := range questions {
		for i, m := range wanted {
			response, err := b.searcher.Search(ctx, b.request(question.text, m))
			if err != nil {
				return nil, fmt.Errorf("search %q: %w", question.text, err)
			}
			if i == 0 {
				b.timings = append(b.timings, response.Timings)
			}
			outcomes[i] = append(outcomes[i], statistics.Outcome{Rank: question.rank(response.Hits), Cluster: question.cluster})
		}
		if b.progress != nil {
			b.progress(number+1, len(questions))
		}
	}
	result := &Modes{}
	for i, m := range wanted {
		result.set(m.name, statistics.RecallOf(outcomes[i]))
	}
	return result, nil
}

// latencyOf summarises the timings of the first mode that ran.
func latencyOf(timings []contract.Timings) *Latency {
	if len(timings) == 0 {
		return nil
	}
	of := func(value func(contract.Timings) float64) Percentiles {
		values := make([]float64, len(timings))
		for i, timing := range timings {
			values[i] = value(timing)
		}
		slices.Sort(values)
		return Percentiles{P50: statistics.RoundTo(statistics.Percentile(values, 0.5), 3), P99: statistics.RoundTo(statistics.Percentile(values, 0.99), 3)}
	}
	return &Latency{
		Total:   of(func(t contract.Timings) float64 { return t.TotalMS }),
		Embed:   of(func(t contract.Timings) float64 { return t.EmbedMS }),
		Vector:  of(func(t contract.Timings) float64 { return t.VectorMS }),
		Keyword: of(func(t contract.Timings) float64 { return t.KeywordMS }),
		Fuse:    of(func(t contract.Timings) float64 { return t.FuseMS }),
		Queries: len(timings),
	}
}

// approximate compares the vector index with a scan of all stored parts.
func approximate(ctx context.Context, reader index.Reader, engine Engine, texts []string) (*Approximate, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	vectors, err := engine.TextVectors(ctx, texts)
	if err != nil {
		return nil, fmt.Errorf("embed texts: %w", err)
	}
	records, _, err := reader.List(ctx, index.Filter{Kinds: []index.Kind{index.KindImage}}, index.Page{})
	if err != nil {
		return nil, fmt.Errorf("list records: %w", err)
	}
	scores := make([][]float32, len(vectors)) // per query, per record
	for some := range slices.Chunk(records, buildBatch) {
		ids := index.IDs(some)
		all, err := reader.Parts(ctx, ids)
		if err != nil {
			return nil, fmt.Errorf("read vectors: %w", err)
		}
		for _, parts := range all {
			for i, vector := range vectors {
				score, _ := parts.Similarity(vector)
				scores[i] = append(scores[i], score)
			}
		}
	}
	result := &Approximate{Queries: len(vectors)}
	for i, vector := range vectors {
		found, err := reader.Nearest(ctx, index.KindImage, vector, 100, index.Filter{})
		if err != nil {
			return nil, fmt.Errorf("search vectors: %w", err)
		}
		result.Recall10 += agreement(scores[i], found, 10) / float64(len(vectors))
		result.Recall100 += agreement(scores[i], found, 100) / float64(len(vectors))
	}
	result.Recall10, result.Recall100 = statistics.RoundTo(result.Recall10, 2), statistics.RoundTo(result.Recall100, 2)
	return result, nil
}

// agreement is the percentage of the first k found whose score an exact scan's
// k-th does not beat; so ties cost nothing.
func agreement(scores []float32, found []index.Neighbour, k int) float64 {
	k = min(k, len(scores))
	if k == 0 {
		return 100
	}
	sorted := slices.Clone(scores)
	slices.Sort(sorted)
	slices.Reverse(sorted)
	least := sorted[k-1] - 1e-6
	right := 0
	for _, neighbour := range found[:min(k, len(found))] {
		if neighbour.Score >= least {
			right++
		}
	}
	return 100 * float64(right) / float64(k)
}
