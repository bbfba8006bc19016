// Package plural writes numbers of things: 1 file, 2 files, 0 entries.
package plural

import "fmt"

// Count gives a number and the noun that goes with it: one for 1, many for all
// others, 0 included.
func Count[N ~int | ~int64 | ~uint64](n N, one, many string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, one)
	}
	return fmt.Sprintf("%d %s", n, many)
}
