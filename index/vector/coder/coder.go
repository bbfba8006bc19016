//go:build !windows

// Package coder finds vectors by a graph of github.com/coder/hnsw (Malkov and Yashunin,
// arXiv 1603.09320). Version 0.6.1 ends its searches early and misses many of the nearest;
// docs/decisions/0001-vector-index.md says why, and docs/measurements/vectors.md how many.
package coder

import (
	"fmt"
	"math/rand"
	"sync"

	"github.com/coder/hnsw"
)

// Available says whether the graph is in this build: the module does not build on Windows.
const Available = true

const (
	// connections is the module's M, and effort what its EfSearch is at least.
	connections = 16
	effort      = 100
)

// Graph is a graph of vectors, numbered from zero in the order of their addition. It is
// safe for concurrent use.
type Graph struct {
	mutex sync.RWMutex
	graph *hnsw.Graph[uint32]
	count uint32
}

// New gives an empty graph.
func New() *Graph {
	g := &Graph{graph: hnsw.NewGraph[uint32]()}
	g.graph.M, g.graph.EfSearch = connections, effort
	g.graph.Distance = func(a, b []float32) float32 { return 1 - dot(a, b) }
	g.graph.Rng = rand.New(rand.NewSource(1))
	return g
}

// Add adds a vector, which it keeps. After an error its number is not found.
func (g *Graph) Add(vector []float32) error {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	number := g.count
	g.count++
	return guard(func() { g.graph.Add(hnsw.MakeNode(number, vector)) })
}

// Found is a vector with its dot product with the query.
type Found struct {
	Number uint32
	Score  float32
}

// Search gives up to count vectors that the graph finds near a query, in no order.
func (g *Graph) Search(query []float32, count int) (found []Found, err error) {
	g.mutex.RLock()
	defer g.mutex.RUnlock()
	err = guard(func() {
		for _, node := range g.graph.Search(query, min(count, g.graph.Len())) {
			found = append(found, Found{node.Key, dot(query, node.Value)})
		}
	})
	return found, err
}

func dot(a, b []float32) (sum float32) {
	for i, value := range a {
		sum += value * b[i]
	}
	return sum
}

// guard turns a panic of the module into an error.
func guard(do func()) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("coder/hnsw: %v", cause)
		}
	}()
	do()
	return nil
}
