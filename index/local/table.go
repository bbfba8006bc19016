package local

import (
	"iter"
	"mekiki/index"
	"sync/atomic"
)

// pageSize is the number of entries that one change to a table copies.
const pageSize = 256

// table is an immutable map from IDs to values. IDs are dense, so it is a list
// of pages; a changed table shares the pages that did not change.
type table[T any] struct {
	pages []*page[T]
	count int
}

type page[T any] struct {
	values  [pageSize]T
	present [pageSize]bool

	// columns are of a page of records that was asked for them, see [columnsOf].
	columns atomic.Pointer[columns]
}

func (t *table[T]) get(id index.ID) (T, bool) {
	number := uint64(id) / pageSize
	if number >= uint64(len(t.pages)) || t.pages[number] == nil {
		var zero T
		return zero, false
	}
	slot := uint64(id) % pageSize
	page := t.pages[number]
	return page.values[slot], page.present[slot]
}

func (t *table[T]) has(id index.ID) bool {
	_, there := t.get(id)
	return there
}

// all goes through the table in order of ID.
func (t *table[T]) all() iter.Seq2[index.ID, T] {
	return func(yield func(index.ID, T) bool) {
		for number, page := range t.pages {
			if page == nil {
				continue
			}
			for slot := range page.values {
				if page.present[slot] && !yield(index.ID(number*pageSize+slot), page.values[slot]) {
					return
				}
			}
		}
	}
}

// changes gives the entries that differ between two tables, at least: pages that
// the tables share are not looked into. An entry that is not there is zero.
func changes[T any](before, after table[T], visit func(id index.ID, before, after T)) {
	var none page[T]
	for number := range max(len(before.pages), len(after.pages)) {
		old, new := &none, &none
		if number < len(before.pages) && before.pages[number] != nil {
			old = before.pages[number]
		}
		if number < len(after.pages) && after.pages[number] != nil {
			new = after.pages[number]
		}
		if old == new {
			continue
		}
		for slot := range pageSize {
			if old.present[slot] || new.present[slot] {
				visit(index.ID(number*pageSize+slot), old.values[slot], new.values[slot])
			}
		}
	}
}

// tableEdit changes a copy of a table; pages are copied when first changed.
type tableEdit[T any] struct {
	table table[T]
	owned map[uint64]bool
}

func editTable[T any](t table[T]) *tableEdit[T] {
	return &tableEdit[T]{table: t}
}

func (e *tableEdit[T]) own(number uint64) *page[T] {
	if e.owned == nil {
		e.owned = map[uint64]bool{}
		e.table.pages = append(make([]*page[T], 0, len(e.table.pages)+8), e.table.pages...)
	}
	for number >= uint64(len(e.table.pages)) {
		e.table.pages = append(e.table.pages, nil)
	}
	if !e.owned[number] {
		fresh := &page[T]{}
		if old := e.table.pages[number]; old != nil {
			fresh.values, fresh.present = old.values, old.present
		}
		e.table.pages[number] = fresh
		e.owned[number] = true
	}
	return e.table.pages[number]
}

func (e *tableEdit[T]) set(id index.ID, value T) {
	page, slot := e.own(uint64(id)/pageSize), uint64(id)%pageSize
	if !page.present[slot] {
		e.table.count++
	}
	page.values[slot], page.present[slot] = value, true
}

func (e *tableEdit[T]) remove(id index.ID) {
	if !e.table.has(id) {
		return
	}
	page, slot := e.own(uint64(id)/pageSize), uint64(id)%pageSize
	var zero T
	page.values[slot], page.present[slot] = zero, false
	e.table.count--
}
