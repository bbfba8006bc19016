package cluster

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"

	"mekiki/index"
	"mekiki/index/cluster/engine"
	"mekiki/index/cluster/objects/objectstest"
	"mekiki/index/conformance"
	"mekiki/index/indextest"
	"mekiki/internal/clustertest"
)

// testLog writes what a library logs into the test.
type testLog struct{ t testing.TB }

func (l testLog) Write(text []byte) (int, error) {
	l.t.Logf("%s", text)
	return len(text), nil
}

// openEngine gives a client of an engine, which is closed with the test.
func openEngine(t testing.TB, addresses []string) *engine.Client {
	t.Helper()
	client, err := engine.Open(engine.Options{Addresses: addresses})
	indextest.Must(t, err)
	t.Cleanup(client.Close)
	return client
}

// optionsOf are those of a library with a name, on one node.
func optionsOf(t testing.TB, store Store, client *engine.Client, name string) Options {
	return Options{Store: store, Engine: client, Name: name, Shards: 1, Replicas: 1, Quantisation: engine.RQ, Representatives: 4, Logger: slog.New(slog.NewTextHandler(testLog{t}, nil))}
}

// openTest makes an empty library and opens it. It is closed with the test.
func openTest(t testing.TB, o Options) *Library {
	t.Helper()
	indextest.Must(t, Init(t.Context(), o))
	library, err := Open(t.Context(), o)
	indextest.Must(t, err)
	t.Cleanup(func() { indextest.Must(t, library.Close()) })
	return library
}

// TestConformance holds the library to the contract on one node of Weaviate and a store in
// memory.
func TestConformance(t *testing.T) {
	client := openEngine(t, clustertest.StartWeaviate(t, 1).Addresses())
	var number atomic.Int64
	conformance.TestWith(t, conformance.Differences{Present: true, Steps: 40}, func(t *testing.T) index.Library {
		return openTest(t, optionsOf(t, objectstest.New(), client, fmt.Sprintf("Test%d", number.Add(1))))
	})
}
