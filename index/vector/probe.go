package vector

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"mekiki/index/vector/quantized"
	"mekiki/index/vector/topk"
	"mekiki/internal/bitset"
)

// probing is an approximate search under way.
type probing struct {
	view    *View
	ivf     *ivf
	allow   bitset.Set
	queries []quantized.Query    // of the queries, or of their representatives
	best    *topk.Many[location] // the entries to score
	// margin is the best scores, more of them than results are wanted. The scan stops
	// when no posting has entered it for long: improved is what scanned was when one
	// last did.
	margin            *topk.List[struct{}]
	scanned, improved int // postings

	// memory for what is found of a list
	products []int32
	scores   []float32
	read     []byte   // its codes
	places   []int32  // what passes the filter, and their
	rows     [][]byte // codes and
	scales   []float32

	asked, accepted int // entries, by the filter
}

// errLists is wrapped by errors about lists that cannot be read from their file.
var errLists = errors.New("inverted lists cannot be read")

// propose implements proposer: it scores the entries whose representatives are nearest to
// the queries, in the lists of the centroids nearest to them, the best first.
func (f *ivf) propose(ctx context.Context, s *scorer) error {
	p := &probing{
		view: s.view, ivf: f, allow: s.allow, queries: s.view.represent(s.vectors),
		margin: topk.New[struct{}](marginBase + marginPerResult*s.k),
		best:   topk.NewMany[location](s.view.scoreBudget(s.k)),
	}
	if err := p.probeLists(ctx, (scanBase+float64(scanPerResult*s.k)+scanShare*float64(f.postings))*s.view.effort); err != nil {
		return err
	}
	sorted := p.best.Sorted(location.key)
	return s.considerAll(ctx, len(sorted), func(i int) (location, float64) { return sorted[i].Value, sorted[i].Score })
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
	order := topk.NewOrder(p.score(&p.ivf.centroids))
	for number, ok := order.Next(); ok; number, ok = order.Next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := p.scanList(p.ivf.lists[number]); err != nil {
			return err
		}
		passing := p.passingShare()
		if float64(p.scanned)*passing >= budget || float64(p.scanned-p.improved)*passing >= scanEarlyStop*budget {
			break
		}
	}
	return nil
}

// scanList scores a list's postings, or under a filter those that pass. Where the groups of postings are not at hand, only those are
// asked about whose score is among the best; and so are removed entries left out: asking about each would take longer than scoring it.
func (p *probing) scanList(list *invertedList) error {
	p.scanned += len(list.postings)
	ask := p.allow != nil
	table, places := &list.codeTable, []int32(nil)
	if list.saved != nil {
		if ask {
			p.places = list.passing(p.places[:0], &p.view.content, p.allow)
			p.asked, p.accepted = p.asked+len(list.postings), p.accepted+len(p.places)
			if len(p.places) == 0 {
				return nil
			}
			ask, places = false, p.places
		}
		codes, err := list.allCodes(&p.read)
		if err != nil {
			return fmt.Errorf("%w: %w", errLists, err)
		}
		table = &codeTable{codes, list.scales}
	}
	if places != nil && len(places) < len(list.postings) {
		p.offer(list, p.scoreSome(table, places), places, ask)
	} else {
		p.offer(list, p.score(table), nil, ask)
	}
	return nil
}

// offer considers postings of a list for what is scored by all codes: those at places, or all where these are nil. It asks the filter
// about each if ask says so.
func (p *probing) offer(list *invertedList, scores []float32, places []int32, ask bool) {
	threshold := float32(p.best.Threshold())
	for i, score := range scores {
		if score <= threshold {
			continue
		}
		if places != nil {
			i = int(places[i])
		}
		at := list.postings[i]
		if at == nowhere || p.allow != nil && p.view.content.isRemoved(at) || ask && !p.passes(at) {
			continue
		}
		p.best.Offer(float64(score), at)
		threshold = float32(p.best.Threshold())
		if p.margin.Offer(float64(score), struct{}{}) {
			p.improved = p.scanned
		}
	}
}

// score gives the largest dot product of each row with any query. The next call
// overwrites them.
func (p *probing) score(rows *codeTable) []float32 {
	return p.scoreBy(rows.scales, func(query []int8, products []int32) { p.view.kernel.Dot(query, rows.codes, products) })
}

// scoreSome is score of the rows at some places.
func (p *probing) scoreSome(rows *codeTable, places []int32) []float32 {
	p.rows, p.scales = p.rows[:0], p.scales[:0]
	for _, place := range places {
		p.rows, p.scales = append(p.rows, rows.row(int(place), p.view.stride)), append(p.scales, rows.scales[place])
	}
	return p.scoreBy(p.scales, func(query []int8, products []int32) { p.view.kernel.Gather(query, p.rows, products) })
}

func (p *probing) scoreBy(scales []float32, products func(query []int8, products []int32)) []float32 {
	count := len(scales)
	p.products = slices.Grow(p.products[:0], count)[:count]
	p.scores = slices.Grow(p.scores[:0], count)[:count]
	for number := range p.queries {
		query := &p.queries[number]
		products(query.Codes, p.products)
		factor := float32(query.Scale)
		for i, product := range p.products {
			score := factor * scales[i] * float32(product-query.Shift)
			if number == 0 || score > p.scores[i] {
				p.scores[i] = score
			}
		}
	}
	return p.scores
}

// passes asks the filter about an entry.
func (p *probing) passes(at location) bool {
	entry, _ := p.view.content.at(at)
	p.asked++
	if p.allow.Has(entry.group) {
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
