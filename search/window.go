package search

import (
	"context"
	"slices"
	"time"

	"mekiki/index"
	"mekiki/search/contract"
)

// largeLibrary is how many times its window a library holds where looking a
// whole window deep costs more than most answers are worth.
const largeLibrary = 10

// hitsTail is how near to a ranking's end a hit has to stand for more hits to be
// expected behind it.
const hitsTail = 32

// firstWindow is the window of a first answer. It is the whole one where that
// costs little, and where words alone decide what is looked at.
func (s *Searcher) firstWindow(snapshot index.Reader, p *plan) int {
	whole := s.options.Window
	if p.listing() || p.picture || len(p.phrases) > 0 || snapshot.Count(p.kind) <= largeLibrary*whole {
		return whole
	}
	first := s.options.FirstWindow
	if p.reranks() && s.model.CanMatch() {
		first = max(first, 2*p.request.RerankCount)
	}
	return min(first, whole)
}

// goesOn reports whether a wider window would bring more hits behind those
// shown: the legs had more, and what stands last is still a hit.
func (k *ranking) goesOn(shown []shownEntry) bool {
	if !k.full || k.window >= k.retrieval.searcher.options.Window || len(shown) == 0 {
		return false
	}
	last := shown[len(shown)-1].entry
	tail := k.entries[max(0, len(k.entries)-hitsTail):]
	return slices.ContainsFunc(tail, func(e rankedEntry) bool { return e.id == last.id })
}

// widen gives a ranking of the whole window where the page of a request reaches
// beyond the first one, or is by date, which mixes first and last. What was
// ranked keeps its place and the rest comes behind it, so that pages fit
// together however far somebody goes.
func (s *Searcher) widen(ctx context.Context, snapshot index.Reader, p *plan, k *ranking, offset int) (*ranking, error) {
	if k.stage == contract.StageFirst || !k.full || k.window >= s.options.Window {
		return k, nil
	}
	if p.request.Sort == contract.SortRelevance {
		shown, err := k.shown(ctx, snapshot, p.request)
		if err != nil || offset+p.request.Limit <= len(shown) || !k.goesOn(shown) {
			return k, err
		}
	}
	r, err := s.retrieve(ctx, snapshot, p, s.options.Window)
	if err != nil {
		return nil, err
	}
	fused := time.Now()
	p.surprise = k.retrieval.plan.surprise
	ranked := make(map[index.ID]bool, len(k.entries))
	for _, entry := range k.entries {
		ranked[entry.id] = true
	}
	r.candidates = slices.DeleteFunc(r.candidates, func(c *candidate) bool { return ranked[c.id] })
	r.fuse()
	for i, c := range r.candidates {
		c.fusedRank = len(k.entries) + i + 1
	}
	r.timings.FuseMS = contract.Milliseconds(fused)
	wide := k.followedBy(r.ranking(k.stage, k.reranked, k.planned))
	r.release()
	s.rankings.Put(p.key, wide, 1)
	return wide, nil
}

// followedBy joins two rankings. Scores never rise from one entry to the next.
func (k *ranking) followedBy(rest *ranking) *ranking {
	wide := *k
	wide.entries = append(slices.Clone(k.entries), rest.entries...)
	wide.full, wide.window, wide.timings = rest.full, rest.window, k.timings.Plus(rest.timings)
	best := 0.0
	for i := range wide.entries {
		entry := &wide.entries[i]
		if i > 0 {
			entry.score = min(entry.score, wide.entries[i-1].score)
		}
		best = max(best, entry.probability)
	}
	wide.verdict = k.retrieval.searcher.calibration.Verdict(best)
	return &wide
}
