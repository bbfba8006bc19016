// Package tombstones keeps which entries of an index were removed, in sets that never change:
//
//	none := tombstones.Set{}
//	one := none.With(7) // none is as before
package tombstones

// Set is an immutable set of numbers from zero on. The zero value is empty.
type Set struct {
	pages []*page
	count int
}

// page has a bit for each of 4,096 numbers.
type page [64]uint64

// Count is how many numbers there are.
func (s Set) Count() int { return s.count }

// Has reports whether a number is in the set.
func (s Set) Has(number int) bool {
	at := number >> 12
	return at < len(s.pages) && s.pages[at] != nil && s.pages[at][number>>6&63]>>(number&63)&1 == 1
}

// With is the set with one more number, which it does not have. The pages that do not change are shared.
func (s Set) With(number int) Set {
	at := number >> 12
	pages := make([]*page, max(len(s.pages), at+1))
	copy(pages, s.pages)
	fresh := &page{}
	if pages[at] != nil {
		*fresh = *pages[at]
	}
	fresh[number>>6&63] |= 1 << (number & 63)
	pages[at] = fresh
	return Set{pages, s.count + 1}
}
