package vector

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/iotest"
)

// saving are the methods of which something is saved.
var saving = []Method{HNSW, IVF}

// each runs a test for every method of which something is saved.
func each(t *testing.T, test func(t *testing.T, method Method)) {
	for _, method := range saving {
		t.Run(string(method), func(t *testing.T) { test(t, method) })
	}
}

func newBy(method Method) indexed {
	if method == HNSW {
		return newByGraph(testWidth)
	}
	return newApproximate(testWidth)
}

// savedOf gives an index of groups, and what it saves.
func savedOf(t testing.TB, method Method, groups int) (indexed, []byte) {
	index := newBy(method)
	fill(t, groups, index)
	var saved bytes.Buffer
	if err := index.index.View().Save(&saved); err != nil {
		t.Fatal(err)
	}
	return index, saved.Bytes()
}

// again adds the same groups to another index.
func again(t testing.TB, method Method, groups int) *Index {
	index := newBy(method)
	fill(t, groups, index)
	return index.index
}

func TestSavedIsLoaded(t *testing.T) { each(t, testSavedIsLoaded) }

func testSavedIsLoaded(t *testing.T, method Method) {
	t.Helper()
	index, saved := savedOf(t, method, 3000)
	loaded := again(t, method, 3000)
	report, err := loaded.Load(bytes.NewReader(saved))
	if err != nil || report.Groups != index.Len() || report.Inserted != 0 || report.Ignored != 0 {
		t.Fatalf("%+v, %v; want %d groups", report, err, index.Len())
	}
	var second bytes.Buffer
	if err := loaded.View().Save(&second); err != nil || !bytes.Equal(second.Bytes(), saved) {
		t.Fatalf("saved again it differs, %v", err)
	}
	query := newClustered(8, 3).group(1)
	want, _ := index.Search(t.Context(), query, 10, nil)
	got, err := loaded.View().Search(t.Context(), query, 10, nil)
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("%v, want %v, %v", got, want, err)
	}
}

// TestLoadedIntoMuchLarger: lists of a small part are of no use.
func TestLoadedIntoMuchLarger(t *testing.T) { each(t, testLoadedIntoMuchLarger) }

func testLoadedIntoMuchLarger(t *testing.T, method Method) {
	t.Helper()
	whole, want := savedOf(t, method, 3000)
	few, grown := again(t, method, 3000), again(t, method, 3000)
	for group := range uint64(3000 * 7 * 3 / 4) { // most of them
		few.Remove(group)
	}
	var saved bytes.Buffer
	if err := few.View().Save(&saved); err != nil {
		t.Fatal(err)
	}
	report, err := grown.Load(&saved)
	if err != nil || report.Groups != 0 || report.Inserted != whole.Len() {
		t.Errorf("%+v, %v", report, err)
	}
	var got bytes.Buffer
	if err := grown.View().Save(&got); err != nil || !bytes.Equal(got.Bytes(), want) {
		t.Errorf("the lists are not those that are built anew, %v", err)
	}
}

// TestLoadedIntoAnother removes, replaces and adds groups before loading.
func TestLoadedIntoAnother(t *testing.T) { each(t, testLoadedIntoAnother) }

func testLoadedIntoAnother(t *testing.T, method Method) {
	t.Helper()
	_, saved := savedOf(t, method, 3000)
	other, exact := again(t, method, 3000), newExhaustive(testWidth)
	fill(t, 3000, exact)
	data := newClustered(77, 20)
	for group := range uint64(400) {
		vectors := data.group(2)
		switch group % 3 {
		case 0:
			other.Remove(group * 7)
			_ = exact.Remove(group * 7)
		case 1:
			_, _ = other.Add(group*7, vectors), exact.Add(group*7, vectors)
		default:
			_, _ = other.Add(1e6+group, vectors), exact.Add(1e6+group, vectors)
		}
	}
	report, err := other.Load(bytes.NewReader(saved))
	if err != nil || report.Groups == 0 || report.Inserted < 200 || report.Ignored < 50 || report.Groups+report.Inserted != exact.Len() {
		t.Fatalf("%+v, %v, of %d", report, err, exact.Len())
	}
	checkNearest(t, exact, other.View(), data)
}

// checkNearest compares twenty searches of a view with an exact one's.
func checkNearest(t *testing.T, exact *exhaustive, view *View, data *clustered) {
	t.Helper()
	recall := 0.0
	for range 20 {
		query := data.group(1)
		want, _ := exact.Search(t.Context(), query, 10, nil)
		got, err := view.Search(t.Context(), query, 10, nil)
		if err != nil {
			t.Fatal(err)
		}
		checkScores(t, exact, query, got, nil)
		recall += recallOf(got, want) / 20
	}
	if recall < 0.95 {
		t.Errorf("recall %g", recall)
	}
}

func TestDamageIsNotLoaded(t *testing.T) { each(t, testDamageIsNotLoaded) }

func testDamageIsNotLoaded(t *testing.T, method Method) {
	t.Helper()
	_, saved := savedOf(t, method, 60)
	index := again(t, method, 60) // an error changes nothing
	want, err := index.View().SearchExact(t.Context(), newClustered(8, 3).group(1), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	for at := range saved {
		for _, bit := range []byte{1, 0x80} {
			damaged := slices.Clone(saved)
			damaged[at] ^= bit
			if _, err := index.Load(bytes.NewReader(damaged)); err == nil && method == IVF {
				checkDamagedLists(t, index, want)
			} else if !errors.Is(err, ErrSaved) {
				t.Fatalf("byte %d: %v", at, err)
			}
		}
		if at%97 == 0 {
			if _, err := index.Load(bytes.NewReader(saved[:at])); !errors.Is(err, ErrSaved) {
				t.Fatalf("cut at %d: %v", at, err)
			}
		}
	}
	broken := errors.New("broken")
	if _, err := index.Load(io.MultiReader(bytes.NewReader(saved[:50]), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("a reader's error: %v", err)
	}
	if report, err := index.Load(bytes.NewReader(saved)); err != nil || report.Groups == 0 || report.Inserted != 0 {
		t.Errorf("after errors: %+v, %v", report, err)
	}
}

// checkDamagedLists searches an index whose lists have damaged codes in their file: it is noticed, and what is found is as
// if there were no lists.
func checkDamagedLists(t *testing.T, index *Index, want []Neighbour) {
	t.Helper()
	view := index.View()
	got, err := view.Search(t.Context(), newClustered(8, 3).group(1), 1, nil)
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("%v, want %v, %v", got, want, err)
	}
	if !view.Damaged() {
		t.Fatalf("damaged codes were not noticed: %d lists of %d postings", len(listsOf(view).lists), listsOf(view).postings)
	}
	if index.Forget(); index.View().Damaged() {
		t.Fatal("damaged lists are still there")
	}
}

// TestListsInAFileUnderFilters searches lists in a file, some of whose groups are gone, under filters that most, many or few pass.
func TestListsInAFileUnderFilters(t *testing.T) {
	_, saved := savedOf(t, IVF, 6000)
	loaded := newBy(IVF)
	fill(t, 6000, loaded)
	if _, keep, err := loaded.index.LoadFile(bytes.NewReader(saved), int64(len(saved))); err != nil || !keep {
		t.Fatalf("kept %t, %v", keep, err)
	}
	const step = 21 // between the numbers of groups
	for group := uint64(0); group < 2000*step; group += 70 * step {
		_ = loaded.Remove(group)
	}
	view, data := loaded.index.View(), newClustered(8, 3)
	if listsOf(view).file == nil {
		t.Fatal("lists are in memory")
	}
	for name, allow := range map[string]func(group uint64) bool{
		"all": func(uint64) bool { return true }, "all but one": func(group uint64) bool { return group != 11*step },
		"half": func(group uint64) bool { return group/step%2 == 0 }, "a tenth": func(group uint64) bool { return group/step%10 == 3 },
		"one of 300": func(group uint64) bool { return group/step%300 == 1 }, "the first": func(group uint64) bool { return group < 40*step },
	} {
		t.Run(name, func(t *testing.T) { checkRecall(t, view, data, allow) })
	}
}

// TestListsInAFileGrow adds to and removes from an index whose lists are in a file, until they split.
func TestListsInAFileGrow(t *testing.T) {
	_, saved := savedOf(t, IVF, 3000)
	grown, exact := newBy(IVF), newExhaustive(testWidth)
	fill(t, 3000, grown)
	fill(t, 3000, exact)
	_, keep, err := grown.index.LoadFile(bytes.NewReader(saved), int64(len(saved)))
	if err != nil || !keep {
		t.Fatalf("kept %t, %v", keep, err)
	}
	early, lists := grown.index.View(), len(listsOf(grown.index.View()).lists)
	if listsOf(early).file == nil {
		t.Fatal("lists are in memory")
	}
	query := newClustered(8, 3).group(1)
	before, err := early.Search(t.Context(), query, 10, nil)
	if err != nil {
		t.Fatal(err)
	}
	data := newClustered(6, 40)
	for group := range uint64(6000) {
		vectors := data.group(2)
		_, _ = grown.Add(1e6+group, vectors), exact.Add(1e6+group, vectors)
		if group%5 == 4 {
			_, _ = grown.Remove(group), exact.Remove(group)
		}
	}
	view := grown.index.View()
	if split := len(listsOf(view).lists); split <= lists {
		t.Errorf("%d lists, and %d before", split, lists)
	}
	checkNearest(t, exact, view, data)
	few := allowing(view, func(group uint64) bool { return group%50 == 7 })
	want, err := view.SearchExact(t.Context(), query, 10, few)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := view.approximate(t.Context(), query, 10, few); err != nil || recallOf(got, want) < 0.9 {
		t.Errorf("under a filter %v, want %v, %v", got, want, err)
	}
	if again, err := early.Search(t.Context(), query, 10, nil); err != nil || !slices.Equal(again, before) {
		t.Errorf("an earlier view finds %v, want %v, %v", again, before, err)
	}
	var second bytes.Buffer
	if err := view.Save(&second); err != nil {
		t.Fatal(err)
	}
	same := newBy(IVF)
	for _, chunk := range view.content.chunks() {
		for i, e := range chunk.entries {
			if !view.content.removed.Has(chunk.first + i) {
				_ = same.Add(e.group, e.values)
			}
		}
	}
	report, _, err := same.index.LoadFile(bytes.NewReader(second.Bytes()), int64(second.Len()))
	if err != nil || report.Groups != view.Len() || report.Ignored != 0 {
		t.Errorf("%+v of %d groups, %v", report, view.Len(), err)
	}
}

func FuzzLoad(f *testing.F) {
	for _, method := range saving {
		_, saved := savedOf(f, method, 40)
		f.Add(saved)
		f.Add(saved[:20])
		f.Add(saved[:8])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, method := range saving {
			index := again(t, method, 40)
			_, err := index.Load(bytes.NewReader(data))
			if err != nil && !errors.Is(err, ErrSaved) {
				t.Fatal(err)
			}
			view := index.View()
			found, err := view.Search(t.Context(), newClustered(8, 3).group(1), view.Len(), nil)
			if err != nil || len(found) != view.Len() {
				t.Fatalf("%d of %d groups, %v", len(found), view.Len(), err)
			}
			if _, err := view.Search(t.Context(), newClustered(8, 3).group(1), 2, nil); err != nil {
				t.Fatal(err)
			}
		}
	})
}
