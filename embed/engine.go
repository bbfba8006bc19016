package embed

import (
	"context"
	"errors"
	"fmt"

	"mekiki/embed/manifest"
	"mekiki/embed/priority"
	"mekiki/embed/runner"
	"mekiki/embed/tokenize"
	"mekiki/internal/hint"
)

// Errors that callers branch on.
var (
	// ErrNoCaptions means that the model's checkpoint had no caption head.
	ErrNoCaptions = errors.New("this model cannot write captions")
	// ErrNoMatching means that the model's checkpoint had no matching head.
	ErrNoMatching = errors.New("this model cannot match images with texts")
	// ErrNoVectors means that the model makes no vectors to search by: it is a second stage.
	ErrNoVectors = errors.New("this model cannot embed images and texts")
	// ErrNoVision means that the model's folder has no vision encoder.
	ErrNoVision = errors.New("this model has no vision encoder of its own")
	// ErrModelFiles means that the model's folder is not as its manifest says.
	ErrModelFiles = manifest.ErrFiles
)

// Engine runs one model of the first stage. It is safe for concurrent use.
type Engine struct {
	model     *runner.Model
	tokenizer tokenize.Tokenizer
}

// Open opens the model in options.ModelDir. It checks that the folder holds what
// the manifest lists and nothing else; each graph is hashed and opened when it is
// first needed, or by Warm. The caller must Close the Engine.
func Open(ctx context.Context, options runner.Options) (*Engine, error) {
	shared, family, err := runner.Open(ctx, options)
	if err != nil {
		return nil, err
	}
	if can := shared.Capabilities(); !can.EmbedImages || !can.EmbedTexts {
		return nil, hint.Wrap(fmt.Errorf("open model %s: %w", shared.Options.ModelDir, ErrNoVectors),
			"choose a model of the first stage, such as builtin")
	}
	tokenizer, err := shared.OpenTokenizer(ctx, family)
	if err != nil {
		return nil, err
	}
	return &Engine{model: shared, tokenizer: tokenizer}, nil
}

// Space returns what the engine's vectors may be compared with.
func (e *Engine) Space() Space {
	shape := e.model.Shape(manifest.ImagePartsFile)
	return Space{Fingerprint: e.model.Manifest.Fingerprint, Parts: shape[0], Width: shape[1]}
}

// Vision says which vision encoder makes this engine's image tokens. A second stage whose encoder is the same, or differs
// in its final layer norm alone, reads them; see [Vision.From].
func (e *Engine) Vision() Vision { return VisionOf(e.model.Manifest) }

// vocabulary is the number of tokens that a caption is written with.
func (e *Engine) vocabulary() int { return e.model.Shape(manifest.CaptionStepFile)[1] }

// Warm opens the graphs, so that no later call has to wait for them, but for those
// that only several texts on one image need: they are opened when there are some.
func (e *Engine) Warm(ctx context.Context) error {
	done, err := e.model.Begin()
	if err != nil {
		return err
	}
	defer done()
	for _, signature := range e.model.Description.Graphs {
		if signature.File == manifest.MatchImageFile || signature.File == manifest.MatchTextFile {
			continue
		}
		graph := e.model.Graphs[signature.File]
		if _, err := graph.Open(ctx, e.model); err != nil {
			return err
		}
		if signature.File == manifest.MatchFile || signature.File == manifest.TextFile { // of which searches need several at once
			if _, err := graph.OpenSingle(ctx, e.model); err != nil {
				return err
			}
		}
	}
	return nil
}

// Manifest returns the model's description. Its slices must not be changed.
func (e *Engine) Manifest() manifest.Manifest { return e.model.Manifest }

// Capabilities says what the model can do. Matching without it is ErrNoMatching, captioning ErrNoCaptions.
func (e *Engine) Capabilities() Capabilities { return e.model.Capabilities() }

// Turns returns the engine's turns, for the Options of others on the same machine.
func (e *Engine) Turns() *priority.Turns { return e.model.Options.Turns }

// ModelDir returns the model's folder.
func (e *Engine) ModelDir() string { return e.model.ModelDir() }

// Close waits for what is running and frees the model's memory. Closing twice is allowed.
func (e *Engine) Close() error { return e.model.Close() }
