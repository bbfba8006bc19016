package modelverbs

// textBatch is how many texts are embedded together.
const textBatch = 64

// Largest differences from published values, which were printed with four digits and computed from images that another
// program decoded.
const (
	goldenTolerance     = 0.005
	goldenToleranceInt8 = 0.03
)
