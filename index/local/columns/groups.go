package columns

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"
	"unique"

	"mekiki/index"
	"mekiki/index/facets"
	"mekiki/index/filters"
	"mekiki/index/local/catalog"
)

// dayCode tells days apart: 512 * year + 32 * month + day of the month, where the record's date is; zero for no date, and for years
// that a day is not written with in ten characters.
type dayCode int32

func dayCodeOf(date time.Time, year int, month time.Month, day int) dayCode {
	if date.IsZero() || year < 1 || year > 9999 {
		return 0
	}
	return dayCode(year<<9 | int(month)<<5 | day)
}

// FacetGroups groups the records that pass a filter by what is counted of them, as [facets.Grouper] says.
func (t *Table) FacetGroups(ctx context.Context, filter index.Filter) (facets.Groups, error) {
	g, err := t.grouped(ctx, filter)
	if err != nil {
		return facets.Groups{}, err
	}
	groups := facets.Groups{Total: g.total, Of: map[string][]facets.Group{
		"formats": g.formats.list(), "cameras": g.cameras.list(), "sizes": g.sizes.list(), "dates": g.days.list(), "ratings": g.ratings.list(),
		"folders": append(g.folders.list(), g.otherFolders.list()...), "tags": g.tags.list(), "people": g.people.list(), "collections": g.collections.list(),
	}}
	for _, list := range groups.Of {
		slices.SortFunc(list, func(a, b facets.Group) int { return cmp.Compare(a.Record.ID, b.Record.ID) })
	}
	return groups, nil
}

func (t *Table) grouped(ctx context.Context, filter index.Filter) (*grouping, error) {
	g := &grouping{
		kinds: alike[index.Kind]{}, years: alike[int32]{}, days: alike[dayCode]{}, ratings: alike[int8]{}, formats: alike[unique.Handle[string]]{},
		folders: alike[unique.Handle[string]]{}, sizes: alike[unique.Handle[string]]{}, cameras: alike[unique.Handle[filters.CameraNames]]{},
	}
	return g, t.scan(ctx, t.Compile(filter), g.add)
}

// grouping groups records page by page.
type grouping struct {
	total                   int
	kinds                   alike[index.Kind]
	years                   alike[int32]
	days                    alike[dayCode]
	ratings                 alike[int8]
	formats, folders, sizes alike[unique.Handle[string]]
	cameras                 alike[unique.Handle[filters.CameraNames]]
	// otherFolders are the records that are not in one folder alone.
	tags, people, collections, otherFolders separate
}

func (g *grouping) add(p *Page, slots []uint8) {
	c := p.columns()
	g.total += len(slots)
	inRuns(g.kinds, p, slots, func(slot uint8) index.Kind { return c.kinds[slot] })
	inRuns(g.days, p, slots, func(slot uint8) dayCode { return c.days[slot] })
	inRuns(g.years, p, slots, func(slot uint8) int32 {
		if c.moment(slot).IsZero() {
			return noYear
		}
		return c.years[slot]
	})
	inRuns(g.ratings, p, slots, func(slot uint8) int8 { return c.ratings[slot] })
	byValue(g.formats, &c.formats, p, slots)
	byValue(g.sizes, &c.sizes, p, slots)
	byValue(g.cameras, &c.cameras, p, slots)
	g.tags.add(p, slots, flagTags)
	g.people.add(p, slots, flagPeople)
	g.collections.add(p, slots, flagCollections)
	g.addFolders(p, c, slots)
}

func (g *grouping) addFolders(p *Page, c *columns, slots []uint8) {
	if c.inOneFolder {
		byValue(g.folders, &c.folders, p, slots)
		return
	}
	inOne := make([]uint8, 0, len(slots))
	for _, slot := range slots {
		if c.flags[slot]&flagOneFolder != 0 {
			inOne = append(inOne, slot)
		} else {
			g.otherFolders.having = append(g.otherFolders.having, facets.Group{Record: p.records.Values[slot], Count: 1})
		}
	}
	byValue(g.folders, &c.folders, p, inOne)
}

// noYear stands for the year of what has no date.
const noYear = math.MinInt32

// alike are groups of records by a value that those of one group have, each with the first of its records.
type alike[K comparable] map[K]*facets.Group

func (a alike[K]) add(value K, record *index.Record, count int) {
	group := a[value]
	if group == nil {
		group = &facets.Group{Record: record}
		a[value] = group
	}
	group.Count += count
}

// list gives the groups, in no order.
func (a alike[K]) list() []facets.Group {
	list := make([]facets.Group, 0, len(a))
	for _, group := range a {
		list = append(list, *group)
	}
	return list
}

// counts tells how many records have each value.
func (a alike[K]) counts() map[K]int {
	counts := make(map[K]int, len(a))
	for value, group := range a {
		counts[value] = group.Count
	}
	return counts
}

// inRuns adds the records of slots by a value that those that follow each other mostly share.
func inRuns[K comparable](to alike[K], p *Page, slots []uint8, value func(slot uint8) K) {
	from, last := 0, value(slots[0])
	for i, slot := range slots {
		if here := value(slot); here != last {
			to.add(last, p.records.Values[slots[from]], i-from)
			from, last = i, here
		}
	}
	to.add(last, p.records.Values[slots[from]], len(slots)-from)
}

// byValue adds the records of slots by a column.
func byValue[T comparable](to alike[unique.Handle[T]], c *category[T], p *Page, slots []uint8) {
	var counts [catalog.PageSize]int
	var slotOf [catalog.PageSize]uint8
	for _, slot := range slots {
		number := c.of[slot]
		if counts[number] == 0 {
			slotOf[number] = slot
		}
		counts[number]++
	}
	for number, value := range c.values {
		if counts[number] > 0 {
			to.add(value, p.records.Values[slotOf[number]], counts[number])
		}
	}
}

// separate are records that are looked at one by one if they have something at all.
type separate struct {
	having []facets.Group
	none   facets.Group
}

// add adds the records of slots: a flag says which have something.
func (s *separate) add(p *Page, slots []uint8, flag columnFlags) {
	c := p.columns()
	for _, slot := range slots {
		if c.anyFlags&flag == 0 {
			s.none = facets.Group{Record: p.records.Values[slot], Count: s.none.Count + len(slots)}
			return
		}
		if c.flags[slot]&flag != 0 {
			s.having = append(s.having, facets.Group{Record: p.records.Values[slot], Count: 1})
		} else {
			s.none = facets.Group{Record: p.records.Values[slot], Count: s.none.Count + 1}
		}
	}
}

// list gives the groups, in no order.
func (s *separate) list() []facets.Group {
	if s.none.Count == 0 {
		return s.having
	}
	return append(s.having, s.none)
}
