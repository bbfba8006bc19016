package local

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local/writerlock"
	"mekiki/index/vector"
	"mekiki/internal/vfs"
	"mekiki/internal/vfs/vfstest"
)

// TestFlippedBits flips bits of a small library, one at a time: whatever the
// library then says must either be as before, or come with an error or finding.
// MEKIKI_TEST_SCALE=8 flips every bit; less flips one in each few bytes.
func TestFlippedBits(t *testing.T) {
	memory := vfstest.NewMemory()
	library, err := Open(t.Context(), "/library", Options{FileSystem: memory})
	indextest.Must(t, err)
	fill(t, library, 4)
	indextest.Must(t, library.Remove(t.Context(), 2))
	wanted := flipAnswers(t, library)
	indextest.Must(t, library.Close())
	stride := 1
	if indextest.Scale(t) < 8 {
		stride = max(1, 43/indextest.Scale(t))
	}
	files := memory.Files()
	names := make([]string, 0, len(files))
	for name := range files {
		if !strings.Contains(name, "lock") && !strings.HasSuffix(name, writerlock.HolderName) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	flips, silent := 0, 0
	for _, name := range names {
		for bit := 0; bit < 8*len(files[name]); bit += stride {
			flips++
			if !flipIsNoticed(t, files, name, bit, wanted) {
				silent++
			}
		}
	}
	t.Logf("%d flips in %d files, %d of them without any effect", flips, len(names), silent)
}

// TestFlippedLists flips bits of a saved graph and of saved inverted lists, one at a time: each is noticed, when the
// library is opened or when the lists are searched, the answers are as before, and what was damaged is made and saved
// again. MEKIKI_TEST_SCALE=8 flips every bit; less flips one in each few bytes.
func TestFlippedLists(t *testing.T) {
	if testing.Short() {
		t.Skip("takes most of a minute")
	}
	for method, name := range map[vector.Method]string{vector.HNSW: "0001-images.graph", vector.IVF: "0001-images.cells"} {
		t.Run(string(method), func(t *testing.T) { testFlippedLists(t, method, "/library/derived/vectors/"+name) })
	}
}

func testFlippedLists(t *testing.T, method vector.Method, name string) {
	t.Helper()
	const images = 40
	memory := vfstest.NewMemory()
	open := func(files vfs.FS) *Library {
		library, err := Open(t.Context(), "/library", Options{FileSystem: files, Method: method, keptVectors: 1})
		indextest.Must(t, err)
		return library
	}
	search := func(library *Library) (found []index.Neighbour) {
		snapshot := library.Snapshot()
		defer snapshot.Close()
		for seed := range uint64(3) {
			nearest, err := snapshot.NearestImages(t.Context(), indextest.Unit(seed, 1, indextest.Small.Width).Values, images/16, index.Filter{})
			indextest.Must(t, err)
			found = append(found, nearest...)
		}
		return found
	}
	library := open(memory)
	fill(t, library, images)
	indextest.Must(t, library.Close())
	// The library that has grown may have saved something on its way.
	indextest.Must(t, vfs.IgnoreMissing(memory.Remove(name)))
	library = open(memory) // with vectors from the start, so that lists are saved
	wanted := search(library)
	indextest.Must(t, library.Close())
	files := memory.Files()
	lists := files[name]
	if len(lists) < 200 {
		t.Fatalf("%d bytes of lists", len(lists))
	}
	flips := eachFlip(t, files, name, func(bit int, damaged *vfstest.Memory) {
		library := open(damaged)
		if diff := cmp.Diff(wanted, search(library)); diff != "" {
			t.Errorf("bit %d: other answers:\n%s", bit, diff)
		}
		library.background.Wait()
		if diff := cmp.Diff(wanted, search(library)); diff != "" {
			t.Errorf("bit %d: other answers afterwards:\n%s", bit, diff)
		}
		indextest.Must(t, library.Close())
		if !slices.Equal(damaged.Files()[name], lists) {
			t.Errorf("bit %d: was not noticed", bit)
		}
	})
	t.Logf("%d flips in %d bytes of lists, each noticed", flips, len(lists))
}

// eachFlip calls try with each of some bits of a file, and the files with that bit flipped. It gives how many there were: all
// bits with MEKIKI_TEST_SCALE=8, otherwise one in each few bytes.
func eachFlip(t *testing.T, files map[string][]byte, name string, try func(bit int, damaged *vfstest.Memory)) (flips int) {
	t.Helper()
	stride := 1
	if indextest.Scale(t) < 8 {
		stride = max(1, 43/indextest.Scale(t))
	}
	for bit := 0; bit < 8*len(files[name]); bit += stride {
		flips++
		damaged := vfstest.NewMemory()
		for other, data := range files {
			damaged.Put(other, data)
		}
		data := slices.Clone(files[name])
		data[bit/8] ^= 1 << (bit % 8)
		damaged.Put(name, data)
		try(bit, damaged)
	}
	return flips
}

// TestFlippedCodes flips bits of saved codes, one at a time: the answers are as before, and where
// a flip is noticed the codes are written again. MEKIKI_TEST_SCALE=8 flips every bit; less
// flips one in each few bytes.
func TestFlippedCodes(t *testing.T) {
	const name, renewed = "/library/derived/vectors/0001-images-00000001.codes", "/library/derived/vectors/0001-images-00000002.codes"
	for method, from := range map[vector.Method]int{vector.Automatic: 6, vector.HNSW: 1} {
		memory := vfstest.NewMemory()
		open := func(files vfs.FS) *Library {
			library, err := Open(t.Context(), "/library", Options{FileSystem: files, Method: method, keptVectors: 1, approximateFrom: from})
			indextest.Must(t, err)
			return library
		}
		search := func(library *Library) []index.Neighbour {
			snapshot := library.Snapshot()
			defer snapshot.Close()
			found, err := snapshot.NearestImages(t.Context(), indextest.Unit(2, 1, indextest.Small.Width).Values, 12, index.Filter{})
			indextest.Must(t, err)
			return found
		}
		library := openMemory(t, memory)
		fill(t, library, 12)
		wanted := search(library)
		indextest.Must(t, library.Close())
		indextest.Must(t, open(memory).Close()) // it writes the codes
		files := memory.Files()
		saved := files[name]
		if len(saved) < 200 {
			t.Fatalf("%d bytes of codes", len(saved))
		}
		noticed := 0
		flips := eachFlip(t, files, name, func(bit int, damaged *vfstest.Memory) {
			library := open(damaged)
			if diff := cmp.Diff(wanted, search(library)); diff != "" {
				t.Errorf("bit %d: other answers:\n%s", bit, diff)
			}
			indextest.Must(t, library.Close())
			if again, there := damaged.Files()[renewed]; there {
				noticed++
				if !slices.Equal(again, saved) {
					t.Errorf("bit %d: other codes were written", bit)
				}
			}
		})
		if noticed == 0 {
			t.Error("no flip was noticed")
		}
		t.Logf("%s: %d flips in %d bytes of codes, %d noticed", method, flips, len(saved), noticed)
	}
}

// flipAnswers is what must not change unnoticed.
func flipAnswers(tb testing.TB, library *Library) answer {
	tb.Helper()
	return answers(tb, library)
}

// flipIsNoticed fails the test when a flipped bit changes an answer and nobody
// says so. It reports whether the flip was noticed at all.
func flipIsNoticed(t *testing.T, files map[string][]byte, name string, bit int, wanted answer) bool {
	t.Helper()
	damaged := vfstest.NewMemory()
	for other, data := range files {
		damaged.Put(other, data)
	}
	data := slices.Clone(files[name])
	data[bit/8] ^= 1 << (bit % 8)
	damaged.Put(name, data)
	library, err := Open(context.Background(), "/library", Options{FileSystem: damaged})
	if err != nil {
		return true
	}
	defer library.Close()
	got, err := tryAnswers(library)
	if err != nil {
		return true
	}
	report, err := library.Check(context.Background())
	if err != nil || len(report.Findings) > 0 || len(library.Findings()) > 0 {
		return true
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Fatalf("bit %d of %s flipped: the answers changed and nothing says so:\n%s", bit, name, diff)
	}
	return false
}

// tryAnswers is answers for a library that may refuse some.
func tryAnswers(library *Library) (result answer, err error) {
	recorder := &refusals{}
	defer func() {
		if problem := recover(); problem != nil {
			if problem != recorder {
				panic(problem)
			}
			err = recorder.err
		}
	}()
	return answers(recorder, library), nil
}

// refusals is a testing.TB that keeps the first failure and unwinds.
type refusals struct {
	testing.TB
	err error
}

func (r *refusals) Helper() {}

func (r *refusals) Fatal(args ...any) {
	r.err = errors.New("refused")
	for _, arg := range args {
		if err, is := arg.(error); is {
			r.err = err
		}
	}
	panic(r)
}
