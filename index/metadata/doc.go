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

// earliestYear is that of the oldest photograph that is left.
const earliestYear = 1826
