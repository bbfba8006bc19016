package catalog

import (
	"runtime"
	"testing"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local/segment"
)

// TestReplayBoundsIDs: a record number that no library ever comes to does not ask for
// the memory of all numbers before it.
func TestReplayBoundsIDs(t *testing.T) {
	const far = index.ID(1) << 34
	forge := func(fill func(*Transaction)) []byte {
		forged := Begin(&State{}, NewLookup(), 1)
		forged.PutSpace(&Space{Number: 1, Space: indextest.Small})
		fill(forged)
		return forged.payload
	}
	record := indextest.Image(t, 1, indextest.Small).Record
	record.ID = far
	location := Location{Vectors: segment.Extent{Segment: 1, Offset: 40, Length: 100}}
	payloads := map[string][]byte{
		"record": forge(func(f *Transaction) {
			f.PutNextID(far, 1)
			f.log(operationPutRecord, func(e *encoder) { encodeRecord(e, &record) })
		}),
		"location": forge(func(f *Transaction) {
			f.PutNextID(far, 1)
			f.log(operationPutLocation, func(e *encoder) { encodeLocation(e, 1, far, location) })
		}),
		"step by step": forge(func(f *Transaction) {
			for id := index.ID(1); id < far; id += maxIDGap {
				record.ID = id
				f.log(operationPutRecord, func(e *encoder) { encodeRecord(e, &record) })
			}
		}),
	}
	for name, payload := range payloads {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		replaying := Begin(&State{}, NewLookup(), 1)
		replaying.Replaying = true
		refused := 0
		err := Operations(string(payload), func(kind OperationKind, body string) error {
			if replaying.replay(kind, body) != nil {
				refused++
			}
			return nil
		})
		indextest.Must(t, err)
		runtime.ReadMemStats(&after)
		if asked := after.TotalAlloc - before.TotalAlloc; refused == 0 || asked > 400<<20 {
			t.Errorf("%s: %d operations refused, %d MiB of memory asked for", name, refused, asked>>20)
		}
	}
}
