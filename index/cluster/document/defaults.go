package document

// maximumText and maximumStrings bound a record: bytes of its text, and its tags, fields,
// captions and keywords.
const (
	maximumText    = 1 << 20
	maximumStrings = 100_000
)
