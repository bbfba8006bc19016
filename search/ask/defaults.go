package ask

// The defaults of [Options].
const (
	defaultStateBytes    = 64 << 20
	defaultAnswerEntries = 1 << 16
	defaultBatch         = 8
)

// Limits of what is asked.
const (
	// maximumQuestion is the longest question and the longest template, in characters.
	maximumQuestion = 1000
	// maximumTurns is the longest history; of a longer one the last turns are read.
	maximumTurns = 32
	// maximumAnswer is how many characters of an answer of a history are read.
	maximumAnswer = 1000
)
