package vector

import (
	"context"
	"math"
	"slices"
)

// probing is an approximate search under way.
type probing struct {
	view    *View
	allow   func(group uint64) bool
	queries []queryCode     // of the queries, or of their representatives
	best    *topK[location] // the entries to score
	// margin is the best scores, more of them than results are wanted. The scan stops
	// when no posting has entered it for long: improved is what scanned was when one
	// last did.
	margin            *topK[struct{}]
	scanned, improved int // postings

	products        []int32
	scores          []float32
	asked, accepted int // entries, by the filter
}

// approximate finds k groups by the inverted lists: those whose representatives are
// nearest to the queries, in the lists of the centroids nearest to them, are scored by
// all their codes, and of those the ones that may be among the k best exactly.
func (v *View) approximate(ctx context.Context, queries []float32, k int, allow func(group uint64) bool) ([]Neighbour, error) {
	p := &probing{
		view: v, allow: allow, queries: v.represent(queries),
		margin: newTopK[struct{}](marginBase + marginPerResult*k),
		best:   newTopK[location](v.scoreBudget(k)),
	}
	if err := p.probeLists(ctx, (scanBase+float64(scanPerResult*k)+scanShare*float64(v.ivf.postings))*v.effort); err != nil {
		return nil, err
	}
	s, err := v.scoreEntries(ctx, queries, k, p.best.sorted(location.key))
	if err != nil {
		return nil, err
	}
	found, err := s.rescore(ctx, queries, k)
	if err == nil && len(found) < k { // too many were removed or refused by the filter
		return v.SearchExact(ctx, queries, k, allow)
	}
	return found, err
}

// scoreBudget is how many representatives are kept to score their groups; removed
// entries, which are found out later, are allowed for.
func (v *View) scoreBudget(k int) int {
	return max(k, int(float64(scoreBase+scorePerResult*k)*v.effort)*v.content.entries/v.Len())
}

// probeLists scans inverted lists, that of the nearest centroid first, until budget
// postings were scanned, or scanEarlyStop of it without one that entered the margin.
// Under a filter only the share of postings that pass counts.
func (p *probing) probeLists(ctx context.Context, budget float64) error {
	order := newNearestFirst(p.score(&p.view.ivf.centroids))
	for number, ok := order.next(); ok; number, ok = order.next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		p.scanList(p.view.ivf.lists[number])
		passing := p.passingShare()
		if float64(p.scanned)*passing >= budget || float64(p.scanned-p.improved)*passing >= scanEarlyStop*budget {
			break
		}
	}
	return nil
}

// scanList scores a list's postings. Without a filter, removed entries are left out
// later: asking about each would take longer than scoring them.
func (p *probing) scanList(list *invertedList) {
	p.scanned += len(list.postings)
	threshold := float32(p.best.threshold())
	for i, score := range p.score(&list.codeTable) {
		if score <= threshold {
			continue
		}
		if p.allow != nil && !p.passes(list.postings[i]) {
			continue
		}
		p.best.offer(float64(score), list.postings[i])
		threshold = float32(p.best.threshold())
		if p.margin.offer(float64(score), struct{}{}) {
			p.improved = p.scanned
		}
	}
}

// score gives the largest dot product of each row with any query. The next call
// overwrites them.
func (p *probing) score(rows *codeTable) []float32 {
	count := len(rows.scales)
	p.products = slices.Grow(p.products[:0], count)[:count]
	p.scores = slices.Grow(p.scores[:0], count)[:count]
	for number := range p.queries {
		query := &p.queries[number]
		p.view.kernel.dot(query.codes, rows.codes, p.products)
		factor := float32(query.scale)
		for i, product := range p.products {
			score := factor * rows.scales[i] * float32(product-query.shift)
			if number == 0 || score > p.scores[i] {
				p.scores[i] = score
			}
		}
	}
	return p.scores
}

// passes says whether an entry is there and passes the filter.
func (p *probing) passes(at location) bool {
	entry, number := p.view.content.at(at)
	if p.view.content.removed.has(number) {
		return false
	}
	p.asked++
	if p.allow(entry.group) {
		p.accepted++
		return true
	}
	return false
}

// passingShare estimates the share of groups that pass the filter, by those it was
// asked about so far.
func (p *probing) passingShare() float64 {
	if p.allow == nil {
		return 1
	}
	return float64(p.accepted+1) / float64(p.asked+1)
}

// scoreEntries scores entries by all their codes, until scoreEarlyStop of them in a
// row are not among the k best. An entry with several representatives comes several
// times, and is scored once.
func (v *View) scoreEntries(ctx context.Context, queries []float32, k int, entries []scored[location]) (*search, error) {
	s := v.newSearch(queries, k)
	earlyStop := int(scoreEarlyStop * max(1, v.effort))
	done, failures := make([]uint64, v.content.entries/64+1), 0
	for i := range entries {
		if i%contextEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		at := entries[i].value
		chunk := v.content.chunk(at.chunk)
		number := chunk.first + int(at.slot)
		if done[number>>6]>>(number&63)&1 == 1 {
			continue
		}
		done[number>>6] |= 1 << (number & 63)
		if v.content.removed.has(number) {
			continue
		}
		if failures++; s.proposeLikely(chunk, int(at.slot)) {
			failures = 0
		}
		if failures == earlyStop {
			break
		}
	}
	return s, nil
}

// proposeLikely proposes an entry like propose, but by bounds that are very likely
// instead of certain, so that few have to be scored exactly. It says whether the entry
// may be among the nearest.
func (s *search) proposeLikely(c *chunk, slot int) bool {
	first, end, stride := c.entries[slot].row, c.endRow(slot), s.view.stride
	s.products = slices.Grow(s.products[:0], end-first)[:end-first]
	lower, upper := math.Inf(-1), math.Inf(-1)
	for number := range s.queries {
		query := &s.queries[number]
		s.view.kernel.dot(query.codes, c.codes[first*stride:end*stride], s.products)
		best, row := math.Inf(-1), 0
		for i := range s.products {
			if product := float64(c.rows[first+i].scale) * float64(s.products[i]-query.shift); product > best {
				best, row = product, i
			}
		}
		low, high := query.likelyBounds(c.rows[first+row], s.products[row])
		lower, upper = max(lower, low), max(upper, high)
	}
	if upper < s.threshold() {
		return false
	}
	s.proposals = append(s.proposals, proposal{c, slot, upper})
	s.lowerBounds.offer(lower, struct{}{})
	return true
}

// represent codes the queries, or the representatives of many.
func (v *View) represent(queries []float32) (coded []queryCode) {
	if len(queries) <= maxRepresentatives*v.width {
		for query := range slices.Chunk(queries, v.width) {
			coded = append(coded, newQueryCode(query, v.stride))
		}
		return coded
	}
	codes := make([]byte, len(queries)/v.width*v.stride)
	rows := make([]rowCode, len(queries)/v.width)
	for i := range rows {
		rows[i] = newRowCode(codes[i*v.stride:], queries[i*v.width:(i+1)*v.width])
	}
	newMerger(v.width, v.kernel).merge(codes, rows, func(mean []float32) {
		coded = append(coded, newQueryCode(mean, v.stride))
	})
	return coded
}
