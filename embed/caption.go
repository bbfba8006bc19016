package embed

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"mekiki/embed/decode"
	"mekiki/embed/manifest"
)

// Method says how captions are chosen among all texts.
type Method = decode.Method

// The methods.
const (
	Greedy  = decode.Greedy  // the likeliest token each time
	Beam    = decode.Beam    // the likeliest of several hypotheses kept side by side
	Nucleus = decode.Nucleus // drawn from the likeliest tokens
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

// search returns the options as those of the loop that writes all texts, whose lengths do not count the starting token.
func (o CaptionOptions) search() decode.Options {
	if o.Beams == 0 {
		o.Beams = max(captionBeams, o.Count)
	}
	if o.MaximumLength == 0 {
		o.MaximumLength = captionMaximumLength
	}
	if o.LengthPenalty == 0 {
		o.LengthPenalty = 1
	}
	penalty := max(0, o.LengthPenalty)
	return decode.Options{
		Method: o.Method, Beams: o.Beams, MinimumTokens: max(0, o.MinimumLength-1), MaximumTokens: o.MaximumLength - 1,
		LengthPenalty: &penalty, TopP: o.TopP, RepetitionPenalty: o.RepetitionPenalty, NoRepeat: o.NoRepeat, Count: o.Count, Seed: o.Seed,
	}.WithDefaults()
}

// Validate reports everything that is wrong with the options.
func (o CaptionOptions) Validate() error {
	var problems []error
	length := o.MaximumLength
	if length == 0 {
		length = captionMaximumLength
	}
	if length < 2 || length > decode.MostTokens {
		problems = append(problems, fmt.Errorf("the maximum length is %d, not between 2 and %d", length, decode.MostTokens))
	}
	if o.MinimumLength < 0 || o.MinimumLength > length {
		problems = append(problems, fmt.Errorf("the minimum length is %d, not between 0 and %d", o.MinimumLength, length))
	}
	if len(problems) > 0 { // so that nothing is said twice, in other words
		o.MinimumLength, o.MaximumLength = 0, 0
	}
	return errors.Join(append(problems, o.search().Validate())...)
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
	if !e.model.Capabilities().Caption {
		return nil, fmt.Errorf("captions: %w", ErrNoCaptions)
	}
	search := options.search()
	search.MaximumTokens = min(search.MaximumTokens, e.model.Description.MaximumTokens-1)
	search.MinimumTokens = min(search.MinimumTokens, search.MaximumTokens)
	done, err := e.model.Begin()
	if err != nil {
		return nil, err
	}
	defer done()
	results := make([][]Caption, len(tokens))
	group := max(1, captionRows/search.Rows())
	for from := 0; from < len(tokens); from += group {
		to := min(from+group, len(tokens))
		err := e.model.One(ctx, from, func(ctx context.Context, _ int) error {
			return e.captionGroup(ctx, tokens[from:to], search, results[from:to])
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

func (e *Engine) captionGroup(ctx context.Context, tokens []ImageTokens, options decode.Options, results [][]Caption) error {
	model, err := e.startCaptions(ctx, tokens)
	if err != nil {
		return err
	}
	special := e.tokenizer.Special()
	before := slices.Repeat([][]int64{{special.Start}}, len(tokens))
	first, err := model.Step(ctx, slices.Repeat([]int64{special.Start}, len(tokens)))
	if err != nil {
		return err
	}
	search := decode.Search{Vocabulary: e.vocabulary(), End: []int64{special.End}, Before: before, PenalizeLogits: true}
	found, err := search.Run(ctx, model, first, options)
	if err != nil {
		return err
	}
	for i, hypotheses := range found {
		results[i] = e.captions(hypotheses, options.Count)
	}
	return nil
}

// captions turns hypotheses into at most count different texts.
func (e *Engine) captions(hypotheses []decode.Hypothesis, count int) []Caption {
	var list []Caption
	seen := map[string]bool{}
	for _, hypothesis := range hypotheses {
		text := e.tokenizer.Decode(hypothesis.Tokens)
		if seen[text] || len(list) == count {
			continue
		}
		seen[text] = true
		list = append(list, Caption{
			Text: text, LogProbability: float32(hypothesis.LogProbability), Tokens: len(hypothesis.Tokens),
		})
	}
	return list
}

// startCaptions computes what the decoder keeps of each image.
func (e *Engine) startCaptions(ctx context.Context, tokens []ImageTokens) (*captionModel, error) {
	start, err := e.model.Graphs[manifest.CaptionStartFile].Open(ctx, e.model)
	if err != nil {
		return nil, err
	}
	step, err := e.model.Graphs[manifest.CaptionStepFile].Open(ctx, e.model)
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
