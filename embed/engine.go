package embed

import (
	"context"
	"errors"
	"fmt"

	"mekiki/embed/manifest"
	"mekiki/embed/tokenize"
	"mekiki/internal/hint"
)

// Errors that callers branch on.
var (
	// ErrClosed means that the Engine was closed.
	ErrClosed = errors.New("engine is closed")
	// ErrNoCaptions means that the model's checkpoint had no caption head.
	ErrNoCaptions = errors.New("this model cannot write captions")
	// ErrNoMatching means that the model's checkpoint had no matching head.
	ErrNoMatching = errors.New("this model cannot match images with texts")
	// ErrNoAnswers means that the model has no language model that answers.
	ErrNoAnswers = errors.New("this model cannot answer questions")
	// ErrNoVectors means that the model makes no vectors to search by: it is a second stage.
	ErrNoVectors = errors.New("this model cannot embed images and texts")
	// ErrNoVision means that the model's folder has no vision encoder.
	ErrNoVision = errors.New("this model has no vision encoder of its own")
	// ErrModelFiles means that the model's folder is not as its manifest says.
	ErrModelFiles = manifest.ErrFiles
)

// Engine runs one model of the first stage. It is safe for concurrent use.
type Engine struct {
	*core
	tokenizer tokenize.Tokenizer
}

// Open opens the model in options.ModelDir. It checks that the folder holds what
// the manifest lists and nothing else; each graph is hashed and opened when it is
// first needed, or by Warm. The caller must Close the Engine.
func Open(ctx context.Context, options Options) (*Engine, error) {
	shared, family, err := openCore(ctx, options)
	if err != nil {
		return nil, err
	}
	if can := shared.Capabilities(); !can.EmbedImages || !can.EmbedTexts {
		return nil, hint.Wrap(fmt.Errorf("open model %s: %w", shared.options.ModelDir, ErrNoVectors),
			"choose a model of the first stage, such as builtin")
	}
	tokenizer, err := shared.openTokenizer(ctx, family)
	if err != nil {
		return nil, err
	}
	return &Engine{core: shared, tokenizer: tokenizer}, nil
}

// Space returns what the engine's vectors may be compared with.
func (e *Engine) Space() Space {
	shape := e.shape(manifest.ImagePartsFile)
	return Space{Fingerprint: e.manifest.Fingerprint, Parts: shape[0], Width: shape[1]}
}

// Vision identifies the vision encoder, its final layer norm included; it is empty for models that were compiled before
// this was noted. A second stage with the same one reads this engine's image tokens; see [AnswerModel].
func (e *Engine) Vision() string { return e.manifest.Vision }

// vocabulary is the number of tokens that a caption is written with.
func (e *Engine) vocabulary() int { return e.shape(manifest.CaptionStepFile)[1] }
