package bench

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"mekiki/embed"
	"mekiki/embed/answering"
	"mekiki/embed/decode"
	"mekiki/embed/manifest"
	"mekiki/embed/runner"
)

// Answers are the figures of a second stage.
type Answers struct {
	// States is what the language model reads of an image, from image tokens.
	States Figure `json:"states"`
	// First is an answer's first token: reading the image and a short question. Token is each one after it, of a greedy
	// answer, and BeamToken of one with five beams.
	First     Figure `json:"first_token"`
	Token     Figure `json:"token"`
	BeamToken Figure `json:"token_of_five_beams"`
	// Together is each of 8 answers of 3 tokens to one question about 8 images, asked at once.
	Together Figure `json:"answers_together"`
	// Choice is each of 4 given answers, compared by their probabilities.
	Choice Figure `json:"choice"`
	// TokenBytes is the size of the weights that each token reads.
	TokenBytes int64 `json:"token_bytes"`
}

// measureAnswers fills in the figures of the second stage in dir.
func (o Options) measureAnswers(ctx context.Context, dir string, result Result) (Result, error) {
	runtime.GC()
	resetPeak()
	engine, err := answering.Open(ctx, runner.Options{ModelDir: dir, Families: o.Families, Runtime: o.Runtime, Threads: o.Threads})
	if err != nil {
		return result, err
	}
	defer engine.Close()
	result.describe(engine.Manifest())
	o.Progress(fmt.Sprintf("open %s in %s", result.Name, result.Precision))
	started := time.Now()
	if err := engine.Warm(ctx); err != nil {
		return result, err
	}
	result.Open = time.Since(started).Seconds()
	result.Answers = &Answers{TokenBytes: tokenBytes(o.Families, engine.Manifest())}
	err = o.answerFigures(ctx, engine, result.Answers)
	result.RunPeak = peak()
	return result, err
}

// tokenBytes is the size of the weights of the graph that runs at every token.
func tokenBytes(families []manifest.Family, model manifest.Manifest) int64 {
	family, err := model.FamilyOf(families)
	if err != nil {
		return 0
	}
	for _, graph := range family.Describe(model).Graphs {
		for _, file := range model.Files {
			if graph.File == manifest.LanguageStepFile && file.Name == graph.Data {
				return file.Size
			}
		}
	}
	return 0
}

func (o Options) answerFigures(ctx context.Context, engine *answering.Engine, answers *Answers) error {
	vision := engine.Manifest().Config.Vision
	tokens := embed.ImageTokens{Rows: vision.Tokens(), Columns: vision.HiddenSize}
	tokens.Values = make([]float32, tokens.Rows*tokens.Columns)
	images := []embed.ImageTokens{tokens}
	states, err := engine.States(ctx, images)
	if err != nil {
		return err
	}
	question := strings.ReplaceAll(engine.AnswerModel().Prompts.Question, "{}", "how many cats are there?")
	prompt := answering.Prompt{States: states[0], Text: question}
	write := func(count, tokens int, method decode.Method) func() error {
		prompts := slices.Repeat([]answering.Prompt{prompt}, count)
		options := decode.Options{Method: method, MinimumTokens: tokens, MaximumTokens: tokens}
		return func() error {
			_, err := engine.Generate(ctx, prompts, options, nil)
			return err
		}
	}
	var answer, beams Figure
	for _, step := range []step{
		{&answers.States, "what a language model reads of an image", 1, func() error {
			_, err := engine.States(ctx, images)
			return err
		}},
		{&answers.First, "an answer's first token", 1, write(1, 1, decode.Greedy)},
		{&answer, "an answer", 1, write(1, answerTokens, decode.Greedy)},
		{&beams, "an answer with five beams", 1, write(1, answerTokens, decode.Beam)},
		{&answers.Together, "answers together", manyAnswers, write(manyAnswers, shortAnswer, decode.Greedy)},
		{&answers.Choice, "given answers", choices, func() error {
			_, err := engine.Score(ctx, prompt, []string{"one", "two", "three", "four"})
			return err
		}},
	} {
		if *step.figure, err = o.time(ctx, step.name, step.items, step.do); err != nil {
			return err
		}
	}
	answers.Token, answers.BeamToken = answer.after(answers.First), beams.after(answers.First)
	return nil
}

// after is each token of an answer after its first one.
func (f Figure) after(first Figure) Figure {
	each := func(all, first float64) float64 { return max(0, all-first) / (answerTokens - 1) }
	f.Median, f.Least, f.Processor = each(f.Median, first.Median), each(f.Least, first.Least), each(f.Processor, first.Processor)
	f.PerSecond = 0
	if f.Median > 0 {
		f.PerSecond = 1 / f.Median
	}
	return f
}
