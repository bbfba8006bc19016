package datasets

// Limits of annotation files.
const (
	maximumAnnotationBytes = 1 << 30
	maximumImages          = 1_000_000
	maximumCaptions        = 100
	maximumCaptionBytes    = 4096
)

// maximumQueryBytes bounds a file of queries.
const maximumQueryBytes = 64 << 20

// Limits of questions.
const (
	maximumQuestions = 2_000_000
	maximumAnswers   = 100
)
