package askverbs

// batch is how many pictures are asked together.
const batch = 8

// maximumLine bounds a line of the input, in bytes.
const maximumLine = 64 << 10
