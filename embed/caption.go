package embed

import (
	"context"
	"errors"
	"fmt"

	"mekiki/embed/manifest"
)

// Method says how captions are chosen among all texts.
type Method string

// The methods.
const (
	Greedy  Method = "greedy"  // the likeliest token each time
	Beam    Method = "beam"    // the likeliest of several hypotheses kept side by side
	Nucleus Method = "nucleus" // drawn from the likeliest tokens
)

// CaptionOptions says how captions are written. The zero value is greedy, at most
// 30 tokens.
type CaptionOptions struct {
	// Method is Greedy when empty.
	Method Method
	// Beams is the number of hypotheses of Beam; 0 means 3, or Count if more.
	Beams int
	// MinimumLength is how many tokens, the starting one counted, there must be
	// before a caption may end; LAVIS takes 10.
	MinimumLength int
	// MaximumLength is the most tokens of a caption, the starting and the
	// ending one counted; 0 means 30.
	MaximumLength int
	// LengthPenalty is the power of the length by which Beam divides a
	// hypothesis's log-probability: 0 means 1, the mean; a negative value means no
	// division.
	LengthPenalty float64
	// TopP is the probability that Nucleus draws from; 0 means 0.9.
	TopP float64
	// RepetitionPenalty divides the positive logits and multiplies the negative
	// ones of tokens that were used (arXiv 1909.05858); 0 and 1 mean none.
	RepetitionPenalty float64
	// NoRepeat forbids a sequence of this many tokens to occur twice; 0 allows it.
	NoRepeat int
	// Count is the number of captions for each image; 0 means 1. Greedy gives one,
	// Beam at most Beams, Nucleus may draw fewer different ones.
	Count int
	// Seed makes Nucleus's draws repeatable.
	Seed uint64
}

func (o CaptionOptions) withDefaults() CaptionOptions {
	if o.Method == "" {
		o.Method = Greedy
	}
	if o.Count == 0 {
		o.Count = 1
	}
	if o.Beams == 0 {
		o.Beams = max(3, o.Count)
	}
	if o.MaximumLength == 0 {
		o.MaximumLength = 30
	}
	if o.LengthPenalty == 0 {
		o.LengthPenalty = 1
	}
	o.LengthPenalty = max(0, o.LengthPenalty)
	if o.TopP == 0 {
		o.TopP = 0.9
	}
	if o.RepetitionPenalty == 0 {
		o.RepetitionPenalty = 1
	}
	return o
}

// maximumHypotheses bounds the rows that one image decodes side by side.
const maximumHypotheses = 64

// Validate reports everything that is wrong with the options.
func (o CaptionOptions) Validate() error {
	o = o.withDefaults()
	var problems []error
	within := func(what string, value, least, most int) {
		if value < least || value > most {
			problems = append(problems, fmt.Errorf("%s is %d, not between %d and %d", what, value, least, most))
		}
	}
	switch o.Method {
	case Greedy:
		within("the number of greedy captions", o.Count, 1, 1)
	case Beam:
		within("the number of beams", o.Beams, 1, maximumHypotheses)
		within("the number of captions", o.Count, 1, o.Beams)
	case Nucleus:
		within("the number of captions", o.Count, 1, maximumHypotheses)
	default:
		problems = append(problems, fmt.Errorf("unknown caption method %q: choose greedy, beam or nucleus", o.Method))
	}
	within("the maximum length", o.MaximumLength, 2, 512)
	within("the minimum length", o.MinimumLength, 0, o.MaximumLength)
	within("the sequence not to repeat", o.NoRepeat, 0, o.MaximumLength)
	if !(o.TopP > 0 && o.TopP <= 1) {
		problems = append(problems, fmt.Errorf("top p is %g, not above 0 and at most 1", o.TopP))
	}
	if !(o.RepetitionPenalty >= 1 && o.RepetitionPenalty <= 100) {
		problems = append(problems, fmt.Errorf("the repetition penalty is %g, not between 1 and 100", o.RepetitionPenalty))
	}
	if !(o.LengthPenalty <= 10) {
		problems = append(problems, fmt.Errorf("the length penalty is %g, more than 10", o.LengthPenalty))
	}
	return errors.Join(problems...)
}

// Captions writes captions of one image, the likeliest first. The model must have
// a caption head; see Capabilities.
func (e *Engine) Captions(ctx context.Context, tokens ImageTokens, options CaptionOptions) ([]Caption, error) {
	all, err := e.CaptionImages(ctx, []ImageTokens{tokens}, options)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// CaptionImages writes captions of several images, decoding them side by side,
// which costs less than one after the other. Result i belongs to tokens[i].
func (e *Engine) CaptionImages(ctx context.Context, tokens []ImageTokens, options CaptionOptions) ([][]Caption, error) {
	if err := options.Validate(); err != nil {
		return nil, fmt.Errorf("captions: %w", err)
	}
	options = options.withDefaults()
	if !e.Capabilities().Caption {
		return nil, fmt.Errorf("captions: %w", ErrNoCaptions)
	}
	options.MaximumLength = min(options.MaximumLength, e.description.MaximumTokens)
	options.MinimumLength = min(options.MinimumLength, options.MaximumLength)
	done, err := e.begin()
	if err != nil {
		return nil, err
	}
	defer done()
	results := make([][]Caption, len(tokens))
	group := captionGroup(options)
	for from := 0; from < len(tokens); from += group {
		to := min(from+group, len(tokens))
		err := e.one(ctx, from, func(ctx context.Context, _ int) error {
			return e.captionGroup(ctx, tokens[from:to], options, results[from:to])
		})
		if err != nil {
			return nil, fmt.Errorf("captions: %w", err)
		}
	}
	return results, nil
}

// captionRows is how many hypotheses are decoded side by side at most, of all
// images together: a step reads every weight once, however many rows it has.
const captionRows = 32

func captionGroup(options CaptionOptions) int {
	rows := 1
	switch options.Method {
	case Beam:
		rows = options.Beams
	case Nucleus:
		rows = options.Count
	}
	return max(1, captionRows/rows)
}

func (e *Engine) captionGroup(ctx context.Context, tokens []ImageTokens, options CaptionOptions, results [][]Caption) error {
	model, err := e.startCaptions(ctx, tokens)
	if err != nil {
		return err
	}
	special := e.tokenizer.Special()
	limits := search{
		options: options, start: special.Start, end: special.End,
		vocabulary: e.vocabulary(),
	}
	found, err := limits.run(ctx, model, len(tokens))
	if err != nil {
		return err
	}
	for i, hypotheses := range found {
		results[i] = e.captions(hypotheses, options.Count)
	}
	return nil
}

// captions turns hypotheses into at most count different texts.
func (e *Engine) captions(hypotheses []hypothesis, count int) []Caption {
	var list []Caption
	seen := map[string]bool{}
	for _, hypothesis := range hypotheses {
		text := e.tokenizer.Decode(hypothesis.tokens)
		if seen[text] || len(list) == count {
			continue
		}
		seen[text] = true
		list = append(list, Caption{
			Text: text, LogProbability: float32(hypothesis.logProbability), Tokens: len(hypothesis.tokens) - 1,
		})
	}
	return list
}

// startCaptions computes what the decoder keeps of each image.
func (e *Engine) startCaptions(ctx context.Context, tokens []ImageTokens) (*captionModel, error) {
	start, err := e.graphs[manifest.CaptionStartFile].open(ctx, e)
	if err != nil {
		return nil, err
	}
	step, err := e.graphs[manifest.CaptionStepFile].open(ctx, e)
	if err != nil {
		return nil, err
	}
	model := &captionModel{session: step, vocabulary: e.vocabulary()}
	for i, image := range tokens {
		input, err := e.tokenTensor(image)
		if err != nil {
			return nil, fmt.Errorf("image %d: %w", i, err)
		}
		outputs, err := start.Run(ctx, input)
		if err != nil {
			return nil, err
		}
		model.add(outputs)
	}
	return model, nil
}
