// Package orttest gives tests ONNX Runtime.
package orttest

import (
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"mekiki/embed/ort"
)

// RequireVariable is the environment variable that, when set, makes a test fail
// instead of being skipped where ONNX Runtime cannot be had.
const RequireVariable = "MEKIKI_REQUIRE_RUNTIME"

// Open returns ONNX Runtime for the length of the test. It installs the pinned
// release into the user's cache folder when this machine has none, which needs the
// network once, and says so. Where that fails, or the build has no cgo, the test
// is skipped with the reason.
func Open(t testing.TB) *ort.Runtime {
	t.Helper()
	var said sync.Once
	started := time.Now()
	runtime, err := ort.Open(t.Context(), ort.Options{
		Install: true,
		Progress: func(progress ort.Progress) {
			said.Do(func() { t.Logf("installing ONNX Runtime %s: %s %s", ort.Version, progress.Stage, progress.Source) })
			if progress.Stage == ort.StageDone {
				t.Logf("installed ONNX Runtime in %v: %s", time.Since(started).Round(time.Millisecond), progress.Source)
			}
		},
	})
	absent := errors.Is(err, ort.ErrNotInstalled) || errors.Is(err, ort.ErrNoCgo) || errors.Is(err, ort.ErrUnsupportedPlatform)
	if absent && os.Getenv(RequireVariable) == "" {
		t.Skipf("ONNX Runtime cannot be had: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := runtime.Close(); err != nil {
			t.Errorf("close ONNX Runtime: %v", err)
		}
	})
	return runtime
}
