package undolog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

type change struct{ Name string }

func options(t *testing.T) Options {
	return Options{Folder: filepath.Join(t.TempDir(), "changes"), Runs: 3, Bytes: 1 << 20, Line: 1 << 16}
}

func at(second int) time.Time { return time.Date(2026, 1, 1, 0, 0, second, 0, time.UTC) }

func write(t *testing.T, o Options, second int, names ...string) {
	t.Helper()
	l, err := Open[change](t.Context(), o, at(second))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := l.Note(change{name}); err != nil {
			t.Fatal(err)
		}
		if _, err := l.file.WriteString(`{"Name":"torn`); err != nil { // as on a full disk
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}

}

func undo(ctx context.Context, o Options, whole bool) (run string, names []string, err error) {
	err = Undo(ctx, o, at(59), func(name string) { run = name }, func(c change) error {
		if c.Name != "" {
			names = append(names, c.Name)
		}
		return nil
	}, func() (bool, error) { return whole, nil })
	return run, names, err
}

func TestUndo(t *testing.T) {
	o := options(t)
	if _, _, err := undo(t.Context(), o, true); !errors.Is(err, ErrNothing) {
		t.Errorf("without a folder: %v", err)
	}
	write(t, o, 1)
	if _, _, err := undo(t.Context(), o, true); !errors.Is(err, ErrNothing) {
		t.Errorf("after a run that changed nothing: %v", err)
	}
	write(t, o, 2, "a", "b")
	write(t, o, 3, "c")
	for _, want := range []struct {
		whole bool
		names []string
	}{{false, []string{"c"}}, {true, []string{"c"}}, {true, []string{"a", "b"}}} {
		if run, names, err := undo(t.Context(), o, want.whole); err != nil || run == "" || !slices.Equal(names, want.names) {
			t.Errorf("run %q has %q, %v; want %q", run, names, err, want.names)
		}
	}
	if _, _, err := undo(t.Context(), o, true); !errors.Is(err, ErrNothing) {
		t.Errorf("after all were undone: %v", err)
	}
}

// TestBounds: the oldest runs go where there are too many, or they take too much.
func TestBounds(t *testing.T) {
	for _, bytes := range []int64{0, 1 << 20, 1} {
		o := options(t)
		o.Bytes = bytes
		for second := range 6 {
			write(t, o, second, fmt.Sprint(second))
		}
		entries, err := filepath.Glob(filepath.Join(o.Folder, "*.jsonl"))
		want := 3
		if bytes == 1 {
			want = 1
		}
		if err != nil || len(entries) != want {
			t.Errorf("%d bytes: %q are kept, %v", bytes, entries, err)
		}
		if _, names, err := undo(t.Context(), o, true); err != nil || !slices.Equal(names, []string{"5"}) {
			t.Errorf("%d bytes: the last run has %q, %v", bytes, names, err)
		}
	}
}

// TestOneAtATime: a run waits for another one.
func TestOneAtATime(t *testing.T) {
	o := options(t)
	first, err := Open[change](t.Context(), o, at(1))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Open[change](ctx, o, at(2)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second run began: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, o, 3, "a")
}

// FuzzRead reads files that others have written.
func FuzzRead(f *testing.F) {
	f.Add([]byte("\n{\"Name\":\"a\"}\n{\"Name\":\"to\n{\"Name\":\"b\"}\n"))
	f.Add([]byte{0xff, '\n', 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		o := options(t)
		if err := os.MkdirAll(o.Folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(o.Folder, "20260101T000000.000000.jsonl"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, _ = undo(t.Context(), o, true)
	})
}

// TestClockIsSetBack: the last run is the one that began last, whatever the clock said.
func TestClockIsSetBack(t *testing.T) {
	o := options(t)
	write(t, o, 9, "first")
	write(t, o, 5, "second")
	write(t, o, 5, "third")
	for _, want := range []string{"third", "second", "first"} {
		if run, names, err := undo(t.Context(), o, true); err != nil || !slices.Equal(names, []string{want}) {
			t.Errorf("run %q has %q, %v; want %q", run, names, err, want)
		}
	}
	write(t, o, 9, "new")
	write(t, o, 1, "newest")
	write(t, o, 1, "one", "more")
	write(t, o, 1, "than are kept")
	if _, names, err := undo(t.Context(), o, true); err != nil || !slices.Equal(names, []string{"than are kept"}) {
		t.Errorf("%q, %v", names, err)
	}
}
