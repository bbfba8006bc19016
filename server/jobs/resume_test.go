package jobs

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestLeftToTheNextServer: writing captions that are missing is taken up by the next server, however this one ended, unless it was
// done or somebody cancelled it.
func TestLeftToTheNextServer(t *testing.T) {
	asked := Request{Kind: KindCaptions, Missing: true, Paths: []string{"/photos"}, CaptionSource: "both", CaptionCount: 2}
	for name, test := range map[string]struct {
		after  time.Duration // the server ends
		killed bool
		cancel string
		want   []Request
	}{
		"before its turn": {after: 30 * time.Second, want: []Request{asked}},
		"in between":      {after: 90 * time.Second, want: []Request{asked}},
		"killed":          {after: 90 * time.Second, killed: true, want: []Request{asked}},
		"done":            {after: time.Hour},
		"cancelled":       {after: time.Hour, cancel: "2"},
		"first cancelled": {after: time.Hour, cancel: "1"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "jobs.json")
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithCancel(t.Context())
				manager := New(10, path, slog.New(slog.DiscardHandler), time.Now)
				go manager.Run(ctx)
				minute := func(then *Task) func(context.Context, func(Progress)) (Outcome, error) {
					return func(ctx context.Context, _ func(Progress)) (Outcome, error) {
						select {
						case <-time.After(time.Minute):
							return Outcome{Then: then}, nil
						case <-ctx.Done():
							return Outcome{}, ctx.Err()
						}
					}
				}
				captions := Task{Kind: KindCaptions, Yields: true, Resume: &asked, Run: minute(nil)}
				if _, err := manager.Add(Task{Kind: KindIndex, Resume: &asked, Run: minute(&captions)}); err != nil {
					t.Fatal(err)
				}
				if test.cancel != "" {
					time.Sleep(map[string]time.Duration{"1": 30 * time.Second, "2": 90 * time.Second}[test.cancel])
					if _, there := manager.Cancel(test.cancel); !there {
						t.Errorf("no job %s", test.cancel)
					}
				}
				time.Sleep(test.after)
				var next *Manager
				if test.killed {
					next = New(10, path, slog.New(slog.DiscardHandler), time.Now)
				}
				stop()
				synctest.Wait()
				if next == nil {
					next = New(10, path, slog.New(slog.DiscardHandler), time.Now)
				}
				if diff := cmp.Diff(test.want, next.Left()); diff != "" {
					t.Error(diff)
				}
				if again := next.Left(); again != nil {
					t.Errorf("left twice: %+v", again)
				}
			})
		})
	}
}
