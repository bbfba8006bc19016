// Package coder stands in place of a graph of github.com/coder/hnsw, which does not build on
// Windows.
package coder

import "errors"

// Available says whether the graph is in this build.
const Available = false

var errUnavailable = errors.New("coder/hnsw is not available on Windows")

// Graph is never used.
type Graph struct{}

// Found is a vector with its dot product with the query.
type Found struct {
	Number uint32
	Score  float32
}

// New gives a graph that cannot be used.
func New() *Graph { return &Graph{} }

// Add fails.
func (g *Graph) Add([]float32) error { return errUnavailable }

// Search fails.
func (g *Graph) Search([]float32, int) ([]Found, error) { return nil, errUnavailable }
