// Package keyword finds records by words. It is the only importer of bleve, and
// keeps one bleve index with a fixed mapping (see docs/library.md).
//
// What is in the index is derived from the catalog: it can be deleted at any
// time. The catalog's commit number is stored in the same bleve batch as the
// documents of that commit, so that after a crash the index knows what it is
// missing.
//
//	Query ─▶ best (a list for each word in each field, package lists, MaxScore in blocks) ─▶ collector ─▶ hits
//	      └▶ sum (bleve's searchers of them, MaxScore), with phrases and filters by range ─▶ collector
//	             │ within a filter: whichever is behind is advanced to the other
//
// Words alone, and words within values of fields, are found in bleve's lists themselves, those of rare words first. In 530,000
// captions that are much alike (BenchmarkCaptions, processor time at the median, on a busy machine, by sum and by best; and by best
// in a million, on another machine, one document at a time and with blocks passed by):
//
//	three words, one rare    127 ms    9.0       15 ms    11
//	two of an eighth each     46      15         34       5.2
//	one that all have        107      62        120       0.8
//	a name that all share    216      46        121       1.5
//
// For the rest, three mechanisms stand in for bleve's, which scores and orders everything that
// matches. Milliseconds at the median for the 100 best of 100,000 documents
// (BenchmarkSearch, a busy machine of two cores; read ratios):
//
//	                            bleve   its collector replaced   and MaxScore
//	two words, 0.5 % match        1.3                     0.66           0.55
//	a sentence                     14                      8.0            5.2
//	three frequent words           46                       30             18
//	a folder that all are in       62                       30            7.4
//	a name that all share          35                       41             35
//	a sentence, of one year        10                                     6.7
//	a sentence, of one tag        9.3                                     4.0
//
// bleve's scores also depend on how many fields matched and on deleted documents; the
// sum here is that of BM25 over words and fields, whatever the history of the index.
package keyword

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/index/scorch"

	"mekiki/index/keyword/checksums"
	"mekiki/index/keyword/lists"
)

// Version is the version of the mapping and of the documents. An index of
// another version is built anew.
const Version = 3

// Internal keys of the bleve index.
const (
	sequenceKey = "mekiki-sequence"
	versionKey  = "mekiki-version"
)

// ErrUnusable: the folder holds no index that can be used; delete it and fill a
// new one.
var ErrUnusable = errors.New("keyword index is not usable")

// Document is what is indexed of one record.
type Document struct {
	// ID is the record's.
	ID uint64
	// Kind is "image" or "text".
	Kind string
	// Captions, Names, Labels and Values may have several values; Names are
	// paths, of which the last two elements count.
	Captions, Names, Labels, Values []string
	// Title, Description, Text, Place and Camera are single values.
	Title, Description, Text, Place, Camera string
	// Folders are what folder filters compare with.
	Folders []string
	// HigherFolders are the folders above those in Names, the nearest first; their
	// words count less.
	HigherFolders []string
	// Tags are what tag filters compare with.
	Tags []string
	// People are the names of those in the picture.
	People []string
	// OCR are the lines of words in the picture.
	OCR []string
	// Taken says that the date of taking is known.
	Taken bool
	// Rating is from -1 to 5; nil when there is none.
	Rating *int
	// Format is what format filters compare with.
	Format string
	// Date is what date filters compare with.
	Date time.Time
	// Latitude and Longitude are in degrees, or both nil.
	Latitude, Longitude *float64
}

// Index is an open keyword index. It is searched by readers, which any goroutine may
// make; Apply and Close are for one goroutine.
type Index struct {
	bleve  bleve.Index
	folder string // "" when in memory
	copied string // a private copy to remove when closed
	dirty  bool   // it was made, or something was applied, since it was opened

	mutex  sync.RWMutex
	closed bool

	readersMutex sync.Mutex
	readers      map[*Reader]bool
	ids          lists.Table
}

// OpenMemory makes an empty index that is never on disk.
func OpenMemory() (*Index, error) {
	mapping, err := newMapping()
	if err != nil {
		return nil, err
	}
	index, err := bleve.NewUsing("", mapping, scorch.Name, scorch.Name, nil)
	if err != nil {
		return nil, fmt.Errorf("create keyword index: %w", err)
	}
	return &Index{bleve: index}, nil
}

// Create makes an empty index in a folder that does not exist.
func Create(folder string) (*Index, error) {
	mapping, err := newMapping()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return nil, fmt.Errorf("create keyword index: %w", err)
	}
	index, err := bleve.NewUsing(folder, mapping, scorch.Name, scorch.Name, settings())
	if err != nil {
		return nil, fmt.Errorf("create keyword index: %w", err)
	}
	return &Index{bleve: index, folder: folder, dirty: true}, nil
}

// settings let a batch return before it is on disk: a crash only means that
// the index is behind, and it knows by how much.
func settings() map[string]any {
	return map[string]any{"unsafe_batch": true, "bolt_timeout": "2s"}
}

// Open opens the index in a folder. The error is [ErrUnusable] when there is
// none, when it was written by another version or when its files are not as
// they were when it was closed.
func Open(folder string) (x *Index, err error) {
	defer func() {
		// bleve panics on some damaged files.
		if problem := recover(); problem != nil {
			x, err = nil, fmt.Errorf("%w: %v", ErrUnusable, problem)
		}
	}()
	if err := checksums.Verify(folder); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnusable, err)
	}
	if err := registerAccents(); err != nil {
		return nil, fmt.Errorf("open keyword index: %w", err)
	}
	index, err := bleve.OpenUsing(folder, settings())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnusable, err)
	}
	x = &Index{bleve: index, folder: folder}
	version, err := x.internal(versionKey)
	if err == nil && version != Version {
		err = fmt.Errorf("version %d, expected %d", version, Version)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", ErrUnusable, err), index.Close())
	}
	if err := checksums.Remove(folder); err != nil {
		return nil, errors.Join(err, index.Close())
	}
	return x, nil
}

// Close writes what is not on disk yet, and checksums of the index's files. It
// closes all readers, once their searches are done.
func (x *Index) Close() error {
	x.mutex.Lock()
	defer x.mutex.Unlock()
	if x.closed {
		return nil
	}
	x.closed = true
	persistErr := errors.Join(x.persist(), x.closeReaders())
	if err := errors.Join(persistErr, x.bleve.Close()); err != nil {
		return fmt.Errorf("close keyword index: %w", err)
	}
	if x.copied != "" {
		return os.RemoveAll(x.copied)
	}
	if x.folder != "" {
		return checksums.Write(x.folder)
	}
	return nil
}

// Abandon closes the index without writing what is not on disk yet, for one whose
// folder is gone. The next opening finds it as after a crash.
func (x *Index) Abandon() error {
	x.mutex.Lock()
	defer x.mutex.Unlock()
	if x.closed {
		return nil
	}
	x.closed = true
	return errors.Join(x.closeReaders(), x.bleve.Close())
}

// persist waits until everything applied is on disk: bleve persists batches in
// order, so a last one that says when it is persisted speaks for all.
func (x *Index) persist() error {
	if x.folder == "" || x.copied != "" || !x.dirty {
		return nil
	}
	sequence, err := x.Sequence()
	if err != nil {
		return err
	}
	persisted := make(chan error, 1)
	batch := x.bleve.NewBatch()
	markBatch(batch, sequence)
	batch.SetPersistedCallback(func(err error) { persisted <- err })
	if err := x.bleve.Batch(batch); err != nil {
		return err
	}
	timer := time.NewTimer(persistTimeout)
	defer timer.Stop()
	select {
	case err := <-persisted:
		return err
	case <-timer.C:
		return nil
	}
}

func (x *Index) internal(key string) (uint64, error) {
	value, err := x.bleve.GetInternal([]byte(key))
	if err != nil {
		return 0, fmt.Errorf("read keyword index: %w", err)
	}
	if len(value) == 0 {
		return 0, nil
	}
	if len(value) != 8 {
		return 0, fmt.Errorf("read keyword index: %d bytes under %s", len(value), key)
	}
	return binary.LittleEndian.Uint64(value), nil
}

// Sequence is the commit that the index is at; zero for an empty one, and for
// one whose filling was not finished.
func (x *Index) Sequence() (uint64, error) { return x.internal(sequenceKey) }

// Count is the number of documents.
func (x *Index) Count() (int, error) {
	count, err := x.bleve.DocCount()
	return int(count), err
}

// Apply puts and removes documents, and sets the sequence with the last of
// them. A document that is there already is replaced.
func (x *Index) Apply(ctx context.Context, sequence uint64, puts []Document, removes []uint64) error {
	x.dirty = true
	batch := x.bleve.NewBatch()
	for _, id := range removes {
		batch.Delete(key(id))
	}
	for i := range puts {
		if batch.Size() >= batchSize {
			if err := errors.Join(ctx.Err(), x.bleve.Batch(batch)); err != nil {
				return fmt.Errorf("write keyword index: %w", err)
			}
			batch.Reset()
		}
		if err := batch.Index(key(puts[i].ID), fieldsOf(&puts[i])); err != nil {
			return fmt.Errorf("index record %d: %w", puts[i].ID, err)
		}
	}
	markBatch(batch, sequence)
	if err := x.bleve.Batch(batch); err != nil {
		return fmt.Errorf("write keyword index: %w", err)
	}
	return nil
}

// markBatch makes a batch say which commit it is of, and whose form it has.
func markBatch(batch *bleve.Batch, sequence uint64) {
	batch.SetInternal([]byte(sequenceKey), binary.LittleEndian.AppendUint64(nil, sequence))
	batch.SetInternal([]byte(versionKey), binary.LittleEndian.AppendUint64(nil, Version))
}

// key is the document's name in bleve: decimal with leading zeros, so that
// names sort as IDs do.
func key(id uint64) string { return fmt.Sprintf("%020d", id) }

func idOf(key string) (uint64, error) { return strconv.ParseUint(key, 10, 64) }

// keys are the names of documents.
func keys(ids []uint64) []string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = key(id)
	}
	return names
}

// IDs lists all documents, in no order.
func (x *Index) IDs(ctx context.Context) ([]uint64, error) {
	advanced, err := x.bleve.Advanced()
	if err != nil {
		return nil, fmt.Errorf("list keyword index: %w", err)
	}
	reader, err := advanced.Reader()
	if err != nil {
		return nil, fmt.Errorf("list keyword index: %w", err)
	}
	defer reader.Close()
	documents, err := reader.DocIDReaderAll()
	if err != nil {
		return nil, fmt.Errorf("list keyword index: %w", err)
	}
	defer documents.Close()
	var ids []uint64
	for ctx.Err() == nil {
		internal, err := documents.Next()
		if err != nil {
			return nil, fmt.Errorf("list keyword index: %w", err)
		}
		if internal == nil {
			return ids, nil
		}
		external, err := reader.ExternalID(internal)
		if err != nil {
			return nil, fmt.Errorf("list keyword index: %w", err)
		}
		id, err := idOf(external)
		if err != nil {
			return nil, fmt.Errorf("list keyword index: %w", err)
		}
		ids = append(ids, id)
	}
	return nil, ctx.Err()
}
