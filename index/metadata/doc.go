// Package metadata reads what a picture says about itself and what the files beside it
// say of it, and makes one [index.Metadata] of that.
//
//	bytes of a file --> container (JPEG, PNG, WebP, GIF, TIFF and raw, HEIC, JPEG XL)
//	                      --> blocks: EXIF, IPTC, XMP, text
//	sidecars        -->   --> blocks: XMP, Google Takeout's JSON
//	name of a file  -->   --> a date
//	                                 --> one index.Metadata, in an order of trust
//
// docs/metadata.md says which field comes from where. Nothing here fails: what cannot
// be read is left out, and what was understood besides it counts. Every length that a
// file states is compared with the bytes that are there before it is used, nothing is
// read twice without a bound, and no goroutine is started.
package metadata

// Version is that of the reader: records that hold what a lower one read are read
// again.
const Version = 1

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

// earliestYear is that of the oldest photograph that is left.
const earliestYear = 1826
