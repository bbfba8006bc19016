package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mekiki/cmd/mekiki/internal/cli"
)

// inspector is the official inspector of the protocol; see .ci/run for how it comes there.
const inspector = "../../scripts/inspector/node_modules/@modelcontextprotocol/inspector/package.json"

// inspect runs the inspector and gives what it writes.
func inspect(t *testing.T, arguments ...string) (out, complaints string) {
	t.Helper()
	folder := filepath.Dir(inspector)
	var about struct {
		Bin map[string]string `json:"bin"`
	}
	data, err := os.ReadFile(inspector)
	if err == nil {
		err = json.Unmarshal(data, &about)
	}
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "node", append([]string{filepath.Join(folder, about.Bin["mcp-inspector"]), "--cli"}, arguments...)...)
	command.Env = append(os.Environ(), "HOME="+t.TempDir())
	var stderr strings.Builder
	command.Stderr = &stderr
	written, err := command.Output()
	if err != nil {
		t.Fatalf("inspector %q: %v\n%s\n%s", arguments, err, written, stderr.String())
	}
	return string(written), stderr.String()
}

// TestInspector: the official inspector finds nothing to say against the tools, and calls them, over both transports.
func TestInspector(t *testing.T) {
	_, nodeErr := exec.LookPath("node")
	_, err := os.Stat(inspector)
	if nodeErr != nil || errors.Is(err, fs.ErrNotExist) {
		if os.Getenv("MEKIKI_REQUIRE_INSPECTOR") != "" {
			t.Fatal("node or the inspector is missing, and MEKIKI_REQUIRE_INSPECTOR says that it must not be")
		}
		t.Skip("node or the inspector is missing; npm ci --prefix scripts/inspector brings it")
	}
	h := newHanded(t)
	if status, out, complaints := h.run("", "index", h.pictures); status != cli.ExitOK {
		t.Fatalf("index: status %d\n%s\n%s", status, out, complaints)
	}
	for name, target := range map[string][]string{
		"stdio": {h.program, "mcp", "--write", "--library", h.library, "--runtime", h.runtime, "--threads", "1"},
		"http":  {h.serve() + "mcp", "--transport", "http"},
	} {
		t.Run(name, func(t *testing.T) {
			tools, complaints := inspect(t, append(target, "--method", "tools/list", "--strict")...)
			if !strings.Contains(tools, `"add_tags"`) || strings.Contains(complaints, "Warning") || strings.Contains(complaints, "Error") {
				t.Errorf("tools: %.2000s\n%.4000s", tools, complaints)
			}
			found, _ := inspect(t, append(target, "--method", "tools/call", "--tool-name", "search_images", "--tool-arg", "query=picture", "limit=2", "least=all")...)
			if !strings.Contains(found, `"structuredContent"`) || !strings.Contains(found, `"probability"`) {
				t.Errorf("found: %.2000s", found)
			}
			looked, _ := inspect(t, append(target, "--method", "tools/call", "--tool-name", "get_image", "--tool-arg", `ids=["1"]`)...)
			if !strings.Contains(looked, `"mimeType": "image/jpeg"`) {
				t.Errorf("looked: %.2000s", looked)
			}
			if read, _ := inspect(t, append(target, "--method", "resources/read", "--uri", "mekiki://image/1")...); !strings.Contains(read, `"blob"`) {
				t.Errorf("read: %.2000s", read)
			}
			if prompt, _ := inspect(t, append(target, "--method", "prompts/get", "--prompt-name", "curate", "--prompt-args", "purpose=a calendar")...); !strings.Contains(prompt, "a calendar") {
				t.Errorf("prompt: %.2000s", prompt)
			}
		})
	}
}
