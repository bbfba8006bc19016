package translate

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"mekiki/embed/decode"
	"mekiki/embed/lm"
	"mekiki/embed/marian"
	"mekiki/embed/modelconfig"
	"mekiki/embed/runner"
	"mekiki/embed/tokenize"
	"mekiki/internal/hint"
)

// Translator puts texts of one language into another.
type Translator interface {
	// Languages are the base languages that it translates from and into, such as "ja" and "en".
	Languages() (from, to string)
	// Fingerprint identifies the model.
	Fingerprint() string
	// Translate gives each text in the other language, in their order. A text that is empty, or spaces, stays empty. One that
	// is longer than the model reads is ErrTooLong. It may be called from any goroutine.
	Translate(ctx context.Context, texts []string) ([]string, error)
	// TranslateQueries is Translate for texts that somebody waits for, which are a few words and can be put right: the likeliest
	// token is taken each time, without beams, in about half the time.
	TranslateQueries(ctx context.Context, texts []string) ([]string, error)
}

// Errors that callers branch on.
var (
	// ErrNoTranslation means that the model does not translate.
	ErrNoTranslation = errors.New("this model does not translate")
	// ErrTooLong means that a text is longer than the model reads.
	ErrTooLong = errors.New("the text is too long to translate")
)

// Engine runs one model that translates. It is safe for concurrent use.
type Engine struct {
	model  *runner.Model
	config modelconfig.Language
	words  tokenize.Language
	writer *lm.Model
	// Decoding is how texts other than queries are written: beams, as many as the model's publisher took, and as many tokens as the text's length
	// suggests, unless it is changed before the engine is used.
	Decoding decode.Options
}

var _ Translator = (*Engine)(nil)

// Open opens the model in options.ModelDir. The caller must Close it. A model that does not translate is ErrNoTranslation.
func Open(ctx context.Context, options runner.Options) (*Engine, error) {
	model, family, err := runner.Open(ctx, options)
	if err != nil {
		return nil, err
	}
	fail := func(err error) error { return fmt.Errorf("open model %s: %w", model.Options.ModelDir, err) }
	if !model.Capabilities().Translate {
		return nil, hint.Wrap(fail(ErrNoTranslation), "get one that does, such as with mekiki pull opus-mt-ja-en")
	}
	e := &Engine{model: model, config: *model.Manifest.Config.Language}
	e.Decoding = decode.Options{Method: decode.Greedy}
	if e.config.Beams > 1 {
		e.Decoding = decode.Options{Method: decode.Beam, Beams: e.config.Beams}
	}
	if e.words, err = family.Language(func(name string) ([]byte, error) { return model.Files.ReadOptional(ctx, name) }); err != nil {
		return nil, fail(err)
	}
	if e.writer, err = lm.New(model); err != nil {
		return nil, fail(err)
	}
	return e, nil
}

// Languages implements Translator.
func (e *Engine) Languages() (from, to string) {
	return marian.Base(e.config.From), marian.Base(e.config.To)
}

// Fingerprint implements Translator.
func (e *Engine) Fingerprint() string { return e.model.Manifest.Fingerprint }

// Warm opens the graphs, so that no later call has to wait for them.
func (e *Engine) Warm(ctx context.Context) error { return e.writer.Warm(ctx) }

// Close waits for what is running and frees the model's memory. Closing twice is allowed.
func (e *Engine) Close() error {
	err := e.model.Close() // which waits for all who write
	return errors.Join(err, e.writer.Close())
}

// Translate implements Translator.
func (e *Engine) Translate(ctx context.Context, texts []string) ([]string, error) {
	return e.translateAll(ctx, texts, e.Decoding)
}

// TranslateQueries implements Translator.
func (e *Engine) TranslateQueries(ctx context.Context, texts []string) ([]string, error) {
	return e.translateAll(ctx, texts, decode.Options{Method: decode.Greedy, MaximumTokens: e.Decoding.MaximumTokens})
}

func (e *Engine) translateAll(ctx context.Context, texts []string, options decode.Options) ([]string, error) {
	done, err := e.model.Begin()
	if err != nil {
		return nil, fmt.Errorf("translate: %w", err)
	}
	defer done()
	leave, err := e.model.Options.Turns.EnterAnswer(ctx)
	if err != nil {
		return nil, fmt.Errorf("translate: %w", err)
	}
	defer leave()
	results := make([]string, len(texts))
	for i, text := range texts {
		if results[i], err = e.translate(ctx, text, options); err != nil {
			return nil, fmt.Errorf("translate text %d: %w", i, err)
		}
	}
	return results, nil
}

// translate writes one text. What it may become is bounded by what it is: no language takes so many times another's tokens.
func (e *Engine) translate(ctx context.Context, text string, options decode.Options) (string, error) {
	if strings.TrimSpace(text) == "" {
		return "", nil
	}
	if len(text) > mostBytes {
		return "", fmt.Errorf("%w: %d bytes, at most %d are read", ErrTooLong, len(text), mostBytes)
	}
	ids := e.words.Encode(text, 0).IDs
	if len(ids) > e.config.Positions || len(ids) > mostTokens {
		return "", fmt.Errorf("%w: %d tokens, at most %d are read", ErrTooLong, len(ids), min(mostTokens, e.config.Positions))
	}
	if options.MaximumTokens == 0 {
		options.MaximumTokens = min(e.config.Positions-1, leastRoom+roomFactor*len(ids), decode.MostTokens)
	}
	options = options.WithDefaults()
	texts, first, err := e.writer.Start(ctx, []lm.Prompt{{Tokens: ids}}, options.Rows(), options.MaximumTokens, true)
	if err != nil {
		return "", err
	}
	search := decode.Search{Vocabulary: e.writer.Vocabulary(), Words: e.config.Words, End: e.config.End, Before: [][]int64{{e.config.Start}}, Threads: e.model.Options.Threads}
	found, err := search.Run(ctx, texts, first, options)
	if err != nil {
		return "", err
	}
	if len(found[0]) == 0 {
		return "", errors.New("the model writes nothing")
	}
	return strings.TrimSpace(e.words.Decode(found[0][0].Tokens)), nil
}
