// Package decode chooses the tokens that a language model writes, by one loop
// for captions and answers: greedy, beam search as Hugging Face transformers
// does it, and nucleus sampling.
package decode

// Method says how tokens are chosen among all texts.
type Method string

// The methods.
const (
	Greedy  Method = "greedy"  // the likeliest token each time
	Beam    Method = "beam"    // the likeliest of several hypotheses kept side by side
	Nucleus Method = "nucleus" // drawn from the likeliest tokens
)

// Options says how a text is written. The zero value is greedy, at most 30 tokens.
type Options struct {
	// Method is Greedy when empty.
	Method Method `json:"method,omitempty"`
	// Beams is the number of hypotheses of Beam; 0 means 5, or Count if more.
	Beams int `json:"beams,omitempty"`
	// MinimumTokens is how many tokens there must be before the text may end.
	MinimumTokens int `json:"minimum_tokens,omitempty"`
	// MaximumTokens is the most tokens of a text, the ending one counted, those of the
	// prompt not; 0 means 30.
	MaximumTokens int `json:"maximum_tokens,omitempty"`
	// LengthPenalty is the power of the length by which Beam divides a hypothesis's
	// log-probability; nil means 1, the mean. Below 0 short texts are preferred.
	LengthPenalty *float64 `json:"length_penalty,omitempty"`
	// Temperature divides the logits that Nucleus draws by; 0 means 1.
	Temperature float64 `json:"temperature,omitempty"`
	// TopP is the probability that Nucleus draws from; 0 means 0.9.
	TopP float64 `json:"top_p,omitempty"`
	// RepetitionPenalty divides the positive logits and multiplies the negative ones of
	// tokens that were written before (arXiv 1909.05858); 0 and 1 mean none.
	RepetitionPenalty float64 `json:"repetition_penalty,omitempty"`
	// NoRepeat forbids a sequence of this many tokens to occur twice; 0 allows it.
	NoRepeat int `json:"no_repeat,omitempty"`
	// Count is the number of texts for each prompt; 0 means 1.
	Count int `json:"count,omitempty"`
	// Seed makes Nucleus's draws repeatable.
	Seed uint64 `json:"seed,omitempty"`
}
