package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/ingest"
	"mekiki/index/ingest/captioning"
	"mekiki/index/ingest/reading"
	"mekiki/index/ingest/textrecord"
	"mekiki/search/duplicates"
	"mekiki/server/problem"
)

// Request asks for a job, in the form of the API document.
type Request struct {
	Kind           string   `json:"kind,omitempty"`
	Paths          []string `json:"paths,omitempty"`
	Include        []string `json:"include,omitempty"`
	Exclude        []string `json:"exclude,omitempty"`
	Hidden         bool     `json:"hidden,omitempty"`
	SystemFolders  bool     `json:"system_folders,omitempty"`
	NoExtension    bool     `json:"no_extension,omitempty"`
	FollowSymlinks bool     `json:"follow_symlinks,omitempty"`
	Again          bool     `json:"again,omitempty"`
	MaxDepth       int      `json:"max_depth,omitempty"`
	Captions       *bool    `json:"captions,omitempty"`
	CaptionCount   int      `json:"caption_count,omitempty"`
	CaptionSource  string   `json:"caption_source,omitempty"`
	CaptionSamples int      `json:"caption_samples,omitempty"`
	Tokens         string   `json:"tokens,omitempty"`
	Megapixels     int64    `json:"megapixels,omitempty"`
	BatchSize      int      `json:"batch,omitempty"`
	Missing        bool     `json:"missing,omitempty"`
	Reason         string   `json:"reason,omitempty"`
	File           string   `json:"file,omitempty"`
	Format         string   `json:"format,omitempty"`
	Source         string   `json:"source,omitempty"`
}

// Chores are the kinds of work on a library besides reading files.
type Chores interface {
	// CaptionWriter gives who writes captions for a source that takes a second stage.
	CaptionWriter(source captioning.Source, samples int) (captioning.Writer, error)
	// Recaption writes the captions of all pictures anew, or those that are missing.
	Recaption(ctx context.Context, options captioning.RecaptionOptions) (captioning.Recaptioned, error)
	// AddTextFile brings in a file of texts.
	AddTextFile(ctx context.Context, source io.Reader, options textrecord.Options) (textrecord.Summary, error)
	// ReadWords reads the words in pictures that were not read yet.
	ReadWords(ctx context.Context, options reading.Options) (reading.Progress, error)
	// Compact frees the disk space of removed records.
	Compact(ctx context.Context) (index.CompactResult, error)
}

// Workshop is what jobs are made with.
type Workshop struct {
	Ingester Ingester
	Chores   Chores // nil where only files can be read
	// CompareScenes compares the pictures that were not compared yet; nil where that cannot be done. progress is told how many are done.
	CompareScenes func(ctx context.Context, progress func(done, total int)) (duplicates.Compared, error)
	Library       index.Library
	// Roots are the folders that callers may name, real paths. Owner lets this caller name any.
	Roots []string
	Owner bool
	// Captions is how many captions to write where the request does not say, as in [ingest.Options].
	Captions int
	// Describes reports whether the model writes captions; nil means that it does.
	Describes func() bool
	Logger    *slog.Logger
}

// Task makes the task that a request asks for, or says as a problem what is wrong with it.
func (w Workshop) Task(ctx context.Context, asked Request) (Task, error) {
	switch asked.Kind {
	case KindRetry:
		return w.retry(ctx, asked)
	case KindDuplicates:
		return w.Duplicates()
	case KindWords:
		return w.Words(asked.Again)
	case KindCaptions, KindTexts, KindCompact:
		return w.chore(asked)
	}
	return w.index(asked)
}

// index reads files and folders; reading again what files say about themselves is a way of it.
func (w Workshop) index(asked Request) (Task, error) {
	if w.Ingester == nil || len(w.Roots) == 0 && !w.Owner {
		p := problem.New(problem.Unsupported, "no folders may be indexed through this server")
		p.Hint = "run mekiki index FOLDER on the server's machine, as the user who runs the server; or start the server with --root FOLDER"
		return Task{}, p
	}
	paths := w.Roots
	if len(asked.Paths) > 0 {
		paths = nil
		for i, path := range asked.Paths {
			allowed, err := w.Allowed(fmt.Sprintf("paths[%d]", i), path)
			if err != nil {
				return Task{}, err
			}
			paths = append(paths, allowed)
		}
	}
	options, err := w.options(asked, paths)
	if err != nil {
		return Task{}, err
	}
	kind := KindIndex
	if options.Reread = asked.Kind == KindMetadata; options.Reread {
		kind = KindMetadata
	}
	if kind == KindIndex && w.Chores != nil && options.Captions >= 0 && !options.NoTokens {
		return w.captionsLater(options, asked.CaptionSamples), nil
	}
	return Ingest(kind, w.Ingester, options), nil
}

// captionsLater brings files in without captions, so that they are found soon, and has these written by a job that gives way
// to others; also where the server stops in between.
func (w Workshop) captionsLater(options ingest.Options, samples int) Task {
	missing := Request{
		Kind: KindCaptions, Missing: true, Paths: options.Paths, CaptionSource: string(options.CaptionSource), CaptionSamples: samples,
		CaptionCount: max(0, options.Captions),
	}
	writer := options.CaptionWriter
	then := w.describe(missing, writer)
	options.Captions, options.CaptionSource, options.CaptionWriter = -1, "", nil
	task := Ingest(KindIndex, w.Ingester, options)
	first := task.Run
	task.Resume = &missing
	task.Run = func(ctx context.Context, tell func(Progress)) (Outcome, error) {
		outcome, err := first(ctx, tell)
		if indexed, is := outcome.Result.(Indexed); is && err == nil && !outcome.Interrupted {
			indexed.CaptionsFollow = writer != nil || w.Describes == nil || w.Describes()
			outcome.Result = indexed
		}
		outcome.Then = &then
		return outcome, err
	}
	return task
}

// describe is the task of writing captions: all anew, or those that are missing, which gives way to other jobs and is taken up
// again by the next server.
func (w Workshop) describe(asked Request, writer captioning.Writer) Task {
	options := captioning.RecaptionOptions{
		Source: captioning.Source(asked.CaptionSource), Writer: writer, Keep: asked.CaptionCount, Missing: asked.Missing, Logger: w.Logger,
	}
	task := Task{Kind: KindCaptions}
	if asked.Missing {
		options.Below, task.Paths, task.Yields, task.Resume = asked.Paths, asked.Paths, true, &asked
	}
	task.Run = func(ctx context.Context, tell func(Progress)) (Outcome, error) {
		pace := newPace()
		options.Progress = func(now captioning.Recaptioned) {
			tell(pace.measure(Progress{Found: now.Pictures, Total: now.Pictures, Walked: true, Done: now.Done, Added: now.Described, Failed: now.Failed}))
		}
		result, err := w.Chores.Recaption(ctx, options)
		return Outcome{Result: result}, err
	}
	return task
}

// options are those of the request for some paths.
func (w Workshop) options(asked Request, paths []string) (ingest.Options, error) {
	options := ingest.Options{
		Paths: paths, Include: asked.Include, Exclude: asked.Exclude, Hidden: asked.Hidden, SystemFolders: asked.SystemFolders,
		NoExtension: asked.NoExtension, FollowSymlinks: asked.FollowSymlinks, Again: asked.Again, MaxDepth: asked.MaxDepth, Captions: w.Captions,
		MaxPixels: asked.Megapixels * 1_000_000, BatchSize: asked.BatchSize, Logger: w.Logger,
	}
	if asked.FollowSymlinks && !w.Owner {
		p := problem.Invalid("follow_symlinks", "is for the owner of the server, because links lead out of the folders that may be indexed")
		return options, p
	}
	switch asked.Tokens {
	case "int4":
		options.Packing = embed.PackInt4
	case "none":
		options.NoTokens = true
	}
	if asked.CaptionCount > 0 {
		options.Captions = asked.CaptionCount
	}
	var err error
	options.CaptionSource = captioning.Source(asked.CaptionSource)
	if asked.Captions != nil && !*asked.Captions {
		options.Captions, options.CaptionSource = -1, ""
	} else if options.CaptionWriter, err = w.captionWriter(asked); err != nil {
		return options, err
	}
	if err := options.Validate(); err != nil {
		return options, problem.New(problem.InvalidRequest, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return options, nil
}

// captionWriter gives the second stage where captions are to come from it.
func (w Workshop) captionWriter(asked Request) (captioning.Writer, error) {
	source := captioning.Source(asked.CaptionSource)
	if source != captioning.LM && source != captioning.Both {
		return nil, nil
	}
	if w.Chores == nil {
		return nil, problem.Invalid("caption_source", "this server has no second stage to write captions")
	}
	writer, err := w.Chores.CaptionWriter(source, asked.CaptionSamples)
	if err != nil {
		return nil, problem.Invalid("caption_source", "%v", err)
	}
	return writer, nil
}

// Allowed gives the real path of a file or folder if it lies under one of the roots, both by its name and after following
// links. A path elsewhere is refused before the file system is asked, so that nothing can be learnt of it.
func (w Workshop) Allowed(field, path string) (string, error) {
	outside := problem.Newf(problem.Forbidden, "%s: %q is outside the folders that may be indexed", field, problem.Shorten(path, 200))
	outside.Errors = []problem.Field{{Field: field, Detail: "is outside the folders that may be indexed"}}
	outside.Hint = "these may be indexed: " + strings.Join(w.Roots, ", ")
	if !filepath.IsAbs(path) {
		return "", problem.Invalid(field, "must be an absolute path")
	}
	path = filepath.Clean(path)
	if !w.under(path) {
		return "", outside
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		p := problem.Invalid(field, "there is no %s that the server can open", problem.Shorten(path, 200))
		p.Hint = "check the name, that its drive is connected, and that the server's user may read it"
		return "", p
	}
	if !w.under(real) {
		return "", outside
	}
	if w.Owner {
		return path, nil // as a command of the owner's would call it
	}
	return real, nil
}

func (w Workshop) under(path string) bool {
	if w.Owner {
		return true
	}
	for _, root := range w.Roots {
		if relative, err := filepath.Rel(root, path); err == nil && filepath.IsLocal(relative) {
			return true
		}
	}
	return false
}

// retry reads files again that could not be indexed: those named, those of one reason, or all. They are known to the
// library, so that they need not lie under a root.
func (w Workshop) retry(ctx context.Context, asked Request) (Task, error) {
	if w.Ingester == nil {
		return Task{}, problem.New(problem.Unsupported, "this server indexes no files")
	}
	reader, err := w.Library.Reader(ctx)
	if err != nil {
		return Task{}, fmt.Errorf("read library: %w", err)
	}
	failures, err := reader.Failures(ctx)
	if err = errors.Join(err, reader.Close()); err != nil {
		return Task{}, err
	}
	named := map[string]bool{}
	for _, path := range asked.Paths {
		named[path] = true
	}
	var paths []string
	for _, failure := range failures {
		if (len(named) == 0 || named[failure.File.Path]) && (asked.Reason == "" || failure.Reason == asked.Reason) {
			paths = append(paths, failure.File.Path)
		}
	}
	if len(paths) == 0 {
		return Task{}, problem.New(problem.NotFound, "no file that could not be indexed answers this request")
	}
	options, err := w.options(asked, paths)
	if err != nil {
		return Task{}, err
	}
	options.RetryFailed = true
	return Task{Kind: KindRetry, Paths: paths[:min(len(paths), shownPaths)], Run: func(ctx context.Context, tell func(Progress)) (Outcome, error) {
		if options.Paths, err = w.forgetGone(ctx, paths); err != nil || len(options.Paths) == 0 {
			return Outcome{}, err
		}
		return Ingest(KindRetry, w.Ingester, options).Run(ctx, tell)
	}}, nil
}

// forgetGone takes those of the failed files off the list that are not there any more, in folders that are, and gives
// the others.
func (w Workshop) forgetGone(ctx context.Context, paths []string) (left []string, err error) {
	var gone []string
	for _, path := range paths {
		_, err := os.Lstat(path)
		_, folderErr := os.Stat(filepath.Dir(path))
		if errors.Is(err, fs.ErrNotExist) && folderErr == nil {
			gone = append(gone, path)
			continue
		}
		left = append(left, path)
	}
	if len(gone) > 0 {
		if _, err := w.Library.Write(ctx, index.Batch{Resolved: gone}); err != nil {
			return nil, fmt.Errorf("forget files that are gone: %w", err)
		}
	}
	return left, nil
}

// chore makes the tasks that are no reading of files.
func (w Workshop) chore(asked Request) (Task, error) {
	if w.Chores == nil {
		return Task{}, problem.Newf(problem.Unsupported, "this server has no jobs of the kind %s", asked.Kind)
	}
	switch asked.Kind {
	case KindCompact:
		return Task{Kind: KindCompact, Run: func(ctx context.Context, _ func(Progress)) (Outcome, error) {
			result, err := w.Chores.Compact(ctx)
			return Outcome{Result: Compacted(result)}, err
		}}, nil
	case KindTexts:
		return w.texts(asked)
	}
	writer, err := w.captionWriter(asked)
	if err != nil {
		return Task{}, err
	}
	return w.describe(asked, writer), nil
}

// Duplicates is the task of comparing pictures that were not compared yet.
func (w Workshop) Duplicates() (Task, error) {
	if w.CompareScenes == nil {
		return Task{}, problem.Newf(problem.Unsupported, "this server has no jobs of the kind %s", KindDuplicates)
	}
	return Task{Kind: KindDuplicates, Run: func(ctx context.Context, tell func(Progress)) (Outcome, error) {
		pace := newPace()
		result, err := w.CompareScenes(ctx, func(done, total int) {
			tell(pace.measure(Progress{Found: total, Total: total, Walked: true, Done: done}))
		})
		return Outcome{Result: result, Progress: Progress{Found: result.Pictures, Total: result.Pictures, Walked: true, Done: result.Pictures}}, err
	}}, nil
}

// Words is the task of reading the words in pictures that were not read yet, or, again, by other models. It may take hours,
// and gives way to other jobs.
func (w Workshop) Words(again bool) (Task, error) {
	if w.Chores == nil {
		return Task{}, problem.Newf(problem.Unsupported, "this server has no jobs of the kind %s", KindWords)
	}
	options := reading.Options{Again: again, Logger: w.Logger}
	resume := &Request{Kind: KindWords, Again: again}
	return Task{Kind: KindWords, Plain: w.Owner, Yields: true, Resume: resume, Run: func(ctx context.Context, tell func(Progress)) (Outcome, error) {
		pace := newPace()
		options.Progress = func(now reading.Progress) { tell(pace.measure(wordsProgress(now))) }
		result, err := w.Chores.ReadWords(ctx, options)
		return Outcome{Result: result, Progress: wordsProgress(result)}, err
	}}, nil
}

func wordsProgress(now reading.Progress) Progress {
	return Progress{
		Found: now.Pictures, Total: now.Pictures, Walked: true, Done: now.Before + now.Done, Added: now.Worded, Unchanged: now.Before, Failed: now.Failed,
	}
}

// Compacted is the result of a job that compacts.
type Compacted struct {
	Before   int64 `json:"before_bytes"`
	After    int64 `json:"after_bytes"`
	Segments int   `json:"segments"`
	Skipped  int   `json:"skipped"`
}

// texts brings in a file of the server's machine, for the owner alone.
func (w Workshop) texts(asked Request) (Task, error) {
	if !w.Owner {
		p := problem.New(problem.Forbidden, "files of texts are for the owner of the server")
		p.Hint = "send the texts to /api/v1/texts instead"
		return Task{}, p
	}
	if !filepath.IsAbs(asked.File) {
		return Task{}, problem.Invalid("file", "must be an absolute path")
	}
	options := textrecord.Options{Format: textrecord.Format(asked.Format), Source: asked.Source}
	return Task{Kind: KindTexts, Paths: []string{asked.File}, Plain: true, Run: func(ctx context.Context, tell func(Progress)) (outcome Outcome, err error) {
		file, err := os.Open(asked.File)
		if err != nil {
			return Outcome{}, err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		options.Progress = func(done int) { tell(Progress{Found: done, Done: done, Added: done}) }
		result, err := w.Chores.AddTextFile(ctx, file, options)
		return Outcome{Result: result}, err
	}}, nil
}

// pace tells the rate of work that reports only how much is done.
type pace struct {
	began time.Time
	first int
	begun bool
}

func newPace() *pace { return &pace{began: time.Now()} }

// measure adds the rate since the first report, and how long the rest takes at that rate.
func (p *pace) measure(now Progress) Progress {
	if !p.begun {
		p.begun, p.first, p.began = true, now.Done, time.Now()
		return now
	}
	if seconds := time.Since(p.began).Seconds(); now.Done > p.first && seconds > 0 {
		now.Rate = float64(now.Done-p.first) / seconds
		now.Remaining = float64(now.Total-now.Done) / now.Rate
	}
	return now
}
