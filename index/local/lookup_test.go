package local

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/internal/vfs/vfstest"
)

// TestLookupInOldSnapshots: a snapshot that is behind finds by path, hash and the
// user's own id what it holds and nothing else, and asks few records to tell: a run
// of indexing looks up a million new files in the snapshot that it began with.
func TestLookupInOldSnapshots(t *testing.T) {
	library := openTest(t, "/library", Options{FileSystem: vfstest.NewMemory(), DeferVectors: true})
	random := rand.New(rand.NewPCG(2, 2))
	path := func() string { return fmt.Sprintf("/photos/%d.jpg", random.IntN(40)) }
	hash := func() index.Hash { return index.Hash{1, byte(random.IntN(40))} }
	external := func() string { return fmt.Sprint("id ", random.IntN(20)) }
	var snapshots []*Snapshot
	for range 150 {
		var batch index.Batch
		switch random.IntN(4) {
		case 0, 1:
			file := index.File{Path: path(), Bytes: 1, Modified: indextest.Time}
			batch.Puts = []index.Put{{Record: index.Record{Kind: index.KindImage, Hash: hash(), Files: []index.File{file}}}}
		case 2:
			batch.Puts = []index.Put{{Record: index.Record{Kind: index.KindText, Hash: index.Hash{2, byte(random.IntN(40))}, ExternalID: external()}}}
		case 3:
			batch.Detach, batch.Remove = []string{path()}, []index.ID{index.ID(1 + random.IntN(60))}
		}
		mustWrite(t, library, batch)
		if random.IntN(3) == 0 {
			snapshots = append(snapshots, library.Snapshot())
		}
		if len(snapshots) > 8 {
			at := random.IntN(len(snapshots))
			indextest.Must(t, snapshots[at].Close())
			snapshots = slices.Delete(snapshots, at, at+1)
		}
		for _, snapshot := range snapshots {
			checkLookup(t, snapshot, path(), hash(), external())
		}
	}
	for _, snapshot := range snapshots {
		indextest.Must(t, snapshot.Close())
	}
	if old := library.lookup.OldVersions(); old > 0 {
		t.Errorf("%d keys are remembered for snapshots that are closed", old)
	}
}

func checkLookup(t *testing.T, s *Snapshot, path string, hash index.Hash, external string) {
	t.Helper()
	var wanted [3]*index.Record
	for record := range s.all() {
		if slices.Contains(record.Paths(), path) {
			wanted[0] = record
		}
		if record.Hash == hash {
			wanted[1] = record
		}
		if record.ExternalID == external {
			wanted[2] = record
		}
	}
	var got [3]*index.Record
	got[0], _ = s.recordByPath(path)
	got[1], _ = s.recordByHash(hash)
	got[2], _ = s.recordByExternalID(external)
	for i, by := range []string{path, hash.String(), external} {
		if got[i] != wanted[i] {
			t.Errorf("commit %d: %s: found %v, holds %v", s.Sequence(), by, got[i], wanted[i])
		}
	}
}

// TestLookupAsksOne: whoever has nothing does not go through every record to tell.
func TestLookupAsksOne(t *testing.T) {
	library := openTest(t, "/library", Options{FileSystem: vfstest.NewMemory(), DeferVectors: true})
	fill(t, library, 30)
	old := library.Snapshot()
	defer old.Close()
	mustWrite(t, library, index.Batch{Puts: []index.Put{indextest.Image(t, 100, indextest.Small)}, Remove: []index.ID{3}})
	for _, path := range []string{"/nowhere.jpg", indextest.File(100).Path, indextest.File(2).Path, indextest.File(4).Path} {
		asked := 0
		_, _ = old.find(old.view.lookup.Paths.At(path, old.Sequence()), func(*index.Record) bool { asked++; return false })
		if asked > 1 {
			t.Errorf("%s: %d records were asked", path, asked)
		}
	}
}
