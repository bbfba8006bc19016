package ingest

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"time"

	"mekiki/index"
)

// Progress is how far a run is. Watching, it is how far the look through the
// folders is that comes after a change.
type Progress struct {
	// Seen counts image files found so far; Walked says that this is all.
	Seen   int  `json:"seen"`
	Walked bool `json:"walked"`
	// Total is how many files there are, counted ahead of reading them; zero
	// while that is not known, and Seen when Walked.
	Total int `json:"total"`
	// Unchanged, Added, Changed, Reread, Attached, Removed, Excluded and Failed
	// count files: known ones (failed ones that have not changed among them),
	// new images, images whose file has other content now, images of which only
	// the metadata was read again, moved or duplicate files of known images,
	// files that are gone, known files that a rule leaves out now, and files
	// that could not be indexed.
	Unchanged int `json:"unchanged"`
	Added     int `json:"added"`
	Changed   int `json:"changed"`
	Reread    int `json:"reread"`
	Attached  int `json:"attached"`
	Removed   int `json:"removed"`
	Excluded  int `json:"excluded"`
	Failed    int `json:"failed"`
	// Damaged counts those of the added and changed ones that could be read only
	// in part.
	Damaged int `json:"damaged,omitempty"`
	// Committed counts the new images that are durable.
	Committed int `json:"committed"`
	// Rate is new images a second, lately.
	Rate float64 `json:"rate"`
	// Remaining is an estimate from the files dealt with lately, known ones
	// among them; zero while there is none.
	Remaining time.Duration `json:"remaining_ns"`
	// Opening says that the model has the first images, for which it is opened.
	Opening bool `json:"opening,omitempty"`
	// Path is the file that came last.
	Path string `json:"path,omitempty"`
	// Finished is true in the last call.
	Finished bool `json:"finished"`
}

// Done counts the files that are dealt with.
func (p Progress) Done() int {
	return p.Unchanged + p.Added + p.Changed + p.Reread + p.Attached + p.Failed
}

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

	mutex sync.Mutex
	now   Progress
	// before are the counts of the passes before this one.
	before Summary
	passes int
	// failing are the paths that have not been put right since, and failures
	// the first of them.
	failing  map[[16]byte]bool
	failures []index.Failure
	// passed counts the files of other kinds, by extension; away are the folders
	// whose drives are away.
	passed map[string]int
	away   []AwayFolder
	// older counts the files that were read again because an older version had
	// read them.
	older int
	// recent are counts of the last rateWindow, oldest first.
	recent []moment
}

// moment is how far a run was.
type moment struct {
	at          time.Time
	added, done int
}

func newTracker(options Options) *tracker {
	return &tracker{call: options.Progress, started: time.Now(), failing: map[[16]byte]bool{}, passed: map[string]int{}}
}

func (t *tracker) change(change func(*Progress)) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	change(&t.now)
}

func (t *tracker) opening(is bool) { t.change(func(p *Progress) { p.Opening = is }) }
func (t *tracker) see()            { t.change(func(p *Progress) { p.Seen++ }) }
func (t *tracker) walkDone()       { t.change(func(p *Progress) { p.Walked, p.Total = true, p.Seen }) }

// begin begins a pass, of which nobody knows how much it will find.
func (t *tracker) begin() {
	t.change(func(p *Progress) {
		t.before = t.sum()
		t.passes++
		t.now, t.recent = Progress{}, nil
	})
}

// expect says how many files the pass will find.
func (t *tracker) expect(files int) { t.change(func(p *Progress) { p.Total = files }) }
func (t *tracker) unchanged(path string) {
	t.change(func(p *Progress) { p.Unchanged++; p.Path = path })
}
func (t *tracker) remove(gone, excluded int) {
	t.change(func(p *Progress) { p.Removed += gone; p.Excluded += excluded })
}
func (t *tracker) commit(n int) { t.change(func(p *Progress) { p.Committed += n }) }

func (t *tracker) attach(path string) {
	t.change(func(p *Progress) { p.Attached++; p.Path = path; t.recover(path) })
}

func (t *tracker) add(path string) {
	t.change(func(p *Progress) { p.Added++; p.Path = path; t.recover(path) })
}

func (t *tracker) changed(path string) {
	t.change(func(p *Progress) { p.Changed++; p.Path = path; t.recover(path) })
}

func (t *tracker) reread(path string, older bool) {
	t.change(func(p *Progress) {
		p.Reread++
		p.Path = path
		if t.recover(path); older {
			t.older++
		}
	})
}

func (t *tracker) damaged() { t.change(func(p *Progress) { p.Damaged++ }) }

// resolve forgets the failure of a path that is no more.
func (t *tracker) resolve(path string) {
	t.change(func(*Progress) { t.recover(path) })
}

// maximumKinds bounds the extensions that are told apart.
const maximumKinds = 1000

// passOver counts a file of another kind, in the first pass.
func (t *tracker) passOver(extension string) {
	t.change(func(p *Progress) {
		if _, known := t.passed[extension]; t.passes < 2 && (known || len(t.passed) < maximumKinds) {
			t.passed[extension]++
		}
	})
}

// keep notes which folders are away.
func (t *tracker) keep(away map[string]int) {
	t.change(func(*Progress) {
		t.away = nil
		for _, folder := range slices.Sorted(maps.Keys(away)) {
			t.away = append(t.away, AwayFolder{folder, away[folder]})
		}
	})
}

func (t *tracker) fail(failure index.Failure) {
	t.change(func(p *Progress) {
		p.Failed++
		p.Path = failure.File.Path
		t.list(failure)
	})
}

// failPath counts a path that cannot be read.
func (t *tracker) failPath(err error) {
	failure := index.Failure{Reason: reasonOf(err) + " (" + err.Error() + ")", Time: time.Now().UTC()}
	if where := (*fs.PathError)(nil); errors.As(err, &where) {
		failure.File.Path, failure.Reason = where.Path, reasonOf(where.Err)
	}
	if errors.Is(err, fs.ErrNotExist) {
		failure.Reason = "nothing is there" // and maybe never was
	}
	t.change(func(p *Progress) {
		p.Failed++
		p.Seen++
		t.list(failure)
	})
}

// list keeps a failure, once for each path.
func (t *tracker) list(failure index.Failure) {
	key := fileKey(failure.File.Path)
	known := t.failing[key]
	t.failing[key] = true
	if known {
		if at := t.placeOf(failure.File.Path); at >= 0 {
			t.failures[at] = failure
		}
	} else if len(t.failures) < keptFailures {
		t.failures = append(t.failures, failure)
	}
}

// recover forgets the failure of a path that is in now.
func (t *tracker) recover(path string) {
	if key := fileKey(path); t.failing[key] {
		delete(t.failing, key)
		if at := t.placeOf(path); at >= 0 {
			t.failures = slices.Delete(t.failures, at, at+1)
		}
	}
}

func (t *tracker) placeOf(path string) int {
	return slices.IndexFunc(t.failures, func(failure index.Failure) bool { return failure.File.Path == path })
}

// news reports whether the pass found anything that was not so before.
func (t *tracker) news() bool {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.passes < 2 || t.now.Added+t.now.Changed+t.now.Reread+t.now.Attached+t.now.Removed+t.now.Excluded > 0 || len(t.failing) != t.before.Failed
}

// sum gives what all passes did. What later ones find unchanged was counted
// before.
func (t *tracker) sum() Summary {
	sum, p := t.before, t.now
	sum.Added += p.Added
	sum.Changed += p.Changed
	sum.Reread += p.Reread
	sum.Attached += p.Attached
	sum.Removed += p.Removed
	sum.Excluded += p.Excluded
	sum.Damaged += p.Damaged
	sum.Seen += p.Added + p.Attached + len(t.failing) - sum.Failed
	sum.Failed = len(t.failing)
	if t.passes < 2 {
		sum.Seen, sum.Unchanged = p.Seen, p.Unchanged
	}
	return sum
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
	t.recent = append(t.recent, moment{now, p.Added + p.Changed, p.Done()})
	for len(t.recent) > 2 && t.recent[0].at.Before(now.Add(-rateWindow)) {
		t.recent = t.recent[1:]
	}
	first := t.recent[0]
	seconds := now.Sub(first.at).Seconds()
	if seconds < rateMinimum.Seconds() {
		return p
	}
	p.Rate = float64(p.Added+p.Changed-first.added) / seconds
	if done := p.Done() - first.done; done > 0 && p.Total > p.Done() {
		p.Remaining = time.Duration(float64(p.Total-p.Done()) / float64(done) * seconds * float64(time.Second))
	}
	return p
}

func (t *tracker) summary() Summary {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	sum := t.sum()
	sum.Failures, sum.Duration = append([]index.Failure(nil), t.failures...), time.Since(t.started)
	sum.Away, sum.Older = slices.Clone(t.away), t.older
	if len(t.passed) > 0 {
		sum.PassedOver = maps.Clone(t.passed)
	}
	return sum
}

// report calls the progress function until the returned function is called,
// which calls it once more. While nothing happens it is not called.
func (r *run) report() (stop func()) {
	if r.options.Progress == nil {
		return func() {}
	}
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(reportInterval)
		defer ticker.Stop()
		var told Progress
		for {
			select {
			case <-ended:
				last := r.progress.current()
				last.Finished = true
				r.options.Progress(last)
				return
			case <-ticker.C:
				now := r.progress.current()
				same := now
				same.Rate, same.Remaining = told.Rate, told.Remaining
				idle := same == told && now.Walked && now.Done() == now.Seen
				if !idle && r.progress.news() {
					r.options.Progress(now)
					told = now
				}
			}
		}
	}()
	return func() {
		close(ended)
		<-done
	}
}
