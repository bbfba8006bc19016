// Package sorted goes through maps in the order of their keys, so that what is
// said of their entries reads the same every time.
package sorted

import (
	"cmp"
	"iter"
	"maps"
	"slices"
)

// All gives the entries of a map in ascending order of their keys. The map must
// not lose entries meanwhile.
func All[K cmp.Ordered, V any](entries map[K]V) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for _, key := range slices.Sorted(maps.Keys(entries)) {
			if !yield(key, entries[key]) {
				return
			}
		}
	}
}
