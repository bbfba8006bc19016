// Package conformance is a suite of tests that every implementation of the contract of
// package index passes:
//
//	func TestConformance(t *testing.T) {
//		conformance.Test(t, func(t *testing.T) index.Library { return openEmpty(t) })
//	}
//
// It knows nothing but the contract. Most of it is a model, a library of plain maps, which
// is changed as the contract says and which the implementation's answers must equal.
package conformance

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/indextest"
)

// Test holds an implementation to the contract. Open gives a new, empty library, which it
// closes with the test.
func Test(t *testing.T, open func(t *testing.T) index.Library) {
	TestWith(t, Differences{}, open)
}

// Differences say what an implementation promises otherwise than the contract does. What is
// not tested because of them is logged.
type Differences struct {
	// Present says that a reader shows the library as it is whenever it is asked, and not
	// as it was at one commit, and that others may see a part of a batch while it is written.
	// What was acknowledged is shown to every reader that is taken from then on, as everywhere.
	Present bool
	// Steps is how many changes the random walk makes; zero means as many as suit a library
	// that answers within the microsecond.
	Steps int
}

// TestWith is [Test] of an implementation with differences.
func TestWith(t *testing.T, differences Differences, open func(t *testing.T) index.Library) {
	if differences.Present {
		t.Log("readers show the present: readers of earlier commits are not compared with the model of theirs, and batches are not expected to be seen as a whole")
	}
	for _, promise := range []struct {
		name string
		hold func(*pair)
	}{
		{"EmptyLibrary", testEmptyLibrary},
		{"RandomWalk", testRandomWalk},
		{"BatchIsAllOrNothing", testAllOrNothing},
		{"PutOfKnownContentMerges", testMerge},
		{"PutReplaces", testReplaces},
		{"ExternalIDReplaces", testExternalID},
		{"FilesMove", testFilesMove},
		{"TagsAreKept", testKept},
		{"TagUntagRemove", testHelpers},
		{"All", testAll},
		{"EqualScoresAreInOrderOfID", testTies},
		{"Keyword", testKeyword},
		{"ThumbnailAndOriginal", testOriginals},
		{"Spaces", testSpaces},
		{"EndedContext", testEndedContext},
		{"Closed", testClosed},
		{"WritersAndReadersAtOnce", testAtOnce},
	} {
		t.Run(promise.name, func(t *testing.T) {
			p := &pair{model: newModel(), t: t, library: open(t), differences: differences, random: rand.New(rand.NewPCG(13, 1))}
			p.sequence = p.read().Sequence()
			promise.hold(p)
		})
	}
}

// other is a space beside [indextest.Small].
var other = embed.Space{Fingerprint: "model-b", Parts: 2, Width: 4}

// pair is a library and the model of it, which change together.
type pair struct {
	*model
	t       *testing.T
	library index.Library
	random  *rand.Rand
	// differences are those of the library.
	differences Differences
}

// checkPast holds a reader of an earlier commit to the model of that, where readers promise
// to show one commit.
func (p *pair) checkPast(then *model, old index.Reader) {
	p.t.Helper()
	if !p.differences.Present {
		then.check(p.t, old, p.random)
	}
}

// open takes a reader.
func (p *pair) open() index.Reader {
	reader, err := p.library.Reader(p.t.Context())
	indextest.Must(p.t, err)
	return reader
}

// read takes a reader that is closed with the test.
func (p *pair) read() index.Reader {
	reader := p.open()
	p.t.Cleanup(func() { indextest.Must(p.t, errors.Join(reader.Close(), reader.Close())) })
	return reader
}

func (p *pair) check(r index.Reader) {
	p.t.Helper()
	p.model.check(p.t, r, p.random)
}

// changed looks at what an acknowledged change has made of the library. The change must
// have made a commit, unless it may have found nothing to do.
func (p *pair) changed(err error, nothing bool) {
	p.t.Helper()
	indextest.Must(p.t, err)
	r := p.open()
	if r.Sequence() < p.sequence || r.Sequence() == p.sequence && !nothing {
		p.t.Fatalf("commit %d after commit %d", r.Sequence(), p.sequence)
	}
	p.sequence = r.Sequence()
	for _, id := range p.ids() {
		if record, there := indextest.Record(p.t, r, id); there && p.records[id].Added.IsZero() && !record.Added.IsZero() {
			p.edit(id, func(e *entry) { e.Added = record.Added })
		}
	}
	p.check(r)
	indextest.Must(p.t, r.Close())
}

func (p *pair) write(batch index.Batch) []index.ID {
	p.t.Helper()
	result, err := p.library.Write(p.t.Context(), batch)
	indextest.Must(p.t, err)
	indextest.Must(p.t, p.apply(batch, result))
	p.changed(nil, len(batch.Failures) == 0)
	if p.sequence != result.Sequence {
		p.t.Fatalf("the result %+v is of another commit than %d", result, p.sequence)
	}
	return result.IDs
}

// refused writes a batch that the library refuses, with an error if not nil, and leaves.
func (p *pair) refused(batch index.Batch, want error) {
	p.t.Helper()
	if result, err := p.library.Write(p.t.Context(), batch); err == nil || want != nil && !errors.Is(err, want) || len(result.IDs) > 0 {
		p.t.Fatalf("an invalid batch gives %+v, %v, expected %v", result, err, want)
	}
	p.check(p.read())
}

func (p *pair) addSpace(space embed.Space) {
	p.t.Helper()
	known := slices.Contains(p.spaces, space)
	if !known {
		p.spaces = append(p.spaces, space)
	}
	if len(p.spaces) == 1 {
		p.serving = space
	}
	p.changed(p.library.AddSpace(p.t.Context(), space), known)
}

func (p *pair) serve(space embed.Space) {
	p.t.Helper()
	serves := p.serving == space
	if !serves {
		p.serving, p.previous = space, p.serving
	}
	p.changed(p.library.ServeSpace(p.t.Context(), space), serves)
}

func (p *pair) rollBack() {
	p.t.Helper()
	p.serving, p.previous = p.previous, p.serving
	p.changed(p.library.RollbackSpace(p.t.Context()), false)
}

func (p *pair) dropSpace(space embed.Space) {
	p.t.Helper()
	p.spaces = slices.DeleteFunc(p.spaces, func(s embed.Space) bool { return s == space })
	for _, id := range p.ids() {
		p.edit(id, func(e *entry) { delete(e.vectors, space) })
	}
	if p.previous == space {
		p.previous = embed.Space{}
	}
	p.changed(p.library.DropSpace(p.t.Context(), space), false)
}

func (p *pair) image(number uint64) index.Put { return indextest.Image(p.t, number, indextest.Small) }

// fill puts the images with some numbers, in the small space, which is added.
func (p *pair) fill(numbers ...uint64) []index.ID {
	p.t.Helper()
	p.addSpace(indextest.Small)
	var batch index.Batch
	for _, number := range numbers {
		batch.Puts = append(batch.Puts, p.image(number))
	}
	return p.write(batch)
}

// finds asks for words, and compares the records in order of ID.
func (p *pair) finds(r index.Reader, query index.KeywordQuery, filter index.Filter, want ...index.ID) {
	p.t.Helper()
	found := words(p.t, r, query, 10, filter)
	if slices.Sort(found); !slices.Equal(found, want) {
		p.t.Errorf("%+v of %+v finds %v, expected %v", query, filter, found, want)
	}
}

// words gives the records that words find, and fails when the order is wrong.
func words(t *testing.T, r index.Reader, query index.KeywordQuery, k int, filter index.Filter) []index.ID {
	t.Helper()
	hits, err := r.Keyword(t.Context(), query, k, filter)
	indextest.Must(t, err)
	ids := make([]index.ID, len(hits))
	for i, hit := range hits {
		ids[i] = hit.ID
		if i > 0 && (hit.Score > hits[i-1].Score || hit.Score == hits[i-1].Score && hit.ID <= hits[i-1].ID) {
			t.Errorf("%+v: hits %d and %d are out of order: %+v", query, i-1, i, hits[i-1:i+1])
		}
		if query.ScoresOnly && (hit.Fragments != nil || hit.Terms != nil) {
			t.Errorf("%+v: more than scores: %+v", query, hit)
		}
	}
	return ids
}
