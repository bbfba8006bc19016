package ingest

import (
	"errors"
	"io/fs"
	"sync"
	"time"

	"mekiki/index"
)

// Progress is how far a run is.
type Progress struct {
	// Seen counts image files found so far; Walked says that this is all.
	Seen   int  `json:"seen"`
	Walked bool `json:"walked"`
	// Total is how many files there are, counted ahead of reading them; zero
	// while that is not known, and Seen when Walked.
	Total int `json:"total"`
	// Unchanged, Added, Attached, Removed and Failed count files: known ones
	// (failed ones that have not changed among them), new images, moved or
	// duplicate files of known images, files that are gone, and files that
	// could not be indexed.
	Unchanged int `json:"unchanged"`
	Added     int `json:"added"`
	Attached  int `json:"attached"`
	Removed   int `json:"removed"`
	Failed    int `json:"failed"`
	// Committed counts the new images that are durable.
	Committed int `json:"committed"`
	// Rate is new images a second, lately.
	Rate float64 `json:"rate"`
	// Remaining is an estimate from the files dealt with lately, known ones
	// among them; zero while there is none.
	Remaining time.Duration `json:"remaining_ns"`
	// Path is the file that came last.
	Path string `json:"path,omitempty"`
	// Finished is true in the last call.
	Finished bool `json:"finished"`
}

// Done counts the files that are dealt with.
func (p Progress) Done() int { return p.Unchanged + p.Added + p.Attached + p.Failed }

const (
	reportInterval = 200 * time.Millisecond
	rateWindow     = 30 * time.Second
	rateMinimum    = time.Second
	keptFailures   = 1000
)

// tracker counts. It is safe for concurrent use.
type tracker struct {
	call    func(Progress)
	started time.Time

	mutex    sync.Mutex
	now      Progress
	failures []index.Failure
	// base is what was seen when the pass began.
	base int
	// recent are counts of the last rateWindow, oldest first.
	recent []moment
}

// moment is how far a run was.
type moment struct {
	at          time.Time
	added, done int
}

func newTracker(options Options) *tracker {
	return &tracker{call: options.Progress, started: time.Now()}
}

func (t *tracker) change(change func(*Progress)) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	change(&t.now)
}

func (t *tracker) see()      { t.change(func(p *Progress) { p.Seen++ }) }
func (t *tracker) walkDone() { t.change(func(p *Progress) { p.Walked, p.Total = true, p.Seen }) }

// begin begins a pass, of which nobody knows how much it will find.
func (t *tracker) begin() {
	t.change(func(p *Progress) { p.Walked, p.Total, t.base = false, 0, p.Seen })
}

// expect says how many files the pass will find.
func (t *tracker) expect(files int) { t.change(func(p *Progress) { p.Total = t.base + files }) }
func (t *tracker) unchanged(path string) {
	t.change(func(p *Progress) { p.Unchanged++; p.Path = path })
}
func (t *tracker) attach(path string) { t.change(func(p *Progress) { p.Attached++; p.Path = path }) }
func (t *tracker) remove(n int)       { t.change(func(p *Progress) { p.Removed += n }) }
func (t *tracker) commit(n int)       { t.change(func(p *Progress) { p.Committed += n }) }

func (t *tracker) add(path string) {
	t.change(func(p *Progress) { p.Added++; p.Path = path })
}

func (t *tracker) fail(failure index.Failure) {
	t.change(func(p *Progress) {
		p.Failed++
		p.Path = failure.File.Path
		if len(t.failures) < keptFailures {
			t.failures = append(t.failures, failure)
		}
	})
}

// failPath counts a path that cannot be read.
func (t *tracker) failPath(err error) {
	failure := index.Failure{Reason: reasonOf(err) + " (" + err.Error() + ")", Time: time.Now().UTC()}
	if where := (*fs.PathError)(nil); errors.As(err, &where) {
		failure.File.Path, failure.Reason = where.Path, reasonOf(where.Err)
	}
	t.change(func(p *Progress) {
		p.Failed++
		p.Seen++
		if len(t.failures) < keptFailures {
			t.failures = append(t.failures, failure)
		}
	})
}

// current gives the counts with rate and remaining time.
func (t *tracker) current() Progress {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	now := time.Now()
	p := t.now
	if p.Total > 0 {
		p.Total = max(p.Total, p.Seen)
	}
	t.recent = append(t.recent, moment{now, p.Added, p.Done()})
	for len(t.recent) > 2 && t.recent[0].at.Before(now.Add(-rateWindow)) {
		t.recent = t.recent[1:]
	}
	first := t.recent[0]
	seconds := now.Sub(first.at).Seconds()
	if seconds < rateMinimum.Seconds() {
		return p
	}
	p.Rate = float64(p.Added-first.added) / seconds
	if done := p.Done() - first.done; done > 0 && p.Total > p.Done() {
		p.Remaining = time.Duration(float64(p.Total-p.Done()) / float64(done) * seconds * float64(time.Second))
	}
	return p
}

func (t *tracker) summary() Summary {
	p := t.current()
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return Summary{
		Seen: p.Seen, Unchanged: p.Unchanged, Added: p.Added, Attached: p.Attached, Removed: p.Removed, Failed: p.Failed,
		Failures: append([]index.Failure(nil), t.failures...), Duration: time.Since(t.started),
	}
}

// report calls the progress function until the returned function is called,
// which calls it once more.
func (r *run) report() (stop func()) {
	if r.options.Progress == nil {
		return func() {}
	}
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(reportInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ended:
				last := r.progress.current()
				last.Finished = true
				r.options.Progress(last)
				return
			case <-ticker.C:
				r.options.Progress(r.progress.current())
			}
		}
	}()
	return func() {
		close(ended)
		<-done
	}
}
