package askverbs

import (
	"context"
	"errors"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/index"
	"mekiki/index/local"
	"mekiki/search/ask"
)

// withAsker opens what questions need, calls do and closes it. Where records are asked, reader shows the library; else
// it is nil.
func withAsker(ctx context.Context, app *cli.App, records bool, do func(asker *ask.Asker, reader index.Reader) error) error {
	if !records {
		return withModels(ctx, app, nil, do)
	}
	return app.WithExistingLibrary(ctx, true, func(library *local.Library) error {
		return withModels(ctx, app, library, do)
	})
}

// withModels opens the second stage and, for records and where the second stage has no vision encoder of its own, the
// first one.
func withModels(ctx context.Context, app *cli.App, library *local.Library, do func(asker *ask.Asker, reader index.Reader) error) (err error) {
	runtime, err := app.OpenRuntime(ctx)
	if err != nil {
		return err
	}
	defer func() { err = join(err, runtime.Close()) }()
	answers, err := app.OpenAnswerEngine(ctx, runtime)
	if err != nil {
		return err
	}
	defer func() { err = join(err, answers.Close()) }()
	var first *cli.Session
	if library != nil || !answers.AnswerModel().OwnVision {
		if first, err = app.OpenEngineWith(ctx, runtime); err != nil {
			return err
		}
		defer func() { err = join(err, first.Engine.Close()) }()
	}
	asker, err := app.NewAsker(answers, first, nil)
	if err != nil {
		return err
	}
	defer func() { err = join(err, asker.Close()) }()
	if library == nil {
		return do(asker, nil)
	}
	reader, err := library.Reader(ctx)
	if err != nil {
		return err
	}
	defer func() { err = join(err, reader.Close()) }()
	return do(asker, reader)
}

// join adds the error of closing to that of the work, whose exit status and remedy stay in sight.
func join(work, closing error) error {
	if closing == nil {
		return work
	}
	return errors.Join(work, closing)
}
