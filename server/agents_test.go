package server

import (
	"bytes"
	"context"
	"image/jpeg"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"mekiki/index"
	"mekiki/server/auth"
	"mekiki/server/mcp/mcptest"
	"mekiki/server/problem"
)

// agent connects an agent to the server.
func (f *fixture) agent(edit ...func(*http.Request)) *mcptest.Client {
	f.Helper()
	request := f.request(http.MethodPost, "/mcp", nil, edit...)
	return mcptest.OverHTTP(f, f.base+"/mcp", f.client, request.Header)
}

func TestAgents(t *testing.T) {
	f := start(t)
	f.agent().Converse("red", true)
}

// TestAgentsTokens: a token's scope decides which tools there are.
func TestAgentsTokens(t *testing.T) {
	reader, readSecret, _ := auth.NewToken("reader", auth.ScopeRead)
	writer, writeSecret, _ := auth.NewToken("writer", auth.ScopeWrite)
	f := start(t, func(options *Options) { options.Tokens = []auth.Token{reader, writer} })
	got := f.json(http.MethodPost, "/mcp", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
	f.expect(got, http.StatusUnauthorized, problem.Unauthorized)
	f.agent(bearer(writeSecret)).Converse("red", true)
	agent := f.agent(bearer(readSecret))
	for _, name := range agent.Tools() {
		if slices.Contains(mcptest.Changing, name) {
			t.Errorf("a reader is told of %s", name)
		}
	}
	if refused := agent.Call("add_tags", map[string]any{"ids": []string{"1"}, "tags": []string{"x"}}); !refused.Failed {
		t.Error("a reader has tagged")
	}
}

func TestAgentsReadOnly(t *testing.T) {
	f := start(t, func(options *Options) { options.Writable = func() error { return index.ErrLocked } })
	agent := f.agent()
	if status := agent.Do("library_status", nil); status.Value["changes"] != false || status.Value["why_no_changes"] == nil {
		t.Errorf("status: %s", status.Structured)
	}
	refused := agent.Call("add_tags", map[string]any{"ids": []string{"1"}, "tags": []string{"x"}})
	if !refused.Failed || !strings.Contains(refused.Text, "another process is writing") {
		t.Errorf("%v %s", refused.Failed, refused.Text)
	}
}

// TestAgentsErrors: what an agent does wrong is answered with what to do, and what fails is not told.
func TestAgentsErrors(t *testing.T) {
	f := start(t)
	agent := f.agent()
	for _, wrong := range []struct {
		tool      string
		arguments map[string]any
		says      string
	}{
		{"search_images", nil, "at least one filter"},
		{"search_images", map[string]any{"query": "red", "limit": 1000}, "limit"},
		{"search_images", map[string]any{"query": "red", "colour": "blue"}, "colour"},
		{"search_images", map[string]any{"query": `"red`}, "quot"},
		{"search_images", map[string]any{"query": "red", "filters": map[string]any{"after": "yesterday"}}, "filters.after"},
		{"search_images", map[string]any{"query": "red", "filters": map[string]any{"near": "nowhere"}}, "filters.near"},
		{"find_similar", map[string]any{"limit": 2}, "either the id or the path"},
		{"find_similar", map[string]any{"id": "99"}, "Take ids from search_images"},
		{"find_similar", map[string]any{"path": "/etc/passwd"}, "no image of the path"},
		{"find_similar", map[string]any{"id": "1", "region": map[string]any{"x": 0.5, "y": 0, "width": 2, "height": 1}}, "outside"},
		{"describe_image", map[string]any{"id": "0"}, "id"},
		{"describe_image", map[string]any{"id": "3"}, "is a text"},
		{"get_image", map[string]any{"ids": []string{}}, "ids"},
		{"get_image", map[string]any{"ids": make([]string, 9)}, "ids"},
		{"get_image", map[string]any{"ids": []string{"99"}}, "there is no record 99"},
		{"ask_image", map[string]any{"id": "1", "question": " "}, "no question"},
		{"ask_image", map[string]any{"id": "1", "question": strings.Repeat("w", 1001)}, "question"},
		{"list_facets", map[string]any{"of": []string{"smells"}}, "smells"},
		{"list_facets", map[string]any{"under": "/x"}, "one"},
		{"add_tags", map[string]any{"ids": []string{"1"}, "tags": []string{" "}}, "tag"},
		{"add_tags", map[string]any{"ids": []string{"99"}, "tags": []string{"x"}}, "there is no record 99"},
	} {
		answer := agent.Call(wrong.tool, wrong.arguments)
		if !answer.Failed || !strings.Contains(answer.Text, wrong.says) {
			t.Errorf("%s %v: %v %q does not say %q", wrong.tool, wrong.arguments, answer.Failed, answer.Text, wrong.says)
		}
	}
	f.searcher.before = func(context.Context) error { panic("a bug") }
	if answer := agent.Call("search_images", map[string]any{"query": "red"}); !answer.Failed || strings.Contains(answer.Text, "a bug") {
		t.Errorf("a panic: %q", answer.Text)
	}
	f.searcher.before = func(context.Context) error { return os.ErrInvalid }
	if answer := agent.Call("search_images", map[string]any{"query": "red"}); !answer.Failed || !strings.Contains(answer.Text, "internal error") || strings.Contains(answer.Text, "invalid argument") {
		t.Errorf("an internal error: %q", answer.Text)
	}
	f.searcher.before = nil
	agent.Do("search_images", map[string]any{"query": "red"})
}

// TestAgentsLook: pictures come as pictures, as large as was asked for, and one that cannot be shown spoils no other.
func TestAgentsLook(t *testing.T) {
	f := start(t)
	agent := f.agent()
	looked := agent.Do("get_image", map[string]any{"ids": []string{"1", "99", "2"}, "side": 64})
	if len(looked.Images) != 2 || !strings.Contains(looked.Text, "there is no record 99") || !strings.Contains(looked.Structured, `"error"`) {
		t.Errorf("%d pictures: %s %s", len(looked.Images), looked.Text, looked.Structured)
	}
	for _, file := range looked.Images {
		if config, err := jpeg.DecodeConfig(bytes.NewReader(file)); err != nil || max(config.Width, config.Height) > 64 {
			t.Errorf("%+v, %v", config, err)
		}
	}
	part := agent.Do("get_image", map[string]any{"ids": []string{"1"}, "region": map[string]any{"x": 0, "y": 0, "width": 0.5, "height": 1}})
	whole := agent.Do("get_image", map[string]any{"ids": []string{"1"}})
	half, _ := jpeg.DecodeConfig(bytes.NewReader(part.Images[0]))
	full, _ := jpeg.DecodeConfig(bytes.NewReader(whole.Images[0]))
	if half.Width != (full.Width+1)/2 || half.Height != full.Height {
		t.Errorf("half of %dx%d is %dx%d", full.Width, full.Height, half.Width, half.Height)
	}
	resource, err := agent.Session.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: "mekiki://image/1"})
	if err != nil || len(resource.Contents) != 1 || !bytes.Equal(resource.Contents[0].Blob, whole.Images[0]) {
		t.Errorf("resource: %+v, %v", resource, err)
	}
	for _, address := range []string{"mekiki://image/99", "mekiki://image/3", "mekiki://image/x", "file:///etc/passwd"} {
		if resource, err := agent.Session.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: address}); err == nil {
			t.Errorf("%s: %+v", address, resource)
		}
	}
	if err := os.Remove(f.root + "/Picture 1.jpg"); err != nil {
		t.Fatal(err)
	}
	if looked = agent.Do("get_image", map[string]any{"ids": []string{"1"}}); len(looked.Images) != 1 || !strings.Contains(looked.Structured, "thumbnail") {
		t.Errorf("without its file: %s", looked.Structured)
	}
}

func TestAgentsPrompts(t *testing.T) {
	f := start(t)
	agent := f.agent()
	prompt, err := agent.Session.GetPrompt(t.Context(), &sdk.GetPromptParams{Name: "curate", Arguments: map[string]string{"purpose": "a  calendar\nof cats", "collection": "Cats"}})
	if err != nil || len(prompt.Messages) != 1 {
		t.Fatalf("%+v, %v", prompt, err)
	}
	if said := prompt.Messages[0].Content.(*sdk.TextContent).Text; !strings.Contains(said, "a calendar of cats\n") || !strings.Contains(said, `"Cats" with add_to_collection`) {
		t.Error(said)
	}
	if _, err := agent.Session.GetPrompt(t.Context(), &sdk.GetPromptParams{Name: "audit"}); err != nil {
		t.Error(err)
	}
}

// TestAgentsRequests: what is no request of the protocol is refused as elsewhere.
func TestAgentsRequests(t *testing.T) {
	f := start(t, func(options *Options) { options.Limits.BodyBytes = 4096 })
	list := `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	both := header("Accept", "application/json, text/event-stream")
	f.expect(f.json(http.MethodPost, "/mcp", list, both), http.StatusOK, "")
	f.expect(f.get("/mcp"), http.StatusMethodNotAllowed, problem.MethodNotAllowed)
	f.expect(f.json(http.MethodDelete, "/mcp", ""), http.StatusMethodNotAllowed, problem.MethodNotAllowed)
	f.expect(f.json(http.MethodPost, "/mcp", list, both, header("Origin", "https://evil.example")), http.StatusForbidden, problem.CrossSite)
	f.expect(f.json(http.MethodPost, "/mcp", list, both, func(r *http.Request) { r.Host = "evil.example" }), http.StatusForbidden, problem.CrossSite)
	f.expect(f.json(http.MethodPost, "/mcp", list, both, header("Content-Type", "text/plain")), http.StatusUnsupportedMediaType, problem.UnsupportedMediaType)
	f.expect(f.json(http.MethodPost, "/mcp", list+strings.Repeat(" ", 4096), both), http.StatusRequestEntityTooLarge, problem.BodyTooLarge)
	for _, body := range []string{"", "{", "[]", "null", `{"jsonrpc":"2.0","id":1,"method":"nothing"}`, `{"jsonrpc":"1.0","id":1}`} {
		if got := f.json(http.MethodPost, "/mcp", body, both); got.StatusCode >= 500 {
			t.Errorf("%s: %d %s", body, got.StatusCode, got.body)
		}
	}
}

// TestAgentsWaitTheirTurn: calls pass the gate of searches.
func TestAgentsWaitTheirTurn(t *testing.T) {
	f := start(t, func(options *Options) { options.Limits.Searches, options.Limits.SearchQueue = 1, 0 })
	agent := f.agent()
	leave, err := f.server.searches.Enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	refused := agent.Call("search_images", map[string]any{"query": "red"})
	leave()
	if !refused.Failed || !strings.Contains(refused.Text, "Try again in") {
		t.Errorf("%v %q", refused.Failed, refused.Text)
	}
	agent.Do("search_images", map[string]any{"query": "red"})
}
