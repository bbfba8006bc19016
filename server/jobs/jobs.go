// Package jobs runs indexing jobs one after another, tells how far each is, and keeps their history in a file.
//
//	queued ─► running ─┬► succeeded
//	   │               ├► failed
//	   └───────────────┴► cancelled      (interrupted: the server was killed meanwhile)
package jobs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"mekiki/index/ingest"
	"mekiki/index/ingest/report"
	"mekiki/server/problem"
)

// State is where a job stands.
type State string

// The states of a job.
const (
	Queued    State = "queued"
	Running   State = "running"
	Succeeded State = "succeeded"
	Failed    State = "failed"
	Cancelled State = "cancelled"
	// Interrupted is a job whose server ended before it did.
	Interrupted State = "interrupted"
)

// valid holds for every state there is.
func (s State) valid() bool {
	return slices.Contains([]State{Queued, Running, Succeeded, Failed, Cancelled, Interrupted}, s)
}

// kindIndex is the one kind of job.
const kindIndex = "index"

// Finished reports whether the job is over, however it ended.
func (s State) Finished() bool { return s != Queued && s != Running }

// maxKept is how many finished jobs are remembered.
const maxKept = 100

// Progress is how far a job is, as the API shows it.
type Progress struct {
	Found     int     `json:"found"`
	Done      int     `json:"done"`
	Added     int     `json:"added"`
	Unchanged int     `json:"unchanged"`
	Removed   int     `json:"removed"`
	Failed    int     `json:"failed"`
	Walked    bool    `json:"walked"`
	Current   string  `json:"current,omitempty"`
	Rate      float64 `json:"images_per_second,omitempty"`
	Remaining float64 `json:"remaining_seconds,omitempty"`
}

// Job is a job as the API shows it.
type Job struct {
	ID       string     `json:"id"`
	Kind     string     `json:"kind"`
	State    State      `json:"state"`
	Paths    []string   `json:"paths"`
	Created  time.Time  `json:"created"`
	Started  *time.Time `json:"started,omitempty"`
	Finished *time.Time `json:"finished,omitempty"`
	Progress Progress   `json:"progress"`
	Error    string     `json:"error,omitempty"`
}

// job is one run of the ingester. The manager's mutex guards it.
type job struct {
	shown   Job
	options ingest.Options
	cancel  context.CancelFunc
	// changed is closed, and made anew, at every change.
	changed chan struct{}
}

// errorKey is the key of errors in the log.
const errorKey = "error"

// errPanic marks an error that was a panic.
var errPanic = errors.New("panic")

// Ingester brings files into a library.
type Ingester interface {
	// Ingest brings in files until it is done or its context ends.
	Ingest(ctx context.Context, options ingest.Options) (report.Summary, error)
}

// Manager runs indexing jobs, one after another. Safe for concurrent use.
type Manager struct {
	ingester Ingester
	logger   *slog.Logger
	waiting  int
	now      func() time.Time
	path     string // of the history; "" keeps none

	mutex sync.Mutex
	last  int
	list  []*job // oldest first
	wake  chan struct{}
}

// New makes a manager of at most waiting queued jobs, with the history that the file at path keeps, if path is not "". It runs
// none until [Manager.Run] does. now is the clock.
func New(ingester Ingester, waiting int, path string, logger *slog.Logger, now func() time.Time) *Manager {
	m := &Manager{ingester: ingester, waiting: waiting, path: path, logger: logger, now: now, wake: make(chan struct{}, 1)}
	m.reread()
	return m
}

// Add queues a job.
func (m *Manager) Add(options ingest.Options) (Job, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.count(Queued) >= m.waiting {
		p := problem.New(problem.TooManyRequests, "too many jobs are waiting")
		p.RetryAfter = 30
		return Job{}, p
	}
	m.reread()
	m.last++
	added := &job{options: options, changed: make(chan struct{}), shown: Job{
		ID: strconv.Itoa(m.last), Kind: kindIndex, State: Queued, Paths: options.Paths, Created: m.now().UTC(),
	}}
	m.list = append(m.list, added)
	if len(m.list) > maxKept {
		if oldest := slices.IndexFunc(m.list, func(each *job) bool { return each.shown.State.Finished() }); oldest >= 0 {
			m.list = slices.Delete(m.list, oldest, oldest+1)
		}
	}
	m.keep()
	select {
	case m.wake <- struct{}{}:
	default:
	}
	return added.shown, nil
}

// moment is the present time, for an answer.
func (m *Manager) moment() *time.Time {
	now := m.now().UTC()
	return &now
}

func (m *Manager) find(id string) *job {
	for _, each := range m.list {
		if each.shown.ID == id {
			return each
		}
	}
	return nil
}

// Get gives a job and a channel that is closed when it changes.
func (m *Manager) Get(id string) (Job, <-chan struct{}, bool) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	found := m.find(id)
	if found == nil {
		return Job{}, nil, false
	}
	return found.shown, found.changed, true
}

// All gives the jobs, newest first.
func (m *Manager) All() []Job {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	shown := make([]Job, 0, len(m.list))
	for _, each := range slices.Backward(m.list) {
		shown = append(shown, each.shown)
	}
	return shown
}

// Running counts the jobs at work.
func (m *Manager) Running() int {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.count(Running)
}

// count counts the jobs of a state, with the mutex held.
func (m *Manager) count(state State) int {
	count := 0
	for _, each := range m.list {
		if each.shown.State == state {
			count++
		}
	}
	return count
}

// Cancel ends a job: at once if it is queued, else as soon as it notices.
func (m *Manager) Cancel(id string) (Job, bool) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	found := m.find(id)
	if found == nil {
		return Job{}, false
	}
	switch found.shown.State {
	case Queued:
		m.finish(found, Cancelled, "")
	case Running:
		found.cancel()
	}
	return found.shown, true
}

// finish and update are called with the mutex held.
func (m *Manager) finish(each *job, state State, reason string) {
	each.shown.State, each.shown.Error, each.shown.Finished = state, reason, m.moment()
	each.announce()
	m.keep()
}

func (j *job) announce() {
	close(j.changed)
	j.changed = make(chan struct{})
}

// Run works on jobs until the context ends.
func (m *Manager) Run(ctx context.Context) {
	for {
		if next := m.next(ctx); next != nil {
			m.work(next)
			continue
		}
		select {
		case <-m.wake:
		case <-ctx.Done():
			m.abandon()
			return
		}
	}
}

// pending is a job that is about to run.
type pending struct {
	job     *job
	ctx     context.Context
	cancel  context.CancelFunc
	options ingest.Options
}

func (m *Manager) next(ctx context.Context) *pending {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if ctx.Err() != nil {
		return nil
	}
	for _, each := range m.list {
		if each.shown.State != Queued {
			continue
		}
		ctx, cancel := context.WithCancel(ctx)
		each.cancel = cancel
		each.shown.State, each.shown.Started = Running, m.moment()
		each.announce()
		m.keep()
		return &pending{job: each, ctx: ctx, cancel: cancel, options: each.options}
	}
	return nil
}

func (m *Manager) work(next *pending) {
	defer next.cancel()
	next.options.Progress = func(progress report.Progress) { m.progress(next.job, progress) }
	summary, err := m.ingest(next)
	m.mutex.Lock()
	defer m.mutex.Unlock()
	switch {
	case next.ctx.Err() != nil || summary.Interrupted || errors.Is(err, context.Canceled):
		m.finish(next.job, Cancelled, "")
	case err != nil:
		m.logger.Error("indexing failed", "job", next.job.shown.ID, errorKey, err)
		m.finish(next.job, Failed, failureOf(next.options.Paths, err))
	default:
		next.job.shown.Progress.take(summary)
		m.finish(next.job, Succeeded, "")
	}
}

// failureOf says why a job over paths failed. Who reads it may see the paths of jobs anyway.
func failureOf(paths []string, err error) string {
	for _, path := range paths {
		switch _, statErr := os.Stat(path); {
		case errors.Is(statErr, fs.ErrNotExist):
			return fmt.Sprintf("%s does not exist: is its drive connected?", path)
		case errors.Is(statErr, fs.ErrPermission):
			return fmt.Sprintf("%s is not readable by this server", path)
		case statErr != nil:
			return fmt.Sprintf("%s cannot be read", path)
		}
	}
	p := problem.From(err)
	if p.Hint != "" {
		return p.Reason() + " (" + p.Hint + ")"
	}
	return p.Reason()
}

// ingest keeps a panic of one job from ending the server.
func (m *Manager) ingest(next *pending) (summary report.Summary, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			m.logger.Error("indexing panicked", "reason", reason)
			err = errPanic
		}
	}()
	return m.ingester.Ingest(next.ctx, next.options)
}

// abandon marks what was still queued when the server stopped.
func (m *Manager) abandon() {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for _, each := range m.list {
		if each.shown.State == Queued {
			m.finish(each, Cancelled, "the server stopped")
		}
	}
}

func (m *Manager) progress(each *job, now report.Progress) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	each.shown.Progress = Progress{
		Found: now.Seen, Walked: now.Walked, Added: now.Added + now.Changed + now.Attached,
		Unchanged: now.Unchanged + now.Reread, Removed: now.Removed + now.Excluded,
		Failed: now.Failed, Done: now.Done(),
		Current: now.Path, Rate: now.Rate, Remaining: now.Remaining.Seconds(),
	}
	each.announce()
}

func (p *Progress) take(summary report.Summary) {
	*p = Progress{
		Found: summary.Seen, Walked: true, Added: summary.Added + summary.Changed + summary.Attached,
		Unchanged: summary.Unchanged + summary.Reread, Removed: summary.Removed + summary.Excluded, Failed: summary.Failed,
		Done: summary.Unchanged + summary.Reread + summary.Added + summary.Changed + summary.Attached + summary.Failed,
	}
}
