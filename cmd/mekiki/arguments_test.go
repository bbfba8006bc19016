package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mekiki/cmd/mekiki/internal/cli"
)

// TestMistakes holds that a wrong command line ends with the status of wrong
// usage, names what is wrong, and says what to try.
func TestMistakes(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("MEKIKI_LIBRARY", filepath.Join(folder, "library"))
	t.Setenv("MEKIKI_CACHE", filepath.Join(folder, "cache"))
	tests := []struct {
		line   string
		want   string
		remedy string
	}{
		{"serach cats", `unknown command "serach"`, "mekiki search"},
		{"texts ad", `unknown command "mekiki texts ad"`, "mekiki texts add"},
		{"models bogus", `unknown command "mekiki models bogus"`, "mekiki models --help"},
		{"token bogus", `"mekiki token bogus"`, "mekiki token --help"},
		{"completion tcsh", `"mekiki completion tcsh"`, ""},
		{"help serch", `unknown command "serch"`, "mekiki search"},
		{"help texts ad", `unknown command "mekiki texts ad"`, "mekiki texts add"},
		{"search", `"mekiki search" needs QUERY`, "mekiki search two cats"},
		{"index", `"mekiki index" needs PATH`, "mekiki index ~/Pictures"},
		{"lookup", `"mekiki lookup" needs IMAGE|ID`, "mekiki lookup photo.jpg"},
		{"lookup a.jpg b.jpg", `"b.jpg" is one too many`, "mekiki lookup"},
		{"similar", `"mekiki similar" needs IMAGE|ID`, "mekiki similar photo.jpg"},
		{"backup", `"mekiki backup" needs FILE`, "mekiki backup library.tar"},
		{"backup a b", `"b" is one too many`, ""},
		{"status now", `"mekiki status" takes no arguments; "now"`, "mekiki status --help"},
		{"import", `"mekiki import" needs PATH`, "mekiki import"},
		{"models show", `"mekiki models show" needs NAME`, ""},
		{"spaces drop", `"mekiki spaces drop" needs MODEL`, ""},
		{"pull", "name what to pull", ""},
		{"pull --download-only --discard blip2", "--discard", ""},
		{"search a cat -dog", "-dog", "'a cat -dog'"},
		{"search --hits 3 cats", "--hits", "--help"},
		{"search cats --limit 0", "--limit 0", ""},
		{"search cats --budget -5s", "--budget -5s is negative", ""},
		{"lookup 17 --limit -1", "--limit -1", ""},
		{"index . --captions -1", `"-1" for "--captions"`, "give a number"},
		{"index . --batch 0", "--batch 0", ""},
		{"eval --builtin --sample -1", "--sample -1", ""},
		{"serve --addr nonsense", `--addr "nonsense"`, "127.0.0.1:8080"},
		{"serve --upload-mib 99999999999999", "--upload-mib", ""},
	}
	for _, test := range tests {
		t.Run(test.line, func(t *testing.T) {
			status, _, errors := runForTest(t, strings.Fields(test.line)...)
			if status != cli.ExitUsage || !strings.Contains(errors, test.want) || !strings.Contains(errors, test.remedy) {
				t.Errorf("status %d, errors %q; want %d, %q and %q", status, errors, cli.ExitUsage, test.want, test.remedy)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(folder, "library")); err == nil {
		t.Error("a mistake made a library")
	}
}

// TestMissingThings holds that what is not there is named, with a remedy, and
// that nothing is made for it.
func TestMissingThings(t *testing.T) {
	folder := t.TempDir()
	library := filepath.Join(folder, "library")
	t.Setenv("MEKIKI_LIBRARY", library)
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		arguments    []string
		want, remedy string
	}{
		{[]string{"index", filepath.Join(folder, "nowhere")}, "nowhere", "give folders or files"},
		{[]string{"search", "cats"}, library, "mekiki index FOLDER"},
		{[]string{"search", "cats", "--library", file}, file, "--library"},
		{[]string{"similar", folder}, "is a folder", "image file"},
		{[]string{"eval", "--builtin", "--cache", filepath.Join(file, "cache")}, file, "--cache"},
		{[]string{"lookup", "nophoto.jpg"}, "nophoto.jpg", "ids"},
	}
	for _, test := range tests {
		t.Run(strings.Join(test.arguments, " "), func(t *testing.T) {
			status, _, errors := runForTest(t, test.arguments...)
			if status != cli.ExitError || !strings.Contains(errors, test.want) || !strings.Contains(errors, test.remedy) {
				t.Errorf("status %d, errors %q; want %d, %q and %q", status, errors, cli.ExitError, test.want, test.remedy)
			}
		})
	}
	if _, err := os.Stat(library); err == nil {
		t.Error("a library was made for nothing")
	}
}

func TestSettingsOfVerbs(t *testing.T) {
	config := filepath.Join(t.TempDir(), "config.toml")
	t.Setenv("MEKIKI_CONFIG", config)
	t.Setenv("MEKIKI_LIBRARY", filepath.Join(t.TempDir(), "library"))
	tests := []struct {
		name, text string
		arguments  []string
		status     int
		want       string
	}{
		{"a verb below a verb", "[texts.add]\nformat = \"csv\"\n", []string{"texts", "add", "nofile"}, cli.ExitError, "nofile"},
		{"its mistyped flag", "[texts.add]\nfromat = \"csv\"\n", []string{"version"}, cli.ExitUsage, "texts.add.fromat"},
		{"a verb that there is not", "[text]\nformat = \"csv\"\n", []string{"version"}, cli.ExitUsage, "[text]"},
		{"a verb's flag outside its table", "addr = \":1\"\n", []string{"version"}, cli.ExitUsage, "addr"},
		{"a list, with a comma in a value", "[serve]\nroot = [\"/no,where\"]\n", []string{"serve"}, cli.ExitUsage, "/no,where"},
		{"a wrong value", "threads = \"many\"\n", []string{"version"}, cli.ExitUsage, config},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if err := os.WriteFile(config, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			status, _, errors := runForTest(t, test.arguments...)
			if status != test.status || !strings.Contains(errors, test.want) {
				t.Errorf("status %d, errors %q; want %d and %q", status, errors, test.status, test.want)
			}
		})
	}
}

// TestEndlessConfiguration holds that a file without end is not read to its end.
func TestEndlessConfiguration(t *testing.T) {
	if _, err := os.Stat("/dev/zero"); err != nil {
		t.Skip("there is no /dev/zero")
	}
	t.Setenv("MEKIKI_CONFIG", "/dev/zero")
	if status, _, errors := runForTest(t, "version"); status != cli.ExitError || !strings.Contains(errors, "/dev/zero") {
		t.Errorf("status %d, errors %q", status, errors)
	}
}

// TestWithoutHome holds that a service, which may have no home, needs none when
// it is told where its folders are.
func TestWithoutHome(t *testing.T) {
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "AppData", "LocalAppData", "USERPROFILE", "MEKIKI_CONFIG"} {
		t.Setenv(name, "")
	}
	app := &cli.App{In: strings.NewReader(""), Out: &bytes.Buffer{}, Stderr: &bytes.Buffer{}}
	if status := run(t.Context(), app, []string{"version"}); status != cli.ExitOK {
		t.Errorf("status %d: %s", status, app.Stderr)
	}
	if status := run(t.Context(), app, []string{"status"}); status != cli.ExitError || !strings.Contains(fmt.Sprint(app.Stderr), "MEKIKI_LIBRARY") {
		t.Errorf("status %d: %s", status, app.Stderr)
	}
}
