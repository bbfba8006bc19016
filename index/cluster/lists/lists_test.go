package lists

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mekiki/index"
	"mekiki/index/indextest"
)

// library is what lists are made of: numbered records of which five share each date.
type library struct {
	records []*index.Record
	listed  atomic.Int64
	read    atomic.Int64
	gone    map[index.ID]bool
}

func filled(count int) *library {
	l := &library{gone: map[index.ID]bool{}}
	for i := range count {
		l.records = append(l.records, &index.Record{ID: index.ID(i + 1), Added: indextest.Time.AddDate(0, 0, i*7919%count/5)})
	}
	return l
}

func (l *library) source() Source {
	return Source{Passing: l.passing(), Records: func(_ context.Context, ids []index.ID) ([]*index.Record, error) {
		l.read.Add(int64(len(ids)))
		records := make([]*index.Record, len(ids))
		for i, id := range ids {
			if !l.gone[id] {
				records[i] = l.records[id-1]
			}
		}
		return records, nil
	}}
}

func (l *library) passing() iter.Seq2[*index.Record, error] {
	return func(yield func(*index.Record, error) bool) {
		l.listed.Add(1)
		for _, record := range slices.Backward(l.records) {
			if !yield(record, nil) {
				return
			}
		}
	}
}

// clock is one that stands still but for when it is set.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// TestPages: pages that follow each other's last record are the list, as are those by offset, and only the first is listed for.
func TestPages(t *testing.T) {
	source := filled(1200)
	for order := range index.OrderDateAscending + 1 {
		lists := New(time.Now)
		source.listed.Store(0)
		want := Cut(slices.Clone(source.records), index.Page{Order: order})
		if !slices.IsSortedFunc(want, func(a, b *index.Record) int { return order.Compare(index.PlaceOf(a), index.PlaceOf(b)) }) || len(want) != 1200 {
			t.Fatalf("order %d is none", order)
		}
		ask := func(page index.Page) []*index.Record {
			t.Helper()
			page.Order = order
			found, total, err := lists.Page(t.Context(), "state", source.source(), index.Filter{}, page)
			indextest.Must(t, err)
			if total != len(want) {
				t.Fatalf("%d records in all", total)
			}
			if cut := Cut(slices.Clone(source.records), page); !slices.Equal(cut, found) {
				t.Fatalf("page %+v, behind %+v: %v, cut from all: %v", page, page.Behind, index.IDs(found), index.IDs(cut))
			}
			return found
		}
		var behind, byOffset []*index.Record
		for page := (index.Page{Limit: 77}); len(behind) < len(want); {
			found := ask(page)
			if behind = append(behind, found...); len(found) == 0 {
				break
			}
			at := index.PlaceOf(found[len(found)-1])
			page.Behind = &at
		}
		for len(byOffset) < len(want) {
			byOffset = append(byOffset, ask(index.Page{Limit: 100, Offset: len(byOffset)})...)
		}
		if !slices.Equal(behind, want) || !slices.Equal(byOffset, want) {
			t.Errorf("order %d: pages are not the list", order)
		}
		for _, at := range []index.Place{{}, {ID: 1 << 63}, {Date: indextest.Time.AddDate(0, 0, 3), ID: 9_999}, {Date: indextest.Time.AddDate(0, 0, 3).Add(1), ID: 600}, {Date: indextest.Time.AddDate(99, 0, 0)}} {
			ask(index.Page{Behind: &at, Offset: 2, Limit: 5})
			ask(index.Page{Behind: &at})
		}
		ask(index.Page{Limit: 5, Offset: 5000})
		if listed := source.listed.Load(); listed != 1 {
			t.Errorf("listed %d times", listed)
		}
	}
}

// TestGone: records that went although nothing was announced leave no gap behind which a client would take the list to end.
func TestGone(t *testing.T) {
	source, lists := filled(keptFrom), New(time.Now)
	ask := func(page index.Page) []*index.Record {
		found, _, err := lists.Page(t.Context(), "state", source.source(), index.Filter{}, page)
		indextest.Must(t, err)
		return found
	}
	ask(index.Page{Limit: 1})
	for id := range index.ID(20) {
		source.gone[id] = id > 2
	}
	if found := index.IDs(ask(index.Page{Limit: 4})); !slices.Equal(found, []index.ID{1, 2, 20, 21}) {
		t.Errorf("found %v", found)
	}
}

// TestKept: a list holds for one state, order and filter, and for a time, and only so many are remembered, and no short ones.
func TestKept(t *testing.T) {
	source, clock := filled(keptFrom), &clock{indextest.Time}
	lists := New(clock.now)
	ask := func(state string, filter index.Filter, order index.Order) int64 {
		before := source.listed.Load()
		_, _, err := lists.Page(t.Context(), state, source.source(), filter, index.Page{Order: order, Limit: 1})
		indextest.Must(t, err)
		return source.listed.Load() - before
	}
	tagged := index.Filter{Tags: []string{"x"}}
	for i, step := range []struct {
		state  string
		filter index.Filter
		order  index.Order
		listed int64
	}{
		{"1", index.Filter{}, 0, 1}, {"1", index.Filter{}, 0, 0}, {"1", index.Filter{}, 2, 1}, {"1", tagged, 0, 1}, {"1", index.Filter{}, 0, 0}, {"2", index.Filter{}, 0, 1},
		{"1", index.Filter{}, 2, 1}, // three others were asked for since
	} {
		if listed := ask(step.state, step.filter, step.order); listed != step.listed {
			t.Errorf("step %d: listed %d times, expected %d", i, listed, step.listed)
		}
	}
	clock.at = clock.at.Add(keptFor)
	if listed := ask("1", index.Filter{}, 2); listed != 1 {
		t.Error("a list of long ago is given")
	}
	if beyond := (index.Filter{Before: time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)}); ask("1", beyond, 0) != 1 {
		t.Error("a filter without a key is not asked for")
	}
	source.records = source.records[1:]
	ask("short", index.Filter{}, 0)
	if listed := ask("short", index.Filter{}, 0); listed != 1 {
		t.Error("a short list is remembered")
	}
}

// TestMadeOnce: those who ask for one list at a time get it made once; if whoever makes it goes away, the next one does, and an
// error is not remembered.
func TestMadeOnce(t *testing.T) {
	source, lists := filled(keptFrom), New(time.Now)
	entered, proceed := make(chan struct{}, 10), make(chan struct{})
	ask := func(ctx context.Context) (int, error) {
		from := source.source()
		from.Passing = func(yield func(*index.Record, error) bool) {
			entered <- struct{}{}
			select {
			case <-proceed:
				source.passing()(yield)
			case <-ctx.Done():
				yield(nil, ctx.Err())
			}
		}
		_, total, err := lists.Page(ctx, "state", from, index.Filter{}, index.Page{Limit: 1})
		return total, err
	}
	first, leave := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() {
		if _, err := ask(first); !errors.Is(err, context.Canceled) {
			t.Errorf("who went away got %v", err)
		}
	})
	<-entered
	for range 4 {
		group.Go(func() {
			if total, err := ask(t.Context()); err != nil || total != keptFrom {
				t.Errorf("%d records, %v", total, err)
			}
		})
	}
	leave()
	<-entered
	close(proceed)
	group.Wait()
	if total, err := ask(t.Context()); err != nil || total != keptFrom || source.listed.Load() != 1 {
		t.Errorf("%d records, %v; listed %d times", total, err, source.listed.Load())
	}
}
