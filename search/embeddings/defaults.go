package embeddings

// What one request may ask for.
const (
	MaximumTexts      = 100
	MaximumRecords    = 20
	MaximumCharacters = 2_000
)
