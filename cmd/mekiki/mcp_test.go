package main

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/server/mcp/mcptest"
)

// TestMCP: an agent starts the program and speaks to it, alone, beside a server, and with a server that has the library.
func TestMCP(t *testing.T) {
	h := newHanded(t)
	if status, out, complaints := h.run("", "mcp"); status != cli.ExitError || out != "" || !strings.Contains(complaints, "mekiki index FOLDER") {
		t.Errorf("without a library: status %d\n%s\n%s", status, out, complaints)
	}
	if status, out, complaints := h.run("", "index", h.pictures); status != cli.ExitOK {
		t.Fatalf("index: status %d\n%s\n%s", status, out, complaints)
	}
	mcptest.OverCommand(t, h.command("mcp")).Converse("picture", false)
	agent := mcptest.OverCommand(t, h.command("mcp", "--write"))
	agent.Converse("picture", true)
	address := h.serve()
	agent.Converse("picture", true)
	other := h.pictures + "/../other.png"
	data, err := os.ReadFile(h.pictures + "/a.png")
	if err == nil {
		err = os.WriteFile(other, data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{h.pictures + "/none.png": "there is no file", "a.png": "absolute", h.pictures: "is a folder"} {
		if answer := agent.Call("find_similar", map[string]any{"path": path}); !answer.Failed || !strings.Contains(answer.Text, says) {
			t.Errorf("%s: %v %s", path, answer.Failed, answer.Text)
		}
	}
	if found := agent.Do("find_similar", map[string]any{"path": other}); len(found.IDs()) == 0 {
		t.Errorf("like a file: %s", found.Structured)
	}
	mcptest.OverHTTP(t, address+"mcp", &http.Client{Transport: new(http.Transport)}, nil).Converse("picture", true)
}
