package decode

// MostTokens is the most tokens that one text may have: what a language model
// keeps of a text grows with it.
const MostTokens = 512

const (
	// What BLIP-2 is evaluated with.
	defaultBeams         = 5
	defaultMaximumTokens = 30
	defaultLengthPenalty = 1.0
	defaultTopP          = 0.9
	// maximumRows bounds the hypotheses of one prompt.
	maximumRows = 64
	// Bounds of what divides and multiplies: beyond them the results say nothing.
	mostLengthPenalty     = 10
	mostRepetitionPenalty = 100
	leastTemperature      = 0.01
	mostTemperature       = 100
)

// mostForbidden is the probability of forbidden words up to which the total of the others is told from the total of all.
const mostForbidden = 0.5

// parallelLogits is how many logits there must be for their rows to be scored at the same time: they take half a millisecond.
const parallelLogits = 100_000
