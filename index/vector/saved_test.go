package vector

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"mekiki/index/vector/codes"
	"mekiki/index/vector/quantized"
)

// savedGroups are groups of vectors, and a file of their codes.
type savedGroups struct {
	vectors [][]float32
	file    []byte
}

func newSavedGroups(t testing.TB, count int) *savedGroups {
	t.Helper()
	data, s := newClustered(11, 20), &savedGroups{}
	var file bytes.Buffer
	w, err := codes.NewWriter(&file, testWidth)
	for group := range count {
		s.vectors = append(s.vectors, data.group(1+data.source.IntN(6)))
		rows, coded := quantized.Encode(s.vectors[group], testWidth)
		err = errors.Join(err, w.Add(uint64(group), uint64(group)+1, rows, coded))
	}
	if err = errors.Join(err, w.Finish()); err != nil {
		t.Fatal(err)
	}
	s.file = file.Bytes()
	return s
}

func (s *savedGroups) values(group uint64, rows []int) ([]float32, error) {
	return rowsOf(s.vectors[group], testWidth, rows), nil
}

// rowsOf gives some rows, or all.
func rowsOf(vectors []float32, width int, rows []int) (some []float32) {
	if rows == nil {
		return vectors
	}
	for _, row := range rows {
		some = append(some, vectors[row*width:(row+1)*width]...)
	}
	return some
}

// index gives an index of those groups that keep says, of which the codes are read from a file.
func (s *savedGroups) index(t testing.TB, file []byte, options Options, keep func(number int) bool) *Index {
	t.Helper()
	options.Width, options.ApproximateFrom = testWidth, 1
	if options.Values == nil {
		options.Values = s.values
	}
	index, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := OpenCodes(bytes.NewReader(file), int64(len(file)), testWidth)
	if err == nil {
		err = index.UseCodes(opened, keep)
	}
	if err != nil {
		t.Fatal(err)
	}
	return index
}

// added is the same index with codes in memory.
func (s *savedGroups) added(t testing.TB, method Method, keep func(number int) bool) *Index {
	t.Helper()
	index, err := New(Options{Width: testWidth, ApproximateFrom: 1, Method: method, Values: s.values})
	for group, vectors := range s.vectors {
		if keep(group) {
			err = errors.Join(err, index.Add(uint64(group), vectors))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return index
}

func all(int) bool { return true }

// TestSavedCodesAreSearched: with codes in a file an index finds what it finds with codes in
// memory, whatever the method, with and without a filter, also after groups were replaced,
// removed and added.
func TestSavedCodesAreSearched(t *testing.T) {
	s := newSavedGroups(t, 1500)
	for _, method := range Methods() {
		if method == Coder {
			continue // its graph is another each time
		}
		t.Run(string(method), func(t *testing.T) {
			keep := func(number int) bool { return number%5 != 3 }
			saved, added := s.index(t, s.file, Options{Method: method, Threads: 2}, keep), s.added(t, method, keep)
			data := newClustered(3, 20)
			compare := func(what string) {
				t.Helper()
				one, two := saved.View(), added.View()
				if one.Len() != two.Len() {
					t.Fatalf("%s: %d groups, want %d", what, one.Len(), two.Len())
				}
				for range 10 {
					query := data.group(1)
					for _, allow := range []func(uint64) bool{nil, func(group uint64) bool { return group%3 == 0 }} {
						// Which groups an approximate search misses depends on their order, so
						// that it is compared where that is the same.
						got, err := one.Search(t.Context(), query, 10, allowing(one, allow))
						want, err2 := two.Search(t.Context(), query, 10, allowing(two, allow))
						if err = errors.Join(err, err2); err != nil || recallOf(got, want) < 0.9 || method == Exact && !slices.Equal(got, want) {
							t.Fatalf("%s: %v, want %v, %v", what, got, want, err)
						}
						exact, err := one.SearchExact(t.Context(), query, 10, allowing(one, allow))
						want, err2 = two.SearchExact(t.Context(), query, 10, allowing(two, allow))
						if err = errors.Join(err, err2); err != nil || !slices.Equal(exact, want) {
							t.Fatalf("%s, exactly: %v, want %v, %v", what, exact, want, err)
						}
					}
				}
			}
			compare("saved")
			for group := range uint64(200) {
				if group%2 == 0 {
					saved.Remove(group)
					added.Remove(group)
					continue
				}
				s.vectors[group] = data.group(2)
				if err := errors.Join(saved.Add(group, s.vectors[group]), added.Add(group, s.vectors[group])); err != nil {
					t.Fatal(err)
				}
			}
			compare("changed")
			saved.rebuild()
			compare("rebuilt")
			s = newSavedGroups(t, 1500)
		})
	}
}

// TestSavedGraphOfSavedCodes: a graph is saved and loaded over codes in a file.
func TestSavedGraphOfSavedCodes(t *testing.T) {
	s := newSavedGroups(t, 800)
	for _, method := range saving {
		var saved bytes.Buffer
		if err := s.added(t, method, all).View().Save(&saved); err != nil {
			t.Fatal(err)
		}
		index := s.index(t, s.file, Options{Method: method}, all)
		if report, err := index.Load(&saved); err != nil || report.Groups != 800 || report.Inserted != 0 {
			t.Errorf("%s: %+v, %v", method, report, err)
		}
	}
}

// TestDamagedCodesAreMadeAnew flips bits of the file: answers stay as they were, and the file
// says that it is damaged. Where the vectors cannot be read either, a search fails.
func TestDamagedCodesAreMadeAnew(t *testing.T) {
	s := newSavedGroups(t, 60)
	query := newClustered(3, 20).group(1)
	for _, method := range []Method{Exact, HNSW, IVF} {
		want, err := s.index(t, s.file, Options{Method: method}, all).View().Search(t.Context(), query, 60, nil)
		if err != nil || len(want) != 60 {
			t.Fatal(len(want), err)
		}
		for at := int(codes.First()); at < len(s.file); at += 61 {
			damaged := slices.Clone(s.file)
			damaged[at] ^= 4
			opened, err := OpenCodes(bytes.NewReader(damaged), int64(len(damaged)), testWidth)
			if errors.Is(err, codes.ErrDamaged) {
				continue
			}
			index, err2 := New(Options{Width: testWidth, Method: method, ApproximateFrom: 1, Values: s.values})
			if err = errors.Join(err, err2, index.UseCodes(opened, all)); err != nil {
				t.Fatal(err)
			}
			got, err := index.View().Search(t.Context(), query, 60, nil)
			if err != nil || !slices.Equal(got, want) || !opened.Damaged() {
				t.Fatalf("%s, byte %d: %v, want %v, %v; known: %v", method, at, got, want, err, opened.Damaged())
			}
		}
	}
	broken, damaged := errors.New("broken"), slices.Clone(s.file)
	damaged[codes.First()+100] ^= 1
	values := func(group uint64, rows []int) ([]float32, error) {
		if group == 0 {
			return nil, broken
		}
		return s.values(group, rows)
	}
	if _, err := s.index(t, damaged, Options{Method: Exact, Values: values}, all).View().Search(t.Context(), query, 60, nil); !errors.Is(err, broken) {
		t.Errorf("nothing is left of a group: %v", err)
	}
}
