package bench

import "time"

// rest is how long a process is watched that has nothing to do.
const rest = time.Second

// Sizes of what is measured of a second stage.
const (
	answerTokens = 10
	manyAnswers  = 8
	shortAnswer  = 3 // tokens
	choices      = 4
)

// fewest is how many runs a figure has at least, after one that is not counted.
const fewest = 3

// Sizes of what is measured.
const (
	pictureWidth, pictureHeight = 1024, 768
	manyTexts                   = 16
	manyPairs                   = 8
	captionLength               = 20
)
