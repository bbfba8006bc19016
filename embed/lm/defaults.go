package lm

// readingRows is how many rows a step computes while it reads its weights from memory: one of fewer rows takes as long. Measured
// with 61 MB of weights in 8 bits, see docs/measurements/models.md.
const readingRows = 6
