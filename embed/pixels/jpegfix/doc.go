// Package jpegfix mends a JPEG that ends early, or has damage in the middle, so that
// the standard decoder reads it: what was coded stays, and what is missing of a scan
// becomes grey, which is what libjpeg shows. The coded data is gone through symbol by
// symbol to find where it stops making sense; nothing is decoded here.
package jpegfix
