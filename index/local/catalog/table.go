package catalog

import (
	"iter"

	"mekiki/index"
)

// PageSize is the number of entries that one change to a table copies.
const PageSize = 256

// Table is an immutable map from IDs to values. IDs are dense, so it is a list
// of pages; a changed table shares the pages that did not change.
type Table[T any] struct {
	Pages []*Page[T]
	Count int
}

// Page is a part of a table; tables share the pages that do not differ.
type Page[T any] struct {
	Values  [PageSize]T
	Present [PageSize]bool
}

// Get gives the value of an ID; false when there is none.
func (t *Table[T]) Get(id index.ID) (T, bool) {
	number := uint64(id) / PageSize
	if number >= uint64(len(t.Pages)) || t.Pages[number] == nil {
		var zero T
		return zero, false
	}
	slot := uint64(id) % PageSize
	page := t.Pages[number]
	return page.Values[slot], page.Present[slot]
}

// Has reports whether it is in there.
func (t *Table[T]) Has(id index.ID) bool {
	_, there := t.Get(id)
	return there
}

// All goes through the table in order of ID.
func (t *Table[T]) All() iter.Seq2[index.ID, T] {
	return func(yield func(index.ID, T) bool) {
		for number, page := range t.Pages {
			if page == nil {
				continue
			}
			for slot := range page.Values {
				if page.Present[slot] && !yield(index.ID(number*PageSize+slot), page.Values[slot]) {
					return
				}
			}
		}
	}
}

// Changes gives the entries that differ between two tables, at least: pages that
// the tables share are not looked into. An entry that is not there is zero.
func Changes[T any](before, after Table[T], visit func(id index.ID, before, after T)) {
	var none Page[T]
	for number := range max(len(before.Pages), len(after.Pages)) {
		old, new := &none, &none
		if number < len(before.Pages) && before.Pages[number] != nil {
			old = before.Pages[number]
		}
		if number < len(after.Pages) && after.Pages[number] != nil {
			new = after.Pages[number]
		}
		if old == new {
			continue
		}
		for slot := range PageSize {
			if old.Present[slot] || new.Present[slot] {
				visit(index.ID(number*PageSize+slot), old.Values[slot], new.Values[slot])
			}
		}
	}
}

// Edit changes a copy of a table; pages are copied when first changed.
type Edit[T any] struct {
	Table Table[T]
	owned map[uint64]bool
}

// EditTable begins to change a copy of a table.
func EditTable[T any](t Table[T]) *Edit[T] {
	return &Edit[T]{Table: t}
}

func (e *Edit[T]) own(number uint64) *Page[T] {
	if e.owned == nil {
		e.owned = map[uint64]bool{}
		e.Table.Pages = append(make([]*Page[T], 0, len(e.Table.Pages)+8), e.Table.Pages...)
	}
	for number >= uint64(len(e.Table.Pages)) {
		e.Table.Pages = append(e.Table.Pages, nil)
	}
	if !e.owned[number] {
		fresh := &Page[T]{}
		if old := e.Table.Pages[number]; old != nil {
			fresh.Values, fresh.Present = old.Values, old.Present
		}
		e.Table.Pages[number] = fresh
		e.owned[number] = true
	}
	return e.Table.Pages[number]
}

// Set gives an ID a value.
func (e *Edit[T]) Set(id index.ID, value T) {
	page, slot := e.own(uint64(id)/PageSize), uint64(id)%PageSize
	if !page.Present[slot] {
		e.Table.Count++
	}
	page.Values[slot], page.Present[slot] = value, true
}

func (e *Edit[T]) remove(id index.ID) {
	if !e.Table.Has(id) {
		return
	}
	page, slot := e.own(uint64(id)/PageSize), uint64(id)%PageSize
	var zero T
	page.Values[slot], page.Present[slot] = zero, false
	e.Table.Count--
}
