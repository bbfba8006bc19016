package vector

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"mekiki/index/vector/quantized"
	"mekiki/index/vector/topk"
)

// probing is an approximate search under way.
type probing struct {
	view    *View
	ivf     *ivf
	allow   func(group uint64) bool
	queries []quantized.Query    // of the queries, or of their representatives
	best    *topk.List[location] // the entries to score
	// margin is the best scores, more of them than results are wanted. The scan stops
	// when no posting has entered it for long: improved is what scanned was when one
	// last did.
	margin            *topk.List[struct{}]
	scanned, improved int // postings

	products        []int32
	scores          []float32
	read            []byte // memory for the codes of a list
	asked, accepted int    // entries, by the filter
}

// errLists is wrapped by errors about lists that cannot be read from their file.
var errLists = errors.New("inverted lists cannot be read")

// propose implements proposer: it scores the entries whose representatives are nearest to
// the queries, in the lists of the centroids nearest to them, the best first.
func (f *ivf) propose(ctx context.Context, s *scorer) error {
	p := &probing{
		view: s.view, ivf: f, allow: s.allow, queries: s.view.represent(s.vectors),
		margin: topk.New[struct{}](marginBase + marginPerResult*s.k),
		best:   topk.New[location](s.view.scoreBudget(s.k)),
	}
	if err := p.probeLists(ctx, (scanBase+float64(scanPerResult*s.k)+scanShare*float64(f.postings))*s.view.effort); err != nil {
		return err
	}
	for i, posting := range p.best.Sorted(location.key) {
		if i%contextEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if !s.consider(posting.Value, posting.Score) {
			break
		}
	}
	return nil
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

// scanList scores a list's postings. Without a filter, removed entries are left out
// later: asking about each would take longer than scoring them.
func (p *probing) scanList(list *invertedList) error {
	if !list.mayPass(p.allow) {
		p.scanned += len(list.postings)
		p.asked += len(list.postings)
		return nil
	}
	table := &list.codeTable
	if list.saved != nil {
		codes, err := list.allCodes(&p.read)
		if err != nil {
			return fmt.Errorf("%w: %w", errLists, err)
		}
		table = &codeTable{codes, list.scales}
	}
	p.scanned += len(list.postings)
	threshold := float32(p.best.Threshold())
	for i, score := range p.score(table) {
		if score <= threshold || list.postings[i] == nowhere {
			continue
		}
		if p.allow != nil && !p.passes(list.postings[i]) {
			continue
		}
		p.best.Offer(float64(score), list.postings[i])
		threshold = float32(p.best.Threshold())
		if p.margin.Offer(float64(score), struct{}{}) {
			p.improved = p.scanned
		}
	}
	return nil
}

// score gives the largest dot product of each row with any query. The next call
// overwrites them.
func (p *probing) score(rows *codeTable) []float32 {
	count := len(rows.scales)
	p.products = slices.Grow(p.products[:0], count)[:count]
	p.scores = slices.Grow(p.scores[:0], count)[:count]
	for number := range p.queries {
		query := &p.queries[number]
		p.view.kernel.Dot(query.Codes, rows.codes, p.products)
		factor := float32(query.Scale)
		for i, product := range p.products {
			score := factor * rows.scales[i] * float32(product-query.Shift)
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
	if p.view.content.removed.Has(number) {
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
