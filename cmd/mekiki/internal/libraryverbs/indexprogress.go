package libraryverbs

import (
	"context"
	"fmt"
	"path/filepath"
	"unicode/utf8"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/index/ingest"
	"mekiki/index/ingest/report"
	"mekiki/index/renditions"
	"mekiki/internal/progress"
)

// IndexPaths brings folders and files into a library, with progress.
func IndexPaths(ctx context.Context, a *cli.App, library cli.Library, engine *cli.Session, options ingest.Options) (report.Summary, error) {
	reporter := a.Progress()
	defer reporter.Finish()
	task := "index " + namesOf(options.Paths)
	options.Logger = a.Log()
	options.ImageSize = engine.Manifest().Config.Preprocess.ImageSize
	options.Progress = func(state report.Progress) { reporter.Report(indexState(task, state)) }
	if options.CaptionsLater {
		options.LastUsed = renditions.LastUsed(renditions.FolderOf(library.DerivedFolder()))
	}
	return ingest.Run(ctx, library, engine.Engine, options)
}

// namesOf says in a few words what paths are: the names of the first three at most,
// and how many more there are. It leaves room on the line for what progress says.
func namesOf(paths []string) string {
	const most, longest, width = 3, 24, 32
	names := ""
	for i, path := range paths {
		name := []rune(filepath.Base(path))
		if len(name) > longest {
			name = append(name[:longest-1], '…')
		}
		if i == most || i > 0 && utf8.RuneCountInString(names)+len(name) > width {
			return fmt.Sprintf("%s and %d more", names, len(paths)-i)
		}
		if i > 0 {
			names += ", "
		}
		names += string(name)
	}
	return names
}

func indexState(task string, state report.Progress) progress.State {
	shown := progress.State{
		Task: task, Done: int64(state.Done()), Total: int64(state.Total), Failed: int64(state.Failed), Unit: progress.Images,
		Rate: state.Rate, Remaining: state.Remaining.Seconds(),
	}
	if state.ToDescribe > 0 {
		shown.Task, shown.Done, shown.Total = "write captions", int64(state.Described), int64(state.ToDescribe)
		shown.Rate, shown.Failed = 0, 0
		return shown
	}
	switch {
	case state.Path != "":
		shown.Detail = filepath.Base(state.Path)
	case state.Opening:
		shown.Detail = "opening the model"
	case state.Done() == 0 && !state.Finished:
		shown.Detail = "looking for images"
	}
	return shown
}
