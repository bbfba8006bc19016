package limits

// What one record may hold: bytes of its text, and how many tags, fields, captions and keywords. They are far above what pictures
// and their metadata come with, and keep a mistake from filling a library.
const (
	maximumText    = 1 << 20
	maximumStrings = 4096
)
