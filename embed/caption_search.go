package embed

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"
)

// languageModel scores the next token of hypotheses that it keeps in rows.
type languageModel interface {
	// Step appends one token to each row, at the given position, and returns the
	// logits of the next: rows x vocabulary.
	Step(ctx context.Context, tokens []int64, position int) ([]float32, error)
	// Gather makes row i a copy of row parents[i].
	Gather(parents []int)
}

// hypothesis is a caption, whole or in the making.
type hypothesis struct {
	tokens         []int64 // from the starting one on, the ending one included once it ended
	logProbability float64 // as the model gives it
	score          float64 // logProbability after repetition control; guides the search
}

// extend returns the hypothesis with one more token.
func (h hypothesis) extend(next choice) hypothesis {
	tokens := make([]int64, len(h.tokens), len(h.tokens)+1)
	copy(tokens, h.tokens)
	return hypothesis{
		tokens:         append(tokens, next.token),
		logProbability: h.logProbability + next.logProbability,
		score:          h.score + next.score,
	}
}

// search runs the caption methods over a language model.
type search struct {
	options    CaptionOptions
	start, end int64
	vocabulary int
}

// captioned is one image's state: what is still growing, and what has ended.
type captioned struct {
	live     []hypothesis
	draws    []*rand.Rand // one for each live hypothesis, Nucleus only
	finished []hypothesis
}

// run searches for captions of count images, whose rows the model holds in order,
// and returns each image's finished hypotheses, the best first.
func (s search) run(ctx context.Context, model languageModel, count int) ([][]hypothesis, error) {
	images := make([]*captioned, count)
	var parents []int
	for i := range images {
		images[i] = s.begin()
		for range images[i].live {
			parents = append(parents, i)
		}
	}
	for length := 1; length < s.options.MaximumLength && len(parents) > 0; length++ {
		model.Gather(parents)
		logits, err := model.Step(ctx, lastTokens(images), length-1)
		if err != nil {
			return nil, err
		}
		parents, err = s.advance(images, logits)
		if err != nil {
			return nil, err
		}
	}
	results := make([][]hypothesis, count)
	for i, image := range images {
		results[i] = s.rank(append(image.finished, image.live...))
	}
	return results, nil
}

func (s search) begin() *captioned {
	image := &captioned{}
	rows := 1
	if s.options.Method == Nucleus {
		rows = s.options.Count
	}
	for row := range rows {
		image.live = append(image.live, hypothesis{tokens: []int64{s.start}})
		if s.options.Method == Nucleus {
			image.draws = append(image.draws, rand.New(rand.NewPCG(s.options.Seed, uint64(row))))
		}
	}
	return image
}

func lastTokens(images []*captioned) []int64 {
	var tokens []int64
	for _, image := range images {
		for _, hypothesis := range image.live {
			tokens = append(tokens, hypothesis.tokens[len(hypothesis.tokens)-1])
		}
	}
	return tokens
}

// advance extends every live hypothesis and returns the rows that the new ones
// grew from.
func (s search) advance(images []*captioned, logits []float32) ([]int, error) {
	var parents []int
	row := 0
	for _, image := range images {
		rows := len(image.live)
		scored := make([]distribution, rows)
		for i := range rows {
			var err error
			scored[i], err = s.score(image.live[i], logits[(row+i)*s.vocabulary:(row+i+1)*s.vocabulary])
			if err != nil {
				return nil, err
			}
		}
		for _, parent := range s.grow(image, scored) {
			parents = append(parents, row+parent)
		}
		row += rows
	}
	return parents, nil
}

func (s search) grow(image *captioned, scored []distribution) []int {
	if s.options.Method == Beam {
		return s.growBeams(image, scored)
	}
	var parents []int
	var live []hypothesis
	var draws []*rand.Rand
	for i, hypothesis := range image.live {
		var next choice
		if s.options.Method == Nucleus {
			next = scored[i].draw(image.draws[i], s.options.TopP)
		} else {
			next = scored[i].top(1)[0]
		}
		grown := hypothesis.extend(next)
		if next.token == s.end {
			image.finished = append(image.finished, grown)
			continue
		}
		live, parents = append(live, grown), append(parents, i)
		if image.draws != nil {
			draws = append(draws, image.draws[i])
		}
	}
	image.live, image.draws = live, draws
	return parents
}

// growBeams keeps the best hypotheses of one image, as beam search does: among the
// best twice as many continuations as there are beams, those that end are set
// aside when they are among the best, and the others fill the beams.
func (s search) growBeams(image *captioned, scored []distribution) []int {
	type candidate struct {
		row  int
		next choice
	}
	beams := s.options.Beams
	var candidates []candidate
	for row := range image.live {
		for _, next := range scored[row].top(2 * beams) {
			candidates = append(candidates, candidate{row, next})
		}
	}
	total := func(c candidate) float64 { return image.live[c.row].score + c.next.score }
	slices.SortStableFunc(candidates, func(a, b candidate) int { return cmp.Compare(total(b), total(a)) })
	var parents []int
	var live []hypothesis
	for rank, candidate := range candidates {
		if len(live) == beams || math.IsInf(total(candidate), -1) {
			break
		}
		grown := image.live[candidate.row].extend(candidate.next)
		if candidate.next.token != s.end {
			live, parents = append(live, grown), append(parents, candidate.row)
		} else if rank < beams {
			image.finished = append(image.finished, grown)
		}
	}
	image.finished = s.rank(image.finished)
	image.finished = image.finished[:min(len(image.finished), beams)]
	if len(live) == 0 || s.settled(image.finished, live[0]) {
		image.live = nil
		return nil
	}
	image.live = live
	return parents
}

// settled reports whether the best live hypothesis no longer beats the worst of a
// full set of finished ones.
func (s search) settled(finished []hypothesis, best hypothesis) bool {
	return len(finished) >= s.options.Beams && s.normalized(best) <= s.normalized(finished[len(finished)-1])
}

// normalized is a hypothesis's score, by its length where the method is Beam.
func (s search) normalized(h hypothesis) float64 {
	if s.options.Method != Beam || s.options.LengthPenalty == 0 {
		return h.score
	}
	return h.score / math.Pow(float64(max(1, len(h.tokens)-1)), s.options.LengthPenalty)
}

func (s search) rank(hypotheses []hypothesis) []hypothesis {
	slices.SortStableFunc(hypotheses, func(a, b hypothesis) int {
		return cmp.Compare(s.normalized(b), s.normalized(a))
	})
	return hypotheses
}
