package cluster

import (
	"context"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mekiki/index"
	"mekiki/index/cluster/form"
	"mekiki/index/indextest"
	"mekiki/internal/clustertest"
)

// TestNodesAreKilled kills one node of three after the other, and starts it again, while two
// processes write and two read: nothing that was acknowledged is lost, and nobody sees an
// error. It takes a minute or two, so it runs where MEKIKI_REQUIRE_CLUSTER is set.
func TestNodesAreKilled(t *testing.T) {
	if os.Getenv("MEKIKI_REQUIRE_CLUSTER") == "" {
		t.Skip("MEKIKI_REQUIRE_CLUSTER is not set")
	}
	nodes := clustertest.StartWeaviate(t, 3)
	store := newMemory()
	open := func() *Library {
		o := optionsOf(t, store, openEngine(t, nodes.Addresses()), "Killed")
		o.Shards, o.Replicas = 2, 3
		return openTest(t, o)
	}
	first, second := open(), open()
	indextest.Must(t, first.AddSpace(t.Context(), indextest.Small))
	var group sync.WaitGroup
	var done atomic.Bool
	var written, reads atomic.Int64
	for worker, library := range []*Library{first, second} {
		group.Go(func() {
			for number := uint64(worker * 1_000_000); !done.Load(); number += 5 {
				var batch index.Batch
				for i := range uint64(5) {
					batch.Puts = append(batch.Puts, indextest.Image(t, number+i, indextest.Small))
				}
				if _, err := library.Write(t.Context(), batch); err != nil {
					t.Errorf("write: %v", err)
					return
				}
				written.Add(5)
			}
		})
		group.Go(func() {
			for !done.Load() {
				r, err := library.Reader(t.Context())
				if err != nil {
					t.Errorf("open a reader: %v", err)
					return
				}
				if _, err := r.Nearest(t.Context(), index.KindImage, indextest.Unit(1, 1, 8).Values, 10, index.Filter{}); err != nil {
					t.Errorf("nearest: %v", err)
				}
				if _, err := r.Keyword(t.Context(), index.KeywordQuery{Text: "dog beside"}, 10, index.Filter{}); err != nil {
					t.Errorf("words: %v", err)
				}
				indextest.Must(t, r.Close())
				reads.Add(1)
			}
		})
	}
	for round := range 3 * indextest.Scale(t) {
		time.Sleep(2 * time.Second) // with all nodes
		nodes.Kill(t, round%3)
		time.Sleep(2 * time.Second) // with two
		nodes.Restart(t, round%3)
	}
	done.Store(true)
	group.Wait()
	records := int64(0)
	for range store.List(t.Context(), form.RecordPrefix) {
		records++
	}
	if records < written.Load() {
		t.Errorf("%d of %d acknowledged images are lost", written.Load()-records, written.Load())
	}
	// A node that was killed has lost what it had not written yet, and gets it from the others.
	began := time.Now()
	found := countAll(t, first)
	t.Logf("%d images written, %d found, %d reads", written.Load(), found, reads.Load())
	for ; found < written.Load() && time.Since(began) < 2*time.Minute; found = countAll(t, first) {
		time.Sleep(time.Second)
	}
	t.Logf("after %v %d are found", time.Since(began), found)
	if found < written.Load() {
		t.Errorf("%d of %d acknowledged images are not found", written.Load()-found, written.Load())
	}
}

// countAll gives the least number of records that three readers list: each asks another node.
func countAll(t *testing.T, library *Library) int64 {
	t.Helper()
	least := int64(1 << 62)
	for range 3 {
		r, err := library.Reader(t.Context())
		indextest.Must(t, err)
		found := int64(0)
		for range indextest.All(t, r) {
			found++
		}
		indextest.Must(t, r.Close())
		least = min(least, found)
	}
	return least
}

// TestChangesOfTwoProcessesAreKept: each of two processes tags the same records; no tag is
// lost, in the store or in the engine, and both agree about a picture that both bring in.
func TestChangesOfTwoProcessesAreKept(t *testing.T) {
	client, store := openEngine(t, clustertest.StartWeaviate(t, 1).Addresses()), newMemory()
	o := optionsOf(t, store, client, "Both")
	libraries := []*Library{openTest(t, o), openTest(t, o)}
	indextest.Must(t, libraries[0].AddSpace(t.Context(), indextest.Small))
	var group sync.WaitGroup
	ids := make([][]index.ID, 2)
	for worker, library := range libraries {
		group.Go(func() {
			var batch index.Batch
			for number := range uint64(6) {
				batch.Puts = append(batch.Puts, indextest.Image(t, number, indextest.Small))
			}
			result, err := library.Write(t.Context(), batch)
			if err != nil {
				t.Error(err)
				return
			}
			ids[worker] = result.IDs
			for _, tag := range []string{"a", "b", "c", "d"} {
				if err := index.Tag(t.Context(), library, result.IDs, tag+string(rune('0'+worker))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	r, err := libraries[0].Reader(t.Context())
	indextest.Must(t, err)
	defer r.Close()
	count := 0
	for record := range indextest.All(t, r) {
		if count++; len(record.Tags) != 9 { // and the one that each has from the beginning
			t.Errorf("record %d has the tags %v", record.ID, record.Tags)
		}
	}
	if count != 6 || len(ids[0]) != 6 || len(ids[1]) != 6 || ids[0][0] != ids[1][0] {
		t.Errorf("%d records; one process wrote %v, the other %v", count, ids[0], ids[1])
	}
}

// held is a store that lets something happen before vectors are deleted.
type held struct {
	*memory
	before func()
}

func (h *held) Delete(ctx context.Context, keys ...string) error {
	if before := h.before; before != nil && slices.ContainsFunc(keys, func(key string) bool { return strings.HasPrefix(key, form.VectorPrefix) }) {
		h.before = nil
		before()
	}
	return h.memory.Delete(ctx, keys...)
}

// TestRemovedAndAddedAtOnce: one process removes a picture, and another brings it in again
// before the first one is through. What the second one wrote stays.
func TestRemovedAndAddedAtOnce(t *testing.T) {
	client, store := openEngine(t, clustertest.StartWeaviate(t, 1).Addresses()), &held{memory: newMemory()}
	first, second := openTest(t, optionsOf(t, store, client, "Again")), openTest(t, optionsOf(t, store.memory, client, "Again"))
	indextest.Must(t, first.AddSpace(t.Context(), indextest.Small))
	put := index.Batch{Puts: []index.Put{indextest.Image(t, 1, indextest.Small)}}
	written, err := first.Write(t.Context(), put)
	indextest.Must(t, err)
	var again index.WriteResult
	store.before = func() {
		again, err = second.Write(t.Context(), put)
		indextest.Must(t, err)
	}
	_, err = first.Write(t.Context(), index.Batch{Remove: written.IDs})
	indextest.Must(t, err)
	if len(again.IDs) != 1 {
		t.Fatal("nothing was added again")
	}
	r, err := openTest(t, optionsOf(t, store.memory, client, "Again")).Reader(t.Context()) // which remembers nothing
	indextest.Must(t, err)
	defer r.Close()
	parts, err := r.Parts(t.Context(), again.IDs)
	if err != nil || len(parts) != 1 || parts[0].Count == 0 {
		t.Errorf("vectors of the picture: %v, %v", parts, err)
	}
	if jpeg, err := r.Thumbnail(t.Context(), again.IDs[0]); err != nil || len(jpeg) == 0 {
		t.Errorf("thumbnail of the picture: %d bytes, %v", len(jpeg), err)
	}
}
