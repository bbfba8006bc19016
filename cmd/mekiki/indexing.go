package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"mekiki/index"
	"mekiki/index/ingest"
	"mekiki/internal/progress"
)

// index brings folders and files into a library, with progress.
func (a *app) index(ctx context.Context, library *index.Library, engine *session, options ingest.Options) (ingest.Summary, error) {
	reporter := a.progress()
	defer reporter.Finish()
	task := "index " + namesOf(options.Paths)
	options.Logger = a.log()
	options.ImageSize = engine.Manifest().Config.Preprocess.ImageSize
	options.Progress = func(state ingest.Progress) { reporter.Report(indexState(task, state)) }
	summary, err := ingest.Run(ctx, library, engine.Engine, options)
	if err != nil {
		return summary, fmt.Errorf("index: %w", err)
	}
	return summary, nil
}

// namesOf says in a few words what paths are: the names of the first three, and
// how many more there are.
func namesOf(paths []string) string {
	const most = 3
	var names []string
	for i, path := range paths {
		if i == most {
			return fmt.Sprintf("%s and %d more", strings.Join(names, ", "), len(paths)-most)
		}
		names = append(names, filepath.Base(path))
	}
	return strings.Join(names, ", ")
}

func indexState(task string, state ingest.Progress) progress.State {
	shown := progress.State{
		Task: task, Done: int64(state.Done()), Total: int64(state.Total), Failed: int64(state.Failed), Unit: progress.Images,
		Rate: state.Rate, Remaining: state.Remaining.Seconds(),
	}
	if state.Path != "" {
		shown.Detail = filepath.Base(state.Path)
	}
	return shown
}
