package duplicates

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
	// aspectTolerance is how far two widths may differ at one height: the
	// perceptual hash itself knows no aspect.
	aspectTolerance = 0.03
)
