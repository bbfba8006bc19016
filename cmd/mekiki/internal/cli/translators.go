package cli

import (
	"context"
	"fmt"

	"mekiki/embed/models"
	"mekiki/embed/ort"
	"mekiki/embed/runner"
	"mekiki/embed/translate"
	"mekiki/search/translation"
)

// NewInterpreter makes what puts queries into English of the models on this machine that translate; they are opened when they
// are needed. Of two for one pair of languages the first by name is taken. The caller closes it before the runtime.
func (a *App) NewInterpreter(runtime *ort.Runtime) (*translation.Interpreter, error) {
	options, err := a.ModelOptions(nil, a.Progress())
	if err != nil {
		return nil, err
	}
	list, err := models.List(options)
	if err != nil {
		return nil, err
	}
	installed := map[translation.Pair]translation.Opener{}
	for _, model := range list {
		if model.Problem != nil || !model.Manifest.Capabilities().Translate {
			continue
		}
		pair := translation.PairOf(*model.Manifest.Config.Language)
		if installed[pair] == nil {
			installed[pair] = func(ctx context.Context) (translation.Closer, error) { return a.OpenTranslator(ctx, model, runtime) }
		}
	}
	return translation.New(installed), nil
}

// OpenTranslator opens a model that translates. The caller closes it before the runtime.
func (a *App) OpenTranslator(ctx context.Context, model models.Model, runtime *ort.Runtime) (*translate.Engine, error) {
	engine, err := translate.Open(ctx, runner.Options{
		ModelDir: model.Dir, Families: Families(), Runtime: runtime, Threads: a.Threads, Provider: a.Provider, Turns: a.sharedTurns(), Logger: a.Log(),
	})
	if err != nil {
		return nil, fmt.Errorf("open model %s: %w", model.Name, err)
	}
	return engine, nil
}
