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

	"mekiki/embed/priority"
	"mekiki/index"
	"mekiki/index/cluster/form"
	"mekiki/index/cluster/objects/objectstest"
	"mekiki/index/indextest"
	"mekiki/internal/clustertest"
)

// work is what two processes write and read while nodes fail.
type work struct {
	first          *Library
	store          Store
	group          sync.WaitGroup
	done           atomic.Bool
	written, reads atomic.Int64
	slowestWrite   atomic.Int64 // nanoseconds
	slowestRead    atomic.Int64
}

// startWork starts two writers and four readers on a library of some shards, three copies.
func startWork(t *testing.T, nodes *clustertest.Cluster, name string) *work {
	t.Helper()
	w := &work{store: objectstest.New()}
	for worker := range 2 {
		o := optionsOf(t, w.store, openEngine(t, nodes.Addresses()), name)
		o.Shards, o.Replicas = 2, 3
		library := openTest(t, o)
		indextest.Must(t, library.AddSpace(t.Context(), indextest.Small))
		if worker == 0 {
			w.first = library
		}
		w.group.Go(func() { w.write(t, library, uint64(worker*1_000_000)) })
		for range 2 {
			w.group.Go(func() {
				for !w.done.Load() && t.Context().Err() == nil {
					began := time.Now()
					w.read(t, library)
					w.reads.Add(1)
					raise(&w.slowestRead, time.Since(began))
					time.Sleep(readPause)
				}
			})
		}
	}
	return w
}

// raise makes a number that of a duration where that is longer.
func raise(number *atomic.Int64, to time.Duration) {
	for {
		old := number.Load()
		if old >= int64(to) || number.CompareAndSwap(old, int64(to)) {
			return
		}
	}
}

// writePause and readPause are what a writer and a reader do nothing for after each batch and each search, so that nodes that
// share a machine with them have processors to start with.
const writePause, readPause = 50 * time.Millisecond, 100 * time.Millisecond

// write brings in images as an ingester does, which is in the background.
func (w *work) write(t *testing.T, library *Library, number uint64) {
	ctx := priority.Background(t.Context())
	for ; !w.done.Load() && t.Context().Err() == nil; number += 5 {
		var batch index.Batch
		for i := range uint64(5) {
			batch.Puts = append(batch.Puts, indextest.Image(t, number+i, indextest.Small))
		}
		began := time.Now()
		if _, err := library.Write(ctx, batch); err != nil {
			t.Errorf("%s: write, after %v: %v", time.Now().Format(time.TimeOnly), time.Since(began), err)
			return
		}
		raise(&w.slowestWrite, time.Since(began))
		w.written.Add(5)
		time.Sleep(writePause)
	}
}

func (w *work) read(t *testing.T, library *Library) {
	r, err := library.Reader(t.Context())
	if err != nil {
		t.Errorf("%s: open a reader: %v", time.Now().Format(time.TimeOnly), err)
		return
	}
	defer r.Close()
	if _, err := r.Nearest(t.Context(), index.KindImage, indextest.Unit(1, 1, 8).Values, 10, index.Filter{}); err != nil {
		t.Errorf("%s: nearest: %v", time.Now().Format(time.TimeOnly), err)
	}
	if _, err := r.Keyword(t.Context(), index.KeywordQuery{Text: "dog beside"}, 10, index.Filter{}); err != nil {
		t.Errorf("%s: words: %v", time.Now().Format(time.TimeOnly), err)
	}
}

// end stops the work. All that was acknowledged must be in the store, and found by each node before long.
func (w *work) end(t *testing.T) {
	t.Helper()
	w.done.Store(true)
	w.group.Wait()
	records := int64(0)
	for _, err := range w.store.List(t.Context(), form.RecordPrefix) {
		indextest.Must(t, err)
		records++
	}
	if records < w.written.Load() {
		t.Errorf("%d of %d acknowledged images are lost", w.written.Load()-records, w.written.Load())
	}
	// A node that was killed has lost what it had not written yet, and gets it from the others.
	began := time.Now()
	found := countAll(t, w.first)
	t.Logf("%d images written, %d found, %d reads", w.written.Load(), found, w.reads.Load())
	for ; found < w.written.Load() && time.Since(began) < 2*time.Minute; found = countAll(t, w.first) {
		time.Sleep(time.Second)
	}
	t.Logf("after %v %d are found", time.Since(began), found)
	if found < w.written.Load() {
		t.Errorf("%d of %d acknowledged images are not found", w.written.Load()-found, w.written.Load())
	}
}

// scaled skips a test that takes minutes, unless MEKIKI_TEST_SCALE is set.
func scaled(t *testing.T) {
	t.Helper()
	if os.Getenv("MEKIKI_TEST_SCALE") == "" {
		t.Skip("takes minutes: set MEKIKI_TEST_SCALE=1, or more")
	}
}

// TestNodesAreKilled kills one node of three after the other, and starts it again, while two
// processes write and two read: nothing that was acknowledged is lost, and nobody sees an
// error. MEKIKI_TEST_SCALE says how many times three kills.
func TestNodesAreKilled(t *testing.T) {
	scaled(t)
	nodes := clustertest.StartWeaviate(t, 3)
	w := startWork(t, nodes, "Killed")
	for round := range 3 * indextest.Scale(t) {
		time.Sleep(2 * time.Second) // with all nodes
		nodes.Kill(t, round%3)
		time.Sleep(2 * time.Second) // with two
		began := time.Now()
		nodes.Restart(t, round%3)
		t.Logf("%s: kill %d of node %d, ready again after %v; %d written, %d read; slowest write %v, read %v", time.Now().Format(time.TimeOnly), round+1, round%3+1,
			time.Since(began).Round(100*time.Millisecond), w.written.Load(), w.reads.Load(), time.Duration(w.slowestWrite.Swap(0)), time.Duration(w.slowestRead.Swap(0)))
	}
	w.end(t)
}

// TestNodeIsCutOff takes the network from one node of three after the other while two processes write and two
// read: they go on with the other two, and the node catches up.
func TestNodeIsCutOff(t *testing.T) {
	scaled(t)
	nodes := clustertest.StartWeaviateIn(t, 3, clustertest.Circumstances{Apart: true})
	w := startWork(t, nodes, "CutOff")
	for round := range 3 * indextest.Scale(t) {
		time.Sleep(3 * time.Second)
		before := w.written.Load()
		nodes.Cut(t, round%3)
		time.Sleep(20 * time.Second) // longer than others take to notice
		t.Logf("%d images were written while node %d was cut off", w.written.Load()-before, round%3+1)
		nodes.Mend(t, round%3)
	}
	w.end(t)
}

// TestDiskIsFull lets the disk of one node of three run full while two processes write and two read: they go on
// with the other two.
func TestDiskIsFull(t *testing.T) {
	scaled(t)
	nodes := clustertest.StartWeaviateIn(t, 3, clustertest.Circumstances{DiskMiB: map[int]int{2: 10}})
	w := startWork(t, nodes, "Full")
	for range 600 * indextest.Scale(t) { // a busy machine fills it slowly
		if time.Sleep(time.Second); nodes.FreeMiB(t, 2) == 0 {
			break
		}
	}
	free, before := nodes.FreeMiB(t, 2), w.written.Load()
	time.Sleep(10 * time.Second)
	t.Logf("%d MiB free on the small disk; %d images before, %d after that", free, before, w.written.Load()-before)
	w.done.Store(true)
	w.group.Wait()
	if free > 0 {
		t.Error("the disk is not full")
	}
	records := int64(0)
	for range w.store.List(t.Context(), form.RecordPrefix) {
		records++
	}
	if records < w.written.Load() || w.written.Load() == before {
		t.Errorf("%d written, %d before the disk was full, %d in the store", w.written.Load(), before, records)
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
	client, store := openEngine(t, clustertest.StartWeaviate(t, 1).Addresses()), objectstest.New()
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
	*objectstest.Memory
	before func()
}

func (h *held) Delete(ctx context.Context, keys ...string) error {
	if before := h.before; before != nil && slices.ContainsFunc(keys, func(key string) bool { return strings.HasPrefix(key, form.VectorPrefix) }) {
		h.before = nil
		before()
	}
	return h.Memory.Delete(ctx, keys...)
}

// TestRemovedAndAddedAtOnce: one process removes a picture, and another brings it in again
// before the first one is through. What the second one wrote stays.
func TestRemovedAndAddedAtOnce(t *testing.T) {
	client, store := openEngine(t, clustertest.StartWeaviate(t, 1).Addresses()), &held{Memory: objectstest.New()}
	first, second := openTest(t, optionsOf(t, store, client, "Again")), openTest(t, optionsOf(t, store.Memory, client, "Again"))
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
	r, err := openTest(t, optionsOf(t, store.Memory, client, "Again")).Reader(t.Context()) // which remembers nothing
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
