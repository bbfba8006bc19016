package ask

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"mekiki/embed"
	"mekiki/embed/answering"
	"mekiki/embed/pixels"
	"mekiki/index/pictures"
	"mekiki/internal/hint"
	"mekiki/internal/lru"
)

// ErrNoVision means that nothing here reads a picture for the second stage.
var ErrNoVision = errors.New("the second stage cannot read pictures")

// FirstStage is the model that libraries are made with; *embed.Engine is one.
type FirstStage interface {
	pictures.Encoder
	// Space is that of its libraries.
	Space() embed.Space
	// Vision is its vision encoder, as [answering.Model] has it.
	Vision() embed.Vision
}

// Options configure an Asker. The zero value is ready to use.
type Options struct {
	// StateBytes bounds what is kept in memory of pictures that were read; 0 means 64 MiB,
	// negative none.
	StateBytes int64
	// AnswerEntries bounds the answers kept; 0 means 65,536, negative none.
	AnswerEntries int
	// Batch is the number of pictures that are asked at a time; 0 means 8. A budget is
	// overrun by at most one batch.
	Batch int
	// Decoder reads originals, and stays the caller's; nil means one with the defaults of package pixels, which Close
	// closes.
	Decoder *pixels.Decoder
	// Logger receives what is not worth an error; nil means none.
	Logger *slog.Logger
}

// Asker puts questions to pictures. It is safe for concurrent use.
type Asker struct {
	answerer answering.Answerer
	model    answering.Model
	first    FirstStage        // nil where its tokens are of no use to the second stage
	change   embed.TokenChange // of the first stage's tokens into the second's
	images   pictures.Encoder
	options  Options
	// decoder is the asker's own, to be closed with it; nil where another one was given.
	decoder *pixels.Decoder

	states  *lru.Cache[contentKey, answering.ImageStates]
	answers *lru.Cache[answerKey, Answer]
	flights flights
	// each is how long one picture took lately, in nanoseconds; 0 while none was asked.
	each atomic.Int64
	// unnamed counts the pictures that came without a hash.
	unnamed atomic.Uint64
}

// New makes an Asker. It owns neither model; close it when its work is over. first may be nil: pictures are then read by the
// second stage's own vision encoder. An error that is [ErrNoVision] says that neither can read them.
func New(answerer answering.Answerer, first FirstStage, options Options) (*Asker, error) {
	if answerer == nil {
		return nil, errors.New("ask: no second stage")
	}
	if options.Batch < 0 {
		return nil, fmt.Errorf("ask: a batch of %d is negative", options.Batch)
	}
	options.StateBytes = cmp.Or(options.StateBytes, defaultStateBytes)
	options.AnswerEntries = cmp.Or(options.AnswerEntries, defaultAnswerEntries)
	options.Batch = cmp.Or(options.Batch, defaultBatch)
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	a := &Asker{
		answerer: answerer, model: answerer.AnswerModel(), options: options,
		states:  lru.New[contentKey, answering.ImageStates](options.StateBytes),
		answers: lru.New[answerKey, Answer](int64(options.AnswerEntries)),
	}
	own, reads := answerer.(pictures.Encoder)
	var change embed.TokenChange
	var lent bool
	if first != nil {
		change, lent = a.model.Vision.From(first.Vision())
	}
	switch {
	case lent:
		a.first, a.images, a.change = first, first, change
	case a.model.OwnVision && reads:
		a.images = own
	default:
		return nil, hint.Wrap(fmt.Errorf("%w: %s has no vision encoder of its own, and that of the first stage is another one", ErrNoVision, a.model.Name),
			"use it beside the model whose vision encoder it was made with, or import its whole checkpoint")
	}
	if options.Decoder == nil {
		var err error
		if a.decoder, err = pixels.NewDecoder(pixels.Options{}); err != nil {
			return nil, fmt.Errorf("ask: %w", err)
		}
		a.options.Decoder = a.decoder
	}
	return a, nil
}

// Close closes what the asker made for itself. It is not to be used afterwards; its models stay open.
func (a *Asker) Close() error {
	if a.decoder == nil {
		return nil
	}
	return a.decoder.Close()
}

// Model says which second stage answers.
func (a *Asker) Model() answering.Model { return a.model }
