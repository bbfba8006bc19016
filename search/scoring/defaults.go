package scoring

// The policies of scoring.
const (
	// defaultName is the log-odds that a picture is meant whose names have every word of
	// the query, where no fit has measured it: a probability of 0.97.
	defaultName = 3.5

	// Certain is the log-odds of what needs no judging, and the bound of those that
	// probabilities become.
	Certain = 40

	// surprisePrior is how many pictures that ITM answers as expected are taken for read
	// before any is.
	surprisePrior = 4
)
