package jobs

import (
	"context"

	"mekiki/index"
	"mekiki/index/ingest"
	"mekiki/index/ingest/report"
)

// The kinds of jobs.
const (
	KindIndex    = "index"    // bring in folders and files
	KindRetry    = "retry"    // read files again that could not be indexed
	KindMetadata = "metadata" // read again what files say about themselves
	KindCaptions = "captions" // write the captions of all pictures anew
	KindTexts    = "texts"    // bring in a file of texts
	KindCompact  = "compact"  // free the disk space of removed records
	// KindDuplicates compares pictures that were not compared yet, to find those of the same scene.
	KindDuplicates = "duplicates"
	// KindWords reads the words in pictures that were not read yet.
	KindWords = "words"
)

// Task is the work of a job.
type Task struct {
	Kind string
	// Paths are what it is about, to be shown.
	Paths []string
	// Plain shows errors as they are: it was asked for by the owner.
	Plain bool
	// Yields says that it gives way to every other job, and goes on after it: Run is called again after its context has ended.
	Yields bool
	// Resume asks for what is left to do where the server ends before the task does; nil for nothing. The next server is asked.
	Resume *Request
	// Run does it until it is done or its context ends, and reports how far it is.
	Run func(ctx context.Context, report func(Progress)) (Outcome, error)
}

// Outcome is what a job gave, also one that failed or was cancelled.
type Outcome struct {
	// Progress are the last figures; zero leaves those that were reported.
	Progress Progress
	// Result is to be shown, as JSON.
	Result any
	// Failures are the files that could not be indexed.
	Failures []index.Failure
	// Then is a job to be queued once this one has succeeded; nil for none.
	Then *Task
	// Interrupted says that it ended early because its context had.
	Interrupted bool
}

// Ingester brings files into a library.
type Ingester interface {
	// Ingest brings in files until it is done or its context ends.
	Ingest(ctx context.Context, options ingest.Options) (report.Summary, error)
}

// Indexed is the result of a job that reads files.
type Indexed struct {
	report.Summary
	Seconds float64 `json:"seconds"`
	// CaptionsFollow says that a job is to write captions of what came in.
	CaptionsFollow bool `json:"captions_follow,omitempty"`
}

// Ingest is the task of reading files with options, by the name kind.
func Ingest(kind string, ingester Ingester, options ingest.Options) Task {
	return Task{Kind: kind, Paths: options.Paths, Run: func(ctx context.Context, tell func(Progress)) (Outcome, error) {
		options.Progress = func(now report.Progress) { tell(progressOf(now)) }
		summary, err := ingester.Ingest(ctx, options)
		outcome := Outcome{Interrupted: summary.Interrupted, Failures: summary.Failures, Result: Indexed{Summary: summary, Seconds: summary.Duration.Seconds()}}
		if err == nil && !summary.Interrupted {
			outcome.Progress = totalOf(summary)
		}
		return outcome, err
	}}
}

func progressOf(now report.Progress) Progress {
	return Progress{
		Found: now.Seen, Total: now.Total, Walked: now.Walked, Added: now.Added + now.Changed + now.Attached,
		Unchanged: now.Unchanged + now.Reread, Removed: now.Removed + now.Excluded,
		Failed: now.Failed, Done: now.Done(),
		Current: now.Path, Rate: now.Rate, Remaining: now.Remaining.Seconds(),
	}
}

func totalOf(summary report.Summary) Progress {
	return Progress{
		Found: summary.Seen, Total: summary.Seen, Walked: true, Added: summary.Added + summary.Changed + summary.Attached,
		Unchanged: summary.Unchanged + summary.Reread, Removed: summary.Removed + summary.Excluded, Failed: summary.Failed,
		Done: summary.Unchanged + summary.Reread + summary.Added + summary.Changed + summary.Attached + summary.Failed,
	}
}
