package listing

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"mekiki/index"
	"mekiki/index/local"
	"mekiki/internal/vfs/vfstest"
	"mekiki/server/servertest"
)

// filled opens a library of two images.
func filled(t *testing.T) *local.Library {
	t.Helper()
	library := servertest.Open(t, "/library", vfstest.NewMemory())
	servertest.Put(t, library, index.Record{Kind: index.KindImage, Hash: index.Hash{1}}, index.Record{Kind: index.KindImage, Hash: index.Hash{2}})
	return library
}

// TestListings: a list is made once for each state of the library, and only so
// many are kept.
func TestListings(t *testing.T) {
	library := filled(t)
	lists := &Lists{}
	list := func(order index.Order) []*index.Record {
		snapshot := servertest.Reader(t, library)
		defer snapshot.Close()
		records, err := lists.All(t.Context(), snapshot, index.Filter{Kinds: []index.Kind{index.KindImage}}, order)
		if err != nil {
			t.Fatal(err)
		}
		return records
	}
	first := list(index.OrderAdded)
	if again := list(index.OrderAdded); &again[0] != &first[0] {
		t.Error("the same list is made twice")
	}
	servertest.Put(t, library, index.Record{Kind: index.KindImage, Hash: index.Hash{77}})
	if after := list(index.OrderAdded); len(after) != len(first)+1 {
		t.Errorf("%d records after one more than %d", len(after), len(first))
	}
	for _, order := range []index.Order{index.OrderNewest, index.OrderDateAscending, index.OrderDateDescending} {
		list(order)
	}
	if kept := len(lists.kept); kept != maxKept {
		t.Errorf("%d lists are kept", kept)
	}
}

// slowRecords is a real snapshot that says when records are listed, and lets them be only when it is told to.
type slowRecords struct {
	index.Reader
	listed  *atomic.Int64
	entered chan<- struct{}
	proceed <-chan struct{}
}

func (s slowRecords) List(ctx context.Context, filter index.Filter, page index.Page) ([]*index.Record, int, error) {
	s.listed.Add(1)
	s.entered <- struct{}{}
	select {
	case <-s.proceed:
		return s.Reader.List(ctx, filter, page)
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	}
}

// TestOneListingIsMadeOnce: those who ask for one list at a time get it made once; if whoever makes it goes away, the next
// one does.
func TestOneListingIsMadeOnce(t *testing.T) {
	snapshot := servertest.Reader(t, filled(t))
	defer snapshot.Close()
	var listed atomic.Int64
	entered, proceed := make(chan struct{}, 10), make(chan struct{})
	slow := slowRecords{snapshot, &listed, entered, proceed}
	l := &Lists{}
	list := func(ctx context.Context) ([]*index.Record, error) {
		return l.All(ctx, slow, index.Filter{Kinds: []index.Kind{index.KindImage}}, index.OrderNewest)
	}
	first, leave := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() {
		if _, err := list(first); !errors.Is(err, context.Canceled) {
			t.Errorf("who went away got %v", err)
		}
	})
	<-entered
	for range 4 {
		group.Go(func() {
			if records, err := list(t.Context()); err != nil || len(records) != 2 {
				t.Errorf("%d records, %v", len(records), err)
			}
		})
	}
	leave()
	<-entered
	close(proceed)
	group.Wait()
	if records, err := list(t.Context()); err != nil || len(records) != 2 || listed.Load() != 2 {
		t.Errorf("%d records, %v; listed %d times", len(records), err, listed.Load())
	}
}
