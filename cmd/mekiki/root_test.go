package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mekiki/cmd/mekiki/internal/cli"
)

// runForTest runs the program in this process with an empty configuration.
func runForTest(t *testing.T, arguments ...string) (status int, out, errors string) {
	t.Helper()
	if os.Getenv("MEKIKI_CONFIG") == "" {
		t.Setenv("MEKIKI_CONFIG", filepath.Join(t.TempDir(), "config.toml"))
	}
	var outBuffer, errorBuffer bytes.Buffer
	status = run(t.Context(), &cli.App{In: strings.NewReader(""), Out: &outBuffer, Stderr: &errorBuffer}, arguments)
	return status, outBuffer.String(), errorBuffer.String()
}

func TestUsageErrors(t *testing.T) {
	tests := []struct {
		name      string
		arguments []string
		want      string
	}{
		{"unknown flag", []string{"--bogus"}, "unknown flag"},
		{"unknown verb", []string{"serach"}, "unknown command"},
		{"flag of the wrong type", []string{"version", "--threads", "many"}, "threads"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			status, _, errors := runForTest(t, test.arguments...)
			if status != cli.ExitUsage || !strings.Contains(errors, test.want) {
				t.Errorf("status %d, errors %q; want %d and %q", status, errors, cli.ExitUsage, test.want)
			}
		})
	}
}

func TestSettingsPrecedence(t *testing.T) {
	config := filepath.Join(t.TempDir(), "config.toml")
	t.Setenv("MEKIKI_CONFIG", config)
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	threads := func(arguments ...string) int {
		t.Helper()
		app := &cli.App{In: strings.NewReader(""), Out: &bytes.Buffer{}, Stderr: &bytes.Buffer{}}
		if status := run(t.Context(), app, append([]string{"version"}, arguments...)); status != cli.ExitOK {
			t.Fatalf("status %d: %s", status, app.Stderr)
		}
		return app.Threads
	}
	write("threads = 3\n")
	if got := threads(); got != 3 {
		t.Errorf("from the file: %d, want 3", got)
	}
	write("threads = 3\n[version]\nthreads = 4\n")
	if got := threads(); got != 4 {
		t.Errorf("from the verb's table: %d, want 4", got)
	}
	t.Setenv("MEKIKI_THREADS", "5")
	if got := threads(); got != 5 {
		t.Errorf("from the environment: %d, want 5", got)
	}
	if got := threads("--threads", "6"); got != 6 {
		t.Errorf("from the flag: %d, want 6", got)
	}
	write("treads = 3\n")
	if status, _, errors := runForTest(t, "version"); status != cli.ExitUsage || !strings.Contains(errors, "treads") {
		t.Errorf("a mistyped setting passes: status %d, %q", status, errors)
	}
	write("threads = [\n")
	if status, _, errors := runForTest(t, "version"); status != cli.ExitError || !strings.Contains(errors, config) {
		t.Errorf("a broken file passes: status %d, %q", status, errors)
	}
}

// TestServeChecksFirst: what is wrong with the flags shows before there is a library.
func TestServeChecksFirst(t *testing.T) {
	for _, arguments := range [][]string{{"--addr", "0.0.0.0:0"}, {"--addr", "nothing"}, {"--root", "/no/such/folder"}, {"--upload-mib", "0"}} {
		library := filepath.Join(t.TempDir(), "library")
		status, out, errors := runForTest(t, append([]string{"serve", "--library", library}, arguments...)...)
		if status == cli.ExitOK || errors == "" {
			t.Errorf("%v: status %d: %s%s", arguments, status, out, errors)
		}
		if _, err := os.Stat(library); !os.IsNotExist(err) {
			t.Errorf("%v: left a library: %v", arguments, err)
		}
	}
}
