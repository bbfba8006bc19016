package modelverbs

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"mekiki/cmd/mekiki/internal/cli"
)

// TestLicenceIsAskedOnATerminal, which the program's input is behind a reader of its own.
func TestLicenceIsAskedOnATerminal(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no terminals here: ", err)
	}
	defer terminal.Close()
	ctx, stop := context.WithCancel(t.Context())
	stop() // nobody answers
	var told bytes.Buffer
	if askLicence(&cli.App{In: cli.UntilDone(ctx, terminal), Stderr: &told}) {
		t.Error("no answer is a yes")
	}
	if !strings.Contains(told.String(), "Do you accept it?") {
		t.Errorf("nothing is asked: %q", &told)
	}
}

// TestAcceptedAnswer takes a plain yes, and nothing else, for one.
func TestAcceptedAnswer(t *testing.T) {
	for answer, want := range map[string]bool{
		"y\n": true, "Yes\r\n": true, " yes \n": true, "\n": false, "n\n": false, "yeah\n": false, "": false, "y": false,
		strings.Repeat("y", 100) + "\n": false,
	} {
		if got := acceptedAnswer(strings.NewReader(answer)); got != want {
			t.Errorf("%.20q: %t", answer, got)
		}
	}
}
