package report

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
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
	// Purged counts those of Unchanged that are not there because somebody removed them for good.
	Purged int `json:"purged,omitempty"`
	Failed int `json:"failed"`
	// Damaged counts those of the added and changed ones that could be read only
	// in part.
	Damaged int `json:"damaged,omitempty"`
	// Committed counts the new images that are durable.
	Committed int `json:"committed"`
	// Rate is new images a second, lately.
	Rate float64 `json:"rate"`
	// Remaining is an estimate from the files dealt with lately, known ones
	// among them, or from the captions written lately once all files are in; zero
	// while there is none.
	Remaining time.Duration `json:"remaining_ns"`
	// Described counts the pictures of ToDescribe that were described after all files were in; both are zero until then.
	Described  int `json:"described,omitempty"`
	ToDescribe int `json:"to_describe,omitempty"`
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
	rateMinimum = time.Second
)

// Tracker counts. It is safe for concurrent use.
type Tracker struct {
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
	Failures []index.Failure
	// passed counts the files of other kinds, by extension; away are the folders
	// whose drives are away.
	passed map[string]int
	away   []AwayFolder
	// older counts the files that were read again because an older version had
	// read them.
	older int
	// captioned counts the pictures that got captions after all files were in.
	captioned int
	// modelBusy is how long the model was at work, and modelFirst and modelLast when it began
	// first and ended last.
	modelBusy             time.Duration
	modelFirst, modelLast time.Time
	// recent are counts of the last rateWindow, oldest first.
	recent []rateMoment
}

// rateMoment is how far a run was.
type rateMoment struct {
	at                     time.Time
	added, done, described int
}

// NewTracker begins to count; call may be nil.
func NewTracker(call func(Progress)) *Tracker {
	return &Tracker{call: call, started: time.Now(), failing: map[[16]byte]bool{}, passed: map[string]int{}}
}

func (t *Tracker) change(change func(*Progress)) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	change(&t.now)
}

// Opening notes that the model is being opened, or not any more.
func (t *Tracker) Opening(is bool) { t.change(func(p *Progress) { p.Opening = is }) }

// See counts a file that was found.
func (t *Tracker) See() { t.change(func(p *Progress) { p.Seen++ }) }

// WalkDone notes that all files were found.
func (t *Tracker) WalkDone() { t.change(func(p *Progress) { p.Walked, p.Total = true, p.Seen }) }

// Begin begins a pass, of which nobody knows how much it will find.
func (t *Tracker) Begin() {
	t.change(func(p *Progress) {
		t.before = t.sum()
		t.passes++
		t.now, t.recent = Progress{}, nil
	})
}

// Expect says how many files the pass will find.
func (t *Tracker) Expect(files int) { t.change(func(p *Progress) { p.Total = files }) }

// Unchanged counts a file that is as it was.
func (t *Tracker) Unchanged(path string) {
	t.change(func(p *Progress) { p.Unchanged++; p.Path = path })
}

// Purged counts a file whose picture was removed for good, and stays away.
func (t *Tracker) Purged(path string) {
	t.change(func(p *Progress) { p.Unchanged++; p.Purged++; p.Path = path })
}

// Remove counts files that went, and those that a rule leaves out now.
func (t *Tracker) Remove(gone, excluded int) {
	t.change(func(p *Progress) { p.Removed += gone; p.Excluded += excluded })
}

// Commit counts what is durable.
func (t *Tracker) Commit(n int) { t.change(func(p *Progress) { p.Committed += n }) }

// Attach counts a file of a known picture.
func (t *Tracker) Attach(path string) {
	t.change(func(p *Progress) { p.Attached++; p.Path = path; t.recover(path) })
}

// Add counts a new picture.
func (t *Tracker) Add(path string) {
	t.change(func(p *Progress) { p.Added++; p.Path = path; t.recover(path) })
}

// Changed counts a picture with other content.
func (t *Tracker) Changed(path string) {
	t.change(func(p *Progress) { p.Changed++; p.Path = path; t.recover(path) })
}

// Reread counts a picture whose metadata was read again.
func (t *Tracker) Reread(path string, older bool) {
	t.change(func(p *Progress) {
		p.Reread++
		p.Path = path
		if t.recover(path); older {
			t.older++
		}
	})
}

// Describe tells how many pictures were described of those that had no captions when all files were in, and how many got
// captions since it was told last.
func (t *Tracker) Describe(done, total, captioned int) {
	t.change(func(p *Progress) {
		p.Described, p.ToDescribe = done, total
		t.captioned += captioned
	})
}

// Model notes a time during which the model was at work.
func (t *Tracker) Model(start, end time.Time) {
	t.change(func(*Progress) {
		if t.modelFirst.IsZero() {
			t.modelFirst = start
		}
		t.modelBusy += end.Sub(start)
		t.modelLast = end
	})
}

// modelShare is the model's share of the time since it began, zero when it never did.
func (t *Tracker) modelShare() float64 {
	if t.modelBusy == 0 {
		return 0
	}
	return min(1, t.modelBusy.Seconds()/t.modelLast.Sub(t.modelFirst).Seconds())
}

// Damaged counts a picture that was read in part.
func (t *Tracker) Damaged() { t.change(func(p *Progress) { p.Damaged++ }) }

// Resolve forgets the failure of a path that is no more.
func (t *Tracker) Resolve(path string) {
	t.change(func(*Progress) { t.recover(path) })
}

// PassOver counts a file of another kind, in the first pass.
func (t *Tracker) PassOver(extension string) {
	t.change(func(p *Progress) {
		if _, known := t.passed[extension]; t.passes < 2 && (known || len(t.passed) < maximumKinds) {
			t.passed[extension]++
		}
	})
}

// Keep notes which folders are away.
func (t *Tracker) Keep(away map[string]int) {
	t.change(func(*Progress) {
		t.away = nil
		for _, folder := range slices.Sorted(maps.Keys(away)) {
			t.away = append(t.away, AwayFolder{folder, away[folder]})
		}
	})
}

// Fail lists a file that could not be indexed.
func (t *Tracker) Fail(failure index.Failure) {
	t.change(func(p *Progress) {
		p.Failed++
		p.Path = failure.File.Path
		t.list(failure)
	})
}

// FailPath counts a path that cannot be read.
func (t *Tracker) FailPath(err error) {
	failure := index.Failure{Reason: ReasonOf(err) + " (" + err.Error() + ")", Time: time.Now().UTC()}
	if where := (*fs.PathError)(nil); errors.As(err, &where) {
		failure.File.Path, failure.Reason = where.Path, ReasonOf(where.Err)
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
func (t *Tracker) list(failure index.Failure) {
	key := FileKey(failure.File.Path)
	known := t.failing[key]
	t.failing[key] = true
	if known {
		if at := t.placeOf(failure.File.Path); at >= 0 {
			t.Failures[at] = failure
		}
	} else if len(t.Failures) < keptFailures {
		t.Failures = append(t.Failures, failure)
	}
}

// recover forgets the failure of a path that is in now.
func (t *Tracker) recover(path string) {
	if key := FileKey(path); t.failing[key] {
		delete(t.failing, key)
		if at := t.placeOf(path); at >= 0 {
			t.Failures = slices.Delete(t.Failures, at, at+1)
		}
	}
}

func (t *Tracker) placeOf(path string) int {
	return slices.IndexFunc(t.Failures, func(failure index.Failure) bool { return failure.File.Path == path })
}

// News reports whether the pass found anything that was not so before.
func (t *Tracker) News() bool {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.passes < 2 || t.now.Added+t.now.Changed+t.now.Reread+t.now.Attached+t.now.Removed+t.now.Excluded > 0 || len(t.failing) != t.before.Failed
}

// sum gives what all passes did. What later ones find unchanged was counted
// before.
func (t *Tracker) sum() Summary {
	sum, p := t.before, t.now
	sum.Added += p.Added
	sum.Changed += p.Changed
	sum.Reread += p.Reread
	sum.Attached += p.Attached
	sum.Removed += p.Removed
	sum.Excluded += p.Excluded
	sum.Purged += p.Purged
	sum.Damaged += p.Damaged
	sum.Seen += p.Added + p.Attached + len(t.failing) - sum.Failed
	sum.Failed = len(t.failing)
	if t.passes < 2 {
		sum.Seen, sum.Unchanged = p.Seen, p.Unchanged
	}
	return sum
}

// Current gives the counts with rate and remaining time.
func (t *Tracker) Current() Progress {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	now := time.Now()
	p := t.now
	if p.Total > 0 {
		p.Total = max(p.Total, p.Seen)
	}
	t.recent = append(t.recent, rateMoment{now, p.Added + p.Changed, p.Done(), p.Described})
	for len(t.recent) > 2 && t.recent[0].at.Before(now.Add(-rateWindow)) {
		t.recent = t.recent[1:]
	}
	first := t.recent[0]
	seconds := now.Sub(first.at).Seconds()
	if seconds < rateMinimum.Seconds() {
		return p
	}
	p.Rate = float64(p.Added+p.Changed-first.added) / seconds
	if described := p.Described - first.described; described > 0 && p.ToDescribe > p.Described && p.Walked && p.Done() == p.Seen {
		p.Remaining = time.Duration(float64(p.ToDescribe-p.Described) / float64(described) * seconds * float64(time.Second))
	}
	if done := p.Done() - first.done; done > 0 && p.Total > p.Done() {
		p.Remaining = time.Duration(float64(p.Total-p.Done()) / float64(done) * seconds * float64(time.Second))
	}
	return p
}

// Summary gives what the run did.
func (t *Tracker) Summary() Summary {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	sum := t.sum()
	sum.Failures, sum.Duration = append([]index.Failure(nil), t.Failures...), time.Since(t.started)
	sum.Captioned, sum.ModelShare = t.captioned, t.modelShare()
	sum.Away, sum.Older = slices.Clone(t.away), t.older
	if len(t.passed) > 0 {
		sum.PassedOver = maps.Clone(t.passed)
	}
	return sum
}

// FileKey stands for a path in less memory.
func FileKey(path string) [16]byte {
	sum := sha256.Sum256([]byte(path))
	return [16]byte(sum[:16])
}

// ReasonOf is a sentence for people.
func ReasonOf(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "no permission to read it"
	case errors.Is(err, fs.ErrNotExist):
		return "the file is gone"
	}
	return strings.TrimSpace(err.Error())
}
