package server

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
	"mekiki/server/problem"
)

// State is where a job stands.
type jobState string

const (
	jobQueued    jobState = "queued"
	jobRunning   jobState = "running"
	jobSucceeded jobState = "succeeded"
	jobFailed    jobState = "failed"
	jobCancelled jobState = "cancelled"
	// jobInterrupted is a job whose server ended before it did.
	jobInterrupted jobState = "interrupted"
)

// known holds for every state there is.
func (s jobState) known() bool {
	return slices.Contains([]jobState{jobQueued, jobRunning, jobSucceeded, jobFailed, jobCancelled, jobInterrupted}, s)
}

// jobIndex is the one kind of job.
const jobIndex = "index"

func (s jobState) finished() bool { return s != jobQueued && s != jobRunning }

// jobsKept is how many finished jobs are remembered.
const jobsKept = 100

type progressJSON struct {
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

type jobJSON struct {
	ID       string       `json:"id"`
	Kind     string       `json:"kind"`
	State    jobState     `json:"state"`
	Paths    []string     `json:"paths"`
	Created  time.Time    `json:"created"`
	Started  *time.Time   `json:"started,omitempty"`
	Finished *time.Time   `json:"finished,omitempty"`
	Progress progressJSON `json:"progress"`
	Error    string       `json:"error,omitempty"`
}

// job is one run of the ingester. The manager's mutex guards it.
type job struct {
	shown   jobJSON
	options ingest.Options
	cancel  context.CancelFunc
	// changed is closed, and made anew, at every change.
	changed chan struct{}
}

// jobs runs indexing jobs, one after another. Safe for concurrent use.
type jobs struct {
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

func newJobs(ingester Ingester, waiting int, path string, logger *slog.Logger, now func() time.Time) *jobs {
	m := &jobs{ingester: ingester, waiting: waiting, path: path, logger: logger, now: now, wake: make(chan struct{}, 1)}
	m.reread()
	return m
}

// add queues a job.
func (m *jobs) add(options ingest.Options) (jobJSON, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	queued := 0
	for _, each := range m.list {
		if each.shown.State == jobQueued {
			queued++
		}
	}
	if queued >= m.waiting {
		p := problem.New(problem.TooManyRequests, "too many jobs are waiting")
		p.RetryAfter = 30
		return jobJSON{}, p
	}
	m.reread()
	m.last++
	added := &job{options: options, changed: make(chan struct{}), shown: jobJSON{
		ID: strconv.Itoa(m.last), Kind: jobIndex, State: jobQueued, Paths: options.Paths, Created: m.now().UTC(),
	}}
	m.list = append(m.list, added)
	if len(m.list) > jobsKept {
		if oldest := slices.IndexFunc(m.list, func(each *job) bool { return each.shown.State.finished() }); oldest >= 0 {
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

func (m *jobs) find(id string) *job {
	for _, each := range m.list {
		if each.shown.ID == id {
			return each
		}
	}
	return nil
}

// get gives a job and a channel that is closed when it changes.
func (m *jobs) get(id string) (jobJSON, <-chan struct{}, bool) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	found := m.find(id)
	if found == nil {
		return jobJSON{}, nil, false
	}
	return found.shown, found.changed, true
}

// all gives the jobs, newest first.
func (m *jobs) all() []jobJSON {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	shown := make([]jobJSON, 0, len(m.list))
	for _, each := range slices.Backward(m.list) {
		shown = append(shown, each.shown)
	}
	return shown
}

func (m *jobs) running() int {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	count := 0
	for _, each := range m.list {
		if each.shown.State == jobRunning {
			count++
		}
	}
	return count
}

// cancel ends a job: at once if it is queued, else as soon as it notices.
func (m *jobs) cancel(id string) (jobJSON, bool) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	found := m.find(id)
	if found == nil {
		return jobJSON{}, false
	}
	switch found.shown.State {
	case jobQueued:
		m.finish(found, jobCancelled, "")
	case jobRunning:
		found.cancel()
	}
	return found.shown, true
}

// finish and update are called with the mutex held.
func (m *jobs) finish(each *job, state jobState, reason string) {
	each.shown.State, each.shown.Error, each.shown.Finished = state, reason, known(m.now())
	each.announce()
	m.keep()
}

func (j *job) announce() {
	close(j.changed)
	j.changed = make(chan struct{})
}

// run works on jobs until the context ends.
func (m *jobs) run(ctx context.Context) {
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

func (m *jobs) next(ctx context.Context) *pending {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if ctx.Err() != nil {
		return nil
	}
	for _, each := range m.list {
		if each.shown.State != jobQueued {
			continue
		}
		ctx, cancel := context.WithCancel(ctx)
		each.cancel = cancel
		each.shown.State, each.shown.Started = jobRunning, known(m.now())
		each.announce()
		m.keep()
		return &pending{job: each, ctx: ctx, cancel: cancel, options: each.options}
	}
	return nil
}

func (m *jobs) work(next *pending) {
	defer next.cancel()
	next.options.Progress = func(progress ingest.Progress) { m.progress(next.job, progress) }
	summary, err := m.ingest(next)
	m.mutex.Lock()
	defer m.mutex.Unlock()
	switch {
	case next.ctx.Err() != nil || summary.Interrupted || errors.Is(err, context.Canceled):
		m.finish(next.job, jobCancelled, "")
	case err != nil:
		m.logger.Error("indexing failed", "job", next.job.shown.ID, logError, err)
		m.finish(next.job, jobFailed, failureOf(next.options.Paths, err))
	default:
		next.job.shown.Progress.take(summary)
		m.finish(next.job, jobSucceeded, "")
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
func (m *jobs) ingest(next *pending) (summary ingest.Summary, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			m.logger.Error("indexing panicked", "reason", reason)
			err = errPanic
		}
	}()
	return m.ingester.Ingest(next.ctx, next.options)
}

// abandon marks what was still queued when the server stopped.
func (m *jobs) abandon() {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for _, each := range m.list {
		if each.shown.State == jobQueued {
			m.finish(each, jobCancelled, "the server stopped")
		}
	}
}

func (m *jobs) progress(each *job, now ingest.Progress) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	each.shown.Progress = progressJSON{
		Found: now.Seen, Walked: now.Walked, Added: now.Added + now.Changed + now.Attached,
		Unchanged: now.Unchanged + now.Reread, Removed: now.Removed + now.Excluded,
		Failed: now.Failed, Done: now.Done(),
		Current: now.Path, Rate: now.Rate, Remaining: now.Remaining.Seconds(),
	}
	each.announce()
}

func (p *progressJSON) take(summary ingest.Summary) {
	*p = progressJSON{
		Found: summary.Seen, Walked: true, Added: summary.Added + summary.Changed + summary.Attached,
		Unchanged: summary.Unchanged + summary.Reread, Removed: summary.Removed + summary.Excluded, Failed: summary.Failed,
		Done: summary.Unchanged + summary.Reread + summary.Added + summary.Changed + summary.Attached + summary.Failed,
	}
}
