package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local/catalog"
	"mekiki/index/local/keywords"
	"mekiki/index/local/segment"
	"mekiki/internal/vfs/vfstest"
)

// presence is what an oracle knows of one image.
type presence int

const (
	absent presence = iota
	present
	unknown // a change to it failed: either is right
)

// oracle knows what a library must hold after a list of steps, each of which
// was acknowledged or failed.
type oracle struct {
	images map[uint64]presence
	serves presence // present: the second space
}

func newOracle() *oracle { return &oracle{images: map[uint64]presence{}} }

func (o *oracle) note(number uint64, wanted presence, err error) {
	if err == nil {
		o.images[number] = wanted
	} else if o.images[number] != wanted {
		o.images[number] = unknown
	}
}

// second is the space that the standard script brings in beside small.
var second = embed.Space{Fingerprint: "model-b", Parts: 2, Width: 4}

// step is one change of the standard script.
type step struct {
	name string
	do   func(testing.TB, *Library) error
	note func(*oracle, error)
}

func putStep(numbers ...uint64) step {
	return step{
		name: fmt.Sprint("put ", numbers),
		do: func(tb testing.TB, l *Library) error {
			var batch index.Batch
			for _, number := range numbers {
				put := indextest.Image(tb, number, indextest.Small)
				if err := l.AddSpace(context.Background(), indextest.Small); err != nil {
					return err
				}
				batch.Puts = append(batch.Puts, put)
			}
			_, err := l.Write(context.Background(), batch)
			return err
		},
		note: func(o *oracle, err error) {
			for _, number := range numbers {
				o.note(number, present, err)
			}
		},
	}
}

func removeStep(numbers ...uint64) step {
	return step{
		name: fmt.Sprint("remove ", numbers),
		do: func(_ testing.TB, l *Library) error {
			var batch index.Batch
			for _, number := range numbers {
				batch.Detach = append(batch.Detach, indextest.File(number).Path)
			}
			_, err := l.Write(context.Background(), batch)
			return err
		},
		note: func(o *oracle, err error) {
			for _, number := range numbers {
				o.note(number, absent, err)
			}
		},
	}
}

func compactStep() step {
	return step{
		name: "compact",
		do:   func(_ testing.TB, l *Library) error { _, err := l.Compact(context.Background()); return err },
		note: func(*oracle, error) {},
	}
}

// switchStep fills the second space for what is there, and serves it.
func switchStep() step {
	return step{
		name: "switch",
		do: func(_ testing.TB, l *Library) error {
			ctx := context.Background()
			if err := l.AddSpace(ctx, second); err != nil {
				return err
			}
			snapshot := l.Snapshot()
			defer snapshot.Close()
			var batch index.Batch
			for record := range snapshot.all() {
				batch.Vectors = append(batch.Vectors, index.Vectors{ID: record.ID, Space: second, Parts: indextest.Unit(uint64(record.ID), second.Parts, second.Width)})
			}
			if _, err := l.Write(ctx, batch); err != nil {
				return err
			}
			return l.ServeSpace(ctx, second)
		},
		note: func(o *oracle, err error) { o.noteServes(present, err) },
	}
}

func rollbackStep() step {
	return step{
		name: "roll back",
		do:   func(_ testing.TB, l *Library) error { return l.ServeSpace(context.Background(), indextest.Small) },
		note: func(o *oracle, err error) { o.noteServes(absent, err) },
	}
}

func (o *oracle) noteServes(wanted presence, err error) {
	if err == nil {
		o.serves = wanted
	} else if o.serves != wanted {
		o.serves = unknown
	}
}

func standardScript() []step {
	return []step{
		putStep(0), putStep(1, 2, 3), putStep(4), removeStep(2), putStep(5, 6), compactStep(),
		removeStep(0, 5), putStep(7), switchStep(), rollbackStep(), compactStep(), putStep(8, 9), removeStep(9),
	}
}

// verify holds a library to what the oracle knows, and its answers to those of
// plain computation over the same images.
func (o *oracle) verify(tb testing.TB, l *Library) error {
	tb.Helper()
	snapshot := l.Snapshot()
	defer snapshot.Close()
	numbers := map[index.ID]uint64{}
	found := 0
	for number, wanted := range o.images {
		record, there := snapshot.recordByPath(indextest.File(number).Path)
		if there {
			numbers[record.ID] = number
			found++
		}
		if wanted == present && !there {
			return fmt.Errorf("image %d was acknowledged and is lost", number)
		}
		if wanted == absent && there {
			return fmt.Errorf("image %d was removed and is back", number)
		}
	}
	if found != snapshot.Count(0) {
		return fmt.Errorf("the library has %d records, %d of them known", snapshot.Count(0), found)
	}
	space, _ := snapshot.Space()
	if o.serves == present && space != second || o.serves == absent && space == second {
		return fmt.Errorf("space %v serves", space)
	}
	if err := verifyRecords(tb, snapshot, numbers); err != nil {
		return err
	}
	if space == indextest.Small {
		if err := verifyNearest(snapshot, numbers); err != nil {
			return err
		}
	}
	return verifyWords(tb, snapshot, numbers)
}

func verifyRecords(tb testing.TB, snapshot *Snapshot, numbers map[index.ID]uint64) error {
	space, _ := snapshot.Space()
	for id, number := range numbers {
		record, _ := snapshot.record(id)
		wanted := indextest.Image(tb, number, indextest.Small).Record
		wanted.ID, wanted.Sequence, wanted.Added = record.ID, record.Sequence, record.Added
		if diff := gocmp.Diff(&wanted, record); diff != "" {
			return fmt.Errorf("image %d is not as it was written:\n%s", number, diff)
		}
		if space != indextest.Small {
			continue
		}
		if _, err := snapshot.parts(context.Background(), id); err != nil {
			return err
		}
		tokens, err := snapshot.tokens(context.Background(), id)
		if err != nil {
			return err
		}
		expected, err := embed.Unpack(indextest.Tokens(tb, number))
		if err != nil {
			return err
		}
		if !gocmp.Equal(tokens, expected) {
			return fmt.Errorf("the tokens of image %d are not as they were written", number)
		}
	}
	return nil
}

// verifyNearest compares a search with plain float64 arithmetic on the vectors
// that were written.
func verifyNearest(snapshot *Snapshot, numbers map[index.ID]uint64) error {
	for seed := range uint64(3) {
		query := indextest.Unit(seed*4+1, 1, indextest.Small.Width).Values
		hits, err := snapshot.NearestImages(context.Background(), query, len(numbers)+1, index.Filter{})
		if err != nil {
			return err
		}
		if len(hits) != len(numbers) {
			return fmt.Errorf("a search finds %d of %d images", len(hits), len(numbers))
		}
		for _, hit := range hits {
			best := math.Inf(-1)
			parts := indextest.Unit(numbers[hit.ID], indextest.Small.Parts, indextest.Small.Width)
			for row := range parts.Count {
				var sum float64
				for i, value := range parts.Row(row) {
					sum += float64(value) * float64(query[i])
				}
				best = max(best, sum)
			}
			if math.Abs(best-float64(hit.Score)) > 2e-3 {
				return fmt.Errorf("image %d has score %g, expected %g", numbers[hit.ID], hit.Score, best)
			}
		}
		if !slices.IsSortedFunc(hits, func(a, b index.Neighbour) int { return cmp.Compare(b.Score, a.Score) }) {
			return errors.New("hits are not in order")
		}
	}
	return nil
}

// verifyWords compares a search with that of a library that was built at once.
func verifyWords(tb testing.TB, snapshot *Snapshot, numbers map[index.ID]uint64) error {
	type hit struct {
		Number uint64
		Score  float64
	}
	search := func(s *Snapshot, of func(index.ID) uint64) ([][]hit, error) {
		var all [][]hit
		for _, words := range []string{"dog", "cat house", "number", "IMG 2026"} {
			found, err := s.Keyword(context.Background(), index.KeywordQuery{Text: words}, 20, index.Filter{})
			if err != nil {
				return nil, err
			}
			hits := []hit{}
			for _, h := range found {
				hits = append(hits, hit{of(h.ID), h.Score})
			}
			all = append(all, hits)
		}
		return all, nil
	}
	got, err := search(snapshot, func(id index.ID) uint64 { return numbers[id] })
	if err != nil {
		return err
	}
	ids := make([]index.ID, 0, len(numbers))
	for id := range numbers {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	fresh, err := freshWords(tb, ids, numbers)
	if err != nil {
		return err
	}
	defer fresh.close()
	view := newView(fresh.state, segment.Set{}, fresh.derived)
	wanted, err := search(&Snapshot{view: view}, func(id index.ID) uint64 { return numbers[id] })
	if err != nil {
		return err
	}
	if diff := gocmp.Diff(wanted, got); diff != "" {
		return fmt.Errorf("words find other images than in a library built at once:\n%s", diff)
	}
	return nil
}

type freshLibrary struct {
	state   *catalog.State
	derived *derived
}

func (f freshLibrary) close() { _ = f.derived.keywordStore.Close() }

// freshWords builds a keyword index of test images under the given IDs.
func freshWords(tb testing.TB, ids []index.ID, numbers map[index.ID]uint64) (freshLibrary, error) {
	lookup := catalog.NewLookup()
	t := catalog.Begin(&catalog.State{}, lookup, 1)
	for _, id := range ids {
		record := indextest.Image(tb, numbers[id], indextest.Small).Record
		record.ID = id
		t.PutRecord(&record)
	}
	fresh := freshLibrary{state: t.Finish(), derived: &derived{lookup: lookup}}
	lookup.Apply(1, t.Keys)
	var err error
	fresh.derived.keywordStore, err = keywords.Open(tb.Context(), keywords.Options{Fsys: vfstest.NewMemory(), Logger: slog.New(slog.DiscardHandler)}, fresh.state)
	return fresh, err
}
