package bench

import (
	"context"
	"slices"
	"strings"
	"time"

	"mekiki/embed"
	"mekiki/embed/blip2"
	"mekiki/embed/pixels"
)

// Figure is how long one item takes. Times are in seconds.
type Figure struct {
	Runs   int     `json:"runs"`
	Median float64 `json:"median_seconds"`
	Least  float64 `json:"least_seconds"`
	// Processor is the processor time of one item, all threads together; 0 where
	// the system does not tell.
	Processor float64 `json:"processor_seconds"`
	PerSecond float64 `json:"per_second"` // items a second, from the median
}

// fewest is how many runs a figure has at least, after one that is not counted.
const fewest = 3

// time measures do, which handles the given number of items.
func (o Options) time(ctx context.Context, name string, items float64, do func() error) (Figure, error) {
	o.Progress("measure: " + name)
	if err := do(); err != nil {
		return Figure{}, err
	}
	var times []float64
	used, started := processorTime(), time.Now()
	for len(times) < fewest || time.Since(started) < o.Least {
		if err := ctx.Err(); err != nil {
			return Figure{}, err
		}
		begun := time.Now()
		if err := do(); err != nil {
			return Figure{}, err
		}
		times = append(times, time.Since(begun).Seconds()/items)
	}
	used = processorTime() - used
	slices.Sort(times)
	median := times[len(times)/2]
	return Figure{
		Runs: len(times), Median: median, Least: times[0],
		Processor: used.Seconds() / float64(len(times)) / items, PerSecond: 1 / median,
	}, nil
}

// Sizes of what is measured.
const (
	pictureWidth, pictureHeight = 1024, 768
	manyTexts                   = 16
	manyPairs                   = 8
	captionLength               = 20
)

// figures measures everything that the engine does.
func (o Options) figures(ctx context.Context, engine *embed.Engine, result *Result) error {
	picture, err := drawPicture()
	if err != nil {
		return err
	}
	images := []*pixels.Image{picture}
	tokens, err := engine.ImageTokens(ctx, images)
	if err != nil {
		return err
	}
	manyTokens := copies(tokens[0], manyPairs)
	text := []string{strings.TrimSpace(strings.Repeat("a ", 10))} // 12 tokens with [CLS] and [SEP]
	steps := []struct {
		figure *Figure
		name   string
		items  float64
		do     func() error
	}{
		{&result.Image, "an image", 1, func() error {
			tokens, err := engine.ImageTokens(ctx, images)
			if err == nil {
				_, err = engine.ImageParts(ctx, tokens)
			}
			return err
		}},
		{&result.Parts, "the image transformer", 1, func() error { _, err := engine.ImageParts(ctx, tokens); return err }},
		{&result.Text, "a text", 1, func() error { _, err := engine.TextVectors(ctx, text); return err }},
		{&result.Texts, "texts together", manyTexts, func() error {
			_, err := engine.TextVectors(ctx, slices.Repeat(text, manyTexts))
			return err
		}},
		{&result.Match, "a match", 1, func() error { _, err := engine.Match(ctx, tokens[0], text); return err }},
		{&result.Matches, "matches together", manyPairs, func() error {
			_, err := engine.MatchPairs(ctx, manyTokens, text)
			return err
		}},
		{&result.OneImage, "matches of one image", manyPairs, func() error {
			_, err := engine.Match(ctx, tokens[0], slices.Repeat(text, manyPairs))
			return err
		}},
	}
	if engine.HasCaptions() {
		result.Greedy, result.Beams = new(Figure), new(Figure)
		length := min(captionLength, engine.Manifest().Config.QFormer.MaxPositions)
		caption := func(method embed.Method) func() error {
			return func() error {
				_, err := engine.Captions(ctx, tokens[0], embed.CaptionOptions{Method: method, MinimumLength: length, MaximumLength: length})
				return err
			}
		}
		steps = append(steps, []struct {
			figure *Figure
			name   string
			items  float64
			do     func() error
		}{
			{result.Greedy, "a greedy caption", float64(length - 1), caption(embed.Greedy)},
			{result.Beams, "a caption with three beams", float64(length - 1), caption(embed.Beam)},
		}...)
	}
	for _, step := range steps {
		if *step.figure, err = o.time(ctx, step.name, step.items, step.do); err != nil {
			return err
		}
	}
	return nil
}

// copies returns tokens of several images, which happen to be alike but share no
// memory: the engine may compute the tokens of one image once.
func copies(tokens embed.ImageTokens, count int) []embed.ImageTokens {
	list := make([]embed.ImageTokens, count)
	for i := range list {
		list[i] = embed.ImageTokens{Rows: tokens.Rows, Columns: tokens.Columns, Values: slices.Clone(tokens.Values)}
	}
	return list
}

func drawPicture() (*pixels.Image, error) {
	picture, err := pixels.New(pictureWidth, pictureHeight)
	if err != nil {
		return nil, err
	}
	for i, bits := range blip2.RandomBits("picture", 1, len(picture.Pix)) {
		picture.Pix[i] = byte(bits)
	}
	return picture, nil
}
