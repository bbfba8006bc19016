package engine

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"mekiki/internal/hint"
)

// Node is a node of the engine and what it holds.
type Node struct {
	// Name and Status ("HEALTHY", ...) are as the engine says.
	Name, Version, Status string
	// Objects and Shards are how many it holds of all collections.
	Objects int64
	Shards  int
}

// Healthy reports whether the node works.
func (n Node) Healthy() bool { return n.Status == "HEALTHY" }

// Nodes lists the nodes of the engine, lost ones included.
func (c *Client) Nodes(ctx context.Context) ([]Node, error) {
	var answer struct {
		Nodes []struct {
			Name    string `json:"name"`
			Version string `json:"version"`
			Status  string `json:"status"`
			Stats   struct {
				Objects int64 `json:"objectCount"`
				Shards  int   `json:"shardCount"`
			} `json:"stats"`
		} `json:"nodes"`
	}
	if err := c.call(ctx, http.MethodGet, "/v1/nodes?output=verbose", nil, &answer, nil); err != nil {
		return nil, fmt.Errorf("list the engine's nodes: %w", err)
	}
	nodes := make([]Node, len(answer.Nodes))
	for i, n := range answer.Nodes {
		nodes[i] = Node{Name: n.Name, Version: n.Version, Status: n.Status, Objects: n.Stats.Objects, Shards: n.Stats.Shards}
	}
	return nodes, nil
}

// Check makes sure that the engine answers, knows the credentials and is of a version that
// this package knows, which it gives.
func (c *Client) Check(ctx context.Context) (string, error) {
	var answer struct {
		Version string `json:"version"`
	}
	if err := c.call(ctx, http.MethodGet, "/v1/meta", nil, &answer, nil); err != nil {
		return "", fmt.Errorf("ask the engine for its version: %w", err)
	}
	if compareVersions(answer.Version, oldestVersion) < 0 || compareVersions(answer.Version, beforeVersion) >= 0 {
		err := fmt.Errorf("%w: Weaviate %q", ErrVersion, answer.Version)
		return answer.Version, hint.Wrap(err, fmt.Sprintf("use Weaviate of at least %s and below %s", oldestVersion, beforeVersion))
	}
	return answer.Version, nil
}

// compareVersions compares the numbers of two versions; what follows them does not count.
func compareVersions(a, b string) int {
	left, right := numbers(a), numbers(b)
	for i := range left {
		if left[i] != right[i] {
			return left[i] - right[i]
		}
	}
	return 0
}

func numbers(version string) (parts [3]int) {
	for i, part := range strings.SplitN(version, ".", 3) {
		end := strings.IndexFunc(part, func(r rune) bool { return r < '0' || r > '9' })
		if end < 0 {
			end = len(part)
		}
		parts[i], _ = strconv.Atoi(part[:end])
	}
	return parts
}
