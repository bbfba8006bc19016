package serververbs

import "time"

// refreshInterval is how often a server that reads looks for what the writer wrote, and whether it is still there.
const refreshInterval = 2 * time.Second

// xmpQuiet is how long a library must not change before --write-xmp writes sidecars.
const xmpQuiet = 10 * time.Second

// maximumUpload is what --upload-mib and --upload-megapixels allow at most: no
// decoder reads more.
const maximumUpload = 4096

// maximumCache is what --token-cache-mib allows at most: a terabyte.
const maximumCache = 1 << 20

const (
	// maximumAnswering is more than the requests that a server admits.
	maximumAnswering = 1 << 20
	// changeWait is how long a change waits for requests to have their answer.
	changeWait = 30 * time.Second
)

// demoBatch is more than the images of the gallery: they are one commit.
const demoBatch = 1 << 10
