package clustertest

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// Server is a program that is built from a Go module.
type Server struct {
	// Name is that of the program, Package the one of its main package.
	Name, Package, Version string
}

// Path is where the program lies once it was built: in a folder of its version, below the
// cache folder of the user.
func (s Server) Path() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache folder: %w", err)
	}
	name := s.Name
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(cache, "mekiki", "clustertest", s.Name+"-"+s.Version, name), nil
}

// Build builds the program where it was not, with the Go toolchain, whose output goes to
// log. The module's dependencies do not become this module's.
func (s Server) Build(ctx context.Context, log io.Writer) error {
	path, err := s.Path()
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	build := exec.CommandContext(ctx, "go", "install", "-trimpath", "-ldflags=-s -w", s.Package+"@"+s.Version)
	build.Env = append(os.Environ(), "GOBIN="+filepath.Dir(path), "CGO_ENABLED=0", "GOFLAGS=")
	build.Stdout, build.Stderr = log, log
	if err := build.Run(); err != nil {
		return fmt.Errorf("build %s %s: %w", s.Name, s.Version, err)
	}
	return nil
}

// Require gives the path of the built program. Where there is none, the test skips, or
// fails if [requireVariable] is set.
func (s Server) Require(tb testing.TB) string {
	tb.Helper()
	if testing.Short() {
		tb.Skipf("%s takes a while to start", s.Name)
	}
	path, err := s.Path()
	if err == nil {
		_, err = os.Stat(path)
	}
	if err == nil {
		return path
	}
	if os.Getenv(requireVariable) != "" {
		tb.Fatalf("%s is missing, and %s says that it must not be; build it with: go run ./internal/clustertest/fetch: %v", s.Name, requireVariable, err)
	}
	tb.Skipf("%s is not built: go run ./internal/clustertest/fetch", s.Name)
	return ""
}
