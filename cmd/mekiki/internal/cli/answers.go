package cli

import (
	"context"
	"errors"
	"fmt"

	"mekiki/embed/answering"
	"mekiki/embed/models"
	"mekiki/embed/ort"
	"mekiki/embed/pixels"
	"mekiki/embed/runner"
	"mekiki/index/ingest/captioning"
	"mekiki/internal/hint"
	"mekiki/search/ask"
)

// ErrNoAnswers means that no second stage was named, and that the model has none.
var ErrNoAnswers = errors.New("the model cannot answer questions")

// findAnswers finds the model of the second stage, compiling the built-in one the first time.
func (a *App) findAnswers(ctx context.Context, options models.Options) (models.Model, error) {
	const remedy = "name a second stage with --answers, such as the one from: mekiki pull blip2-flan-t5-xl"
	switch {
	case a.Answers == models.BuiltinName, a.Answers == "" && a.Model == models.BuiltinName:
		return models.BuiltinAnswers(ctx, options)
	case a.Answers != "":
		return models.Find(a.Answers, options)
	}
	model, err := models.Find(a.Model, options)
	if err == nil && !model.Manifest.Capabilities().Answer {
		err = hint.Wrap(fmt.Errorf("model %s: %w", model.Name, ErrNoAnswers), remedy)
	}
	return model, err
}

// OpenAnswerEngine opens the second stage that --answers names or, where it names none, that of --model. Where there
// is none, the error is [ErrNoAnswers]. The caller closes it, before the runtime.
func (a *App) OpenAnswerEngine(ctx context.Context, runtime *ort.Runtime) (*answering.Engine, error) {
	reporter := a.Progress()
	defer reporter.Finish()
	options, err := a.ModelOptions(runtime, reporter)
	if err != nil {
		return nil, err
	}
	model, err := a.findAnswers(ctx, options)
	if err != nil {
		return nil, err
	}
	engine, err := answering.Open(ctx, runner.Options{
		ModelDir: model.Dir, Families: Families(), Runtime: runtime, Threads: a.Threads, Provider: a.Provider, Turns: a.sharedTurns(), Logger: a.Log(),
	})
	if err != nil {
		return nil, fmt.Errorf("open model %s: %w", model.Name, err)
	}
	return engine, nil
}

// NewAsker makes the asker over a second stage. First is the first stage, whose image tokens serve both where they have
// one vision encoder; it may be nil for a second stage with its own. Decoder reads originals; nil means one with the defaults.
func (a *App) NewAsker(answers *answering.Engine, first *Session, decoder *pixels.Decoder) (*ask.Asker, error) {
	var stage ask.FirstStage
	if first != nil {
		stage = first.Engine
	}
	return ask.New(answers, stage, ask.Options{Decoder: decoder, Logger: a.Log()})
}

// Answering is an open second stage and what asks it.
type Answering struct {
	Engine *answering.Engine
	Asker  *ask.Asker
}

// OpenAnswering opens the second stage beside a first one, as [App.OpenAnswerEngine] and [App.NewAsker] do. The caller
// closes it before the first.
func (a *App) OpenAnswering(ctx context.Context, first *Session, decoder *pixels.Decoder) (*Answering, error) {
	engine, err := a.OpenAnswerEngine(ctx, first.Runtime)
	if err != nil {
		return nil, err
	}
	asker, err := a.NewAsker(engine, first, decoder)
	if err != nil {
		return nil, joinErrors(err, engine.Close())
	}
	return &Answering{Engine: engine, Asker: asker}, nil
}

// Close closes the asker and its model.
func (s *Answering) Close() error { return errors.Join(s.Asker.Close(), s.Engine.Close()) }

// WithAnswering opens the second stage as [App.OpenAnswering] does, calls do and closes it.
func (a *App) WithAnswering(ctx context.Context, first *Session, decoder *pixels.Decoder, do func(*ask.Asker) error) (err error) {
	opened, err := a.OpenAnswering(ctx, first, decoder)
	if err != nil {
		return err
	}
	defer func() { err = joinErrors(err, opened.Close()) }()
	return do(opened.Asker)
}

// OpenCaptionWriter opens the second stage for captions that it takes part in, and gives nil for others. The caller calls
// done when the work is over.
func (a *App) OpenCaptionWriter(ctx context.Context, first *Session, source captioning.Source, samples int) (writer captioning.Writer, done func(), err error) {
	if source != captioning.LM && source != captioning.Both {
		return nil, func() {}, nil
	}
	opened, err := a.OpenAnswering(ctx, first, nil)
	if err != nil {
		return nil, nil, err
	}
	done = func() {
		if err := opened.Close(); err != nil {
			a.Log().Warn("close the second stage", "error", err)
		}
	}
	return ask.NewCaptionWriter(opened.Asker, nil, samples), done, nil
}
