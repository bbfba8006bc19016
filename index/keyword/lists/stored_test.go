package lists

import (
	"errors"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	zap "github.com/blevesearch/zapx/v17"
)

// storedList is a list of a segment that is in a file.
func storedList(t *testing.T, term string) *List {
	t.Helper()
	x := newIndex(t, filepath.Join(t.TempDir(), "index"), 1, texts(5000))
	var table Table
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		segments := table.Segments(readerOf(t, x))
		if _, present := segments[0].segment.(*zap.Segment); present && len(segments) == 1 {
			return listOf(t, segments[0], term)
		}
	}
	t.Skip("bleve has not written its segment to a file")
	return nil
}

// TestStoredListIsTheList: what is read of the file is what zapx's iterator gives.
func TestStoredListIsTheList(t *testing.T) {
	for _, term := range []string{"house", "garden", "rest"} {
		list := storedList(t, term)
		want, err := list.readPostings(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got, err := list.readStored(t.Context())
		if err != nil {
			t.Fatalf("%q: %v", term, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %d postings of %d classes, by the iterator %d of %d", term, len(got.postings), len(got.like), len(want.postings), len(want.like))
		}
	}
}

// TestOtherFormsAreNoticed: bytes too few, too many, or of no document are not taken for a list, and what is not in a file is not
// looked for in one.
func TestOtherFormsAreNoticed(t *testing.T) {
	list := storedList(t, "house")
	bytes, err := list.stored()
	if err != nil {
		t.Fatal(err)
	}
	documents := roaring.New()
	documents.AddRange(0, list.count)
	read := func(bytes []byte) error {
		return newUnpacking(list).readStored(t.Context(), documents.ManyIterator(), &numbers{left: bytes})
	}
	if err := read(bytes); err != nil {
		t.Fatal(err)
	}
	for what, wrong := range map[string][]byte{
		"none": nil, "a byte less": bytes[:len(bytes)-1], "a byte more": append(append([]byte{}, bytes...), 1),
		"a document without the term": append([]byte{0, 9}, bytes[2:]...), "a number without an end": append([]byte{0xff, 0xff}, bytes[2:]...),
	} {
		if err := read(wrong); !errors.Is(err, errNotStored) {
			t.Errorf("%s: %v", what, err)
		}
	}
	var table Table
	if _, err := listOf(t, table.Segments(newReader(t, 1, texts(300)))[0], "house").readStored(t.Context()); !errors.Is(err, errNotStored) {
		t.Errorf("a segment in memory: %v", err)
	}
	list.term = "unicorn"
	if _, err := list.readStored(t.Context()); !errors.Is(err, errNotStored) {
		t.Errorf("a term that no document has: %v", err)
	}
}
