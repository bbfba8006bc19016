package lookup

// Limits of a lookup.
const (
	maximumLabels          = 10_000
	maximumLabelCharacters = 1000
	// lookupWindow is the number of the library's texts that are considered,
	// and captionNeighbours the number of like pictures whose captions are.
	lookupWindow      = 256
	captionNeighbours = 48
)
