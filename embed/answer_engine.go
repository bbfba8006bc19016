package embed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/ort"
	"mekiki/embed/tokenize"
	"mekiki/internal/hint"
)

// AnswerEngine runs one model of the second stage. It is safe for concurrent use: texts that are written at the same time
// take turns at each token.
type AnswerEngine struct {
	*core
	config     modelconfig.Config
	words      tokenize.Language
	instructed tokenize.Tokenizer // of the Q-Former, where it reads the prompt
	layout     stepLayout
	steps      chan struct{} // holds one for each step that may be computed now

	tableMutex sync.Mutex
	table      *manifest.Embeddings // nil until it is needed
	tableFile  *os.File             // of table
}

var _ Answerer = (*AnswerEngine)(nil)

// ErrPrompt means that a prompt is longer than the model reads.
var ErrPrompt = errors.New("the prompt is too long")

// OpenAnswerer opens the second stage in options.ModelDir, as Open does a first stage. The caller must Close it. A model
// without a language model is ErrNoAnswers.
func OpenAnswerer(ctx context.Context, options Options) (*AnswerEngine, error) {
	shared, family, err := openCore(ctx, options)
	if err != nil {
		return nil, err
	}
	e := &AnswerEngine{core: shared, config: shared.manifest.Config}
	if !shared.Capabilities().Answer || shared.description.Language == nil || family.Language == nil {
		return nil, hint.Wrap(fmt.Errorf("open model %s: %w", shared.options.ModelDir, ErrNoAnswers),
			"choose a model of the second stage, such as blip2-flan-t5-xl")
	}
	read := func(name string) ([]byte, error) { return e.files.readOptional(ctx, name) }
	if e.words, err = family.Language(read); err != nil {
		return nil, fmt.Errorf("open model %s: %w", shared.options.ModelDir, err)
	}
	if e.config.Language.Instructed {
		if e.instructed, err = shared.openTokenizer(ctx, family); err != nil {
			return nil, err
		}
	}
	step := shared.graphs[manifest.LanguageStepFile]
	if e.layout, err = newStepLayout(step.Signature); err != nil {
		return nil, fmt.Errorf("open model %s: %w", shared.options.ModelDir, err)
	}
	e.steps = make(chan struct{}, max(1, shared.workers(step)))
	return e, nil
}

// AnswerModel implements Answerer.
func (e *AnswerEngine) AnswerModel() AnswerModel {
	return AnswerModel{
		Name: e.manifest.Name, Fingerprint: e.manifest.Fingerprint, Vision: e.manifest.Vision,
		OwnVision: e.manifest.HasVision(), Prompts: e.config.Language.Prompts,
	}
}

// Warm opens the graphs, so that no later call has to wait for them.
func (e *AnswerEngine) Warm(ctx context.Context) error {
	done, err := e.begin()
	if err != nil {
		return err
	}
	defer done()
	for _, signature := range e.description.Graphs {
		if _, err := e.graphs[signature.File].open(ctx, e.core); err != nil {
			return err
		}
	}
	_, err = e.embeddings(ctx)
	return err
}

// Close waits for what is running and frees the model's memory. Closing twice is allowed.
func (e *AnswerEngine) Close() error {
	err := e.core.Close() // which waits for all who read the table
	e.tableMutex.Lock()
	defer e.tableMutex.Unlock()
	if e.table != nil {
		err = errors.Join(err, e.tableFile.Close())
		e.table, e.tableFile = nil, nil
	}
	return err
}

// embeddings opens the table of token embeddings. The engine must be kept open.
func (e *AnswerEngine) embeddings(ctx context.Context) (*manifest.Embeddings, error) {
	e.tableMutex.Lock()
	defer e.tableMutex.Unlock()
	if e.table != nil {
		return e.table, nil
	}
	if err := e.files.verify(ctx, manifest.EmbeddingsFile); err != nil {
		return nil, fmt.Errorf("open model: %w", err)
	}
	file, err := os.Open(e.files.path(manifest.EmbeddingsFile))
	if err != nil {
		return nil, fmt.Errorf("open model: %w", err)
	}
	var table *manifest.Embeddings
	info, err := file.Stat()
	if err == nil {
		table, err = manifest.NewEmbeddings(*e.config.Language, file, info.Size())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open model: %w", err), file.Close())
	}
	e.table, e.tableFile = table, file
	return table, nil
}

// States implements Answerer.
func (e *AnswerEngine) States(ctx context.Context, tokens []ImageTokens) ([]ImageStates, error) {
	done, err := e.begin()
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
	graph := e.graphs[manifest.ImageStatesFile]
	session, err := graph.open(ctx, e.core)
	if err != nil {
		return nil, err
	}
	err = e.each(ctx, graph, len(tokens), func(ctx context.Context, i int) (err error) { // several at once: each its own error
		results[i], err = e.queryStates(ctx, session, tokens[i], nil)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("image states: %w", err)
	}
	return results, nil
}

// queryStates runs the Q-Former over an image's tokens and, of an instructed model, the ids of the prompt.
func (e *AnswerEngine) queryStates(ctx context.Context, session *ort.Session, tokens ImageTokens, ids []int64) (ImageStates, error) {
	rows, columns := e.config.QueryTokens, e.config.QFormer.HiddenSize
	inputs := []ort.Tensor{ort.Float32Tensor(tokens.Values, 1, int64(tokens.Rows), int64(tokens.Columns))}
	if e.config.Language.Instructed {
		encoding := []tokenize.Encoding{{IDs: ids}}
		ids, mask := textTensors(encoding, []int{0})
		inputs = append(inputs, ids, mask)
	}
	output := make([]float32, rows*columns)
	err := session.RunInto(ctx, inputs, []ort.Tensor{ort.Float32Tensor(output, 1, int64(rows), int64(columns))})
	return ImageStates{Rows: rows, Columns: columns, Values: output}, err
}

// checkSize reports values that are not of this model's size.
func (e *AnswerEngine) checkSize(states ImageStates, rows, columns int) error {
	if states.Rows == rows && states.Columns == columns && len(states.Values) == rows*columns {
		return nil
	}
	return fmt.Errorf("it has %dx%d with %d values, this model's have %dx%d", states.Rows, states.Columns, len(states.Values), rows, columns)
}

// checkStates reports states that are neither what States gives nor none.
func (e *AnswerEngine) checkStates(states ImageStates) error {
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
func (e *AnswerEngine) project(ctx context.Context, states ImageStates, text string) ([]float32, error) {
	if blind(states) {
		return nil, nil
	}
	if e.config.Language.Instructed {
		session, err := e.graphs[manifest.ImageStatesFile].open(ctx, e.core)
		if err != nil {
			return nil, err
		}
		ids := e.instructed.Encode(text, e.options.MaximumTokens).IDs
		if states, err = e.queryStates(ctx, session, states, ids); err != nil {
			return nil, err
		}
	}
	session, err := e.graphs[manifest.LanguageInputFile].open(ctx, e.core)
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
func (e *AnswerEngine) isEnd(token int64) bool { return slices.Contains(e.config.Language.End, token) }

// text is what tokens say, without the ending one and without the spaces around it.
func (e *AnswerEngine) text(tokens []int64) string {
	if len(tokens) > 0 && e.isEnd(tokens[len(tokens)-1]) {
		tokens = tokens[:len(tokens)-1]
	}
	return strings.TrimSpace(e.words.Decode(tokens))
}
