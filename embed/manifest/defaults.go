package manifest

// What an int8 model must keep of its float32 form.
const (
	// Cosines of the parts and of the text vectors, as the performance targets ask.
	leastMeanCosine  = 0.998
	leastWorstCosine = 0.99
	// mostMatchLoss is how far a pair's margin, its logit for a match less its other one, may move, as a share of how far
	// apart the margins of the sample pairs lie: one in twenty leaves the order of pairs that differ. Models of random
	// weights lose 1 to 3 %.
	mostMatchLoss = 0.05
	// heldMatchDifference is a change of the margin that is always allowed: it moves a probability by 0.0125 at most.
	// Without it, a model whose logits hardly depend on the pair would fail by the noise of its rounding.
	heldMatchDifference = 0.05
	// mostMatchDifference is how far a logit may move in a model of an earlier version, whose spread was not measured: a
	// twentieth of the spread that the built-in model has, about.
	mostMatchDifference = 1
	// mostProbabilityDifference is how far a pair's probability of matching may move.
	mostProbabilityDifference = 0.1
	// mostCaptionLoss and heldCaptionDifference are the same for the log-probability of a caption's next token, of which
	// unlikely tokens decide nothing.
	mostCaptionLoss       = 0.1
	heldCaptionDifference = 0.1
)

// leastSpeedup is how many times as fast as float32 an int8 model should be at least; less is not worth what it loses.
const leastSpeedup = 1.1

// mostDivergence is how far a language model's next-token distributions may lie from float32's, in nats on average:
// texts that are likely stay likely, and greedy ones may part where two tokens are nearly as likely as each other.
const mostDivergence = 0.1

// maximumBytes bounds what is read as a manifest.
const maximumBytes = 4 << 20
