package index

import "time"

// ThumbnailSide is the longest side of a thumbnail, in pixels, and
// ThumbnailQuality its JPEG quality.
const (
	ThumbnailSide    = 320
	ThumbnailQuality = 82
)

// KeptFor is how long the library keeps what people gave a picture whose last
// file has gone.
const KeptFor = 90 * 24 * time.Hour
