// Package checkpointtest has what the tests of checkpoints and of their weights share.
package checkpointtest

import (
	"os"
	"strings"
	"testing"

	"mekiki/internal/hint"
)

// ReadFile reads a file of testdata.
func ReadFile(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// WantError fails the test if there is no error, or if it and its hint together
// lack one of the parts.
func WantError(t testing.TB, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; expected one with %q", parts)
	}
	text := err.Error() + "; " + hint.Of(err)
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("error %q does not mention %q", text, part)
		}
	}
}
