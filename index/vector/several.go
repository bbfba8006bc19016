package vector

import (
	"context"
	"math"

	"golang.org/x/sync/errgroup"
)

// several does something for each of so many numbers, some in each of the view's goroutines, which have a search of their own each.
// The first error ends it.
func (s *search) several(count int, do func(by *search, i int) error) error {
	workers := max(1, min(s.view.threads, count/oneByOne))
	for len(s.helpers) < workers-1 {
		s.helpers = append(s.helpers, &search{view: s.view, queries: s.queries, reader: s.view.newReader()})
	}
	var group errgroup.Group
	for worker := range workers {
		by := s
		if worker > 0 {
			by = s.helpers[worker-1]
		}
		work := func() error {
			for i := worker; i < count; i += workers {
				if err := do(by, i); err != nil {
					return err
				}
			}
			return nil
		}
		if workers == 1 {
			return work()
		}
		group.Go(work)
	}
	return group.Wait()
}

// scoreAll scores proposals exactly.
func (s *search) scoreAll(queries []float32, proposals []proposal) ([]Neighbour, error) {
	found := make([]Neighbour, len(proposals))
	return found, s.several(len(proposals), func(by *search, i int) (err error) {
		found[i], err = by.score(queries, proposals[i].chunk, proposals[i].slot)
		return err
	})
}

// likely are the bounds of a score, which are very likely; none where they are not known.
type likely struct {
	lower, upper float64
	known        bool
}

// considerAll considers so many entries that are proposed for a score, the most promising first, until the scorer has seen enough. It
// looks at the codes of many at once, those that it may turn out not to need included.
func (s *scorer) considerAll(ctx context.Context, count int, proposed func(i int) (at location, score float64)) error {
	known, wanted := make([]likely, consideredAtOnce), make([]int, 0, consideredAtOnce)
	for start := 0; start < count; start += consideredAtOnce {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		some := min(consideredAtOnce, count-start)
		wanted = wanted[:0]
		for i := range some {
			known[i] = likely{}
			if at, score := proposed(start + i); s.passes(at) && !s.isHopeless(score) && !s.isDone(at) {
				wanted = append(wanted, i)
			}
		}
		if err := s.several(len(wanted), func(by *search, i int) (err error) {
			at, _ := proposed(start + wanted[i])
			known[wanted[i]], err = by.likelyBounds(s.view.content.chunk(at.chunk), int(at.slot))
			return err
		}); err != nil {
			s.failed = err
			return nil
		}
		for i := range some {
			if at, score := proposed(start + i); !s.considerKnown(at, score, known[i]) {
				return nil
			}
		}
	}
	return nil
}

// isHopeless reports whether what is proposed for a score cannot be expected to be among the k best.
func (s *scorer) isHopeless(proposed float64) bool {
	return s.gaps >= fewestGaps && s.threshold()-proposed > s.mean+s.spread*math.Sqrt(s.squares/s.gaps)
}

// isDone reports whether an entry was scored before.
func (s *scorer) isDone(at location) bool {
	number := s.view.content.number(at)
	return s.done[number>>6]>>(number&63)&1 == 1
}
