package client

import (
	"image/color"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// requireVariable names a language, in lower case, without which the test fails and is not skipped.
const requireVariable = "MEKIKI_REQUIRE_CLIENTS"

// TestOtherLanguages runs the examples in Python and TypeScript against a real server: they upload, page, tag, patch and
// search. A picture that is broken costs them nothing.
func TestOtherLanguages(t *testing.T) {
	for _, language := range []struct{ name, program, file, probe string }{
		{"Python", "python3", "../python/mekiki.py", "import sys; sys.exit(sys.version_info < (3, 9))"},
		{"TypeScript", "node", "../typescript/mekiki.ts", "process.exit(process.features.typescript ? 0 : 1)"},
	} {
		t.Run(language.name, func(t *testing.T) {
			flag := map[string]string{"python3": "-c", "node": "-e"}[language.program]
			if err := exec.CommandContext(t.Context(), language.program, flag, language.probe).Run(); err != nil {
				if os.Getenv(requireVariable) == strings.ToLower(language.name) {
					t.Fatalf("%s: %v", language.program, err)
				}
				t.Skipf("%s is not here, or too old: %v", language.program, err)
			}
			served := serve(t)
			folder := t.TempDir()
			arguments := []string{language.file, served.Address}
			for name, content := range map[string][]byte{"red.png": plain(t, color.RGBA{R: 255, A: 255}), "blue.png": plain(t, color.RGBA{B: 255, A: 255}), "broken.png": []byte("no picture")} {
				path := filepath.Join(folder, name)
				if err := os.WriteFile(path, content, 0o600); err != nil {
					t.Fatal(err)
				}
				arguments = append(arguments, path)
			}
			for _, want := range [][]string{{"red.png 201 added", "blue.png 201 added", "broken.png 422", "2 tagged", "From " + language.name, "1 "}, {"broken.png 422", "0 tagged"}} {
				command := exec.CommandContext(t.Context(), language.program, arguments...)
				command.Env = append(os.Environ(), "MEKIKI_TOKEN="+served.Token)
				output, err := command.CombinedOutput()
				for _, part := range want {
					if err != nil || !strings.Contains(string(output), part) {
						t.Fatalf("%v, without %q:\n%s", err, part, output)
					}
				}
			}
		})
	}
}
