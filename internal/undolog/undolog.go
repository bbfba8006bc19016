// Package undolog keeps what the runs of a command change, with what there was before, so that the last run can be undone.
//
// A folder has a file for each run, named by when it began, with a line of JSON for each change. A line is durable before its
// change is made. One that could be written in part only, as on a full disk or by a process that was killed, was never acted on, and
// costs no other.
package undolog

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mekiki/internal/filelock"
	"mekiki/internal/hint"
	"mekiki/internal/vfs"
)

// ErrNothing says that no run is left that can be undone.
var ErrNothing = errors.New("nothing can be undone")

const (
	suffix   = ".jsonl"
	lockName = "lock"
	// nameLayout names runs by when they began, so that they are in order by name.
	nameLayout = "20060102T150405.000000"
)

// Options say where logs are, and what is kept of them: the oldest runs beyond a bound are forgotten when another begins.
type Options struct {
	Folder string
	// Runs is how many runs are kept, with the one that begins.
	Runs int
	// Bytes is what the files of earlier runs may take together; zero for no bound.
	Bytes int64
	// Line is the most bytes of a line that is read.
	Line int
}

// Log is the log of one run, of changes of type T. It is not safe for concurrent use.
type Log[T any] struct {
	options Options
	run     string
	file    *os.File
	lock    *filelock.Lock
}

// Open waits until no other run of the folder is at work, and begins one. Its file is made with the first change.
func Open[T any](ctx context.Context, options Options, now time.Time) (*Log[T], error) {
	lock, err := filelock.Acquire(ctx, filepath.Join(options.Folder, lockName), nil)
	if err != nil {
		return nil, hint.Wrap(fmt.Errorf("keep what there was before: %w", err), "see that the library's folder can be written to")
	}
	l := &Log[T]{options: options, lock: lock}
	if l.run, err = l.next(now); err != nil {
		return nil, errors.Join(fmt.Errorf("keep what there was before: %w", err), lock.Close())
	}
	return l, nil
}

// next names a run that begins now, after all that there are: a clock that was set back must not make another one the last.
func (l *Log[T]) next(now time.Time) (string, error) {
	runs, err := l.runs()
	if err != nil || len(runs) == 0 {
		return now.UTC().Format(nameLayout), err
	}
	last := strings.TrimSuffix(runs[len(runs)-1].Name(), suffix)
	if began, err := time.Parse(nameLayout, last); err == nil && !now.UTC().Truncate(time.Microsecond).After(began) {
		now = began.Add(time.Microsecond)
	}
	return now.UTC().Format(nameLayout), nil
}

// Run is the name of the run.
func (l *Log[T]) Run() string { return l.run }

// Close ends the run.
func (l *Log[T]) Close() error {
	var err error
	if l.file != nil {
		err = l.file.Close()
	}
	return errors.Join(err, l.lock.Close())
}

// Note writes down changes that are about to be made. They are durable when it returns without an error.
func (l *Log[T]) Note(changes ...T) error {
	if err := l.note(changes); err != nil {
		return fmt.Errorf("keep what there was before: %w", err)
	}
	return nil
}

func (l *Log[T]) note(changes []T) error {
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	for _, change := range changes {
		lines.WriteByte('\n') // ends a line before it that was cut off
		if err := encoder.Encode(change); err != nil {
			return err
		}
	}
	if l.file == nil {
		if err := l.begin(); err != nil {
			return err
		}
	}
	if _, err := l.file.Write(lines.Bytes()); err != nil {
		return err
	}
	return l.file.Sync()
}

// begin makes the run's file. What there was before may be private: as the library, it is the owner's.
func (l *Log[T]) begin() (err error) {
	if err := l.forgetOld(); err != nil {
		return fmt.Errorf("forget old runs: %w", err)
	}
	if l.file, err = os.OpenFile(l.name(l.run), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err != nil {
		return err
	}
	return vfs.SyncFolder(l.options.Folder)
}

func (l *Log[T]) name(run string) string { return filepath.Join(l.options.Folder, run+suffix) }

// runs lists the files of runs, the oldest first.
func (l *Log[T]) runs() ([]fs.DirEntry, error) {
	entries, err := os.ReadDir(l.options.Folder)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return !strings.HasSuffix(e.Name(), suffix) || !e.Type().IsRegular() }), err
}

// forgetOld removes the oldest runs beyond the bounds.
func (l *Log[T]) forgetOld() error {
	runs, err := l.runs()
	if err != nil {
		return err
	}
	var size int64
	kept := 0
	for _, run := range slices.Backward(runs) {
		info, err := run.Info()
		if err != nil {
			return err
		}
		size += info.Size()
		if kept++; kept < l.options.Runs && size <= cmp.Or(l.options.Bytes, size) {
			continue
		}
		if err := l.forget(strings.TrimSuffix(run.Name(), suffix)); err != nil {
			return err
		}
	}
	return nil
}

func (l *Log[T]) forget(run string) error {
	if err := os.Remove(l.name(run)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// each reads the changes of a run. Lines that are none, such as one that was cut off, are passed over.
func (l *Log[T]) each(run string, do func(T) error) error {
	file, err := os.Open(l.name(run))
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 0, 64<<10), l.options.Line)
	for lines.Scan() {
		var change T
		if json.Unmarshal(lines.Bytes(), &change) != nil {
			continue
		}
		if err := do(change); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read what there was before: %w", err)
	}
	return nil
}

// Undo reads the changes of the last run, in the order in which they were made, and then asks whether the run is done with:
// if not, it can be undone again. The error is [ErrNothing] where there is no run, and what the functions give.
func Undo[T any](ctx context.Context, options Options, now time.Time, begin func(run string), change func(T) error, done func() (bool, error)) (err error) {
	if _, err := os.Stat(options.Folder); errors.Is(err, fs.ErrNotExist) {
		return ErrNothing
	}
	l, err := Open[T](ctx, options, now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	runs, err := l.runs()
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		return ErrNothing
	}
	run := strings.TrimSuffix(runs[len(runs)-1].Name(), suffix)
	begin(run)
	err = l.each(run, func(c T) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return change(c)
	})
	if err != nil {
		return err
	}
	if whole, err := done(); err != nil || !whole {
		return err
	}
	return l.forget(run)
}
