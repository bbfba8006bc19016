package hub

import (
	"sync"
	"time"
)

// Stage says what a pull is doing.
type Stage string

// The stages of a pull, in order.
const (
	// StageResolve finds out which files there are.
	StageResolve Stage = "resolving"
	// StageDownload fetches bytes.
	StageDownload Stage = "downloading"
	// StageVerify compares hashes.
	StageVerify Stage = "verifying"
	// StageDone comes once, at the end.
	StageDone Stage = "done"
)

// Progress says how far a pull is.
type Progress struct {
	Stage Stage
	// File is the name of the file concerned.
	File string
	// Done and Total count bytes: of the whole pull in StageDownload, of the file in StageVerify.
	Done, Total int64
}

// tracker counts bytes from several goroutines and tells of them.
type tracker struct {
	mutex sync.Mutex
	tell  func(Progress)
	state Progress
	last  time.Time
	// all is the bytes of the whole pull; it does not change.
	all int64
}

func (t *tracker) stage(stage Stage, file string, done, total int64) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.state = Progress{Stage: stage, File: file, Done: done, Total: total}
	t.last = time.Now()
	t.tell(t.state)
}

// set replaces the bytes done of the current stage.
func (t *tracker) set(done int64) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.state.Done = done
}

// add counts bytes of the current stage.
func (t *tracker) add(count int64) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.state.Done += count
	if now := time.Now(); now.Sub(t.last) >= reportInterval {
		t.last = now
		t.tell(t.state)
	}
}

// total returns the bytes of the whole pull.
func (t *tracker) total() int64 { return t.all }
