package server

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"mekiki/index"
)

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
	f := start(t)
	snapshot, err := f.library.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	var listed atomic.Int64
	entered, proceed := make(chan struct{}, 10), make(chan struct{})
	slow := slowRecords{snapshot, &listed, entered, proceed}
	l := &listings{}
	list := func(ctx context.Context) ([]*index.Record, error) {
		return l.list(ctx, slow, index.Filter{Kinds: []index.Kind{index.KindImage}}, index.OrderNewest)
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
