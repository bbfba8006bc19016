package cli

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestInputEndsWithTheContext: Ctrl-C ends a verb that waits for its input.
func TestInputEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	source, typed := io.Pipe()
	defer typed.Close()
	input := UntilDone(ctx, source)
	go func() { _, _ = io.WriteString(typed, "a line\n") }()
	line := make([]byte, 7)
	if _, err := io.ReadFull(input, line); err != nil || string(line) != "a line\n" {
		t.Fatalf("%q, %v", line, err)
	}
	ended := make(chan error)
	go func() {
		_, err := input.Read(line)
		ended <- err
	}()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if data, err := io.ReadAll(UntilDone(t.Context(), strings.NewReader("all of it"))); err != nil || string(data) != "all of it" {
		t.Errorf("%q, %v", data, err)
	}
}

func TestReadLabels(t *testing.T) {
	a := &App{In: strings.NewReader("\ufeffday\r\n\n  night \nday\nlast")}
	got, err := a.ReadLabels("-")
	if diff := cmp.Diff([]string{"day", "night", "day", "last"}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}
