package jobs

import (
	"context"
	"testing"

	"mekiki/index/ingest/reading"
)

// readers reads words.
type readers struct{ Chores }

func (readers) ReadWords(_ context.Context, options reading.Options) (reading.Progress, error) {
	options.Progress(reading.Progress{Pictures: 10, Before: 2, Done: 3})
	return reading.Progress{Pictures: 10, Before: 2, Done: 8, Worded: 4, Failed: 1}, nil
}

// TestWords: a job that reads words gives way to others, and tells of the pictures that had been read as done.
func TestWords(t *testing.T) {
	words, err := Workshop{Chores: readers{}}.Task(t.Context(), Request{Kind: KindWords})
	if err != nil || !words.Yields {
		t.Fatalf("%+v, %v", words, err)
	}
	var told []Progress
	outcome, err := words.Run(t.Context(), func(now Progress) { told = append(told, now) })
	if err != nil || len(told) != 1 || told[0].Done != 5 || told[0].Total != 10 || outcome.Progress.Done != 10 || outcome.Progress.Failed != 1 {
		t.Errorf("told %+v, %+v, %v", told, outcome, err)
	}
	if _, err := (Workshop{}).Task(t.Context(), Request{Kind: KindWords}); err == nil {
		t.Error("a server without chores reads words")
	}
}
