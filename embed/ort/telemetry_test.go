//go:build cgo

package ort_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"mekiki/embed/ort"
	"mekiki/embed/ort/orttest"
)

// openChildVariable makes TestOpenInChild run.
const openChildVariable = "MEKIKI_TEST_OPEN_IN_CHILD"

// TestOpenInChild is the child process of TestOpenCollectsNoTelemetry.
func TestOpenInChild(t *testing.T) {
	if os.Getenv(openChildVariable) == "" {
		t.Skip("runs in a process of its own")
	}
	opened, err := ort.Open(t.Context(), ort.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := opened.Close(); err != nil {
		t.Error(err)
	}
}

// TestOpenCollectsNoTelemetry opens the library in a process with a long command
// line, as "mekiki index *.jpg" has, where telemetry overflows a thread's stack,
// and in one with a short command line, where telemetry leaves files in the home
// folder. Both have a home of their own and none of the variables by which the
// library recognises a build server, where it sends nothing anyhow.
func TestOpenCollectsNoTelemetry(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a command line has at most 32,767 characters here, and telemetry is the system's")
	}
	library := orttest.Open(t).LibraryPath()
	for name, paths := range map[string]int{"short command line": 1, "long command line": 4000} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			child := openChild(t.Context(), library, home, paths)
			if output, err := child.CombinedOutput(); err != nil {
				t.Fatalf("opening with %d arguments: %v\n%.2000s", paths, err, output)
			}
			if left := filesIn(t, home); len(left) > 0 {
				t.Errorf("opening left files in the home folder: %q", left)
			}
		})
	}
}

// openChild makes the process that runs TestOpenInChild with so many paths of 30
// bytes after its flags.
func openChild(ctx context.Context, library, home string, paths int) *exec.Cmd {
	arguments := []string{"-test.run=^TestOpenInChild$", "--"}
	for i := range paths {
		arguments = append(arguments, fmt.Sprintf("pictures/picture-number-%05d.j", i))
	}
	child := exec.CommandContext(ctx, os.Args[0], arguments...)
	child.Dir = home
	child.Env = []string{openChildVariable + "=1", "HOME=" + home, ort.LibraryVariable + "=" + library, "ORT_DISABLE_TELEMETRY=0"}
	for _, name := range []string{"PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR"} {
		if value, given := os.LookupEnv(name); given {
			child.Env = append(child.Env, name+"="+value)
		}
	}
	return child
}

func filesIn(t *testing.T, folder string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			found = append(found, strings.TrimPrefix(path, folder+string(filepath.Separator)))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
