package progress

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func newTest(style Style) (*Reporter, *bytes.Buffer, *time.Time) {
	var buffer bytes.Buffer
	clock := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	reporter := New(&buffer, style)
	reporter.now = func() time.Time { return clock }
	return reporter, &buffer, &clock
}

func TestLinesAreThrottledButEndsAreWritten(t *testing.T) {
	reporter, buffer, clock := newTest(Lines)
	for done := range int64(100) {
		reporter.Report(State{Task: "index", Done: done + 1, Total: 100, Unit: Images})
		*clock = clock.Add(100 * time.Millisecond)
	}
	reporter.Finish()
	lines := strings.Split(strings.TrimSpace(buffer.String()), "\n")
	if len(lines) != 3 {
		t.Fatalf("got %d lines, want the first, one after 5 s, and the last:\n%s", len(lines), buffer)
	}
	if want := "index: 100 of 100 images, 10 images/s"; !strings.HasPrefix(lines[2], "index: 100 of 100 images, 10") {
		t.Errorf("last line %q, want like %q", lines[2], want)
	}
	if !strings.Contains(lines[1], "left") {
		t.Errorf("middle line %q does not say how long is left", lines[1])
	}
}

func TestJSONLinesParse(t *testing.T) {
	reporter, buffer, _ := newTest(JSON)
	reporter.Report(State{Task: "pull", Done: 5, Total: 10, Unit: Bytes})
	reporter.Finish()
	var message map[string]any
	if err := json.Unmarshal(buffer.Bytes(), &message); err != nil {
		t.Fatalf("%q: %v", buffer, err)
	}
	if message["message_type"] != "progress" || message["done"] != 5.0 {
		t.Errorf("got %v", message)
	}
}

func TestBarEndsItsLine(t *testing.T) {
	reporter, buffer, _ := newTest(Bar)
	reporter.Report(State{Task: "pull", Done: 5, Total: 10, Unit: Bytes, Detail: strings.Repeat("x", 200)})
	reporter.Finish()
	if !strings.HasSuffix(buffer.String(), "\n") || !strings.Contains(buffer.String(), "50%") {
		t.Errorf("got %q", buffer)
	}
	for _, line := range strings.Split(buffer.String(), "\r\x1b[K") {
		if len([]rune(strings.TrimSpace(line))) > 79 {
			t.Errorf("line is wider than the terminal: %q", line)
		}
	}
}

func TestFormats(t *testing.T) {
	tests := []struct{ got, want string }{
		{Count(11306877, Bytes), "11.3 MB"},
		{Count(12, Bytes), "12 B"},
		{Count(640, Images), "640 images"},
		{Duration(7500 * time.Millisecond), "8s"},
		{Duration(200 * time.Second), "3m20s"},
		{Duration(125 * time.Minute), "2h05m"},
	}
	for _, test := range tests {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}
