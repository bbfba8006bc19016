package askverbs

import (
	"github.com/spf13/pflag"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/embed/decode"
	"mekiki/search/ask"
)

// writing is the flags of how answers are written.
type writing struct {
	template string
	options  decode.Options
}

func (w *writing) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&w.template, "prompt", "", `text around the question, which {} stands for, as in "Question: {} Answer:" (default: the model's own)`)
	flags.StringVar((*string)(&w.options.Method), "method", string(decode.Greedy), "how words are chosen: greedy, beam or nucleus")
	flags.IntVar(&w.options.Beams, "beams", 0, "sentences that beam keeps side by side (0: 5)")
	flags.IntVar(&w.options.MaximumTokens, "max-tokens", 0, "largest number of tokens of an answer (0: 30)")
	flags.Float64Var(&w.options.Temperature, "temperature", 0, "how evenly nucleus draws (0: 1)")
	flags.Float64Var(&w.options.TopP, "top-p", 0, "total probability of the words that nucleus draws from (0: 0.9)")
	flags.Uint64Var(&w.options.Seed, "seed", 0, "seed that makes nucleus repeatable")
}

// check refuses flags that say nothing, before anything is opened.
func (w *writing) check() error {
	if err := w.options.Validate(); err != nil {
		return cli.UsageError("%w", err)
	}
	if err := w.question("?").Validate(); err != nil {
		return cli.UsageError("--prompt: %w", err)
	}
	return nil
}

func (w *writing) question(text string) ask.Question {
	return ask.Question{Text: text, Template: w.template, Decode: w.options}
}

// streams reports whether an answer can be shown while it is written.
func (w *writing) streams() bool { return w.options.Method != decode.Beam && w.options.Count <= 1 }
