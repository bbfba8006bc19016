package queries

import "time"

// overlaySide is the side in pixels of a map that is laid over a picture.
const overlaySide = 256

// fewHits is how many hits are few, so that a query with a word that the library lacks may have been meant otherwise.
const fewHits = 3

// batchTime bounds the searches of a batch together; those that it does not reach are answered with a problem.
const batchTime = 90 * time.Second
