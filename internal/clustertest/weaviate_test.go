package clustertest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRequireSkipsOrFails(t *testing.T) {
	if testing.Short() {
		t.Skip("servers are not started")
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	path, err := Weaviate.Path()
	if err != nil || !strings.Contains(path, Weaviate.Version) {
		t.Fatalf("path %s: %v", path, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	if got := Weaviate.Require(t); got != path {
		t.Errorf("it lies at %s, expected %s", got, path)
	}
	if err := Weaviate.Build(t.Context(), os.Stderr); err != nil {
		t.Errorf("what is there is built again: %v", err)
	}
}

func TestPortsOfNodesDoNotOverlap(t *testing.T) {
	var nodes []*node
	for range 5 {
		base := freePorts(t, nodes)
		if overlaps(base, nodes) {
			t.Errorf("base %d overlaps", base)
		}
		nodes = append(nodes, &node{base: base})
	}
	if !overlaps(nodes[0].base+1, nodes) || overlaps(0, nodes) {
		t.Error("overlaps says otherwise")
	}
}
