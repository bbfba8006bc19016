package columns

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"mekiki/index"
	"mekiki/index/filters"
)

// listing collects the records of one page of a list. They are added page by page; only about twice as many are kept as the page reaches down the list.
type listing struct {
	page  index.Page
	most  int // how far down the list the page reaches; zero means to the end
	total int
	kept  []listed
	full  bool // the first most of kept are in order, and what comes after the last of them is not wanted
}

// listed is a record with what it is ordered by, so that ordering need not look
// for it in memory.
type listed struct {
	id     index.ID
	date   filters.Moment
	record *index.Record
	ratio  uint32 // of an image in a layout
}

func newListing(page index.Page) *listing {
	l := &listing{page: page}
	if page.Limit > 0 && page.Limit < longestCut && page.Offset < longestCut {
		l.most = page.Offset + page.Limit
	}
	return l
}

// fromTheEnd reports whether what the list begins with is likelier among the records that were added last: those were mostly taken
// last, too, and whatever is found first makes most of the rest be passed over.
func (l *listing) fromTheEnd() bool {
	return l.page.Order == index.OrderNewest || l.page.Order == index.OrderDateDescending
}

// compare orders two records as the page asks. Equal dates are in order of ID.
func (l *listing) compare(a, b listed) int {
	added, date := cmp.Compare(a.id, b.id), a.date.Compare(b.date)
	switch l.page.Order {
	case index.OrderNewest:
		return -added
	case index.OrderDateDescending:
		return cmp.Or(-date, added)
	case index.OrderDateAscending:
		return cmp.Or(date, added)
	default:
		return added
	}
}

// add takes the records of a page's slots.
func (l *listing) add(p *Page, slots []uint8) {
	l.total += len(slots)
	dated := l.page.Order == index.OrderDateDescending || l.page.Order == index.OrderDateAscending
	if l.full && l.isBeyond(p, slots, dated) {
		return
	}
	for _, slot := range slots {
		item := listed{id: p.first + index.ID(slot), record: p.records.Values[slot]}
		if dated {
			item.date = p.columns().moment(slot)
		}
		l.keep(item)
	}
}

// isBeyond reports whether the best of a page's records cannot be on the page of the list.
func (l *listing) isBeyond(p *Page, slots []uint8, dated bool) bool {
	best := listed{id: p.first + index.ID(slots[0])}
	if l.page.Order == index.OrderNewest {
		best.id = p.first + index.ID(slots[len(slots)-1])
	}
	if dated {
		c := p.columns()
		if !c.alike {
			return false
		}
		best.date = c.moment(c.earliest)
		if l.page.Order == index.OrderDateDescending {
			best.date = c.moment(c.latest)
		}
	}
	return l.compare(best, l.kept[l.most-1]) > 0
}

func (l *listing) keep(item listed) {
	if l.full && l.compare(item, l.kept[l.most-1]) > 0 {
		return
	}
	l.kept = append(l.kept, item)
	if l.most > 0 && len(l.kept) >= 2*l.most {
		l.cut()
	}
}

// cut puts what is kept in order and lets go of what the page does not reach.
func (l *listing) cut() {
	slices.SortFunc(l.kept, l.compare)
	if l.most > 0 && len(l.kept) >= l.most {
		l.kept, l.full = l.kept[:l.most], true
	}
}

// records gives the page.
func (l *listing) records() []*index.Record {
	l.cut()
	page := l.kept[min(l.page.Offset, len(l.kept)):]
	records := make([]*index.Record, len(page))
	for i, item := range page {
		records[i] = item.record
	}
	return records
}

// List gives one page of the records that pass a filter, and how many there are in all.
func (t *Table) List(ctx context.Context, filter index.Filter, page index.Page) ([]*index.Record, int, error) {
	if page.Offset < 0 || page.Limit < 0 {
		return nil, 0, fmt.Errorf("offset %d or limit %d is negative", page.Offset, page.Limit)
	}
	list := newListing(page)
	if err := t.scanFrom(ctx, list.fromTheEnd(), t.Compile(filter), list.add); err != nil {
		return nil, 0, err
	}
	return list.records(), list.total, nil
}
