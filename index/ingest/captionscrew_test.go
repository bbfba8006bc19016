package ingest

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mekiki/index"
	"mekiki/index/ingest/captioning"
	"mekiki/index/ingest/rules"
)

// sharedLibrary is a library of which two processes write captions.
type sharedLibrary struct {
	index.Library
	crew *oneOfTwo
}

func (s sharedLibrary) JoinCaptioning(context.Context) (captioning.Crew, error) { return s.crew, nil }

// oneOfTwo has the contents whose first byte is odd, or even; all when the other one is found to be gone.
type oneOfTwo struct {
	odd         byte
	alone, gone atomic.Bool
	settled     atomic.Int64
	left        atomic.Bool
}

func (o *oneOfTwo) Mine(content index.Hash) bool { return o.alone.Load() || content[0]&1 == o.odd }
func (o *oneOfTwo) Leave()                       { o.left.Store(true) }
func (o *oneOfTwo) Settle(context.Context) error {
	o.settled.Add(1)
	o.alone.Store(o.gone.Load())
	return nil
}

// TestCaptionsAreShared: two processes that write captions of one library at once share the pictures; what is left by one
// that is gone the other one takes over.
func TestCaptionsAreShared(t *testing.T) {
	const pictures = 40
	folder := t.TempDir()
	for i := range pictures {
		write(t, testImage(t, uint64(i), 8, 8), folder, "photos", fmt.Sprintf("%02d.jpg", i))
	}
	library := openLibrary(t, filepath.Join(folder, "library"))
	bring := func() {
		mustRun(t, library, newCounting("model"), Options{Paths: []string{filepath.Join(folder, "photos")}, Captions: -1})
	}
	bring()
	describe := func(crew *oneOfTwo) captioning.Recaptioned {
		result, err := captioning.Recaption(t.Context(), sharedLibrary{library, crew}, newCounting("model"), captioning.RecaptionOptions{Missing: true})
		if err != nil {
			t.Error(err)
		}
		if !crew.left.Load() {
			t.Error("it has not left")
		}
		return result
	}
	crews := []*oneOfTwo{{odd: 0}, {odd: 1}}
	var results [2]captioning.Recaptioned
	var group sync.WaitGroup
	for i, crew := range crews {
		group.Go(func() { results[i] = describe(crew) })
	}
	group.Wait()
	if results[0].Described+results[1].Described != pictures || results[0].Described < 5 || results[1].Described < 5 || len(describedNames(t, library)) != pictures {
		t.Errorf("two described %+v", results)
	}

	for i := range pictures { // as many more
		write(t, testImage(t, uint64(pictures+i), 8, 8), folder, "photos", fmt.Sprintf("more-%02d.jpg", i))
	}
	bring()
	there := &oneOfTwo{odd: 1}
	first := describe(there)
	if first.Described < 5 || first.Described > pictures-5 || there.settled.Load() != 1 {
		t.Errorf("the other one has its share still: %+v, settled %d times", first, there.settled.Load())
	}
	gone := &oneOfTwo{odd: 1}
	gone.gone.Store(true)
	rest := pictures - first.Described
	if diff := cmp.Diff(captioning.Recaptioned{Pictures: rest, Done: rest, Described: rest}, describe(gone)); diff != "" || gone.settled.Load() != 1 {
		t.Errorf("%s; settled %d times", diff, gone.settled.Load())
	}
}

// TestCaptionsOfShards: who writes those of a shard writes all of them, while the others are at other shards.
func TestCaptionsOfShards(t *testing.T) {
	const pictures = 20
	folder := t.TempDir()
	for i := range pictures {
		write(t, testImage(t, uint64(i), 8, 8), folder, "photos", fmt.Sprintf("%02d.jpg", i))
	}
	library := openLibrary(t, filepath.Join(folder, "library"))
	mustRun(t, library, newCounting("model"), Options{Paths: []string{filepath.Join(folder, "photos")}, Captions: -1})
	for i, crew := range []*oneOfTwo{{odd: 0}, {odd: 1}} {
		options := captioning.RecaptionOptions{Missing: true, Shard: rules.Shard{Number: i + 1, Of: 2}}
		if _, err := captioning.Recaption(t.Context(), sharedLibrary{library, crew}, newCounting("model"), options); err != nil {
			t.Fatal(err)
		}
	}
	if described := len(describedNames(t, library)); described != pictures {
		t.Errorf("%d of %d have captions", described, pictures)
	}
}
