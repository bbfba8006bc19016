//go:build cgo

package ort_test

import (
	"bytes"
	"os"
	"os/exec"
	"testing"

	"mekiki/embed/ort"
	"mekiki/embed/ort/orttest"
)

// providerChildVariable makes TestProviderInChild run.
const providerChildVariable = "MEKIKI_TEST_PROVIDER_IN_CHILD"

// TestProviderInChild is the child process of TestProviderWritesNothing.
func TestProviderInChild(t *testing.T) {
	if os.Getenv(providerChildVariable) == "" {
		t.Skip("runs in a process of its own")
	}
	runtime := orttest.Open(t)
	for _, name := range []string{"cuda", "tensorrt", "openvino", "coreml", "no-such-provider"} {
		options := scaleOptions(writeScale(t, t.TempDir(), false))
		options.Provider = name
		if session, err := runtime.Session(t.Context(), options); err == nil {
			_ = session.Close()
		}
	}
}

// TestProviderWritesNothing asks for execution providers that are hardly there, in
// a process whose standard error can be read: the error is all that tells of it.
func TestProviderWritesNothing(t *testing.T) {
	library := orttest.Open(t).LibraryPath()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProviderInChild$")
	child.Env = append(os.Environ(), providerChildVariable+"=1", ort.LibraryVariable+"="+library)
	var written bytes.Buffer
	child.Stderr = &written
	if err := child.Run(); err != nil {
		t.Fatal(err)
	}
	if written.Len() > 0 {
		t.Errorf("standard error has %q", written.String())
	}
}
