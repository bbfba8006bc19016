package runner

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"

	"mekiki/embed/manifest"
	"mekiki/embed/ort"
	"mekiki/embed/priority"
)

// Options says which model to open and how to run it.
type Options struct {
	// ModelDir is the folder of a compiled model.
	ModelDir string
	// Families are the architectures that the program knows.
	Families []manifest.Family
	// Runtime runs it; it must stay open as long as the Engine.
	Runtime *ort.Runtime
	// Threads bounds the threads that one image or text is computed with; 0
	// means one per usable processor.
	Threads int
	// Provider is the execution provider; "" is "cpu".
	Provider string
	// CleanTexts prepares texts as LAVIS does for training and evaluation (see
	// tokenize.CleanCaption) before they are read. Hugging Face's processor does
	// not.
	CleanTexts bool
	// MaximumTokens truncates texts, special tokens counted; 0 means what the
	// model's positions allow. LAVIS evaluates with 35.
	MaximumTokens int
	// Turns decides who computes first, for engines that share a machine: give all of them the same one. Nil means that
	// the engine shares its turns with none.
	Turns *priority.Turns
	// Logger receives what was opened and how long it took; nil discards it.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	if o.Turns == nil {
		o.Turns = &priority.Turns{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Validate reports everything that is wrong with the options.
func (o Options) Validate() error {
	var problems []error
	if o.ModelDir == "" {
		problems = append(problems, errors.New("no model folder"))
	}
	if len(o.Families) == 0 {
		problems = append(problems, errors.New("no families of models"))
	}
	if o.Runtime == nil {
		problems = append(problems, errors.New("no runtime"))
	}
	if o.Threads < 0 {
		problems = append(problems, fmt.Errorf("threads must not be negative: %d", o.Threads))
	}
	if o.MaximumTokens != 0 && o.MaximumTokens < 3 {
		problems = append(problems, fmt.Errorf("texts need at least 3 tokens, not %d", o.MaximumTokens))
	}
	return errors.Join(problems...)
}
