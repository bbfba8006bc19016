package segment

// DefaultLimit is the size beyond which a segment is not appended to.
const DefaultLimit = 512 << 20

// unitTolerance is how far a vector's length may be from one.
const unitTolerance = 0.02
