// Package remote speaks to the server that has the library, for the verbs that would write to it themselves.
package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"mekiki/internal/hint"
	"mekiki/server/editing"
	"mekiki/server/handover"
	"mekiki/server/jobs"
	"mekiki/server/problem"
)

// ErrGone: the server ended, or cannot be reached any more.
var ErrGone = errors.New("the server that has the library does not answer")

// Client speaks to one server as its owner. Make it with [New].
type Client struct {
	// Server is whom it speaks to.
	Server handover.Server
	http   *http.Client
}

// New makes a client.
func New(server handover.Server) *Client {
	// The secret goes to the server itself: through no proxy, and nowhere that an answer points to.
	return &Client{Server: server, http: &http.Client{
		Transport:     &http.Transport{Proxy: nil},
		Timeout:       requestTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Close lets go of connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Page is the address of the server's page.
func (c *Client) Page() string { return strings.TrimSuffix(c.Server.Address, "/") + "/" }

// Status is what a verb needs to know of the server.
type Status struct {
	Version string `json:"version"`
	Model   *struct {
		Name        string `json:"name"`
		Fingerprint string `json:"fingerprint"`
		Precision   string `json:"precision"`
	} `json:"model"`
	ReadOnly bool   `json:"read_only"`
	Why      string `json:"read_only_reason"`
}

// Status asks the server how it is.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var status Status
	return status, c.do(ctx, http.MethodGet, "status", nil, &status)
}

// Removal names what is taken out of the library for good.
type Removal struct {
	Records  []string `json:"records,omitempty"`
	Files    []string `json:"files,omitempty"`
	Failures []string `json:"failures,omitempty"`
}

// Remove takes records, files and failures out, and gives the number of records that went.
func (c *Client) Remove(ctx context.Context, what Removal) (int, error) {
	var answer struct {
		Removed int `json:"removed"`
	}
	return answer.Removed, c.do(ctx, http.MethodPost, "removals", what, &answer)
}

// Edit changes what people give to records.
func (c *Client) Edit(ctx context.Context, asked editing.Edit) (editing.Outcome, error) {
	var answer editing.Outcome
	return answer, c.do(ctx, http.MethodPost, "edits", asked, &answer)
}

// Restore takes records out of the trash, and gives how many were there.
func (c *Client) Restore(ctx context.Context, ids []string) (int, error) {
	var answer editing.Outcome
	err := c.do(ctx, http.MethodPost, "trash/restore", map[string]any{"ids": ids}, &answer)
	return answer.Changed, err
}

// EmptyTrash removes for good what is in the trash, or only what has been there for long enough, and gives how many that were.
func (c *Client) EmptyTrash(ctx context.Context, expired bool) (int, error) {
	var answer struct {
		Removed int `json:"removed"`
	}
	err := c.do(ctx, http.MethodDelete, fmt.Sprintf("trash?expired=%t", expired), nil, &answer)
	return answer.Removed, err
}

// ServeSpace has searches use a model that the library was indexed with; "previous" names the one that was used before.
func (c *Client) ServeSpace(ctx context.Context, fingerprint string) error {
	return c.do(ctx, http.MethodPost, "spaces/"+url.PathEscape(fingerprint)+"/serve", nil, nil)
}

// DropSpace deletes the vectors of a model that is not in use.
func (c *Client) DropSpace(ctx context.Context, fingerprint string) error {
	return c.do(ctx, http.MethodDelete, "spaces/"+url.PathEscape(fingerprint), nil, nil)
}

// start queues a job.
func (c *Client) start(ctx context.Context, asked jobs.Request) (jobs.Job, error) {
	var job jobs.Job
	return job, c.do(ctx, http.MethodPost, "jobs", asked, &job)
}

func (c *Client) job(ctx context.Context, id string) (jobs.Job, error) {
	var job jobs.Job
	return job, c.do(ctx, http.MethodGet, "jobs/"+id, nil, &job)
}

func (c *Client) cancel(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, "jobs/"+id, nil, nil)
}

// do sends a request and decodes the answer into target, which may be nil.
func (c *Client) do(ctx context.Context, method, path string, body, target any) error {
	var sent io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.Page()+"api/v1/"+path, sent)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+c.Server.Secret)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	// The server answers on loopback whatever its names are.
	request.Host = "localhost"
	response, err := c.http.Do(request)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if failed := (*url.Error)(nil); errors.As(err, &failed) {
		err = failed.Err // the address is no news
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, maximumAnswer))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return refusal(response.StatusCode, data)
	}
	if target == nil {
		return nil
	}
	if err := json.Unmarshal(data, target); err != nil {
		return fmt.Errorf("the server's answer cannot be read: %w", err)
	}
	return nil
}

// refusal is what the server says against a request.
func refusal(status int, data []byte) error {
	var said problem.Problem
	if err := json.Unmarshal(data, &said); err != nil || said.Code == "" {
		return fmt.Errorf("the server answers %d %s", status, http.StatusText(status))
	}
	err := fmt.Errorf("the server refuses: %s", said.Reason())
	if said.Hint != "" {
		return hint.Wrap(err, said.Hint)
	}
	return err
}
