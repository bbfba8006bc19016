package lists

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/index/scorch"
	index "github.com/blevesearch/bleve_index_api"
)

// newReader reads an index of texts in memory.
func newReader(t *testing.T, first int, texts []string) index.IndexReader {
	t.Helper()
	return readerOf(t, newIndex(t, "", first, texts))
}

// readerOf reads an index as it is.
func readerOf(t *testing.T, x bleve.Index) index.IndexReader {
	t.Helper()
	advanced, err := x.Advanced()
	if err != nil {
		t.Fatal(err)
	}
	reader, err := advanced.Reader()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	return reader
}

// newIndex indexes texts in one segment, in any order, under the IDs from first on, in a folder or in memory.
func newIndex(t *testing.T, folder string, first int, texts []string) bleve.Index {
	t.Helper()
	mapping := bleve.NewIndexMapping()
	mapping.ScoringModel = index.BM25Scoring
	x, err := bleve.NewUsing(folder, mapping, scorch.Name, scorch.Name, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	batch := x.NewBatch()
	for i, text := range texts {
		if err := batch.Index(fmt.Sprintf("%020d", first+i), map[string]any{"text": text}); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.Batch(batch); err != nil {
		t.Fatal(err)
	}
	return x
}

// texts have the word "house" once to three times and "garden" in a third of them, in many lengths.
func texts(count int) []string {
	random := rand.New(rand.NewPCG(7, 11))
	made := make([]string, count)
	for i := range made {
		made[i] = strings.Repeat("house ", 1+random.IntN(3)) + strings.Repeat("rest ", random.IntN(40))
		if random.IntN(3) == 0 {
			made[i] += strings.Repeat("garden ", 1+random.IntN(2))
		}
	}
	return made
}

func listOf(t *testing.T, segment Segment, term string) *List {
	t.Helper()
	found, _, err := segment.Lists("text", 12, []string{term})
	if err != nil || found[0] == nil {
		t.Fatalf("%v, %v", found, err)
	}
	return found[0]
}

// TestUnpackedListIsTheList: documents, scores to the bit, and the greatest score of each block are those of bleve's list, also
// where the last block is full or has one document.
func TestUnpackedListIsTheList(t *testing.T) {
	for _, count := range []int{BlockDocuments - 1, BlockDocuments, BlockDocuments + 1, 5 * BlockDocuments, 5000} {
		var table Table
		segments := table.Segments(newReader(t, 1, texts(count)))
		for _, term := range []string{"house", "garden"} {
			list := listOf(t, segments[0], term)
			scoring := &Scoring{IDF: 0.37, Weight: 0.7, Average: 12, Bound: math.Inf(1)}
			plain, greatest := list.scored(scoring), make([]float64, (count+BlockDocuments-1)/BlockDocuments)
			if plain.list != nil {
				t.Fatal("it is unpacked before anybody asked")
			}
			var documents []uint64
			var scores []float64
			for {
				if err := plain.Next(); err != nil {
					t.Fatal(err)
				}
				if plain.Document == End {
					break
				}
				documents, scores = append(documents, plain.Document), append(scores, plain.Score())
				block := plain.Document / BlockDocuments
				greatest[block] = max(greatest[block], plain.Score())
			}
			if err := unpackAll(t.Context(), []*List{list}); err != nil {
				t.Fatal(err)
			}
			compareCursor(t, list.scored(scoring), documents, scores, greatest)
			compareAdvance(t, list, scoring, documents, scores)
		}
	}
}

// compareCursor compares all documents that a cursor is at.
func compareCursor(t *testing.T, c *Cursor, documents []uint64, scores, greatest []float64) {
	t.Helper()
	if c.list == nil {
		t.Fatal("the cursor does not use what the list was unpacked to")
	}
	for i := range documents {
		if err := c.Next(); err != nil || c.Document != documents[i] || c.Score() != scores[i] {
			t.Fatalf("document %d: %d with %v (%v), in the list %d with %v", i, c.Document, c.Score(), err, documents[i], scores[i])
		}
	}
	for range 2 {
		if err := c.Next(); err != nil || c.Document != End {
			t.Fatalf("after the last one: %d, %v", c.Document, err)
		}
	}
	for block, want := range greatest {
		if got := c.mostIn(uint64(block)); got != want {
			t.Fatalf("block %d has at most %v, said to be %v", block, want, got)
		}
	}
}

// compareAdvance moves cursors by any steps.
func compareAdvance(t *testing.T, list *List, scoring *Scoring, documents []uint64, scores []float64) {
	t.Helper()
	random := rand.New(rand.NewPCG(3, 3))
	for _, longest := range []uint64{2, 100, 3000} {
		c := list.scored(scoring)
		for wanted := uint64(0); c.Document != End; wanted += 1 + random.Uint64N(longest) {
			if err := c.Advance(wanted); err != nil {
				t.Fatal(err)
			}
			place, _ := slices.BinarySearch(documents, wanted)
			if place == len(documents) {
				if c.Document != End {
					t.Fatalf("from %d on there is none, but the cursor is at %d", wanted, c.Document)
				}
			} else if c.Document != documents[place] || c.Score() != scores[place] {
				t.Fatalf("from %d on: %d with %v, in the list %d with %v", wanted, c.Document, c.Score(), documents[place], scores[place])
			}
		}
		if err := c.Advance(0); err != nil || c.Document != End {
			t.Fatalf("a cursor goes back to %d, %v", c.Document, err)
		}
	}
}

// TestUnpackedListsGoWithTheirSegments: lists are kept for other readers, and no longer than their segments.
func TestUnpackedListsGoWithTheirSegments(t *testing.T) {
	var table Table
	first, other := newReader(t, 1, texts(600)), newReader(t, 1, texts(700))
	list := listOf(t, table.Segments(first)[0], "house")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := unpackAll(cancelled, []*List{list}); !errors.Is(err, context.Canceled) || list.find() {
		t.Fatalf("unpacked for nobody: %v", err)
	}
	if err := unpackAll(t.Context(), []*List{list}); err != nil || !list.find() {
		t.Fatalf("not unpacked: %v", err)
	}
	if again := listOf(t, table.Segments(first)[0], "house"); !again.find() || again.unpacked != list.unpacked {
		t.Error("another reader of the segment does not find it")
	}
	if another := listOf(t, table.Segments(other)[0], "house"); another.find() {
		t.Error("another segment finds it")
	}
	if again := listOf(t, table.Segments(first)[0], "house"); again.find() {
		t.Error("it is kept though its segment was gone")
	}
}

// TestLeastID compares it with the IDs of all documents of each block.
func TestLeastID(t *testing.T) {
	var table Table
	segment := table.Segments(newReader(t, 4096, texts(2*BlockDocuments+1)))[0]
	wanted := make([]uint64, 3)
	for document := range segment.Count() {
		id, err := segment.ID(document)
		if err != nil {
			t.Fatal(err)
		}
		if least := &wanted[document/BlockDocuments]; *least == 0 || id < *least {
			*least = id
		}
	}
	if segment.knownLeast(1) != 0 {
		t.Error("it is known before anybody asked")
	}
	if err := segment.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	for block, want := range wanted {
		if got, err := segment.LeastID(uint64(block)); err != nil || got != want || segment.knownLeast(uint64(block)) != want {
			t.Errorf("block %d: %d, %v; expected %d", block, got, err, want)
		}
	}
}
