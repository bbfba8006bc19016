// Package testjson reads the JSON files of tests.
package testjson

import (
	"encoding/json"
	"os"
	"testing"
)

// Read decodes a file; a test that cannot have it fails.
func Read[T any](t testing.TB, path string) (value T) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &value); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return value
}
