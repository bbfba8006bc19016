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

// TrashedFor is how long a record stays in the trash.
const TrashedFor = 30 * 24 * time.Hour

// Limits of what people give: bytes of a title, of a description, of a name and of a saved
// search, collections and people of one record, and saved searches.
const (
	MaximumTitle       = 4000
	MaximumDescription = 64 << 10
	MaximumName        = 1024
	MaximumQuery       = 16 << 10
	MaximumCollections = 1000
	MaximumPeople      = 1000
	MaximumSearches    = 1000
)

// Limits of the words in one picture: lines, and bytes of all of them.
const (
	MaximumOCRLines = 1000
	MaximumOCRBytes = 64 << 10
)
