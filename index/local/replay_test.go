package local

import (
	"mekiki/index"
	"runtime"
	"testing"
)

// TestReplayBoundsIDs: a record number that no library ever comes to does not ask for
// the memory of all numbers before it.
func TestReplayBoundsIDs(t *testing.T) {
	const far = index.ID(1) << 34
	forge := func(fill func(*transaction)) []byte {
		forged := newTransaction(&state{}, newLookup(), 1)
		forged.putSpace(&space{number: 1, space: small})
		fill(forged)
		return forged.payload
	}
	record := testPut(t, 1, small).Record
	record.ID = far
	location := location{vectors: extent{1, 40, 100}}
	payloads := map[string][]byte{
		"record": forge(func(f *transaction) {
			f.putNextID(far, 1)
			f.log(operationPutRecord, func(e *encoder) { encodeRecord(e, &record) })
		}),
		"location": forge(func(f *transaction) {
			f.putNextID(far, 1)
			f.log(operationPutLocation, func(e *encoder) { encodeLocation(e, 1, far, location) })
		}),
		"step by step": forge(func(f *transaction) {
			for id := index.ID(1); id < far; id += maxIDGap {
				record.ID = id
				f.log(operationPutRecord, func(e *encoder) { encodeRecord(e, &record) })
			}
		}),
	}
	for name, payload := range payloads {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		replaying := newTransaction(&state{}, newLookup(), 1)
		replaying.replaying = true
		refused := 0
		err := operations(payload, func(kind operationKind, body []byte) error {
			if replaying.replay(kind, body) != nil {
				refused++
			}
			return nil
		})
		mustDo(t, err)
		runtime.ReadMemStats(&after)
		if asked := after.TotalAlloc - before.TotalAlloc; refused == 0 || asked > 400<<20 {
			t.Errorf("%s: %d operations refused, %d MiB of memory asked for", name, refused, asked>>20)
		}
	}
}
