package crew

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mekiki/index"
	"mekiki/index/cluster/objects"
	"mekiki/index/cluster/objects/objectstest"
	"mekiki/index/indextest"
)

// fails is a store that can be away.
type fails struct {
	objects.Store
	away atomic.Bool
}

func (f *fails) Put(ctx context.Context, key string, data []byte) error {
	if f.away.Load() {
		return objects.ErrUnavailable
	}
	return f.Store.Put(ctx, key, data)
}

func contents() (list []index.Hash) {
	for i := range 1000 {
		list = append(list, sha256.Sum256(fmt.Appendf(nil, "%d", i)))
	}
	return list
}

// shares counts the contents that fall to each of some crews, and those that fall to none or to several.
func shares(crews ...*Crew) (of []int, wrong int) {
	of = make([]int, len(crews))
	for _, content := range contents() {
		owners := 0
		for i, c := range crews {
			if c.Mine(content) {
				of[i]++
				owners++
			}
		}
		if owners != 1 {
			wrong++
		}
	}
	return of, wrong
}

func join(t *testing.T, ctx context.Context, store objects.Store) *Crew {
	t.Helper()
	c, err := Join(ctx, store, "captions", slog.New(slog.DiscardHandler))
	indextest.Must(t, err)
	return c
}

// TestEachContentFallsToOne: those who work share all contents, about equally; when one comes or goes, only its share moves.
func TestEachContentFallsToOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := objectstest.New()
		first := join(t, t.Context(), store)
		if of, wrong := shares(first); of[0] != 1000 || wrong > 0 {
			t.Errorf("alone it has %v", of)
		}
		second, third := join(t, t.Context(), store), join(t, t.Context(), store)
		time.Sleep(heartbeat + time.Second)
		of, wrong := shares(first, second, third)
		for _, share := range of {
			if share < 250 || share > 420 || wrong > 0 {
				t.Errorf("shares %v, %d wrong", of, wrong)
			}
		}
		before := map[index.Hash]bool{}
		for _, content := range contents() {
			before[content] = first.Mine(content)
		}
		third.Leave()
		time.Sleep(heartbeat + time.Second)
		for content, was := range before {
			if was && !first.Mine(content) {
				t.Fatal("what it had has moved")
			}
		}
		if of, wrong := shares(first, second); wrong > 0 || of[0] < 400 || of[1] < 400 {
			t.Errorf("shares %v, %d wrong", of, wrong)
		}
		first.Leave()
		second.Leave()
		for info := range store.List(t.Context(), "") {
			t.Errorf("%s is left", info.Key)
		}
	})
}

// TestTheShareOfOneThatWasKilledIsTakenOver: it counts for half a minute more; whoever waits for it finds then that it is gone.
func TestTheShareOfOneThatWasKilledIsTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := objectstest.New()
		killed := join(t, t.Context(), store)
		object, err := store.Get(t.Context(), killed.prefix+killed.name)
		indextest.Must(t, err)
		killed.Leave()
		indextest.Must(t, store.Put(t.Context(), killed.prefix+killed.name, object)) // as if it had not come to delete it
		left := join(t, t.Context(), store)
		if of, _ := shares(left); of[0] > 600 {
			t.Errorf("it has %v", of)
		}
		began := time.Now()
		indextest.Must(t, left.Settle(t.Context()))
		if took := time.Since(began); took < aliveFor-2*heartbeat || took > aliveFor+2*heartbeat {
			t.Errorf("settled after %v", took)
		}
		if of, _ := shares(left); of[0] != 1000 {
			t.Errorf("it has %v", of)
		}
		if _, err := store.Get(t.Context(), killed.prefix+killed.name); !errors.Is(err, objects.ErrAbsent) {
			t.Errorf("the object of the killed one: %v", err)
		}
		// One that is alive is heard of soon, and keeps its share.
		alive := join(t, t.Context(), store)
		time.Sleep(heartbeat + time.Second)
		began = time.Now()
		indextest.Must(t, left.Settle(t.Context()))
		if took := time.Since(began); took > 2*heartbeat {
			t.Errorf("settled after %v", took)
		}
		if of, wrong := shares(left, alive); wrong > 0 || of[1] < 400 {
			t.Errorf("shares %v, %d wrong", of, wrong)
		}
		alive.Leave()
		left.Leave()
	})
}

// TestAStoreThatIsAway: nobody can join; who has joined goes on with what he knows, and ends waiting with the context.
func TestAStoreThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &fails{Store: objectstest.New()}
		ctx, end := context.WithCancel(t.Context())
		first, second := join(t, ctx, store), join(t, t.Context(), store)
		time.Sleep(heartbeat + time.Second)
		store.away.Store(true)
		if _, err := Join(t.Context(), store, "captions", slog.New(slog.DiscardHandler)); !errors.Is(err, objects.ErrUnavailable) {
			t.Errorf("joined: %v", err)
		}
		time.Sleep(time.Minute)
		if of, wrong := shares(first, second); wrong > 0 {
			t.Errorf("shares %v, %d wrong", of, wrong)
		}
		waiting, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		if err := first.Settle(waiting); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("settled: %v", err)
		}
		end()
		indextest.Must(t, first.Settle(t.Context()))
		first.Leave()
		second.Leave()
	})
}
