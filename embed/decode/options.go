package decode

import (
	"errors"
	"fmt"
)

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
	// Count is the number of texts for each prompt; 0 means 1. Greedy gives one, Beam
	// at most Beams, Nucleus may draw fewer different ones.
	Count int `json:"count,omitempty"`
	// CountPrompt makes the tokens of the prompt count as written for RepetitionPenalty and NoRepeat, as transformers does
	// and LAVIS does not. Of T5, which reads the prompt elsewhere, it changes nothing.
	CountPrompt bool `json:"count_prompt,omitempty"`
	// Seed makes Nucleus's draws repeatable.
	Seed uint64 `json:"seed,omitempty"`
}

// WithDefaults returns the options with their defaults in place of zero values.
func (o Options) WithDefaults() Options {
	if o.Method == "" {
		o.Method = Greedy
	}
	if o.Count == 0 {
		o.Count = 1
	}
	if o.Beams == 0 {
		o.Beams = max(defaultBeams, o.Count)
	}
	if o.MaximumTokens == 0 {
		o.MaximumTokens = defaultMaximumTokens
	}
	if o.LengthPenalty == nil {
		penalty := defaultLengthPenalty
		o.LengthPenalty = &penalty
	}
	if o.Temperature == 0 {
		o.Temperature = 1
	}
	if o.TopP == 0 {
		o.TopP = defaultTopP
	}
	if o.RepetitionPenalty == 0 {
		o.RepetitionPenalty = 1
	}
	return o
}

// Rows is the number of hypotheses that a prompt's texts take side by side.
func (o Options) Rows() int {
	o = o.WithDefaults()
	switch o.Method {
	case Beam:
		return o.Beams
	case Nucleus:
		return o.Count
	}
	return 1
}

// Validate reports everything that is wrong with the options.
func (o Options) Validate() error {
	o = o.WithDefaults()
	var problems []error
	whole := func(what string, value, least, most int) {
		if value < least || value > most {
			problems = append(problems, fmt.Errorf("%s is %d, not between %d and %d", what, value, least, most))
		}
	}
	number := func(what string, value, least, most float64) {
		if !(value >= least && value <= most) {
			problems = append(problems, fmt.Errorf("%s is %g, not between %g and %g", what, value, least, most))
		}
	}
	switch o.Method {
	case Greedy:
		whole("the number of greedy texts", o.Count, 1, 1)
	case Beam:
		whole("the number of beams", o.Beams, 1, maximumRows)
		whole("the number of texts", o.Count, 1, o.Beams)
	case Nucleus:
		whole("the number of texts", o.Count, 1, maximumRows)
	default:
		problems = append(problems, fmt.Errorf("unknown method %q: choose greedy, beam or nucleus", o.Method))
	}
	whole("the most tokens", o.MaximumTokens, 1, MostTokens)
	whole("the fewest tokens", o.MinimumTokens, 0, o.MaximumTokens)
	whole("the sequence not to repeat", o.NoRepeat, 0, o.MaximumTokens)
	number("the temperature", o.Temperature, leastTemperature, mostTemperature)
	if !(o.TopP > 0 && o.TopP <= 1) {
		problems = append(problems, fmt.Errorf("top p is %g, not above 0 and at most 1", o.TopP))
	}
	number("the repetition penalty", o.RepetitionPenalty, 1, mostRepetitionPenalty)
	number("the length penalty", *o.LengthPenalty, -mostLengthPenalty, mostLengthPenalty)
	return errors.Join(problems...)
}
