package decode

import (
	"cmp"
	"math"
	"slices"
)

// growBeams keeps the best hypotheses of one prompt, as transformers' beam search does: among the best continuations,
// those that end are set aside when they are among the best as many as there are beams, and the others fill the beams.
func (r run) growBeams(p *prompt, scored []distribution) []int {
	type candidate struct {
		row  int
		next choice
	}
	beams := r.options.Beams
	var candidates []candidate
	for row := range p.live {
		for _, next := range scored[row].likeliest {
			candidates = append(candidates, candidate{row, next})
		}
	}
	total := func(c candidate) float64 { return p.live[c.row].Score + c.next.score }
	slices.SortStableFunc(candidates, func(a, b candidate) int { return cmp.Compare(total(b), total(a)) })
	var parents []int
	var alive []live
	for rank, candidate := range candidates {
		if len(alive) == beams {
			break
		}
		grown := p.live[candidate.row].extend(candidate.next)
		if !slices.Contains(r.End, candidate.next.token) {
			alive, parents = append(alive, grown), append(parents, candidate.row)
		} else if rank < beams {
			grown.Ended = true
			p.finished = append(p.finished, r.ranked(grown.Hypothesis))
		}
	}
	p.finished = byRank(p.finished)
	p.finished = p.finished[:min(len(p.finished), beams)]
	if len(alive) == 0 || r.settled(p.finished, alive[0].Hypothesis) {
		p.live = nil
		return nil
	}
	p.live = alive
	return parents
}

// continuations is how many of a row's likeliest tokens beams look at: however many of them end the text, enough are left to fill
// the beams.
func (r run) continuations() int { return max(2, 1+len(r.End)) * r.options.Beams }

// settled reports whether the best live hypothesis no longer beats the worst of a full set of finished ones: the rule that
// transformers calls early_stopping=false.
func (r run) settled(finished []Hypothesis, best Hypothesis) bool {
	return len(finished) >= r.options.Beams && r.ranked(best).Rank <= finished[len(finished)-1].Rank
}

// ranked sets a hypothesis's Rank: its score, by its length where the method is Beam.
func (r run) ranked(h Hypothesis) Hypothesis {
	h.Rank = h.Score
	if penalty := *r.options.LengthPenalty; r.options.Method == Beam && penalty != 0 {
		h.Rank /= math.Pow(float64(max(1, len(h.Tokens))), penalty)
	}
	return h
}

func byRank(hypotheses []Hypothesis) []Hypothesis {
	slices.SortStableFunc(hypotheses, func(a, b Hypothesis) int { return cmp.Compare(b.Rank, a.Rank) })
	return hypotheses
}
