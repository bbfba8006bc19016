package search

import (
	"math"
	"slices"
	"strings"

	"mekiki/index"
)

// trustWindow is how many of the last candidates that ITM has read tell how far
// the estimates of those behind them can be trusted.
const trustWindow = 32

// certain is the log-odds of what needs no judging.
const certain = 40

// clauseOdds gives the log-odds that a candidate fulfils one clause: by ITM
// where it has read it, else estimated from ITC, or by its names. For an
// unwanted clause it is the log-odds that the clause is absent.
func (s *Searcher) clauseOdds(p *plan, c *candidate, clause int) float64 {
	odds, known := s.contentOdds(p, c, clause)
	if clause >= len(p.clauses) {
		if !known {
			return certain
		}
		return -odds
	}
	if c.coverages != nil && c.coverages[clause] > 0 {
		odds = eitherOdds(odds, nameOdds(c.coverages[clause]))
	}
	return odds
}

// contentOdds is clauseOdds by the content alone.
func (s *Searcher) contentOdds(p *plan, c *candidate, clause int) (odds float64, known bool) {
	evidence := Evidence{Logit: math.NaN(), Cosine: c.clauseVectors[clause], ContentWords: p.contentWords[clause], Caption: c.captions[clause]}
	answer := c.matches[clause]
	switch {
	case answer.known:
		evidence.Logit, evidence.Cosine = answer.logit, zeroNaN(evidence.Cosine)
	case math.IsNaN(evidence.Cosine):
		return -certain, false
	case p.kind == index.KindText:
		// The likeness of two texts: no curve was made for it.
		return logOdds(max(evidence.Cosine, 0)), true
	}
	odds = s.calibration.Odds(evidence)
	if clause < len(p.clauses) { // the others did not choose the candidates
		odds -= p.chance
	}
	return odds, true
}

// judge gives a candidate its log-odds and what they rest on. Clauses are
// combined conservatively: the least likely one decides.
func (s *Searcher) judge(p *plan, c *candidate) {
	c.odds, c.basis = certain, BasisFilter
	for clause := range len(p.clauses) + len(p.unwanted) {
		if odds := s.clauseOdds(p, c, clause); odds < c.odds {
			c.odds = odds
		}
	}
	switch {
	case p.picture && p.text == "" && len(p.unwanted) == 0:
		c.odds, c.basis = logOdds(likenessProbability(c)), BasisSimilarity
		return
	case c.verified:
		c.basis = BasisMatch
	case p.text != "" || len(p.unwanted) > 0:
		c.basis = BasisVector
	}
	if p.picture {
		c.odds = logOdds(sigmoid(c.odds) * likenessProbability(c))
	} else if c.named && s.namesDecide(p, c) {
		c.basis = BasisWords
	}
}

// namesDecide reports whether the hit stands because of its names and not of
// what it shows.
func (s *Searcher) namesDecide(p *plan, c *candidate) bool {
	for clause := range p.clauses {
		if odds, known := s.contentOdds(p, c, clause); !known || sigmoid(odds) < s.calibration.Strong {
			return true
		}
	}
	return false
}

func likenessProbability(c *candidate) float64 {
	if !c.hasSimilarity {
		return 0
	}
	return min(max(c.similarity, 0), 1)
}

// markPhrases lets a clause that is one quoted phrase be answered by words:
// who quotes asks for the words, and every candidate has them.
func (r *retrieval) markPhrases() {
	for clause, text := range r.plan.clauses {
		if !slices.Contains(r.plan.phrases, text) && strings.Join(r.plan.phrases, " ") != text {
			continue
		}
		for _, c := range r.candidates {
			if c.coverages == nil {
				c.coverages = make([]float64, len(r.plan.clauses))
			}
			c.coverages[clause] = 1
			c.named = !slices.ContainsFunc(c.coverages, func(share float64) bool { return share < 1 })
		}
	}
}

// judgeAll judges every candidate. After reranking, what ITM has not read is
// trusted as much as ITM bore out the estimates of what came before it: a tail
// must not be shown as an answer when everything better was refused.
func (r *retrieval) judgeAll() {
	s, p := r.searcher, r.plan
	for _, c := range r.candidates {
		s.judge(p, c)
	}
	r.discount(r.trust())
}

// discount trusts what ITM has not read only so much, 0 to 1.
func (r *retrieval) discount(trust float64) {
	r.trusted = trust
	if trust >= 1 {
		return
	}
	for _, c := range r.candidates {
		if !c.verified && c.basis == BasisVector {
			c.odds = logOdds(sigmoid(c.odds) * trust)
		}
	}
}

// trust compares what ITM said of the last candidates it read with what ITC
// had made of them, 0 to 1. It is 1 where ITM has read none.
func (r *retrieval) trust() float64 {
	const prior = 0.5
	verified, estimated, count := prior, prior, 0
	for i := len(r.candidates) - 1; i >= 0 && count < trustWindow; i-- {
		c := r.candidates[i]
		if !c.verified {
			continue
		}
		count++
		estimate := *c
		estimate.matches = make([]clauseAnswer, len(c.matches))
		estimate.verified = false
		r.searcher.judge(r.plan, &estimate)
		verified += sigmoid(c.odds)
		estimated += sigmoid(estimate.odds)
	}
	if count == 0 {
		return 1
	}
	return min(verified/estimated, 1)
}

// squash maps log-odds onto 0 to 1, in order, without saturating.
func squash(odds float64) float64 { return (1 + odds/(1+math.Abs(odds))) / 2 }
