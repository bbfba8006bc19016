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

// lastWindow is how wide the window gets while somebody reads on. By date it does not grow with the pages, since
// first and last are mixed.
func (s *Searcher) lastWindow(request contract.Request) int {
	if request.Sort != contract.SortRelevance {
		return s.options.Window
	}
	return max(s.options.LastWindow, s.options.Window)
}

// nextWindow is the window after one, several times as wide.
func (s *Searcher) nextWindow(request contract.Request, window int) int {
	if window < s.options.Window {
		return s.options.Window
	}
	return min(window*windowGrowth, s.lastWindow(request))
}

// goesOn reports whether a wider window would bring more hits behind those
// shown: the legs had more, and what stands last is still a hit.
func (k *ranking) goesOn(request contract.Request, shown []shownEntry) bool {
	return k.window < k.retrieval.searcher.lastWindow(request) && k.endsEarly(shown)
}

// endsEarly reports whether more hits are to be expected behind those shown.
func (k *ranking) endsEarly(shown []shownEntry) bool {
	if !k.full || len(shown) == 0 {
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
	for k.stage.Final() && k.full && k.window < s.lastWindow(p.request) {
		if p.request.Sort == contract.SortRelevance {
			shown, err := k.shown(ctx, snapshot, p.request)
			if err != nil || offset+p.request.Limit <= len(shown) || !k.goesOn(p.request, shown) {
				return k, err
			}
		}
		wide, err := s.widenOnce(ctx, snapshot, p, k)
		if err != nil {
			return nil, err
		}
		k = wide
	}
	return k, nil
}

func (s *Searcher) widenOnce(ctx context.Context, snapshot index.Reader, p *plan, k *ranking) (*ranking, error) {
	r, err := s.retrieve(ctx, snapshot, p, s.nextWindow(p.request, k.window))
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
	s.rankings.Put(p.key, wide, int64(1+len(wide.entries)/s.options.Window))
	return wide, nil
}

// followedBy joins two rankings. Scores never rise from one entry to the next; nor does the likeness to a picture: what
// no two parts are alike enough for to be found first is not called more alike than what was.
func (k *ranking) followedBy(rest *ranking) *ranking {
	wide := *k
	wide.entries = append(slices.Clone(k.entries), rest.entries...)
	wide.full, wide.window, wide.timings = rest.full, rest.window, k.timings.Plus(rest.timings)
	best := 0.0
	for i := range wide.entries {
		entry := &wide.entries[i]
		if i > 0 {
			entry.score = min(entry.score, wide.entries[i-1].score)
			if k.retrieval.plan.picture {
				entry.probability = min(entry.probability, wide.entries[i-1].probability)
				entry.verdict = k.retrieval.searcher.calibration.Verdict(entry.probability)
			}
		}
		best = max(best, entry.probability)
	}
	wide.verdict = k.retrieval.searcher.calibration.Verdict(best)
	return &wide
}
