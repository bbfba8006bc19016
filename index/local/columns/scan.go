package columns

import (
	"context"
	"iter"
	"maps"
	"slices"
	"unique"

	"mekiki/index"
	"mekiki/index/filters"
	"mekiki/index/local/catalog"
)

// scan gives the slots of records that pass, page by page in order of ID. The slots
// are only good during the visit.
func (t *Table) scan(ctx context.Context, m *filters.Matcher, visit func(p *Page, slots []uint8)) error {
	return t.scanFrom(ctx, false, m, visit)
}

// scanFrom is scan from the first page to the last, or from the end.
func (t *Table) scanFrom(ctx context.Context, end bool, m *filters.Matcher, visit func(p *Page, slots []uint8)) error {
	if m != nil && m.IDs != nil {
		return t.scanIDs(ctx, m, visit)
	}
	a := newAsking(m)
	for p := range t.inOrder(end) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if slots := a.matching(p); len(slots) > 0 {
			visit(p, slots)
		}
	}
	return nil
}

// inOrder gives the pages that have records, from the first to the last or from the end.
func (t *Table) inOrder(end bool) iter.Seq[*Page] {
	return func(yield func(*Page) bool) {
		for number := range t.pages {
			if end {
				number = len(t.pages) - 1 - number
			}
			if p := t.pages[number]; p != nil && !yield(p) {
				return
			}
		}
	}
}

// scanIDs looks only at the records that a filter names.
func (t *Table) scanIDs(ctx context.Context, m *filters.Matcher, visit func(p *Page, slots []uint8)) error {
	for _, id := range slices.Sorted(maps.Keys(m.IDs)) {
		number, slot := uint64(id)/catalog.PageSize, uint8(id%catalog.PageSize)
		if number >= uint64(len(t.pages)) || t.pages[number] == nil {
			continue
		}
		p := t.pages[number]
		if p.records.Present[slot] && m.Matches(p.records.Values[slot]) {
			visit(p, []uint8{slot})
		}
	}
	return ctx.Err()
}

// asking asks pages who passes a filter. It is for one goroutine.
type asking struct {
	// m is the filter, nil for one that all pass; rest is what the columns do not tell of it, nil for nothing.
	m, rest *filters.Matcher
	slots   []uint8
	formats answers[string]
	cameras answers[filters.CameraNames]
	folders answers[string]
}

// newAsking begins to ask for a filter.
func newAsking(m *filters.Matcher) *asking {
	a := &asking{m: m, rest: m.Except(covers), slots: make([]uint8, 0, catalog.PageSize)}
	if m != nil {
		a.formats, a.cameras, a.folders = newAnswers(m.MatchesFormat), newAnswers(m.MatchesCamera), newAnswers(m.MatchesFolder)
	}
	return a
}

// answers are what a filter says of values that records share, each asked about once.
type answers[T comparable] struct {
	ask    func(T) bool
	known  map[unique.Handle[T]]bool
	passes [catalog.PageSize]uint8 // one, or zero, of the values of the page that was asked about last
}

func newAnswers[T comparable](ask func(T) bool) answers[T] {
	return answers[T]{ask: ask, known: map[unique.Handle[T]]bool{}}
}

// of asks about the values of a column, and tells whether all of them or none pass.
func (a *answers[T]) of(c *category[T]) (all, none bool) {
	passing := 0
	for number, value := range c.values {
		passes, known := a.known[value]
		if !known {
			passes = a.ask(value.Value())
			a.known[value] = passes
		}
		a.passes[number] = 0
		if passes {
			a.passes[number] = 1
			passing++
		}
	}
	return passing == len(c.values), passing == 0
}

// keep leaves the slots whose values pass.
func (a *answers[T]) keep(c *category[T], slots []uint8) []uint8 {
	switch all, none := a.of(c); {
	case all:
		return slots
	case none:
		return slots[:0]
	}
	kept := 0
	for _, slot := range slots { // without a branch, which would be guessed wrong half of the time
		slots[kept] = slot
		kept += int(a.passes[c.of[slot]])
	}
	return slots[:kept]
}

// present appends the slots of a page that have a record.
func present(p *catalog.Page[*index.Record], slots []uint8) []uint8 {
	for slot, there := range p.Present {
		if there {
			slots = append(slots, uint8(slot))
		}
	}
	return slots
}

// matching gives the slots of a page's records that match, but for their IDs: what
// [filters.Matcher.Matches] says of each, from the columns as far as these tell. They are good until the next call.
func (a *asking) matching(p *Page) []uint8 {
	m := a.m
	if m == nil {
		return present(p.records, a.slots[:0])
	}
	c := p.columns()
	slots := append(a.slots[:0], c.slots...)
	if len(m.Kinds) > 0 {
		slots = keep(slots, func(slot uint8) bool { return m.MatchesKind(c.kinds[slot]) })
	}
	if len(m.Formats) > 0 {
		slots = a.formats.keep(&c.formats, slots)
	}
	if len(m.Cameras) > 0 {
		slots = a.cameras.keep(&c.cameras, slots)
	}
	if len(slots) > 0 && (m.Dated || m.Taken != nil) {
		slots = c.matchingDate(m, slots)
	}
	if len(m.Ratings) > 0 {
		slots = keep(slots, func(slot uint8) bool { return m.MatchesRating(c.ratings[slot]) })
	}
	if len(m.Folders) > 0 && len(slots) > 0 {
		slots = a.inFolders(p, c, slots)
	}
	slots = c.matchingGiven(m, slots)
	return p.matchingRest(m, a.rest, slots)
}

// inFolders keeps the slots whose records have a file in a folder that passes.
func (a *asking) inFolders(p *Page, c *columns, slots []uint8) []uint8 {
	if c.inOneFolder {
		return a.folders.keep(&c.folders, slots)
	}
	a.folders.of(&c.folders)
	return keep(slots, func(slot uint8) bool {
		if c.flags[slot]&flagOneFolder == 0 {
			return a.m.MatchesFiles(p.records.Values[slot])
		}
		return a.folders.passes[c.folders.of[slot]] == 1
	})
}

// matchingDate keeps the slots whose dates pass. Records that follow each other are mostly of the same days, so that few pages
// have some that pass and some that do not.
func (c *columns) matchingDate(m *filters.Matcher, slots []uint8) []uint8 {
	if c.alike {
		switch all, none := m.MatchesDates(c.dating(c.earliest), c.dating(c.latest)); {
		case all:
			return slots
		case none:
			return slots[:0]
		}
	}
	return keep(slots, func(slot uint8) bool { return m.MatchesDate(c.dating(slot)) })
}

// matchingGiven keeps the slots whose records pass what the flags tell of what people gave.
func (c *columns) matchingGiven(m *filters.Matcher, slots []uint8) []uint8 {
	if m.Favourite != nil {
		slots = keep(slots, func(slot uint8) bool { return c.flags[slot]&flagFavourite != 0 == *m.Favourite })
	}
	if m.Hidden == index.ChoiceOnly || c.anyFlags&flagHidden != 0 {
		slots = keep(slots, func(slot uint8) bool { return m.Hidden.Passes(c.flags[slot]&flagHidden != 0) })
	}
	if m.Trash == index.ChoiceOnly || c.anyFlags&flagTrash != 0 {
		slots = keep(slots, func(slot uint8) bool { return m.Trash.Passes(c.flags[slot]&flagTrash != 0) })
	}
	return slots
}

// matchingRest keeps the slots whose records pass what the columns do not tell.
func (p *Page) matchingRest(m, rest *filters.Matcher, slots []uint8) []uint8 {
	c := p.columns()
	if len(m.Tags) > 0 {
		slots = keep(slots, func(slot uint8) bool { return c.flags[slot]&flagTags != 0 && m.MatchesTag(p.records.Values[slot]) })
	}
	if len(m.People) > 0 {
		slots = keep(slots, func(slot uint8) bool { return c.flags[slot]&flagPeople != 0 && m.MatchesPerson(p.records.Values[slot]) })
	}
	if len(m.Collections) > 0 {
		slots = keep(slots, func(slot uint8) bool {
			return c.flags[slot]&flagCollections != 0 && m.MatchesCollection(p.records.Values[slot])
		})
	}
	if len(m.OCR) > 0 {
		slots = keep(slots, func(slot uint8) bool { return c.flags[slot]&flagOCR != 0 && m.MatchesOCR(p.records.Values[slot]) })
	}
	if m.Near != nil {
		slots = keep(slots, func(slot uint8) bool { return c.flags[slot]&flagPlace != 0 && m.MatchesPlace(p.records.Values[slot]) })
	}
	if rest != nil {
		slots = keep(slots, func(slot uint8) bool { return rest.Matches(p.records.Values[slot]) })
	}
	return slots
}

// keep leaves the slots that pass, in order.
func keep(slots []uint8, passes func(slot uint8) bool) []uint8 {
	kept := slots[:0]
	for _, slot := range slots {
		if passes(slot) {
			kept = append(kept, slot)
		}
	}
	return kept
}

// covers reports whether the columns judge a filter. Of any other, the record is asked.
func covers(name filters.Name) bool {
	switch name {
	case filters.Folder, filters.After, filters.Before, filters.Taken, filters.Camera, filters.Tag, filters.Person, filters.Rating,
		filters.Type, filters.Near, filters.Kind, filters.IDs, filters.Collection, filters.Favourite, filters.Hidden, filters.Trash, filters.OCR:
		return true
	}
	return false
}
