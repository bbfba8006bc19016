// Package jobs runs long work one piece after another, tells how far each is, and keeps their history in a file.
//
//	queued ─► running ─┬► succeeded
//	   │               ├► failed
//	   └───────────────┴► cancelled      (interrupted: the server was killed meanwhile)
package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"mekiki/index"
	"mekiki/internal/hint"
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

// Finished reports whether the job is over, however it ended.
func (s State) Finished() bool { return s != Queued && s != Running }

// Progress is how far a job is, as the API shows it.
type Progress struct {
	// Found counts what was found so far; Total is how many there are, zero while nobody knows.
	Found     int     `json:"found"`
	Total     int     `json:"total,omitempty"`
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
	// Result is what the work gives in the end, in the form of its kind.
	Result json.RawMessage `json:"result,omitempty"`
}

// job is one piece of work. The manager's mutex guards it.
type job struct {
	shown  Job
	task   Task
	cancel context.CancelCauseFunc
	// resume asks for what would be left to do if the server ended now; nil for nothing.
	resume *Request
	// stopped says that the job ended because the server did.
	stopped bool
	// cancelled says that somebody cancelled it, perhaps while it was giving way.
	cancelled bool
	// failures are the files that could not be indexed; they are forgotten with the process.
	failures []index.Failure
	// changed is closed, and made anew, at every change.
	changed chan struct{}
}

// errorKey is the key of errors in the log.
const errorKey = "error"

// errGiveWay ends the context of a job that gives way to another one.
var errGiveWay = errors.New("another job goes first")

// errCancelled ends the context of a job that somebody cancelled.
var errCancelled = errors.New("cancelled")

// errPanic marks an error that was a panic.
var errPanic = errors.New("panic")

// Manager runs jobs, one after another. Safe for concurrent use.
type Manager struct {
	logger  *slog.Logger
	waiting int
	now     func() time.Time
	path    string // of the history; "" keeps none

	// Ended, which may be nil and is set before anything runs, is told of each job that has ended. It must not call the
	// manager.
	Ended func(Job)

	mutex sync.Mutex
	last  int
	list  []*job    // oldest first
	left  []Request // what earlier servers left to do
	wake  chan struct{}
}

// New makes a manager of at most waiting queued jobs, with the history that the file at path keeps, if path is not "". It runs
// none until [Manager.Run] does. now is the clock.
func New(waiting int, path string, logger *slog.Logger, now func() time.Time) *Manager {
	m := &Manager{waiting: waiting, path: path, logger: logger, now: now, wake: make(chan struct{}, 1)}
	m.left = m.reread().Resume
	return m
}

// AddOnce queues a job unless one of its kind waits or runs, and gives that one then.
func (m *Manager) AddOnce(task Task) (Job, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for _, each := range m.list {
		if each.shown.Kind == task.Kind && !each.shown.State.Finished() {
			return each.shown, nil
		}
	}
	return m.add(task)
}

// Add queues a job.
func (m *Manager) Add(task Task) (Job, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.add(task)
}

// add is called with the mutex held.
func (m *Manager) add(task Task) (Job, error) {
	if m.count(Queued) >= m.waiting {
		p := problem.New(problem.TooManyRequests, "too many jobs are waiting")
		p.RetryAfter = 30
		return Job{}, p
	}
	m.reread()
	m.last++
	added := &job{task: task, resume: task.Resume, changed: make(chan struct{}), shown: Job{
		ID: strconv.Itoa(m.last), Kind: task.Kind, State: Queued, Paths: append([]string{}, task.Paths...), Created: m.now().UTC(),
	}}
	m.list = append(m.list, added)
	if len(m.list) > maxKept {
		if oldest := slices.IndexFunc(m.list, func(each *job) bool { return each.shown.State.Finished() }); oldest >= 0 {
			m.list = slices.Delete(m.list, oldest, oldest+1)
		}
	}
	m.keep()
	for _, each := range m.list {
		if each.shown.State == Running && each.task.Yields && !task.Yields {
			each.cancel(errGiveWay)
		}
	}
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

// Failures gives the files that a job of this process could not index, and whether there is such a job.
func (m *Manager) Failures(id string) ([]index.Failure, bool) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	found := m.find(id)
	if found == nil {
		return nil, false
	}
	return found.failures, true
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
		found.cancelled = true
		found.cancel(errCancelled)
	}
	return found.shown, true
}

// finish is called with the mutex held.
func (m *Manager) finish(each *job, state State, reason string) {
	if !each.stopped {
		each.resume = nil
	}
	each.shown.State, each.shown.Error, each.shown.Finished = state, reason, m.moment()
	each.announce()
	m.keep()
	if m.Ended != nil {
		m.Ended(each.shown)
	}
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
	job    *job
	ctx    context.Context
	cancel context.CancelCauseFunc
	task   Task
}

func (m *Manager) next(ctx context.Context) *pending {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if ctx.Err() != nil {
		return nil
	}
	var chosen *job
	for _, each := range m.list {
		if each.shown.State == Queued && (chosen == nil || chosen.task.Yields && !each.task.Yields) {
			chosen = each
		}
	}
	if chosen == nil {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	chosen.cancel = cancel
	chosen.shown.State, chosen.shown.Started = Running, m.moment()
	chosen.announce()
	m.keep()
	return &pending{job: chosen, ctx: ctx, cancel: cancel, task: chosen.task}
}

func (m *Manager) work(next *pending) {
	defer next.cancel(nil)
	outcome, err := m.run(next)
	result := m.resultOf(next.job, outcome)
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if errors.Is(context.Cause(next.ctx), errGiveWay) && !next.job.cancelled {
		next.job.shown.State, next.job.shown.Started = Queued, nil
		next.job.announce()
		m.keep()
		return
	}
	next.job.failures, next.job.shown.Result, next.job.task = outcome.Failures, result, Task{}
	if outcome.Progress != (Progress{}) {
		next.job.shown.Progress = outcome.Progress
	}
	next.job.stopped = next.ctx.Err() != nil && !next.job.cancelled
	switch {
	case next.ctx.Err() != nil || outcome.Interrupted || errors.Is(err, context.Canceled):
		m.finish(next.job, Cancelled, "")
	case err != nil:
		m.logger.Error("job failed", "job", next.job.shown.ID, "kind", next.job.shown.Kind, errorKey, err)
		m.finish(next.job, Failed, failureOf(next.task, err))
	default:
		m.finish(next.job, Succeeded, "")
		if outcome.Then == nil {
			return
		}
		if _, err := m.add(*outcome.Then); err != nil {
			m.logger.Warn("what follows a job is not done", "job", next.job.shown.ID, errorKey, err)
		}
	}
}

// resultOf is the JSON of what a job gave; none where there is nothing, or too much of it to keep.
func (m *Manager) resultOf(each *job, outcome Outcome) json.RawMessage {
	if outcome.Result == nil {
		return nil
	}
	data, err := json.Marshal(outcome.Result)
	if err == nil && len(data) > maxResult {
		err = fmt.Errorf("%d bytes are too many", len(data))
	}
	if err != nil {
		m.logger.Warn("the result of a job is not kept", "job", each.shown.ID, errorKey, err)
		return nil
	}
	return data
}

// failureOf says why a task failed. Who reads it may see the paths of jobs anyway.
func failureOf(task Task, err error) string {
	if remedy := hint.Of(err); task.Plain && remedy != "" {
		return err.Error() + " (" + remedy + ")"
	} else if task.Plain {
		return err.Error()
	}
	for _, path := range task.Paths {
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

// run keeps a panic of one job from ending the server.
func (m *Manager) run(next *pending) (outcome Outcome, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			m.logger.Error("job panicked", "reason", reason)
			err = errPanic
		}
	}()
	return next.task.Run(next.ctx, func(now Progress) { m.progress(next.job, now) })
}

// abandon marks what was still queued when the server stopped.
func (m *Manager) abandon() {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for _, each := range m.list {
		if each.shown.State == Queued {
			each.stopped = true
			m.finish(each, Cancelled, "the server stopped")
		}
	}
}

func (m *Manager) progress(each *job, now Progress) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	each.shown.Progress = now
	each.announce()
}
