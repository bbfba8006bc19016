// Package nearname finds the name that was meant by a mistyped one: "buckt" is "bucket".
package nearname

// furthest is how many letters may be wrong.
const furthest = 2

// Nearest gives the name within two edits of word, the first of the nearest, or "". A name
// must have more letters than were wrong.
func Nearest(word string, names []string) string {
	best, distance := "", furthest+1
	for _, name := range names {
		if d := edits(word, name); d < distance && d < len(name) {
			best, distance = name, d
		}
	}
	return best
}

// edits is the Levenshtein distance of two short words.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		previous := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := previous
			if a[i] != b[j] {
				cost++
			}
			previous = row[j+1]
			row[j+1] = min(cost, row[j]+1, previous+1)
		}
	}
	return row[len(b)]
}
