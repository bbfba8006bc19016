package ask

// The defaults of [Options].
const (
	defaultStateBytes    = 64 << 20
	defaultAnswerEntries = 1 << 16
	defaultBatch         = 8
)

// MaximumSamples is how many captions a [CaptionWriter] draws of a prompt at most.
const MaximumSamples = 32

// How captions are written: the likeliest as BLIP-2's published ones were, samples by drawing, the same each time.
const (
	captionBeams      = 5
	captionTokens     = 30   // at most
	captionFewest     = 8    // tokens of the likeliest
	captionRepetition = 1.15 // penalty
	sampleFewest      = 4    // tokens of a sample
	sampleSeed        = 1
)

// Limits of what is asked.
const (
	// MaximumQuestion is the longest question and the longest template, in characters.
	MaximumQuestion = 1000
	// maximumTurns is the longest history; of a longer one the last turns are read.
	maximumTurns = 32
	// maximumAnswer is how many characters of an answer of a history are read.
	maximumAnswer = 1000
)
