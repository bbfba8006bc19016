package scoring

// Verdict is what a calibrated probability means to a reader.
type Verdict string

// The verdicts.
const (
	VerdictStrong Verdict = "strong"
	VerdictWeak   Verdict = "weak"
	VerdictNone   Verdict = "none"
)
