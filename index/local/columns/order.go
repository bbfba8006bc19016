package columns

import (
	"cmp"
	"context"
	"fmt"
	"math/bits"
	"slices"

	"mekiki/index"
	"mekiki/index/filters"
	"mekiki/index/local/catalog"
	"mekiki/internal/bitset"
	"mekiki/internal/divide"
)

// listing collects the records of one page of a list. They are added page by page; only about twice as many are kept as the page reaches down the list.
type listing struct {
	page   index.Page
	behind *listed // the place behind which the page begins; nil before all records
	most   int     // how far down the list from there the page reaches; zero means to the end
	total  int
	kept   []listed
	full   bool // the first most of kept stand before all that were let go of, and the last of them behind the others
}

// listed is a record with what it is ordered by, so that ordering need not look
// for it in memory.
type listed struct {
	id   index.ID
	date filters.Moment
}

func newListing(page index.Page) *listing {
	l := &listing{page: page}
	if page.Limit > 0 && page.Limit < longestCut && page.Offset < longestCut {
		l.most = page.Offset + page.Limit
	}
	if page.Behind != nil {
		l.behind = &listed{id: page.Behind.ID, date: filters.MomentOf(page.Behind.Date)}
	}
	return l
}

// fromTheEnd reports whether what the list begins with is likelier among the records that were added last: those were mostly taken
// last, too, and whatever is found first makes most of the rest be passed over.
func (l *listing) fromTheEnd() bool {
	return l.page.Order == index.OrderNewest || l.page.Order == index.OrderDateDescending
}

// dated reports whether the list is in order of dates.
func (l *listing) dated() bool {
	return l.page.Order == index.OrderDateDescending || l.page.Order == index.OrderDateAscending
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
	begun := l.behind == nil
	if l.full || !begun {
		first, last, known := l.ends(p, slots)
		if known && (l.full && l.compare(first, l.kept[l.most-1]) > 0 || !begun && l.compare(last, *l.behind) <= 0) {
			return
		}
		begun = begun || known && l.compare(first, *l.behind) > 0
	}
	dated := l.dated()
	for _, slot := range slots {
		item := listed{id: p.first + index.ID(slot)}
		if dated {
			item.date = p.columns().moment(slot)
		}
		if begun || l.compare(item, *l.behind) > 0 {
			l.keep(item)
		}
	}
}

// ends gives places in the list before and behind which none of a page's records stands; known is false where that would need
// a look at each.
func (l *listing) ends(p *Page, slots []uint8) (first, last listed, known bool) {
	first, last = listed{id: p.first + index.ID(slots[0])}, listed{id: p.first + index.ID(slots[len(slots)-1])}
	switch c := p.columns(); {
	case l.page.Order == index.OrderNewest:
		return last, first, true
	case !l.dated():
		return first, last, true
	case l.page.Order == index.OrderDateDescending:
		first.date, last.date = c.moment(c.latest), c.moment(c.earliest)
		return first, last, c.alike
	default:
		first.date, last.date = c.moment(c.earliest), c.moment(c.latest)
		return first, last, c.alike
	}
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

// cut lets go of what the page does not reach.
func (l *listing) cut() {
	if l.most > 0 && len(l.kept) >= l.most {
		divide.At(l.kept, l.most-1, l.compare)
		l.kept, l.full = l.kept[:l.most], true
	}
}

// ids gives the page.
func (l *listing) ids() []index.ID {
	l.cut()
	if l.page.Offset >= len(l.kept) {
		return nil
	}
	divide.At(l.kept, l.page.Offset, l.compare)
	page := l.kept[l.page.Offset:]
	slices.SortFunc(page, l.compare)
	ids := make([]index.ID, len(page))
	for i, item := range page {
		ids[i] = item.id
	}
	return ids
}

// List gives one page of the records that pass a filter, and how many there are in all.
func (t *Table) List(ctx context.Context, filter index.Filter, page index.Page) ([]*index.Record, int, error) {
	if page.Offset < 0 || page.Limit < 0 {
		return nil, 0, fmt.Errorf("offset %d or limit %d is negative", page.Offset, page.Limit)
	}
	list := newListing(page)
	if err := t.visitPassing(ctx, filter, list.fromTheEnd(), list.add); err != nil {
		return nil, 0, err
	}
	ids := list.ids()
	records := make([]*index.Record, len(ids))
	for i, id := range ids {
		records[i] = t.pages[id/catalog.PageSize].records.Values[id%catalog.PageSize]
	}
	return records, list.total, nil
}

// visitPassing is scanFrom for a filter that is likely to be asked for again soon, as those of lists are: which records pass it
// is looked up, or found by several goroutines.
func (t *Table) visitPassing(ctx context.Context, filter index.Filter, end bool, visit func(p *Page, slots []uint8)) error {
	var passing bitset.Set
	many := len(filter.IDs) > fewNamed
	if many {
		passing = t.named(filter.IDs)
		filter = filters.OfNamed(filter)
	}
	m := t.Compile(filter)
	switch {
	case !many && (m == nil || m.IDs != nil):
		return t.scanFrom(ctx, end, m, visit)
	case m != nil:
		selected, err := t.Select(ctx, filter, m)
		if err != nil {
			return err
		}
		if many {
			selected = common(selected, passing)
		}
		passing = selected
	}
	all := make([]uint8, 0, catalog.PageSize)
	for p := range t.inOrder(end) {
		if slots := p.slotsIn(passing, all[:0]); len(slots) > 0 {
			visit(p, slots)
		}
	}
	return ctx.Err()
}

// named is a set of records, of which there need not be any.
func (t *Table) named(ids []index.ID) bitset.Set {
	limit := uint64(len(t.pages)) * catalog.PageSize
	set := bitset.New(limit)
	for _, id := range ids {
		if uint64(id) < limit {
			set.Add(uint64(id))
		}
	}
	return set
}

// common gives what is in both of two sets that have room for the same numbers, in the second one's memory.
func common(a, b bitset.Set) bitset.Set {
	for i := range b {
		b[i] &= a[i]
	}
	return b
}

// slotsIn appends the slots of a page that have a record in a set.
func (p *Page) slotsIn(set bitset.Set, slots []uint8) []uint8 {
	const words = catalog.PageSize / 64
	from := p.first / 64
	for number, word := range set[from : from+words] {
		for ; word != 0; word &= word - 1 {
			if slot := uint8(number*64 + bits.TrailingZeros64(word)); p.records.Present[slot] {
				slots = append(slots, slot)
			}
		}
	}
	return slots
}
