package cluster

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mekiki/index"
	"mekiki/index/cluster/document"
	"mekiki/index/cluster/engine"
	"mekiki/index/cluster/form"
	"mekiki/index/cluster/objects"
	"mekiki/index/cluster/objects/objectstest"
	"mekiki/index/cluster/uploaded"
	"mekiki/index/indextest"
	"mekiki/internal/clustertest"
)

// interrupted is a store before one of whose calls something else happens, once.
type interrupted struct {
	Store
	before  atomic.Pointer[func(call, key string)]
	stopped atomic.Bool // then a process is as if it were killed: it can do nothing more
}

var errStopped = errors.New("stopped")

func (s *interrupted) meanwhile(call, key string) {
	if before := s.before.Load(); before != nil {
		(*before)(call, key)
	}
}

func (s *interrupted) Put(ctx context.Context, key string, data []byte) error {
	s.meanwhile("put", key)
	return s.Store.Put(ctx, key, data)
}

func (s *interrupted) Get(ctx context.Context, key string) ([]byte, error) {
	s.meanwhile("get", key)
	return s.Store.Get(ctx, key)
}

func (s *interrupted) GetTagged(ctx context.Context, key string) ([]byte, string, error) {
	s.meanwhile("gettagged", key)
	return s.Store.GetTagged(ctx, key)
}

func (s *interrupted) PutIf(ctx context.Context, key string, data []byte, tag string) (string, error) {
	if s.meanwhile("putif", key); s.stopped.Load() {
		return "", errStopped
	}
	return s.Store.PutIf(ctx, key, data, tag)
}

func (s *interrupted) Delete(ctx context.Context, keys ...string) error {
	if s.meanwhile("delete", strings.Join(keys, " ")); s.stopped.Load() {
		return errStopped
	}
	return s.Store.Delete(ctx, keys...)
}

// once has something happen before the next call of a kind for a key that begins so.
func (s *interrupted) once(call, prefix string, do func()) {
	var done atomic.Bool
	before := func(made, key string) {
		if made == call && strings.HasPrefix(key, prefix) && !done.Swap(true) {
			do()
		}
	}
	s.before.Store(&before)
}

// TestRivals lets two processes write at the worst moment of each other.
func TestRivals(t *testing.T) {
	client := openEngine(t, clustertest.StartWeaviate(t, 1).Addresses())
	// two gives a store, a library on it that is interrupted, and another one.
	two := func(t *testing.T, name string) (*interrupted, *Library, *Library) {
		store := &interrupted{Store: objectstest.New()}
		first := openTest(t, optionsOf(t, store, client, name))
		indextest.Must(t, first.AddSpace(t.Context(), indextest.Small))
		return store, first, openTest(t, optionsOf(t, store.Store, client, name))
	}
	put := func(t *testing.T, library *Library, numbers ...uint64) []index.ID {
		t.Helper()
		var batch index.Batch
		for _, number := range numbers {
			image := indextest.Image(t, number, indextest.Small)
			image.Record.Tags = nil
			batch.Puts = append(batch.Puts, image)
		}
		result, err := library.Write(t.Context(), batch)
		indextest.Must(t, err)
		return result.IDs
	}
	all := func(t *testing.T, library *Library) (ids []index.ID) {
		t.Helper()
		r, err := library.Reader(t.Context())
		indextest.Must(t, err)
		defer r.Close()
		for record := range indextest.All(t, r) {
			ids = append(ids, record.ID)
		}
		return ids
	}
	write := func(t *testing.T, library *Library, batch index.Batch) {
		t.Helper()
		if _, err := library.Write(t.Context(), batch); err != nil {
			t.Error(err)
		}
	}

	t.Run("a tag is given while the record goes", func(t *testing.T) {
		store, first, other := two(t, "Rivaltag")
		ids := put(t, first, 1)
		indextest.Must(t, index.Tag(t.Context(), first, ids, "early"))
		store.once("put", form.KeptPrefix, func() { indextest.Must(t, index.Tag(t.Context(), other, ids, "late")) })
		write(t, first, index.Batch{Detach: []string{indextest.File(1).Path}})
		kept, err := first.Kept()
		if indextest.Must(t, err); len(kept) != 1 || !slices.Contains(kept[0].Tags, "late") {
			t.Errorf("kept is %+v", kept)
		}
		if left := all(t, first); len(left) != 0 {
			t.Errorf("records %v are left", left)
		}
	})

	t.Run("a file is attached while the record goes", func(t *testing.T) {
		store, first, other := two(t, "Rivalfile")
		ids := put(t, first, 1)
		indextest.Must(t, index.Tag(t.Context(), first, ids, "mine"))
		store.once("put", form.KeptPrefix, func() {
			write(t, other, index.Batch{Attach: []index.Attach{{ID: ids[0], File: indextest.File(9)}}})
		})
		write(t, first, index.Batch{Detach: []string{indextest.File(1).Path}})
		r, err := first.Reader(t.Context())
		indextest.Must(t, err)
		defer r.Close()
		found, err := index.One(r.Records(t.Context(), ids))
		if indextest.Must(t, err); found == nil || !slices.Equal(found.Paths(), []string{indextest.File(9).Path}) {
			t.Errorf("the record is %+v", found)
		}
		// Its content is still known to be its own.
		if again := put(t, other, 1); again[0] != ids[0] {
			t.Errorf("the content is of record %d, and again of %d", ids[0], again[0])
		}
	})

	t.Run("stopped before the objects are deleted", func(t *testing.T) {
		store, first, other := two(t, "Rivalstopped")
		ids := put(t, first, 1, 2)
		store.once("delete", form.RecordPrefix, func() { store.stopped.Store(true) })
		if _, err := first.Write(t.Context(), index.Batch{Remove: ids[:1]}); !errors.Is(err, errStopped) {
			t.Fatal(err)
		}
		store.before.Store(nil)
		store.stopped.Store(false)
		// The content can come back, as another record, and removing the first one again ends what was begun.
		again := put(t, other, 1)
		if again[0] == ids[0] {
			t.Errorf("record %d, which is half removed, is given again", again[0])
		}
		indextest.Must(t, index.Remove(t.Context(), other, ids[0]))
		if left := all(t, other); !slices.Equal(left, []index.ID{ids[1], again[0]}) {
			t.Errorf("records %v are left of %v and %v", left, ids, again)
		}
		if _, err := store.Store.Get(t.Context(), form.RecordKey(ids[0])); !errors.Is(err, objects.ErrAbsent) {
			t.Errorf("the object of the record is there: %v", err)
		}
	})

	t.Run("stopped before the engine knows", func(t *testing.T) {
		store, first, other := two(t, "Rivalengine")
		ids := put(t, first, 1, 2, 3)
		for i, end := range []func(){
			func() { write(t, other, index.Batch{Detach: []string{indextest.File(1).Path}}) },
			func() { ids = append(ids, put(t, other, 2)...) },
		} {
			store.once("putif", form.ContentPrefix, func() { store.stopped.Store(true) }) // where what is marked gives its content up
			if _, err := first.Write(t.Context(), index.Batch{Remove: ids[i : i+1]}); !errors.Is(err, errStopped) {
				t.Fatal(err)
			}
			store.before.Store(nil)
			store.stopped.Store(false)
			end() // whoever meets it ends it
		}
		if left := all(t, other); !slices.Equal(left, ids[2:]) || ids[3] == ids[1] {
			t.Errorf("records %v are left of %v", left, ids)
		}
		for _, id := range ids[:2] {
			if _, err := store.Store.Get(t.Context(), form.RecordKey(id)); !errors.Is(err, objects.ErrAbsent) {
				t.Errorf("the object of record %d is there: %v", id, err)
			}
		}
	})

	t.Run("a record goes while its content is put again", func(t *testing.T) {
		store, first, other := two(t, "Rivalagain")
		ids := put(t, first, 1)
		third := openTest(t, optionsOf(t, store.Store, client, "Rivalagain"))
		// Between the claim and the record: whoever deletes the record's object may be about to do so again.
		store.once("gettagged", form.RecordPrefix, func() { indextest.Must(t, index.Remove(t.Context(), other, ids[0])) })
		again := put(t, first, 1)
		store.before.Store(nil)
		if again[0] == ids[0] {
			t.Errorf("record %d, which was removed, is given again", again[0])
		}
		if same := put(t, third, 1); same[0] != again[0] {
			t.Errorf("the content is of record %d, and again of %d", again[0], same[0])
		}
	})

	t.Run("who asked for a change goes away", func(t *testing.T) {
		store, first, other := two(t, "Rivalaway")
		ids := put(t, first, 1, 2)
		ctx, leave := context.WithCancel(t.Context())
		store.once("putif", form.ContentPrefix, leave) // the records are written, and the engine does not know yet
		if _, err := first.Write(ctx, index.Batch{Tags: []index.TagChange{{ID: ids[0], Add: []string{"mine"}}}, Remove: ids[1:]}); err != nil {
			t.Error(err)
		}
		store.before.Store(nil)
		r, err := other.Reader(t.Context())
		indextest.Must(t, err)
		defer r.Close()
		found, _, err := r.List(t.Context(), index.Filter{Tags: []string{"mine"}}, index.Page{})
		if indextest.Must(t, err); len(found) != 1 {
			t.Errorf("records with the tag: %v", found)
		}
		if left := all(t, other); len(left) != 1 {
			t.Errorf("records %v are left", left)
		}
		if _, err := first.Write(ctx, index.Batch{Remove: ids[:1]}); !errors.Is(err, context.Canceled) {
			t.Errorf("after that: %v", err)
		}
	})

	t.Run("one picture is uploaded twice", func(t *testing.T) {
		store, first, other := two(t, "Rivalupload")
		data := []byte("a picture")
		upload := func(library *Library) (index.ID, string) {
			t.Helper()
			path, err := uploaded.Keep(t.Context(), store.Store, data, "png")
			indextest.Must(t, err)
			image := indextest.Image(t, 1, indextest.Small)
			image.Record.Hash, image.Record.Tags = sha256.Sum256(data), nil
			image.Record.Files = []index.File{{Path: path, Bytes: int64(len(data))}}
			result, err := library.Write(t.Context(), index.Batch{Puts: []index.Put{image}})
			indextest.Must(t, err)
			return result.IDs[0], path
		}
		check := func(when string, id index.ID, paths ...string) {
			t.Helper()
			r, err := other.Reader(t.Context())
			indextest.Must(t, err)
			defer r.Close()
			record, err := index.One(r.Records(t.Context(), []index.ID{id}))
			if indextest.Must(t, err); record == nil || !slices.Equal(record.Paths(), paths) {
				t.Errorf("%s: record %+v, expected files %v", when, record, paths)
			}
			file, err := r.OpenOriginal(t.Context(), id)
			if indextest.Must(t, err); file.Close() != nil {
				t.Error("close")
			}
			count := 0
			for _, err := range store.List(t.Context(), form.OriginalPrefix) {
				indextest.Must(t, err)
				count++
			}
			if count != len(paths) {
				t.Errorf("%s: %d objects of uploads", when, count)
			}
		}
		id, path := upload(first)
		upload(other)
		check("again", id, path)
		attached, err := uploaded.Keep(t.Context(), store.Store, data, "png")
		indextest.Must(t, err)
		write(t, other, index.Batch{Attach: []index.Attach{{ID: id, File: index.File{Path: attached}}}})
		check("attached", id, path)
		key, _ := uploaded.KeyOf(path)
		indextest.Must(t, store.Store.Put(t.Context(), key, []byte("damaged")))
		_, second := upload(first)
		check("where the first one is damaged", id, path, second)
		// The record goes with its file after that was found to be there.
		store.once("putif", form.RecordPrefix, func() { indextest.Must(t, index.Remove(t.Context(), other, id)) })
		id, third := upload(first)
		store.before.Store(nil)
		check("while the record goes", id, third)
	})

	t.Run("what is kept is taken by another", func(t *testing.T) {
		store, first, other := two(t, "Rivalkept")
		indextest.Must(t, index.Tag(t.Context(), first, put(t, first, 1), "mine"))
		write(t, first, index.Batch{Detach: []string{indextest.File(1).Path}})
		store.once("get", form.KeptPrefix, func() { put(t, other, 1) })
		put(t, first, 1)
		if left := all(t, first); len(left) != 1 {
			t.Errorf("records %v", left)
		}
	})

	t.Run("a clock is behind", func(t *testing.T) {
		store, late, _ := two(t, "Rivalclock")
		now := time.Now()
		at := func(ahead time.Duration) Options {
			o := optionsOf(t, store.Store, client, "Rivalclock")
			o.Now = func() time.Time { return now.Add(ahead) }
			return o
		}
		ahead := openTest(t, at(time.Hour))
		late.options.Now = func() time.Time { return now } // what it knows does not age
		put(t, late, 1)
		knew := late.sequenceKnown()
		put(t, ahead, 2)
		announced := ahead.sequenceKnown()
		late.known.Store(&known{state: late.known.Load().state, sequence: knew, read: now})
		put(t, late, 3)
		third := openTest(t, at(2*time.Hour))
		if k, err := third.current(t.Context()); err != nil || k.sequence <= announced {
			t.Errorf("%d was announced, and then %d (%v)", announced, k.sequence, err)
		}
	})

	t.Run("more paths than one answer holds", func(t *testing.T) {
		_, first, _ := two(t, "Rivalmany")
		put(t, first, 1, 2, 3)
		paths := make([]string, 0, engine.MaximumResults+3)
		for number := range engine.MaximumResults {
			paths = append(paths, indextest.File(uint64(1000+number)).Path)
		}
		write(t, first, index.Batch{Detach: append(paths, indextest.File(1).Path, indextest.File(2).Path)})
		if left := all(t, first); len(left) != 1 {
			t.Errorf("records %v", left)
		}
	})

	t.Run("damaged objects hide no other", func(t *testing.T) {
		store, first, _ := two(t, "Rivaldamage")
		ids := put(t, first, 1, 2, 3)
		indextest.Must(t, index.Tag(t.Context(), first, ids[:2], "mine"))
		write(t, first, index.Batch{SaveSearches: []index.SavedSearch{{Name: "a", Query: "dog"}, {Name: "b", Query: "cat"}}})
		write(t, first, index.Batch{Failures: []index.Failure{{File: indextest.File(7), Reason: "torn"}, {File: indextest.File(8), Reason: "torn"}}})
		write(t, first, index.Batch{Detach: []string{indextest.File(1).Path, indextest.File(2).Path}})
		for _, key := range []string{form.SearchKey("a"), form.FailureKey(indextest.File(7).Path), form.KeptKey(indextest.Image(t, 1, indextest.Small).Record.Hash, indextest.File(1).Path), form.SequenceKey} {
			if _, err := store.Get(t.Context(), key); err != nil {
				t.Fatal(err)
			}
			indextest.Must(t, store.Put(t.Context(), key, []byte("{")))
		}
		ids = append(ids, put(t, first, 1, 4)...)
		broken := ids[2]
		indextest.Must(t, store.Put(t.Context(), form.RecordKey(broken), []byte("{")))
		indextest.Must(t, client.Put(t.Context(), "Rivaldamage_g1", []engine.Object{{ID: form.UUID(broken), Properties: map[string]any{document.Record: "{", document.Version: "x"}}}))
		r, err := first.Reader(t.Context())
		indextest.Must(t, err)
		defer r.Close()
		searches, err := r.SavedSearches(t.Context())
		if err != nil || len(searches) != 1 {
			t.Errorf("saved searches %v, %v", searches, err)
		}
		failures, err := r.Failures(t.Context())
		if err != nil || len(failures) != 1 {
			t.Errorf("failures %v, %v", failures, err)
		}
		kept, err := first.Kept()
		if err != nil || len(kept) != 1 {
			t.Errorf("kept %v, %v", kept, err)
		}
		if left := all(t, first); len(left) != 2 || slices.Contains(left, broken) {
			t.Errorf("records %v of %v", left, ids)
		}
	})
}
