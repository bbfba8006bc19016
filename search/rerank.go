package search

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/internal/pace"
	"mekiki/internal/plural"
	"mekiki/search/contract"
	"mekiki/search/inputs"
	"mekiki/search/scoring"
)

// matchKey names one ITM result.
type matchKey struct {
	content inputs.Content
	text    string
}

// reranker lets ITM read the best candidates, a batch at a time, until the
// count or the time is used up.
type reranker struct {
	searcher *Searcher
	snapshot index.Reader
	plan     *plan
	texts    []string // the clauses, wanted ones first
	space    embed.Space

	unread int // candidates whose tokens could not be had
}

// rerank reads the first count candidates of a retrieval, which must be in
// fused order, and reports how many of them ITM has judged. partial, unless it is
// nil, is called now and then meanwhile.
func (r *retrieval) rerank(ctx context.Context, count int, deadline time.Time, partial func() error) (reranked int, err error) {
	s := r.searcher
	started := time.Now()
	defer func() { r.timings.RerankMS = contract.Milliseconds(started) }()
	if usable, err := r.checkSpace(); err != nil || !usable {
		return 0, err
	}
	reader := &reranker{
		searcher: s, snapshot: r.snapshot, plan: r.plan, space: s.engine.Space(),
		texts: append(append([]string{}, r.plan.clauses...), r.plan.unwanted...),
	}
	rest := r.candidates[:min(count, len(r.candidates))]
	deadline, err = reader.warmUp(ctx, rest, deadline)
	if err != nil {
		return 0, err
	}
	pacer := &pace.Pacer{Deadline: deadline, Batch: s.options.RerankBatch}
	told := started
	for len(rest) > 0 {
		size := pacer.Next(len(rest))
		if size == 0 {
			break
		}
		begun := time.Now()
		if err := reader.read(ctx, rest[:size]); err != nil {
			return 0, err
		}
		pacer.Took(time.Since(begun), size)
		rest = rest[size:]
		r.read += size
		if partial != nil && len(rest) > 0 && time.Since(told) >= partialInterval {
			if err := partial(); err != nil {
				return 0, err
			}
			told = time.Now()
		}
	}
	reranked = r.verified()
	if reader.unread > 0 {
		r.warnings = append(r.warnings, plural.Count(reader.unread, "picture could not be matched: neither its image tokens nor its original can be read",
			"pictures could not be matched: neither their image tokens nor their originals can be read"))
	}
	return reranked, nil
}

// verified counts the candidates that ITM has judged.
func (r *retrieval) verified() int {
	count := 0
	for _, c := range r.candidates {
		if c.verified {
			count++
		}
	}
	return count
}

// soFar ranks the candidates that ITM has judged, whose probabilities do not change any more.
func (r *retrieval) soFar(planned int) *ranking {
	for _, c := range r.candidates {
		if c.verified {
			r.searcher.judge(r.plan, c)
		}
	}
	k := r.ranking(contract.StageMatching, r.verified(), planned)
	k.entries = slices.DeleteFunc(k.entries, func(e rankedEntry) bool { return !e.candidate.verified })
	return k
}

// warmUp lets ITM read one candidate before the clock starts, the first time:
// that loads the model, which is no query's fault. It gives the deadline that
// leaves the budget whole.
func (m *reranker) warmUp(ctx context.Context, candidates []*candidate, deadline time.Time) (time.Time, error) {
	if m.searcher.warm.Load() || len(candidates) == 0 || deadline.IsZero() || time.Until(deadline) <= 0 {
		return deadline, nil
	}
	started := time.Now()
	if err := m.read(ctx, candidates[:1]); err != nil {
		return deadline, err
	}
	m.searcher.warm.Store(true)
	return deadline.Add(time.Since(started)), nil
}

// read lets ITM answer clause by clause, and asks no further where a clause
// already rules the candidate out.
func (m *reranker) read(ctx context.Context, batch []*candidate) error {
	open := batch
	for clause := range m.texts {
		if err := m.readClause(ctx, open, clause); err != nil {
			return err
		}
		var left []*candidate
		for _, c := range open {
			if !c.matches[clause].known {
				continue
			}
			c.verified = true
			if clause+1 < len(m.texts) && !m.ruledOut(c, clause) {
				c.verified = false
				left = append(left, c)
			}
		}
		open = left
	}
	return nil
}

// ruledOut reports whether one clause alone makes the verdict none.
func (m *reranker) ruledOut(c *candidate, clause int) bool {
	return scoring.Sigmoid(m.searcher.clauseOdds(m.plan, c, clause)) < m.searcher.calibration.Weak
}

// readClause gets ITM's answers on one clause, from memory where they are.
func (m *reranker) readClause(ctx context.Context, batch []*candidate, clause int) error {
	text := m.texts[clause]
	var wanted []*candidate
	var records []*index.Record
	for _, c := range batch {
		if answer, ok := m.searcher.matches.Get(m.key(c.record, text)); ok {
			c.matches[clause] = answer
			continue
		}
		wanted, records = append(wanted, c), append(records, c.record)
	}
	found, err := m.searcher.model.RecordsTokens(ctx, m.snapshot, records)
	if err != nil {
		return err
	}
	var asked []*candidate
	var tokens []embed.ImageTokens
	for i, c := range wanted {
		if err := found[i].Err; err != nil {
			m.unread++
			m.searcher.logger.Warn("cannot read image tokens", "record", c.id, "error", err)
			continue
		}
		asked, tokens = append(asked, c), append(tokens, found[i].Tokens)
	}
	if len(asked) == 0 {
		return nil
	}
	answers, err := m.searcher.engine.MatchPairs(ctx, tokens, repeat(text, len(asked)))
	if err != nil {
		return fmt.Errorf("match: %w", err)
	}
	if len(answers) != len(asked) {
		return errors.New("match: got another number of answers than pairs")
	}
	for i, c := range asked {
		answer := clauseAnswer{logit: float64(answers[i].Logit()), raw: float64(answers[i].Probability), known: true}
		if math.IsNaN(answer.logit) {
			continue
		}
		c.matches[clause] = answer
		m.searcher.matches.Put(m.key(c.record, text), answer, 1)
	}
	return nil
}

func (m *reranker) key(record *index.Record, text string) matchKey {
	return matchKey{content: inputs.ContentOf(record, m.space), text: text}
}

func repeat(text string, count int) []string {
	texts := make([]string, count)
	for i := range texts {
		texts[i] = text
	}
	return texts
}
