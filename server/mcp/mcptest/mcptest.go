// Package mcptest speaks to the tools of package mcp as an agent does, with the client of the protocol's own library.
package mcptest

import (
	"context"
	"encoding/json"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"mekiki/embed/pixels"
)

// Client is an agent that is connected.
type Client struct {
	testing.TB
	Session *sdk.ClientSession
}

// OverHTTP connects to the address of a server, which is sent these headers.
func OverHTTP(t testing.TB, address string, client *http.Client, header http.Header) *Client {
	t.Helper()
	with := *client
	with.Transport = headed{client.Transport, header}
	return connect(t, &sdk.StreamableClientTransport{Endpoint: address, HTTPClient: &with, MaxRetries: -1, DisableStandaloneSSE: true})
}

type headed struct {
	http.RoundTripper
	header http.Header
}

// RoundTrip implements http.RoundTripper.
func (h headed) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	for name, values := range h.header {
		request.Header[name] = values
	}
	return h.RoundTripper.RoundTrip(request)
}

// OverCommand starts a program and speaks to its standard input and output.
func OverCommand(t testing.TB, command *exec.Cmd) *Client {
	t.Helper()
	return connect(t, &sdk.CommandTransport{Command: command})
}

func connect(t testing.TB, transport sdk.Transport) *Client {
	t.Helper()
	client := sdk.NewClient(&sdk.Implementation{Name: "mekiki-test", Version: "1"}, nil)
	session, err := client.Connect(context.Background(), transport, nil)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return &Client{t, session}
}

// Answer is what a tool answered.
type Answer struct {
	// Failed says that it is an error, and Text is all text of it.
	Failed bool
	Text   string
	// Value is the structured content, and Structured its JSON.
	Value      map[string]any
	Structured string
	// Images are the JPEGs that came with it.
	Images [][]byte
}

// Call calls a tool, which may fail.
func (c *Client) Call(name string, arguments map[string]any) Answer {
	c.Helper()
	result, err := c.Session.CallTool(context.Background(), &sdk.CallToolParams{Name: name, Arguments: arguments})
	if err != nil {
		return Answer{Failed: true, Text: err.Error()}
	}
	answer := Answer{Failed: result.IsError}
	for _, content := range result.Content {
		switch content := content.(type) {
		case *sdk.TextContent:
			answer.Text += content.Text + "\n"
		case *sdk.ImageContent:
			if content.MIMEType != pixels.JPEG.MediaType() {
				c.Errorf("%s: an image of type %s", name, content.MIMEType)
			}
			answer.Images = append(answer.Images, content.Data)
		default:
			c.Errorf("%s: content of type %T", name, content)
		}
	}
	data, err := json.Marshal(result.StructuredContent)
	if err == nil {
		answer.Structured = string(data)
		err = json.Unmarshal(data, &answer.Value)
	}
	if err != nil {
		c.Errorf("%s: structured content: %v", name, err)
	}
	return answer
}

// Do calls a tool that must not fail.
func (c *Client) Do(name string, arguments map[string]any) Answer {
	c.Helper()
	answer := c.Call(name, arguments)
	if answer.Failed {
		c.Fatalf("%s %v: %s", name, arguments, answer.Text)
	}
	return answer
}

// IDs are the ids of the hits of an answer.
func (a Answer) IDs() []string {
	var ids []string
	list, _ := a.Value["hits"].([]any)
	for _, one := range list {
		member, _ := one.(map[string]any)
		id, _ := member["id"].(string)
		ids = append(ids, id)
	}
	return ids
}

// Tools lists the tools by name, having checked what every one must say of itself.
func (c *Client) Tools() []string {
	c.Helper()
	var names []string
	for tool, err := range c.Session.Tools(context.Background(), nil) {
		if err != nil {
			c.Fatal(err)
		}
		names = append(names, tool.Name)
		changes := slices.Contains(Changing, tool.Name)
		switch hints := tool.Annotations; {
		case hints == nil || hints.DestructiveHint == nil || hints.OpenWorldHint == nil:
			c.Errorf("%s has no annotations", tool.Name)
		case hints.ReadOnlyHint == changes || *hints.DestructiveHint || *hints.OpenWorldHint:
			c.Errorf("%s has the annotations %+v", tool.Name, *hints)
		}
		if len(tool.Description) < 40 || tool.Title == "" || tool.OutputSchema == nil {
			c.Errorf("%s is not described: %q", tool.Name, tool.Description)
		}
		schema, _ := tool.InputSchema.(map[string]any)
		properties, _ := schema["properties"].(map[string]any)
		for name, property := range properties {
			member, _ := property.(map[string]any)
			if said, _ := member["description"].(string); said == "" {
				c.Errorf("%s: its argument %s is not described", tool.Name, name)
			}
		}
	}
	return names
}

// Changing are the tools that change something.
var Changing = []string{"add_tags", "remove_tags", "add_to_collection", "remove_from_collection"}

// Converse does what an agent does with a library that has images for the words: it searches, looks, asks and, where it
// may, tags.
func (c *Client) Converse(words string, writes bool) {
	c.Helper()
	tools := c.Tools()
	for _, name := range []string{"search_images", "find_similar", "describe_image", "ask_image", "find_texts", "list_facets", "library_status", "get_image"} {
		if !slices.Contains(tools, name) {
			c.Errorf("there is no tool %s among %v", name, tools)
		}
	}
	for _, name := range Changing {
		if slices.Contains(tools, name) != writes {
			c.Errorf("the tool %s is there: %v", name, !writes)
		}
	}
	if status := c.Do("library_status", nil); status.Value["changes"] != writes || status.Value["images"] == 0.0 {
		c.Errorf("status: %s", status.Structured)
	}
	found := c.Do("search_images", map[string]any{"query": words, "limit": 3, "least": "all"})
	ids := found.IDs()
	if len(ids) == 0 {
		c.Fatalf("nothing found: %s", found.Structured)
	}
	looked := c.Do("get_image", map[string]any{"ids": ids})
	if len(looked.Images) != len(ids) || strings.Contains(looked.Structured, "base64") || len(looked.Structured) > 4096 {
		c.Errorf("%d pictures of %v, and %.300s", len(looked.Images), ids, looked.Structured)
	}
	if described := c.Do("describe_image", map[string]any{"id": ids[0]}); described.Value["id"] != ids[0] {
		c.Errorf("described: %s", described.Structured)
	}
	if answer := c.Do("ask_image", map[string]any{"id": ids[0], "question": "which colour is it?"}); answer.Value["answer"] == "" {
		c.Errorf("asked: %s", answer.Structured)
	}
	c.Do("find_similar", map[string]any{"id": ids[0], "limit": 2})
	if labels := c.Do("find_texts", map[string]any{"id": ids[0], "texts": []string{"a cat", "a car"}}); labels.Value["total"] != 2.0 {
		c.Errorf("labels: %s", labels.Structured)
	}
	if facets := c.Do("list_facets", map[string]any{"of": []string{"tags"}}); facets.Value["total"] == 0.0 {
		c.Errorf("facets: %s", facets.Structured)
	}
	tagging := map[string]any{"ids": ids[:1], "tags": []string{"seen by an agent"}}
	if !writes {
		if refused := c.Call("add_tags", tagging); !refused.Failed {
			c.Errorf("tagged without leave: %s", refused.Structured)
		}
		return
	}
	if tagged := c.Do("add_tags", tagging); tagged.Value["changed"] != 1.0 {
		c.Errorf("tagged: %s", tagged.Structured)
	}
	if again := c.Do("search_images", map[string]any{"query": `tag:"seen by an agent"`}).IDs(); !slices.Equal(again, ids[:1]) {
		c.Errorf("by the tag: %v, want %v", again, ids[:1])
	}
	c.Do("add_to_collection", map[string]any{"ids": ids[:1], "collection": "Agent's choice"})
	if collected := c.Do("search_images", map[string]any{"filters": map[string]any{"collections": []string{"agent's choice"}}}).IDs(); !slices.Equal(collected, ids[:1]) {
		c.Errorf("in the collection: %v", collected)
	}
	c.Do("remove_from_collection", map[string]any{"ids": ids[:1], "collection": "Agent's choice"})
	c.Do("remove_tags", tagging)
	if described := c.Do("describe_image", map[string]any{"id": ids[0]}); strings.Contains(described.Structured, "seen by an agent") || described.Value["collections"] != nil {
		c.Errorf("something is left: %s", described.Structured)
	}
}
