package answering

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mekiki/embed"
	"mekiki/embed/lm"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/ort"
	"mekiki/embed/pixels"
	"mekiki/embed/runner"
	"mekiki/embed/tokenize"
	"mekiki/internal/hint"
)

// Engine runs one model of the second stage. It is safe for concurrent use: texts that are written at the same time
// take turns at each token.
type Engine struct {
	model      *runner.Model
	config     modelconfig.Config
	words      tokenize.Language
	instructed tokenize.Tokenizer // of the Q-Former, where it reads the prompt
	writer     *lm.Model
}

var _ Answerer = (*Engine)(nil)

// Errors that callers branch on.
var (
	// ErrNoAnswers means that the model has no language model that answers.
	ErrNoAnswers = errors.New("this model cannot answer questions")
	// ErrPrompt means that a prompt is longer than the model reads.
	ErrPrompt = errors.New("the prompt is too long")
)

// Open opens the second stage in options.ModelDir, as Open does a first stage. The caller must Close it. A model
// without a language model is ErrNoAnswers.
func Open(ctx context.Context, options runner.Options) (*Engine, error) {
	shared, family, err := runner.Open(ctx, options)
	if err != nil {
		return nil, err
	}
	e := &Engine{model: shared, config: shared.Manifest.Config}
	if !shared.Capabilities().Answer || shared.Description.Language == nil || family.Language == nil {
		return nil, hint.Wrap(fmt.Errorf("open model %s: %w", shared.Options.ModelDir, ErrNoAnswers),
			"choose a model of the second stage, such as blip2-flan-t5-xl")
	}
	read := func(name string) ([]byte, error) { return e.model.Files.ReadOptional(ctx, name) }
	if e.words, err = family.Language(read); err != nil {
		return nil, fmt.Errorf("open model %s: %w", shared.Options.ModelDir, err)
	}
	if e.config.Language.Instructed {
		if e.instructed, err = shared.OpenTokenizer(ctx, family); err != nil {
			return nil, err
		}
	}
	if e.writer, err = lm.New(shared); err != nil {
		return nil, fmt.Errorf("open model %s: %w", shared.Options.ModelDir, err)
	}
	return e, nil
}

// AnswerModel implements Answerer.
func (e *Engine) AnswerModel() Model {
	return Model{
		Name: e.model.Manifest.Name, Fingerprint: e.model.Manifest.Fingerprint, Vision: embed.VisionOf(e.model.Manifest),
		OwnVision: e.model.Manifest.HasVision(), Prompts: e.config.Language.Prompts,
	}
}

// Capabilities says what the model can do.
func (e *Engine) Capabilities() embed.Capabilities { return e.model.Capabilities() }

// Manifest returns the model's description. Its slices must not be changed.
func (e *Engine) Manifest() manifest.Manifest { return e.model.Manifest }

// ModelDir returns the model's folder.
func (e *Engine) ModelDir() string { return e.model.ModelDir() }

// ImageTokens runs the model's own vision encoder over images, in their order. Without one it is ErrNoVision.
func (e *Engine) ImageTokens(ctx context.Context, images []*pixels.Image) ([]embed.ImageTokens, error) {
	return embed.ReadImages(ctx, e.model, images)
}

// Warm opens the graphs, so that no later call has to wait for them.
func (e *Engine) Warm(ctx context.Context) error { return e.writer.Warm(ctx) }

// Close waits for what is running and frees the model's memory. Closing twice is allowed.
func (e *Engine) Close() error {
	err := e.model.Close() // which waits for all who write
	return errors.Join(err, e.writer.Close())
}

// States implements Answerer.
func (e *Engine) States(ctx context.Context, tokens []embed.ImageTokens) ([]ImageStates, error) {
	done, err := e.model.Begin()
	if err != nil {
		return nil, err
	}
	defer done()
	for i, one := range tokens {
		if err := e.checkSize(one, e.config.Vision.Tokens(), e.config.Vision.HiddenSize); err != nil {
			return nil, fmt.Errorf("image states: image %d: %w", i, err)
		}
	}
	if e.config.Language.Instructed {
		return append([]ImageStates(nil), tokens...), nil
	}
	results := make([]ImageStates, len(tokens))
	graph := e.model.Graphs[manifest.ImageStatesFile]
	session, err := graph.Open(ctx, e.model)
	if err != nil {
		return nil, err
	}
	err = e.model.Each(ctx, graph, len(tokens), func(ctx context.Context, i int) (err error) { // several at once: each its own error
		results[i], err = e.queryStates(ctx, session, tokens[i], nil)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("image states: %w", err)
	}
	return results, nil
}

// queryStates runs the Q-Former over an image's tokens and, of an instructed model, the ids of the prompt.
func (e *Engine) queryStates(ctx context.Context, session *ort.Session, tokens embed.ImageTokens, ids []int64) (ImageStates, error) {
	rows, columns := e.config.QueryTokens, e.config.QFormer.HiddenSize
	inputs := []ort.Tensor{ort.Float32Tensor(tokens.Values, 1, int64(tokens.Rows), int64(tokens.Columns))}
	if e.config.Language.Instructed {
		encoding := []tokenize.Encoding{{IDs: ids}}
		ids, mask := runner.TextTensors(encoding, []int{0})
		inputs = append(inputs, ids, mask)
	}
	output := make([]float32, rows*columns)
	err := session.RunInto(ctx, inputs, []ort.Tensor{ort.Float32Tensor(output, 1, int64(rows), int64(columns))})
	return ImageStates{Rows: rows, Columns: columns, Values: output}, err
}

// checkSize reports values that are not of this model's size.
func (e *Engine) checkSize(states ImageStates, rows, columns int) error {
	if states.Rows == rows && states.Columns == columns && len(states.Values) == rows*columns {
		return nil
	}
	return fmt.Errorf("it has %dx%d with %d values, this model's have %dx%d", states.Rows, states.Columns, len(states.Values), rows, columns)
}

// checkStates reports states that are neither what States gives nor none.
func (e *Engine) checkStates(states ImageStates) error {
	if blind(states) {
		return nil
	}
	if e.config.Language.Instructed {
		return e.checkSize(states, e.config.Vision.Tokens(), e.config.Vision.HiddenSize)
	}
	return e.checkSize(states, e.config.QueryTokens, e.config.QFormer.HiddenSize)
}

// blind reports whether there is no image before a text.
func blind(states ImageStates) bool { return states.Rows == 0 && len(states.Values) == 0 }

// project makes what the language model reads of an image: its vectors, row after row; none without an image. Text is the
// prompt's.
func (e *Engine) project(ctx context.Context, states ImageStates, text string) ([]float32, error) {
	if blind(states) {
		return nil, nil
	}
	if e.config.Language.Instructed {
		session, err := e.model.Graphs[manifest.ImageStatesFile].Open(ctx, e.model)
		if err != nil {
			return nil, err
		}
		ids := e.instructed.Encode(text, e.model.Options.MaximumTokens).IDs
		if states, err = e.queryStates(ctx, session, states, ids); err != nil {
			return nil, err
		}
	}
	session, err := e.model.Graphs[manifest.LanguageInputFile].Open(ctx, e.model)
	if err != nil {
		return nil, err
	}
	width := e.config.Language.HiddenSize
	vectors := make([]float32, states.Rows*width)
	err = session.RunInto(ctx, []ort.Tensor{ort.Float32Tensor(states.Values, 1, int64(states.Rows), int64(states.Columns))},
		[]ort.Tensor{ort.Float32Tensor(vectors, 1, int64(states.Rows), int64(width))})
	return vectors, err
}

// isEnd reports whether a token ends a text.
func (e *Engine) isEnd(token int64) bool { return slices.Contains(e.config.Language.End, token) }

// text is what tokens say, without the ending one and without the spaces around it.
func (e *Engine) text(tokens []int64) string {
	if len(tokens) > 0 && e.isEnd(tokens[len(tokens)-1]) {
		tokens = tokens[:len(tokens)-1]
	}
	return strings.TrimSpace(e.words.Decode(tokens))
}
