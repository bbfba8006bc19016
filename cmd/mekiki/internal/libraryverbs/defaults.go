package libraryverbs

// restoredAtOnce is how many records a server is asked to restore in one commit.
const restoredAtOnce = 10_000

// maximumKey bounds a file with an API key.
const maximumKey = 4096

// remapBatch is how many paths one commit rewrites.
const remapBatch = 1000

// removalsAtOnce is how many removals a server is sent at once: with the longest paths that systems allow, they fit its
// largest body.
const removalsAtOnce = 200

// lowestPriority is the nice value that --nice gives on Unix.
const lowestPriority = 19
