// Package ort runs ONNX graphs with ONNX Runtime.
//
// It finds the shared library of ONNX Runtime on this machine, or installs the
// pinned release into the cache folder, and opens sessions whose inputs and
// outputs are checked against what the caller expects. It is the only package
// that knows the runtime's bindings, which need cgo: built without cgo, every
// function still exists and Open returns ErrNoCgo.
//
// A Runtime and a Session are safe for concurrent use.
package ort

import (
	"errors"
	"log/slog"
	"os"
	"time"

	"mekiki/internal/folders"
)

// Version is the release of ONNX Runtime that this package installs.
const Version = "1.30.0"

// APIVersion is the C API version that the bindings ask of the library; releases
// before 1.24 lack it.
const APIVersion = 24

// LibraryVariable is the environment variable that names the shared library.
const LibraryVariable = "ONNXRUNTIME_SHARED_LIBRARY_PATH"

// What callers branch on; the errors that wrap them say more.
var (
	// ErrNotInstalled means that no usable library was found and installing was
	// not asked for or did not work.
	ErrNotInstalled = errors.New("ONNX Runtime is not installed")
	// ErrIncompatible means that a library was found but cannot serve us.
	ErrIncompatible = errors.New("ONNX Runtime library is not usable")
	// ErrUnsupportedPlatform means that no pinned release exists for this machine.
	ErrUnsupportedPlatform = errors.New("no ONNX Runtime release for this platform")
	// ErrHash means that a downloaded archive is not the pinned one.
	ErrHash = errors.New("archive does not have the pinned hash")
	// ErrNoCgo means that the program was built without cgo.
	ErrNoCgo = errors.New("this program was built without cgo and cannot run models")
	// ErrOtherLibrary means that this process already runs another library file.
	ErrOtherLibrary = errors.New("another ONNX Runtime library is already loaded")
	// ErrProvider means that the chosen execution provider is not there.
	ErrProvider = errors.New("execution provider is not available")
	// ErrModel means that ONNX Runtime cannot open a model file.
	ErrModel = errors.New("model file does not fit")
	// ErrClosed means that the Runtime or Session was closed.
	ErrClosed = errors.New("closed")
)

// Options says where the library is and what may be done to get it. The zero
// value looks everywhere and installs nothing.
type Options struct {
	// LibraryPath is the shared library to load; when set, nothing else is tried.
	LibraryPath string
	// CacheDir is where installed libraries are kept: runtime/ in the cache
	// folder when empty.
	CacheDir string
	// Install allows the pinned release to be downloaded when none is found.
	Install bool
	// Progress, when not nil, is told how an installation goes, from one
	// goroutine at a time.
	Progress func(Progress)
	// Logger receives what was tried, at debug level. Nil discards it.
	Logger *slog.Logger

	releases *table        // where archives come from; pinned() when nil
	stall    time.Duration // how long a download may bring nothing; stallTimeout when 0
}

// Stage is a step of an installation.
type Stage string

// The stages of an installation, in order.
const (
	StageWait     Stage = "wait"     // another process is installing
	StageDownload Stage = "download" // bytes of the archive
	StageExtract  Stage = "extract"  // bytes of the library
	StageDone     Stage = "done"
)

// Progress is a moment of an installation.
type Progress struct {
	Stage  Stage
	Source string // what it is read from: an address, or "npm"
	Done   int64  // bytes so far
	Total  int64  // bytes in all, 0 when not known
}

func (o Options) withDefaults() (Options, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	if o.releases == nil {
		o.releases = pinned()
	}
	if o.stall == 0 {
		o.stall = stallTimeout
	}
	var err error
	o.CacheDir, err = folders.CacheOr(o.CacheDir, "runtime")
	return o, err
}

// isFile reports whether path is a regular file after following links.
func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
