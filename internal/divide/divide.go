// Package divide finds the first so many of many without putting all in order.
package divide

import "slices"

// At puts that item at a position that would be there if all were in order, and none before it that belongs behind it, nor
// the other way round. It looks at each item only a few times, where ordering them would look at each the more often the more
// there are (Hoare, Algorithm 65: Find, 1961).
func At[T any](items []T, position int, compare func(a, b T) int) {
	for range mostDivisions {
		if len(items) <= undivided {
			break
		}
		split := partition(items, compare)
		switch {
		case split == position:
			return
		case split > position:
			items = items[:split]
		default:
			items, position = items[split+1:], position-split-1
		}
	}
	slices.SortFunc(items, compare)
}

// partition parts at least three items at one of them, and gives where it is then: those that belong before it are before it.
func partition[T any](items []T, compare func(a, b T) int) int {
	middle, last := len(items)/2, len(items)-1
	for _, pair := range [][2]int{{middle, last}, {0, last}, {middle, 0}} { // so that the middle one of three is the first
		if compare(items[pair[0]], items[pair[1]]) > 0 {
			items[pair[0]], items[pair[1]] = items[pair[1]], items[pair[0]]
		}
	}
	at, up, down := items[0], 1, last
	for {
		for up <= down && compare(items[up], at) < 0 {
			up++
		}
		for up <= down && compare(items[down], at) > 0 {
			down--
		}
		if up >= down {
			break
		}
		items[up], items[down] = items[down], items[up]
		up++
		down--
	}
	items[0], items[down] = items[down], items[0]
	return down
}
