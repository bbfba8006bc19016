// Package progress shows how far long work has come: as one line that redraws
// itself on a terminal, as plain lines in a log, or as JSON lines for programs.
package progress

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"mekiki/internal/termtext"
)

// Unit says what a State counts.
type Unit string

// The units in which work is counted.
const (
	Bytes  Unit = "bytes"
	Images Unit = "images"
	Steps  Unit = "steps"
)

// State is how far one task has come.
type State struct {
	// Task names the work in a few words, such as "index gallery".
	Task string `json:"task"`
	// Done counts what is finished; it never exceeds Total when Total is known.
	Done int64 `json:"done"`
	// Total is how much there is in all, or 0 while that is not known.
	Total int64 `json:"total,omitempty"`
	// Failed counts what was tried and could not be done.
	Failed int64 `json:"failed,omitempty"`
	// Unit is what Done, Total and Failed count.
	Unit Unit `json:"unit"`
	// Rate is how many are done a second and Remaining how many seconds are
	// left, for work that knows better than an even pace since its start; 0
	// leaves both to the Reporter.
	Rate      float64 `json:"rate,omitempty"`
	Remaining float64 `json:"remaining_seconds,omitempty"`
	// Detail is what is being worked on, such as a file name.
	Detail string `json:"detail,omitempty"`
}

// Style chooses how states are written.
type Style int

// The styles. Bar redraws one line, Lines writes a line every few seconds, JSON
// writes a line per state with "message_type": "progress", and Quiet nothing.
const (
	Bar Style = iota
	Lines
	JSON
	Quiet
)

// StyleFor returns Bar when writer is a terminal, else Lines.
func StyleFor(writer io.Writer) Style {
	if file, ok := writer.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return Bar
	}
	return Lines
}

// Reporter writes states. It is safe for concurrent use.
type Reporter struct {
	writer io.Writer
	style  Style
	now    func() time.Time
	width  func() int

	mutex   sync.Mutex
	task    string
	started time.Time
	first   int64
	written time.Time
	drawn   bool
	last    State
	line    string // written last
}

// New returns a Reporter that writes to writer in the given style.
func New(writer io.Writer, style Style) *Reporter {
	return &Reporter{writer: writer, style: style, now: time.Now, width: func() int { return terminalWidth(writer) }}
}

// Report takes the newest state of a task. It writes at once when a task begins
// or ends and otherwise only as often as the style can bear, so it may be called
// for every item of the work.
func (r *Reporter) Report(state State) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	now := r.now()
	begins := state.Task != r.task
	if begins {
		r.endLine()
		r.task, r.started, r.first = state.Task, now, state.Done
	}
	r.last = state
	ends := state.Total > 0 && state.Done >= state.Total
	if !begins && !ends && now.Sub(r.written) < r.interval() {
		return
	}
	r.written = now
	r.write(state, now)
}

// Finish ends the line being drawn, if any, after drawing the last state.
func (r *Reporter) Finish() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.endLine()
	r.task = ""
}

func (r *Reporter) interval() time.Duration {
	switch r.style {
	case Bar:
		return 100 * time.Millisecond
	case JSON:
		return time.Second
	default:
		return 5 * time.Second
	}
}

func (r *Reporter) write(state State, now time.Time) {
	switch r.style {
	case Quiet:
	case JSON:
		line, err := json.Marshal(struct {
			MessageType string `json:"message_type"`
			State
		}{"progress", state})
		if err == nil {
			fmt.Fprintf(r.writer, "%s\n", line)
		}
	case Lines:
		if line := r.describe(state, now); line != r.line {
			r.line = line
			fmt.Fprintln(r.writer, line)
		}
	default:
		fmt.Fprintf(r.writer, "\r\x1b[K%s", shorten(r.bar(state, now), r.width()-1))
		r.drawn = true
	}
}

func (r *Reporter) endLine() {
	if r.style == Bar && r.drawn {
		fmt.Fprintf(r.writer, "\r\x1b[K%s\n", shorten(r.describe(r.last, r.now()), r.width()-1))
		r.drawn = false
	}
}

// describe is a state in words: task, count, rate and remaining time.
func (r *Reporter) describe(state State, now time.Time) string {
	var text strings.Builder
	text.WriteString(termtext.Clean(state.Task))
	text.WriteString(": ")
	if state.Done == 0 && state.Failed == 0 && state.Total <= 0 && state.Detail != "" {
		return text.String() + termtext.Clean(state.Detail)
	}
	text.WriteString(countText(state))
	if state.Failed > 0 {
		fmt.Fprintf(&text, ", %d failed", state.Failed)
	}
	elapsed := now.Sub(r.started)
	rate, left := state.Rate, state.Remaining
	if moved := state.Done - r.first; rate == 0 && left == 0 && moved > 0 && elapsed >= time.Second {
		rate = float64(moved) / elapsed.Seconds()
		left = float64(max(0, state.Total-state.Done)) / rate
	}
	if rate > 0 {
		fmt.Fprintf(&text, ", %s/s", rateText(rate, state.Unit))
	}
	if left > 0 && state.Total > state.Done {
		fmt.Fprintf(&text, ", %s left", Duration(time.Duration(left*float64(time.Second))))
	}
	if state.Detail != "" && state.Done != state.Total {
		fmt.Fprintf(&text, ", %s", termtext.Clean(state.Detail))
	}
	return text.String()
}

func (r *Reporter) bar(state State, now time.Time) string {
	words := r.describe(state, now)
	if state.Total <= 0 {
		return words
	}
	const cells = 24
	filled := int(cells * min(state.Done, state.Total) / state.Total)
	return fmt.Sprintf("[%s%s] %3d%% %s", strings.Repeat("=", filled), strings.Repeat(" ", cells-filled), 100*min(state.Done, state.Total)/state.Total, words)
}
