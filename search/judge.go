package search

import (
	"math"
	"slices"
	"strings"

	"mekiki/index"
	"mekiki/search/contract"
	"mekiki/search/scoring"
	"mekiki/search/words"
)

// evidence is what is known of a candidate and one clause, without its names as an
// answer of their own. It reports false where nothing is known of what it shows.
func (p *plan) evidence(c *candidate, clause int) (scoring.Evidence, bool) {
	e := scoring.Evidence{
		ITM: math.NaN(), ITC: c.clauseVectors[clause], ContentWords: p.contentWords[clause],
		Words: c.words[clause].All, Captioned: c.captioned,
	}
	if clause < len(p.clauses) { // the others did not choose the candidates
		e.Images = p.images
	}
	if p.surprise != nil && !c.verified {
		e.Surprise = p.surprise[clause]
	}
	if answer := c.matches[clause]; answer.known {
		e.ITM, e.ITC = answer.logit, zeroNaN(e.ITC)
	}
	return e, !math.IsNaN(e.ITC)
}

// contentOdds gives the log-odds that a candidate shows what a clause says.
func (s *Searcher) contentOdds(p *plan, c *candidate, clause int) (odds float64, known bool) {
	e, known := p.evidence(c, clause)
	switch {
	case !known:
		return -scoring.Certain, false
	case p.kind == index.KindText && !e.Read():
		return scoring.LogOdds(max(e.ITC, 0)), true // the likeness of two texts: no model was fitted to it
	}
	return s.calibration.Odds(e), true
}

// clauseOdds gives the log-odds that a candidate fulfils one clause, by what it shows or
// by its names. For an unwanted clause it is the log-odds that the clause is absent.
func (s *Searcher) clauseOdds(p *plan, c *candidate, clause int) float64 {
	odds, known := s.contentOdds(p, c, clause)
	switch name := c.words[clause].Name; {
	case clause >= len(p.clauses) && !known:
		return scoring.Certain
	case clause >= len(p.clauses):
		return -odds
	case name > 0:
		return s.calibration.Named(odds, name)
	}
	return odds
}

// judge gives a candidate its log-odds and what they rest on. Clauses are
// combined conservatively: the least likely one decides.
func (s *Searcher) judge(p *plan, c *candidate) {
	c.odds, c.basis = scoring.Certain, contract.BasisFilter
	for clause := range len(p.clauses) + len(p.unwanted) {
		c.odds = min(c.odds, s.clauseOdds(p, c, clause))
	}
	switch {
	case p.picture && p.text == "" && len(p.unwanted) == 0:
		c.odds, c.basis = -scoring.Certain, contract.BasisSimilarity
		if c.hasSimilarity {
			c.odds = s.calibration.Alike(c.similarity)
		}
		return
	case c.verified:
		c.basis = contract.BasisMatch
	case p.text != "" || len(p.unwanted) > 0:
		c.basis = contract.BasisVector
	}
	if p.picture {
		c.odds = scoring.LogOdds(scoring.Sigmoid(c.odds) * likenessProbability(c))
	} else if c.named && s.namesDecide(p, c) {
		c.basis = contract.BasisWords
	}
}

// findSurprise compares what ITM said of the candidates with what was expected.
func (r *retrieval) findSurprise() {
	p := r.plan
	p.surprise = make([]float64, len(p.contentWords))
	for clause := range p.surprise {
		var read []scoring.Evidence
		for _, c := range r.candidates {
			if e, _ := p.evidence(c, clause); e.Read() {
				read = append(read, e)
			}
		}
		p.surprise[clause] = r.searcher.calibration.Surprise(read)
	}
}

// judgeAll judges every candidate.
func (r *retrieval) judgeAll() {
	for _, c := range r.candidates {
		r.searcher.judge(r.plan, c)
	}
}

// namesDecide reports whether the hit stands because of its names and not of
// what it shows.
func (s *Searcher) namesDecide(p *plan, c *candidate) bool {
	for clause := range p.clauses {
		if odds, known := s.contentOdds(p, c, clause); !known || scoring.Sigmoid(odds) < s.calibration.Strong {
			return true
		}
	}
	return false
}

// likenessProbability is what likeness leaves of the probability of words that were asked for with a picture.
func likenessProbability(c *candidate) float64 {
	if !c.hasSimilarity {
		return 0
	}
	return min(max(c.similarity, 0), 1)
}

// markPhrases lets a clause that is one quoted phrase be answered by words:
// who quotes asks for the words, and every candidate has them.
func (r *retrieval) markPhrases() {
	asked := r.plan.clauses
	if r.plan.originals != nil {
		asked = r.plan.originals[:len(r.plan.clauses)]
	}
	for clause, text := range asked {
		if !slices.Contains(r.plan.phrases, text) && strings.Join(r.plan.phrases, " ") != text {
			continue
		}
		for _, c := range r.candidates {
			c.words = slices.Clone(c.words)
			c.words[clause] = words.Shares{All: 1, Named: 1, Name: 1}
			c.named = !slices.ContainsFunc(c.words[:len(r.plan.clauses)], func(w words.Shares) bool { return w.Name < 1 })
		}
	}
}
