package main

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"mekiki/cmd/mekiki/internal/cli"
)

// TestPrecisionOfANamedModel wants a precision that the named model does not have to be refused, whether a command would use
// the model or make another of its name, and pull to refuse before it brings the weights.
func TestPrecisionOfANamedModel(t *testing.T) {
	hub := tinyHub(t, "me/tiny")
	var weights atomic.Int32 // requests for weights
	counting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".safetensors") {
			weights.Add(1)
		}
		hub.Config.Handler.ServeHTTP(w, r)
	}))
	t.Cleanup(counting.Close)
	cache := offlineEnvironment(t, counting.URL)
	refused := func(parts []string, arguments ...string) {
		t.Helper()
		status, out, errors := runForTest(t, arguments...)
		if status != cli.ExitUsage {
			t.Errorf("%q: status %d, %s", arguments, status, errors)
		}
		for _, part := range parts {
			if !strings.Contains(errors, part) {
				t.Errorf("%q: %q is not in\n%s%s", arguments, part, out, errors)
			}
		}
	}
	folder, err := filepath.Abs("../../embed/checkpoint/testdata/hf-f32")
	if err != nil {
		t.Fatal(err)
	}
	if status, _, errors := runForTest(t, "import", folder, "--precision", "fp32", "--name", "tiny"); status != cli.ExitOK {
		t.Fatalf("status %d, %s", status, errors)
	}
	refused([]string{"tiny was compiled in fp32, not int8", "--name tiny-int8"}, "embed", "--model", "tiny", "--precision", "int8", "--text", "a cat")
	refused([]string{"there already is a model tiny, in fp32", "--name tiny-int8", "models remove tiny"}, "import", folder, "--precision", "int8", "--name", "tiny")
	refused([]string{"there already is a model tiny, in fp32"}, "pull", "me/tiny", "--precision", "int8")
	if weights.Load() > 0 {
		t.Errorf("%d requests for weights that were of no use", weights.Load())
	}
	refused([]string{"tiny was compiled without --fast", "--fast --name tiny-fast"}, "embed", "--model", "tiny", "--fast", "--text", "a cat")
	refused([]string{"there already is a model tiny, in fp32", "--name tiny-fp32-fast"}, "import", folder, "--precision", "fp32", "--fast", "--name", "tiny")
	if status, _, errors := runForTest(t, "import", folder, "--precision", "fp32", "--fast", "--name", "quick"); status != cli.ExitOK {
		t.Errorf("status %d, %s", status, errors)
	}
	if status, out, errors := runForTest(t, "models", "show", "quick"); status != cli.ExitOK || !strings.Contains(out, "merges tokens") {
		t.Errorf("status %d, %s%s", status, out, errors)
	}
	if status, _, errors := runForTest(t, "embed", "--model", "quick", "--text", "a cat"); status != cli.ExitOK {
		t.Errorf("status %d, %s", status, errors)
	}
	refused([]string{"quick was compiled with --fast", "--name quick-exact"}, "embed", "--model", "quick", "--fast=false", "--text", "a cat")
	// In the same precision a model may be made anew.
	if status, _, errors := runForTest(t, "pull", "me/tiny", "--precision", "fp32"); status != cli.ExitOK || weights.Load() == 0 {
		t.Errorf("status %d after %d requests for weights, %s", status, weights.Load(), errors)
	}
	if status, out, errors := runForTest(t, "models", "show", "tiny"); status != cli.ExitOK || !strings.Contains(out, "fp32") {
		t.Errorf("status %d, %s%s in %s", status, out, errors, cache)
	}
}
