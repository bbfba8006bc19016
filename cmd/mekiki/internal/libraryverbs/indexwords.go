package libraryverbs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/cmd/mekiki/internal/remote"
	"mekiki/embed/ocr"
	"mekiki/index/ingest/reading"
	"mekiki/internal/progress"
	"mekiki/server/jobs"
)

// openWords opens the models that read words, before anything is indexed for nothing; nil where nobody asked for them.
func openWords(ctx context.Context, app *cli.App, engine *cli.Session, flags indexOptions) (*ocr.Reader, func(), error) {
	if !flags.readWords {
		return nil, func() {}, nil
	}
	words, err := app.OpenWords(ctx, engine.Runtime, flags.words)
	if err != nil {
		return nil, nil, err
	}
	return words, func() {
		if err := words.Close(); err != nil {
			app.Log().Warn("close the models that read words", "error", err)
		}
	}, nil
}

// readWords reads the words in the pictures of a library that were not read yet, with progress. It gives nil where nobody asked
// for it; one that is interrupted is no error, but says what is left.
func readWords(ctx context.Context, app *cli.App, library cli.Library, engine *cli.Session, words *ocr.Reader, interrupted bool) (*reading.Progress, error) {
	if words == nil || interrupted {
		return nil, nil
	}
	reporter := app.Progress()
	defer reporter.Finish()
	began := time.Now()
	read, err := reading.Read(ctx, library, words, reading.Options{
		Decoder: library.Decoder(), Turns: engine.Turns(), Logger: app.Log(),
		Progress: func(now reading.Progress) { reporter.Report(wordsState(now, time.Since(began))) },
	})
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = nil
	}
	return &read, err
}

// watchedWords reads the words of what comes in while folders are watched.
type watchedWords struct {
	library cli.Library
	words   *ocr.Reader
	options reading.Options
	tried   uint64           // the commit whose pictures were read, but for those that cannot be
	total   reading.Progress // of all readings
}

// newWatchedWords makes one; nil where nobody asked for words, or for watching.
func newWatchedWords(app *cli.App, library cli.Library, engine *cli.Session, words *ocr.Reader, watch bool) *watchedWords {
	if words == nil || !watch {
		return nil
	}
	return &watchedWords{library: library, words: words, options: reading.Options{Decoder: library.Decoder(), Turns: engine.Turns(), Logger: app.Log()}}
}

// read reads the words in pictures that came in or changed since the last time.
func (w *watchedWords) read(ctx context.Context) error {
	reader, err := w.library.Reader(ctx)
	if err != nil {
		return err
	}
	now := reader.Sequence()
	if err := reader.Close(); err != nil || now == w.tried {
		return err
	}
	w.options.Since = w.tried
	read, err := reading.Read(ctx, w.library, w.words, w.options)
	w.add(read)
	if err == nil {
		w.tried = now
	}
	return err
}

// add adds up what was read. A picture that is read again after it changed counts again.
func (w *watchedWords) add(read reading.Progress) {
	w.total.Done += read.Done
	w.total.Worded += read.Worded
	w.total.Lines += read.Lines
	w.total.Failed += read.Failed
	w.total.Before = max(0, read.Pictures-read.Left()-w.total.Done)
	w.total.Pictures = w.total.Before + w.total.Done + read.Left()
}

// wordsState shows how far reading is. The pictures that had been read before are not part of it.
func wordsState(now reading.Progress, since time.Duration) progress.State {
	state := progress.State{
		Task: "read words", Done: int64(now.Done), Total: int64(now.Pictures - now.Before), Failed: int64(now.Failed), Unit: progress.Images,
		Detail: cli.Counted(now.Worded, "picture", "pictures") + " with words",
	}
	if seconds := since.Seconds(); now.Done > 0 && seconds > 0 {
		state.Rate = float64(now.Done) / seconds
		state.Remaining = float64(now.Left()) / state.Rate
	}
	return state
}

// wordsText says in words what was read; "" for nil.
func wordsText(read *reading.Progress) string {
	if read == nil {
		return ""
	}
	text := fmt.Sprintf("words were read in %s: %d with words, %d failed", cli.Counted(read.Done, "picture", "pictures"), read.Worded, read.Failed)
	if read.Before > 0 {
		text += fmt.Sprintf("; %d had been read before", read.Before)
	}
	if left := read.Left(); left > 0 {
		text += fmt.Sprintf("; %d are left", left)
	}
	return text + "\n"
}

// handWords has the server read the words in pictures.
func handWords(ctx context.Context, app *cli.App, client *remote.Client) (*reading.Progress, error) {
	job, err := app.RunJob(ctx, client, "read words", jobs.Request{Kind: jobs.KindWords})
	if err != nil {
		return nil, err
	}
	read := &reading.Progress{}
	return read, remote.Result(job, read)
}
