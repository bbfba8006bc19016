package metadata

import "time"

// maxOffset is how far a zone is from UTC.
const maxOffset = 14 * time.Hour

// MaxSidecarBytes is how much of a sidecar is read.
const MaxSidecarBytes = 4 << 20

// Bounds of what is read of a file.
const (
	maxBlocks        = 64      // of a kind in one file
	maxBlockBytes    = 8 << 20 // of EXIF, IPTC or XMP; of XMP in all blocks together
	maxTextBytes     = 1 << 16 // of one text, before it is cleaned
	maxLevels        = 32      // of a keyword
	maxSegments      = 4096    // of a container
	maxDirectoryTags = 2000    // of an EXIF directory
	maxDatasets      = 4000    // of an IPTC block
	maxNodes         = 50_000  // of an XMP packet
	maxDepth         = 64      // of elements in an XMP packet
	maxInflatedBytes = 4 << 20 // of compressed text in a PNG
	maxJSONDepth     = 64      // of a JSON text
)

// Bounds of what is kept of a picture, in bytes and values.
const (
	maxShortText = 500
	maxLongText  = 8000
	maxKeyword   = 200
	maxKeywords  = 200
	maxPeople    = 100
)

// nameTolerance is how much later than its last change a picture may say it was taken:
// clocks of different zones.
const nameTolerance = 36 * time.Hour

// Google Takeout cuts the name of a JSON file, without ".json" and without the number of
// a second picture of one name, so that with ".json" it has 51 characters.
const (
	takeoutCut          = 46
	takeoutCutTolerance = 1
)
