// Package webhooks tells programs that the operator has named what happens: that a job has ended, and that there are new
// pictures. What is sent has the form and the signature of Standard Webhooks, arrives at least once, and is kept over a
// restart until it has.
//
//	event ─► one delivery for each hook, on disk ─► attempts, further and further apart ─► delivered, or given up
package webhooks

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// The types of events.
const (
	EventJobFinished  = "job.finished"
	EventRecordsAdded = "records.added"
	EventTest         = "webhook.test"
)

// State is where a delivery stands.
type State string

// The states of a delivery.
const (
	Pending   State = "pending"
	Delivered State = "delivered"
	// GivenUp is one whose attempts have all failed, that the receiver wants no more (410), or whose hook is gone.
	GivenUp State = "given_up"
)

// Delivery is one event on its way to one hook.
type Delivery struct {
	// ID is the same in every attempt, so that a receiver can tell what it has had.
	ID       string    `json:"id"`
	Hook     string    `json:"hook"`
	Event    string    `json:"event"`
	State    State     `json:"state"`
	Created  time.Time `json:"created"`
	Attempts int       `json:"attempts"`
	// Next is when the next attempt is due, of one that is pending.
	Next *time.Time `json:"next,omitempty"`
	// Last is when the last attempt was made, Status what was answered to it, and Error what went wrong.
	Last   *time.Time `json:"last,omitempty"`
	Status int        `json:"status,omitempty"`
	Error  string     `json:"error,omitempty"`
}

// kept is a delivery with what it says.
type kept struct {
	Delivery
	Payload json.RawMessage `json:"payload,omitempty"`
}

// Sender delivers events. Make it with [New]; it is safe for concurrent use.
type Sender struct {
	hooks    []Hook
	clients  []*http.Client
	path     string
	now      func() time.Time
	logger   *slog.Logger
	schedule []time.Duration

	mutex sync.Mutex
	state state
	wake  []chan struct{} // one for each hook
	lost  int             // events that found no room
}

// New makes a sender for hooks, which keeps in the file at path what is on its way; "" keeps it in memory.
func New(hooks []Hook, path string, logger *slog.Logger, now func() time.Time) *Sender {
	s := &Sender{hooks: hooks, path: path, now: now, logger: logger, schedule: schedule}
	var err error
	if s.state, err = readState(path); err != nil {
		logger.Error("webhooks that were on their way are lost", "error", err)
	}
	for _, hook := range hooks {
		s.clients = append(s.clients, hook.client())
		s.wake = append(s.wake, make(chan struct{}, 1))
	}
	for _, each := range s.state.Deliveries {
		if each.State == Pending && !slices.ContainsFunc(hooks, func(h Hook) bool { return h.Name == each.Hook }) {
			each.end(GivenUp, "the webhook is no longer configured")
		}
	}
	return s
}

// Emit queues an event for every hook that wants it; data becomes JSON. Where too many wait, it is lost, and the log says so.
func (s *Sender) Emit(event string, data any) { s.emit(event, data, "") }

func (s *Sender) emit(event string, data any, only string) (ids []string) {
	now := s.now().UTC()
	payload, err := json.Marshal(struct {
		Type      string    `json:"type"`
		Timestamp time.Time `json:"timestamp"`
		Data      any       `json:"data"`
	}{event, now, data})
	if err == nil && len(payload) > payloadBytes {
		err = fmt.Errorf("%d bytes are too many", len(payload))
	}
	if err != nil {
		s.logger.Error("webhook not sent", "event", event, "error", err)
		return nil
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for i, hook := range s.hooks {
		if !hook.wants(event) || only != "" && hook.Name != only {
			continue
		}
		if !s.hasRoom(hook.Name, len(payload)) {
			s.lost++
			s.logger.Error("webhook not sent: too many are waiting", "event", event, "hook", hook.Name)
			continue
		}
		made := &kept{Payload: payload, Delivery: Delivery{ID: "msg_" + rand.Text(), Hook: hook.Name, Event: event, State: Pending, Created: now, Next: &now}}
		s.state.Deliveries = append(s.state.Deliveries, made)
		ids = append(ids, made.ID)
		select {
		case s.wake[i] <- struct{}{}:
		default:
		}
	}
	if len(ids) > 0 {
		s.keep()
	}
	return ids
}

// hasRoom reports whether one more delivery to a hook, of so many bytes, can wait. A hook that does not answer takes nothing
// from the others. The mutex is held.
func (s *Sender) hasRoom(hook string, bytes int) bool {
	count := 1
	for _, each := range s.state.Deliveries {
		if each.State == Pending && each.Hook == hook {
			count, bytes = count+1, bytes+len(each.Payload)
		}
	}
	return count <= maximumPending && bytes <= pendingBytes
}

// pending counts what waits. The mutex is held.
func (s *Sender) pending() int {
	count := 0
	for _, each := range s.state.Deliveries {
		if each.State == Pending {
			count++
		}
	}
	return count
}

// Run delivers until the context ends. What is under way then is tried again after the next start.
func (s *Sender) Run(ctx context.Context) {
	var group sync.WaitGroup
	for i := range s.hooks {
		group.Go(func() { s.serve(ctx, i) })
	}
	group.Wait()
}

// serve delivers to one hook, one after the other: one that does not answer keeps nobody else waiting.
func (s *Sender) serve(ctx context.Context, hook int) {
	for ctx.Err() == nil {
		due, wait := s.due(s.hooks[hook].Name)
		if due != nil {
			s.attempt(ctx, hook, due)
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-s.wake[hook]:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// due gives the oldest delivery of a hook whose time has come, or how long it is until one's does.
func (s *Sender) due(hook string) (*kept, time.Duration) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	wait := time.Hour
	for _, each := range s.state.Deliveries {
		if each.Hook != hook || each.State != Pending {
			continue
		}
		until := each.Next.Sub(s.now())
		if until <= 0 {
			return each, 0
		}
		wait = min(wait, until)
	}
	return nil, wait
}

// attempt sends once, and decides what comes of it.
func (s *Sender) attempt(ctx context.Context, hook int, each *kept) {
	now := s.now().UTC()
	status, err := send(ctx, s.clients[hook], s.hooks[hook], each.ID, now, each.Payload)
	if ctx.Err() != nil {
		return // nobody knows, and it is sent again
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	each.Attempts++
	each.Last, each.Status, each.Error = &now, status, ""
	if err != nil {
		each.Error = reason(err)
	}
	switch {
	case err == nil:
		each.end(Delivered, "")
	case status == http.StatusGone:
		each.end(GivenUp, "the receiver wants no more of these")
	case each.Attempts > len(s.schedule):
		each.end(GivenUp, each.Error)
	default:
		next := s.now().UTC().Add(wait(s.schedule[each.Attempts-1], mathrand.Float64()))
		each.Next = &next
	}
	if each.State == GivenUp {
		s.logger.Warn("webhook given up", "hook", each.Hook, "event", each.Event, "id", each.ID, "attempts", each.Attempts, "error", each.Error)
	}
	s.keep()
}

// wait is a time of the schedule with what chance, from 0 to 1, makes of it, so that many do not come at once.
func wait(usual time.Duration, chance float64) time.Duration {
	return time.Duration(float64(usual) * (1 + jitter*(2*chance-1)))
}

// reason is what may be shown of an error: addresses that names resolve to are nobody's business.
func reason(err error) string {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, errAddress):
		return errAddress.Error()
	case errors.As(err, &timeout) && timeout.Timeout():
		return "there was no answer in time"
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err.Error()
}

// end ends a delivery, whose text is needed no more.
func (k *kept) end(state State, why string) {
	k.State, k.Error, k.Next, k.Payload = state, why, nil, nil
}

// Deliveries gives what is on its way and what came of the latest others, the newest first.
func (s *Sender) Deliveries() []Delivery {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	list := make([]Delivery, 0, len(s.state.Deliveries))
	for _, each := range slices.Backward(s.state.Deliveries) {
		list = append(list, each.Delivery)
	}
	slices.SortStableFunc(list, func(a, b Delivery) int { return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID)) })
	return list
}
