package captioning

import "time"

const (
	// accepted is the probability of image-text matching from which a caption is kept where a language model takes
	// part: it writes well of what is not there, too.
	accepted = 0.5
	// DefaultCandidates is how many captions the Q-Former's head writes of a picture unless told otherwise.
	DefaultCandidates = 3
	// recaptionBatch is the number of pictures in one commit.
	recaptionBatch = 8
	// missingCommit is how many pictures get their missing captions in one commit, and missingDelay how long a caption waits
	// for others: what a kill may cost.
	missingCommit = 64
	missingDelay  = 5 * time.Second
	// modelFailures is how many pictures in a row the model may fail on before that is taken to be its own fault.
	modelFailures = 5
	// passedName is the file, among what a library derives, of the pictures that get no caption, and maximumPassed what is
	// read of it.
	passedName    = "captions-passed"
	maximumPassed = 256 << 20
)
