package nearest

import "mekiki/index/vector"

// KeptVectors is the number of vectors up to which an index keeps them in full
// precision: at width 256, 328 MB. Beyond, it is searched approximately, only their
// codes are kept, and the few that a search scores exactly are read from the
// segments. A library that grows beyond lets go of the vectors.
const KeptVectors = vector.ApproximateFrom

// readWindow is how many records' vectors are read at a time when there are many.
const readWindow = 512

// ReadAtOnce is the number of records whose vectors are read before any of them
// changes an index.
const ReadAtOnce = 4096
