package libraryverbs

// remapBatch is how many paths one commit rewrites.
const remapBatch = 1000

// removalsAtOnce is how many removals a server is sent at once: with the longest paths that systems allow, they fit its
// largest body.
const removalsAtOnce = 200
