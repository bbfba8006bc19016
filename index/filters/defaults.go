package filters

import "time"

// widestZone bounds how far a clock may be from UTC.
const widestZone = 24 * time.Hour

// widestCircle is the radius in kilometres up to which the keyword index looks for places:
// it takes a hundred times as long over 1,000 km as over one, and the records take the same.
const widestCircle = 50

// shortestBeginning is the length in bytes from which what is wanted may end within
// a word: one or two Latin letters begin too many.
const shortestBeginning = 3

// The least and the most that a picture can be rated.
const (
	leastRating = -1
	mostRating  = 5
)

// farthest is half way around the earth, in kilometres.
const farthest = 20040
