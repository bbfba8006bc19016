package search

import (
	"cmp"
	"context"
	"math"
	"slices"

	"mekiki/index"
	"mekiki/search/contract"
	"mekiki/search/highlights"
	"mekiki/search/reasons"
	"mekiki/search/scoring"
	"mekiki/search/words"
)

// explain says what each signal gave a candidate.
func (r *retrieval) explain(c *candidate, matched []contract.FieldMatch) contract.Explanation {
	explanation := contract.Explanation{Fused: contract.Round(c.fused), FusedRank: c.fusedRank, Part: c.part, Evidence: r.explainEvidence(c)}
	if c.hasVector {
		explanation.Vector = &contract.Leg{Score: contract.Round(c.vector), Scaled: contract.Round(vectorScale(c)), Rank: c.vectorRank, Contribution: contract.Round(c.vectorPart)}
	}
	if c.hasKeyword {
		explanation.Keyword = &contract.Leg{Score: contract.Round(c.keyword), Scaled: contract.Round(r.keywordScale(c)), Rank: c.keywordRank, Contribution: contract.Round(c.keywordPart)}
	}
	if c.hasSimilarity {
		explanation.Similarity = &contract.Leg{Score: contract.Round(c.similarity), Scaled: contract.Round(similarityScale(c)), Rank: c.similarityRank}
	}
	if wanted := c.words[:min(len(r.plan.clauses), len(c.words))]; len(wanted) > 0 {
		least := slices.MinFunc(wanted, func(a, b words.Shares) int { return cmp.Compare(a.Named, b.Named) })
		explanation.NameCoverage = contract.Round(least.Named)
		if least.Name > 0 {
			explanation.NameProbability = contract.Round(scoring.Sigmoid(r.searcher.calibration.Named(0, least.Name)))
		}
	}
	explanation.Words = matched
	explanation.Match = r.explainMatch(c)
	return explanation
}

// explainEvidence gives the features of the clause that decides, with what each adds to
// the log-odds of what the picture shows.
func (r *retrieval) explainEvidence(c *candidate) []contract.FeatureExplanation {
	p, s := r.plan, r.searcher
	decides, least := -1, math.Inf(1)
	for clause := range len(p.clauses) + len(p.unwanted) {
		if odds := s.clauseOdds(p, c, clause); odds < least {
			decides, least = clause, odds
		}
	}
	if decides < 0 || p.kind == index.KindText {
		return nil
	}
	evidence, known := p.evidence(c, decides)
	if !known {
		return nil
	}
	values, parts := evidence.Features(), s.calibration.Contributions(evidence)
	var explained []contract.FeatureExplanation
	for feature := range scoring.FeatureCount {
		if feature != scoring.FeatureITM || evidence.Read() {
			explained = append(explained, contract.FeatureExplanation{Feature: feature.String(), Value: contract.Round(values[feature]), Adds: contract.Round(parts[feature])})
		}
	}
	return explained
}

// pageWords finds where the words of the query stand in the records of a page.
// Retrieval does not ask: most of what it finds is never shown.
func (r *retrieval) pageWords(ctx context.Context, snapshot index.Reader, page []shownEntry) (map[index.ID][]contract.FieldMatch, error) {
	var ids []index.ID
	for _, shown := range page {
		if shown.entry.candidate.hasKeyword {
			ids = append(ids, shown.entry.id)
		}
	}
	p := r.plan
	return highlights.Find(ctx, snapshot, index.KeywordQuery{Text: p.keywords(), Phrases: p.phrases, Kind: p.kind}, ids)
}

// explainMatch says what ITM answered; nil when it was not asked.
func (r *retrieval) explainMatch(c *candidate) *contract.MatchExplanation {
	p, s := r.plan, r.searcher
	texts := slices.Concat(p.clauses, p.unwanted)
	match := &contract.MatchExplanation{Score: math.Inf(1), Probability: 1}
	for i, text := range texts {
		answer := c.matches[i]
		if !answer.known {
			continue
		}
		odds, _ := s.contentOdds(p, c, i)
		unwanted := i >= len(p.clauses)
		if unwanted {
			odds = -odds
		} else if score := answer.logit + zeroNaN(c.clauseVectors[i]); score < match.Score {
			match.Score = contract.Round(score)
		}
		match.Probability = min(match.Probability, contract.Round(scoring.Sigmoid(odds)))
		match.Clauses = append(match.Clauses, contract.ClauseMatch{
			Text: text, Unwanted: unwanted, Logit: contract.Round(answer.logit), Raw: contract.Round(answer.raw), Probability: contract.Round(scoring.Sigmoid(odds)),
		})
	}
	if len(match.Clauses) == 0 {
		return nil
	}
	if math.IsInf(match.Score, 1) {
		match.Score = 0
	}
	return match
}

func zeroNaN(value float64) float64 {
	if math.IsNaN(value) {
		return 0
	}
	return value
}

// reason says in one line why a hit is here.
func (r *retrieval) reason(c *candidate, probability float64, matched []contract.FieldMatch) string {
	why := reasons.Reason{Basis: c.basis, Probability: probability, Matched: matched, VectorRank: c.vectorRank, KeywordRank: c.keywordRank}
	if r.plan.picture && c.basis != contract.BasisSimilarity && c.hasSimilarity {
		why.Likeness = &c.similarity
	}
	return reasons.Line(why)
}
