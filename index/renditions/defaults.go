package renditions

import "time"

// Side is the longest side of a rendition, in pixels, and Quality the quality of its JPEG
// and of tiles.
const (
	Side    = 1600
	Quality = 85
)

// TileSide is the side of a tile, in pixels. Tiles do not overlap; those at the right and the
// bottom are smaller.
const TileSide = 512

// DefaultCacheBytes is what all renditions of a library may take on disk.
const DefaultCacheBytes = 2 << 30

// makeTime bounds the making of one rendition or pyramid, which goes on when whoever asked
// first has left: others may wait for it too.
const makeTime = 2 * time.Minute

// Bounds of a file of parts: of the number of parts, and of the length of one.
const (
	maximumParts = 1 << 16
	maximumPart  = 16 << 20
)

// memoryBytes is for pictures that cannot be kept on disk.
const memoryBytes = 64 << 20
