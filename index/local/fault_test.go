package local

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/internal/vfs"
	"mekiki/internal/vfs/vfstest"
)

func faultOptions(fsys vfs.FS) Options {
	return Options{FileSystem: fsys, CheckpointBytes: 2500, SegmentBytes: 600}
}

// runScript runs the standard script, opening the library anew when its writer
// has stopped, and tells the oracle how each step went. Between calls it
// reports to between.
func runScript(tb testing.TB, fsys vfs.FS, known *oracle, between func()) {
	tb.Helper()
	var library *Library
	for _, step := range standardScript() {
		for attempt := 0; library == nil && attempt < 3; attempt++ {
			library, _ = Open(context.Background(), "/library", faultOptions(fsys))
		}
		if library == nil {
			step.note(known, errors.New("not open"))
			continue
		}
		err := step.do(tb, library)
		step.note(known, err)
		between()
		if errors.Is(err, index.ErrWriter) {
			_ = library.Close()
			library = nil
		}
	}
	if library != nil {
		_ = library.Close()
	}
}

// TestEveryOperationFails makes each operation of the file system fail in turn,
// once or from there on, and holds the library to what was acknowledged.
func TestEveryOperationFails(t *testing.T) {
	counter := &vfstest.Faulty{Base: vfstest.NewMemory()}
	known := newOracle()
	runScript(t, counter, known, func() {})
	total := counter.Count()
	stride := int64(7)
	if indextest.Scale(t) > 1 {
		stride = 1
	}
	t.Logf("%d operations, every %d-th fails", total, stride)
	for _, fault := range []struct {
		err     error
		short   bool
		lasting bool
	}{{syscall.ENOSPC, true, false}, {syscall.EIO, false, false}, {syscall.ENOSPC, true, true}, {syscall.EIO, false, true}} {
		for k := int64(1); k <= total; k += stride {
			memory := vfstest.NewMemory()
			broken := true
			faulty := &vfstest.Faulty{Base: memory, Short: fault.short, Fail: func(number int64, _ vfstest.Operation) error {
				if broken && (number == k || fault.lasting && number > k && number < k+40) {
					return fault.err
				}
				return nil
			}}
			known := newOracle()
			runScript(t, faulty, known, func() {})
			broken = false
			if err := verifyReopened(t, memory, known); err != nil {
				t.Fatalf("operation %d of %d fails with %v (lasting %v): %v", k, total, fault.err, fault.lasting, err)
			}
		}
	}
}

// openWithoutFindings opens the library, which must be whole.
func openWithoutFindings(fsys vfs.FS) (*Library, error) {
	library, err := Open(context.Background(), "/library", faultOptions(fsys))
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	if findings := library.Findings(); len(findings) > 0 {
		return nil, fmt.Errorf("findings: %+v", findings)
	}
	return library, nil
}

// verifyReopened opens the library in a healthy file system, twice: the second
// opening must find nothing that the first left behind.
func verifyReopened(tb testing.TB, fsys vfs.FS, known *oracle) error {
	for range 2 {
		library, err := openWithoutFindings(fsys)
		if err != nil {
			return err
		}
		err = known.verify(tb, library)
		if err == nil {
			var report index.CheckReport
			if report, err = library.Check(context.Background()); err == nil && report.Damaged() {
				err = fmt.Errorf("check: %+v", report.Findings)
			}
		}
		if err := errors.Join(err, library.Close()); err != nil {
			return err
		}
	}
	return nil
}

// TestPowerFailure takes, before every operation of the file system, copies of
// what a power failure would leave, and opens them.
func TestPowerFailure(t *testing.T) {
	random := rand.New(rand.NewPCG(1, uint64(indextest.Scale(t))))
	memory := vfstest.NewMemory()
	known := newOracle()
	clones := 0
	hook := &vfstest.Faulty{Base: memory}
	hook.Fail = func(number int64, operation vfstest.Operation) error {
		switch operation.Verb {
		case "open", "stat", "read", "readdir":
			return nil // change nothing
		}
		for i := range 1 + indextest.Scale(t) {
			if indextest.Scale(t) == 1 && random.IntN(2) == 0 {
				continue
			}
			source := random
			if i == 0 {
				source = nil
			}
			clones++
			if err := verifyCrash(t, memory.Crash(source), known); err != nil {
				t.Fatalf("power failure before operation %d, %s %s: %v", number, operation.Verb, operation.Name, err)
			}
		}
		return nil
	}
	runCrashScript(t, hook, known)
	t.Logf("%d copies", clones)
}

// runCrashScript is runScript with the oracle told beforehand what a step may
// change.
func runCrashScript(tb testing.TB, fsys vfs.FS, known *oracle) {
	tb.Helper()
	library, err := Open(context.Background(), "/library", faultOptions(fsys))
	indextest.Must(tb, err)
	for i, step := range standardScript() {
		step.note(known, errors.New("under way"))
		indextest.Must(tb, step.do(tb, library))
		step.note(known, nil)
		if i%4 == 3 {
			indextest.Must(tb, library.Close())
			library, err = Open(context.Background(), "/library", faultOptions(fsys))
			indextest.Must(tb, err)
		}
	}
	indextest.Must(tb, library.Close())
}

func verifyCrash(tb testing.TB, fsys vfs.FS, known *oracle) error {
	// A crash before the library was there at all leaves nothing to verify.
	library, err := openWithoutFindings(fsys)
	if err != nil {
		return err
	}
	err = known.verify(tb, library)
	return errors.Join(err, library.Close())
}
