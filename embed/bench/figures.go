package bench

import (
	"context"
	"slices"
	"strings"
	"time"

	"mekiki/embed"
	"mekiki/embed/checkpoint"
	"mekiki/embed/pixels"
	"mekiki/internal/usage"
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

// time measures do, which handles the given number of items.
func (o Options) time(ctx context.Context, name string, items float64, do func() error) (Figure, error) {
	o.Progress("measure: " + name)
	if err := do(); err != nil {
		return Figure{}, err
	}
	var times []float64
	used, started := usage.ProcessorTime(), time.Now()
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
	used = usage.ProcessorTime() - used
	slices.Sort(times)
	median := times[len(times)/2]
	return Figure{
		Runs: len(times), Median: median, Least: times[0],
		Processor: used.Seconds() / float64(len(times)) / items, PerSecond: 1 / median,
	}, nil
}

// step is one figure and how it is measured.
type step struct {
	figure *Figure
	name   string
	items  float64
	do     func() error
}

// figures measures everything that the engine does.
func (o Options) figures(ctx context.Context, engine *embed.Engine, result *Result) error {
	var images [2][]*pixels.Image // of a usual size, and of the model's
	side := engine.Manifest().Config.Vision.ImageSize
	for i, size := range [][2]int{{pictureWidth, pictureHeight}, {side, side}} {
		picture, err := drawPicture(size[0], size[1])
		if err != nil {
			return err
		}
		images[i] = []*pixels.Image{picture}
	}
	tokens, err := engine.ImageTokens(ctx, images[0])
	if err != nil {
		return err
	}
	steps := vectorSteps(ctx, engine, result, images, tokens)
	steps = append(steps, matchSteps(ctx, engine, result, tokens[0])...)
	steps = append(steps, captionSteps(ctx, engine, result, tokens[0])...)
	for _, step := range steps {
		if *step.figure, err = o.time(ctx, step.name, step.items, step.do); err != nil {
			return err
		}
	}
	return nil
}

// typicalText has 12 tokens with [CLS] and [SEP].
func typicalText() string { return strings.TrimSpace(strings.Repeat("a ", 10)) }

// vectorSteps make the parts of images and the vectors of texts.
func vectorSteps(ctx context.Context, engine *embed.Engine, result *Result, images [2][]*pixels.Image, tokens []embed.ImageTokens) []step {
	parts := func(tokens []embed.ImageTokens) error {
		_, err := engine.ImageParts(ctx, tokens)
		return err
	}
	texts := func(count int) func() error {
		list := slices.Repeat([]string{typicalText()}, count)
		return func() error {
			_, err := engine.TextVectors(ctx, list)
			return err
		}
	}
	image := func(images []*pixels.Image) func() error {
		return func() error {
			tokens, err := engine.ImageTokens(ctx, images)
			if err != nil {
				return err
			}
			return parts(tokens)
		}
	}
	return []step{
		{&result.Image, "an image", 1, image(images[0])},
		{&result.Pixels, "an image of the model's size", 1, image(images[1])},
		{&result.Parts, "the image transformer", 1, func() error { return parts(tokens) }},
		{&result.Text, "a text", 1, texts(1)},
		{&result.Texts, "texts together", manyTexts, texts(manyTexts)},
	}
}

// matchSteps match images and texts.
func matchSteps(ctx context.Context, engine *embed.Engine, result *Result, tokens embed.ImageTokens) []step {
	one := func(count int) func() error {
		texts := slices.Repeat([]string{typicalText()}, count)
		return func() error {
			_, err := engine.Match(ctx, tokens, texts)
			return err
		}
	}
	if !engine.Capabilities().Match {
		return nil
	}
	result.Match, result.Matches, result.OneImage = new(Figure), new(Figure), new(Figure)
	many := copies(tokens, manyPairs)
	return []step{
		{result.Match, "a match", 1, one(1)},
		{result.Matches, "matches together", manyPairs, func() error {
			_, err := engine.MatchPairs(ctx, many, []string{typicalText()})
			return err
		}},
		{result.OneImage, "matches of one image", manyPairs, one(manyPairs)},
	}
}

// captionSteps write captions, if the model does.
func captionSteps(ctx context.Context, engine *embed.Engine, result *Result, tokens embed.ImageTokens) []step {
	if !engine.Capabilities().Caption {
		return nil
	}
	result.Greedy, result.Beams = new(Figure), new(Figure)
	length := min(captionLength, engine.Manifest().Config.QFormer.MaxPositions)
	caption := func(method embed.Method) func() error {
		options := embed.CaptionOptions{Method: method, MinimumLength: length, MaximumLength: length}
		return func() error {
			_, err := engine.Captions(ctx, tokens, options)
			return err
		}
	}
	return []step{
		{result.Greedy, "a greedy caption", float64(length - 1), caption(embed.Greedy)},
		{result.Beams, "a caption with three beams", float64(length - 1), caption(embed.Beam)},
	}
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

func drawPicture(width, height int) (*pixels.Image, error) {
	picture, err := pixels.New(width, height)
	if err != nil {
		return nil, err
	}
	for i, bits := range checkpoint.RandomBits("picture", 1, len(picture.Pix)) {
		picture.Pix[i] = byte(bits)
	}
	return picture, nil
}
