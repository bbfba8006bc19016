package duplicates

import "runtime"

// compareWorkers is how many processors compare pictures: the others are for those who search meanwhile.
func compareWorkers() int { return max(1, runtime.GOMAXPROCS(0)/2) }

const (
	// sceneLimit is the number of images, the newest first, that are compared for the same
	// scene: each costs a vector search.
	sceneLimit = 20_000
	// sceneNeighbours is the number of nearest images looked at for each.
	sceneNeighbours = 32
	// sceneRows is the number of an image's parts that ask for its neighbours.
	sceneRows = 4
	// scenePartsBytes bounds the vectors kept while scenes are compared: an image
	// is a neighbour of many.
	scenePartsBytes = 128 << 20
	// LeastKept is the least likeness of pairs that are kept once they were compared. What is asked for below it is compared
	// anew each time.
	LeastKept = 0.9
	// compareChunk is how many pictures are compared between two reports of progress, and with one snapshot; compareKept after
	// how many what was found is kept.
	compareChunk = 500
	compareKept  = 10_000
	// maximumPairs and maximumFile bound what is kept.
	maximumPairs = 8 << 20
	maximumFile  = 256 << 20
	// aspectTolerance is how far two widths may differ at one height: the
	// perceptual hash itself knows no aspect.
	aspectTolerance = 0.03
	// longestCursor bounds a cursor.
	longestCursor = 1024
)
