package catalog

import (
	"runtime"
	"sync"

	"mekiki/index"
)

// decodedRecord is a record of an operation that puts one, or why there is none.
type decodedRecord struct {
	record *index.Record
	err    error
}

// recordDecoder reads records one after the other. It asks for memory for several at once: a million records are opened in
// half the time when the collector does not have to look at seven pieces of memory for each.
type recordDecoder struct {
	records  []index.Record
	files    []index.File
	captions []index.Caption
}

// decode reads a record, of which at most so many more will come. Its texts share the memory of data.
func (d *recordDecoder) decode(data string, more int) (*index.Record, error) {
	if len(d.records) == 0 {
		slab := min(more, recordSlab)
		d.records, d.files, d.captions = make([]index.Record, slab), make([]index.File, slab), make([]index.Caption, slab)
	}
	r := &d.records[0]
	// Most records have one of each; what is appended to these is copied.
	r.Files, r.Captions = d.files[:0:1], d.captions[:0:1]
	d.records, d.files, d.captions = d.records[1:], d.files[1:], d.captions[1:]
	err := decodeRecord(data, r)
	if len(r.Files) == 0 {
		r.Files = nil
	}
	if len(r.Captions) == 0 {
		r.Captions = nil
	}
	return r, err
}

// decodeRecords reads the records that a frame's operations put, in their order, on all processors where that pays.
func decodeRecords(payload string) []decodedRecord {
	var bodies []string
	// What is wrong with the operations shows when they are replayed.
	_ = Operations(payload, func(kind OperationKind, body string) error {
		if kind == operationPutRecord {
			bodies = append(bodies, body)
		}
		return nil
	})
	decoded := make([]decodedRecord, len(bodies))
	workers := max(1, min(runtime.GOMAXPROCS(0), len(bodies)/decodedTogether))
	var group sync.WaitGroup
	for worker := range workers {
		first, last := worker*len(bodies)/workers, (worker+1)*len(bodies)/workers
		decode := func() {
			var decoder recordDecoder
			for i := first; i < last; i++ {
				decoded[i].record, decoded[i].err = decoder.decode(bodies[i], last-i)
			}
		}
		if worker == workers-1 {
			decode()
		} else {
			group.Go(decode)
		}
	}
	group.Wait()
	return decoded
}
