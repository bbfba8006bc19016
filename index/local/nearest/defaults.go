package nearest

// KeptVectors is the number of vectors up to which an index keeps them in full
// precision: at width 256, 33 MB. Beyond, only their codes are kept, and the few that a
// search scores exactly are read from the segments (BenchmarkDecodeVectors). A library that
// grows beyond lets go of the vectors.
const KeptVectors = 32_000

// BuiltAtOnce is the number of vectors up to which a graph or inverted lists are built while
// the first search waits, a second or two; beyond, in the background.
const BuiltAtOnce = 50_000

// readWindow is how many records' vectors are read at a time when there are many.
const readWindow = 512

// ReadAtOnce is the number of records whose vectors are read before any of them
// changes an index.
const ReadAtOnce = 4096

// openAttempts is how often a file of codes is looked for that other processes replace meanwhile.
const openAttempts = 3

// mostThreads is how many goroutines scan vectors in one exact search at most.
const mostThreads = 16
