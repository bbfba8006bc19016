package vector

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/iotest"
)

// savedOf gives an index of groups, and its saved inverted lists.
func savedOf(t testing.TB, groups int) (indexed, []byte) {
	index := newApproximate(testWidth)
	fill(t, groups, index)
	var saved bytes.Buffer
	if err := index.index.View().Save(&saved); err != nil {
		t.Fatal(err)
	}
	return index, saved.Bytes()
}

// again adds the same groups to another index.
func again(t testing.TB, groups int) *Index {
	index := newApproximate(testWidth)
	fill(t, groups, index)
	return index.index
}

func TestSavedIsLoaded(t *testing.T) {
	index, saved := savedOf(t, 3000)
	loaded := again(t, 3000)
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
func TestLoadedIntoMuchLarger(t *testing.T) {
	whole, want := savedOf(t, 3000)
	few, grown := again(t, 3000), again(t, 3000)
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
func TestLoadedIntoAnother(t *testing.T) {
	_, saved := savedOf(t, 3000)
	other, exact := again(t, 3000), newExhaustive(testWidth)
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
	view, recall := other.View(), 0.0
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

func TestDamageIsNotLoaded(t *testing.T) {
	_, saved := savedOf(t, 60)
	index := again(t, 60) // an error changes nothing
	for at := range saved {
		for _, bit := range []byte{1, 0x80} {
			damaged := slices.Clone(saved)
			damaged[at] ^= bit
			if _, err := index.Load(bytes.NewReader(damaged)); !errors.Is(err, ErrSaved) {
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

func FuzzLoad(f *testing.F) {
	_, saved := savedOf(f, 40)
	f.Add(saved)
	f.Add(saved[:savedHeader])
	f.Add([]byte(savedMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		index := again(t, 40)
		_, err := index.Load(bytes.NewReader(data))
		if err != nil && !errors.Is(err, ErrSaved) {
			t.Fatal(err)
		}
		view := index.View()
		found, err := view.Search(t.Context(), newClustered(8, 3).group(1), view.Len(), nil)
		if err != nil || len(found) != view.Len() {
			t.Fatalf("%d of %d groups, %v", len(found), view.Len(), err)
		}
	})
}
