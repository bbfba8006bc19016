package decode

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"golang.org/x/sync/errgroup"
)

// Model scores the next token of hypotheses that it keeps in rows.
type Model interface {
	// Gather makes row i a copy of row parents[i], for all i at once; the number of rows becomes that of parents.
	Gather(ctx context.Context, parents []int) error
	// Step appends one token to each row and returns the logits of the next, rows x vocabulary. They are read before the
	// next call.
	Step(ctx context.Context, tokens []int64) ([]float32, error)
}

// Hypothesis is a text, whole or in the making.
type Hypothesis struct {
	// Tokens were chosen, the ending one included once it ended.
	Tokens []int64
	// Ended says that the last token ends the text.
	Ended bool
	// LogProbability is the sum over the tokens as the model gives it.
	LogProbability float64
	// Score is the same after repetition and length control: what guides the search.
	Score float64
	// Rank is Score by the length to the power of the length penalty where the method is Beam: what hypotheses are
	// ordered by.
	Rank float64
}

// Search says what the loop has to know of a model and of its prompts.
type Search struct {
	// Vocabulary is the number of logits of a row.
	Vocabulary int
	// Words, unless it is 0, is the first id that is never chosen: those from it on are placeholders.
	Words int
	// End lists the tokens that end a text.
	End []int64
	// Before lists for each prompt, or is nil, the tokens before the text that count as written for RepetitionPenalty and
	// NoRepeat. Transformers counts a prompt that is given as ids, LAVIS, which gives embeddings, does not.
	Before [][]int64
	// PenalizeLogits makes beams as our captions do it: repetition and length control change the logits, of which the
	// log-probabilities are taken afterwards. Transformers changes the log-probabilities.
	PenalizeLogits bool
	// Threads bounds how many rows are scored at the same time where there is much to score; zero means one.
	Threads int
	// Written, unless it is nil, is called with each token as soon as it is final, in order for each prompt: by Greedy, and
	// by Nucleus with a Count of 1. Its error ends the search.
	Written func(prompt int, token int64) error
}

// live is a hypothesis that still grows.
type live struct {
	Hypothesis
	random *rand.Rand // Nucleus only
}

// extend returns the hypothesis with one more token.
func (h live) extend(next choice) live {
	h.Tokens = append(slices.Clip(h.Tokens), next.token)
	h.LogProbability += next.logProbability
	h.Score += next.score
	return h
}

// prompt is one prompt's state: what is still growing, and what has ended.
type prompt struct {
	before   []int64
	live     []live
	finished []Hypothesis
}

// run is a search at work.
type run struct {
	Search
	options Options
}

// Run writes texts for each of the model's rows, which are the prompts; first are the logits of their first tokens, rows x
// vocabulary. Result i belongs to row i: hypotheses, the best first, as many as there were rows for it. The options must
// be valid.
func (s Search) Run(ctx context.Context, model Model, first []float32, options Options) ([][]Hypothesis, error) {
	r := run{Search: s, options: options.WithDefaults()}
	if s.Vocabulary < 1 || len(first)%s.Vocabulary != 0 {
		return nil, fmt.Errorf("%d logits for a vocabulary of %d", len(first), s.Vocabulary)
	}
	if r.Words == 0 || r.Words > s.Vocabulary {
		r.Words = s.Vocabulary
	}
	prompts := make([]*prompt, len(first)/s.Vocabulary)
	if s.Before != nil && len(s.Before) != len(prompts) {
		return nil, fmt.Errorf("%d prompts for %d rows", len(s.Before), len(prompts))
	}
	for i := range prompts {
		prompts[i] = r.begin(i)
	}
	if err := r.loop(ctx, model, prompts, first); err != nil {
		return nil, err
	}
	results := make([][]Hypothesis, len(prompts))
	for i, prompt := range prompts {
		for _, rest := range prompt.live {
			prompt.finished = append(prompt.finished, r.ranked(rest.Hypothesis))
		}
		results[i] = byRank(prompt.finished)
	}
	return results, nil
}

// begin starts a prompt with the rows that its first logits are drawn for.
func (r run) begin(i int) *prompt {
	p := &prompt{live: make([]live, 1)}
	if r.Before != nil {
		p.before = r.Before[i]
	}
	if r.options.Method == Nucleus {
		p.live = make([]live, r.options.Count)
		for row := range p.live {
			p.live[row].random = rand.New(rand.NewPCG(r.options.Seed, uint64(row)))
		}
	}
	return p
}

// loop extends the hypotheses until all ended or are as long as they may be.
func (r run) loop(ctx context.Context, model Model, prompts []*prompt, logits []float32) error {
	// At first all hypotheses of a prompt share its row.
	rows := make([][]int, len(prompts))
	for i, prompt := range prompts {
		rows[i] = slices.Repeat([]int{i}, len(prompt.live))
	}
	for length := 1; ; length++ {
		parents, err := r.advance(prompts, rows, logits)
		if err != nil || len(parents) == 0 || length == r.options.MaximumTokens {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := model.Gather(ctx, parents); err != nil {
			return err
		}
		tokens := lastTokens(prompts)
		if logits, err = model.Step(ctx, tokens); err != nil {
			return err
		}
		if len(logits) != len(tokens)*r.Vocabulary {
			return fmt.Errorf("%d logits for %d rows of a vocabulary of %d", len(logits), len(tokens), r.Vocabulary)
		}
		row := 0
		for i, prompt := range prompts {
			rows[i] = rows[i][:0]
			for range prompt.live {
				rows[i] = append(rows[i], row)
				row++
			}
		}
	}
}

func lastTokens(prompts []*prompt) []int64 {
	var tokens []int64
	for _, prompt := range prompts {
		for _, hypothesis := range prompt.live {
			tokens = append(tokens, hypothesis.Tokens[len(hypothesis.Tokens)-1])
		}
	}
	return tokens
}

// advance extends every live hypothesis and returns the rows that the new ones grew from; rows[i] are those of prompt i's
// hypotheses.
func (r run) advance(prompts []*prompt, rows [][]int, logits []float32) ([]int, error) {
	var parents []int
	scores, err := r.scoreAll(prompts, rows, logits)
	if err != nil {
		return nil, err
	}
	for i, prompt := range prompts {
		grown, err := r.grow(i, prompt, scores[i])
		if err != nil {
			return nil, err
		}
		for _, parent := range grown {
			parents = append(parents, rows[i][parent])
		}
	}
	return parents, nil
}

// scoreAll scores the next tokens of every live hypothesis, several rows at a time where that saves more than it costs.
func (r run) scoreAll(prompts []*prompt, rows [][]int, logits []float32) ([][]distribution, error) {
	scores, threads := make([][]distribution, len(prompts)), 1
	if len(logits) >= parallelLogits {
		threads = max(1, r.Threads)
	}
	var group errgroup.Group
	group.SetLimit(threads)
	for i, prompt := range prompts {
		scores[i] = make([]distribution, len(prompt.live))
		for at, hypothesis := range prompt.live {
			row := rows[i][at]
			if at > 0 && row == rows[i][at-1] { // before the first token
				continue
			}
			work := func() (err error) {
				scores[i][at], err = r.score(prompt.before, hypothesis.Tokens, logits[row*r.Vocabulary:(row+1)*r.Vocabulary])
				if err == nil && r.options.Method == Beam {
					scores[i][at].likeliest = scores[i][at].top(r.continuations())
				}
				return err
			}
			if threads > 1 {
				group.Go(work)
			} else if err := work(); err != nil {
				return nil, err
			}
		}
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for i, prompt := range prompts {
		for at := range prompt.live {
			if at > 0 && rows[i][at] == rows[i][at-1] {
				scores[i][at] = scores[i][at-1]
			}
		}
	}
	return scores, nil
}

// grow extends a prompt's live hypotheses and returns which ones the new ones grew from. A hypothesis that repetition
// control leaves no token to go on with is finished.
func (r run) grow(i int, p *prompt, scored []distribution) ([]int, error) {
	if r.options.Method == Beam {
		return r.growBeams(p, scored), nil
	}
	var parents []int
	var alive []live
	for at, hypothesis := range p.live {
		next, ok := r.next(scored[at], hypothesis.random)
		if !ok {
			p.finished = append(p.finished, r.ranked(hypothesis.Hypothesis))
			continue
		}
		if r.Written != nil && r.options.Count == 1 {
			if err := r.Written(i, next.token); err != nil {
				return nil, err
			}
		}
		grown := hypothesis.extend(next)
		if slices.Contains(r.End, next.token) {
			grown.Ended = true
			p.finished = append(p.finished, r.ranked(grown.Hypothesis))
			continue
		}
		alive, parents = append(alive, grown), append(parents, at)
	}
	p.live = alive
	return parents, nil
}

func (r run) next(scored distribution, random *rand.Rand) (choice, bool) {
	if r.options.Method == Nucleus {
		return scored.draw(random, r.options.TopP)
	}
	best := scored.top(1)
	if len(best) == 0 {
		return choice{}, false
	}
	return best[0], true
}
