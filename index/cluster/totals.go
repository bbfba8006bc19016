package cluster

import (
	"context"
	"strconv"
	"time"

	"mekiki/index"
	"mekiki/index/cluster/document"
	"mekiki/index/cluster/engine"
	"mekiki/index/cluster/form"
)

// totals are how many records a collection had after a change, and when they were counted.
type totals struct {
	collection string
	sequence   uint64
	at         time.Time
	counts     map[index.Kind]int
	filled     map[int]int // records with vectors, by space
}

// total gives how many records there are: what the engine counted last, where nothing was
// announced since, and that is not old.
func (l *Library) total(ctx context.Context, k *known) (*totals, error) {
	if t := l.totals.Load(); t != nil && t.collection == k.state.Collection && t.sequence == k.sequence && l.clock().Sub(t.at) < totalsAge {
		return t, nil
	}
	t := &totals{collection: k.state.Collection, sequence: k.sequence, at: l.clock()}
	if err := t.ask(ctx, l.engine, k.state); err != nil {
		return nil, err
	}
	l.totals.Store(t)
	return t, nil
}

func (t *totals) ask(ctx context.Context, client *engine.Client, s *form.State) error {
	asked := []engine.Condition{{}, engine.Equal(document.Kind, index.KindText.String())}
	for _, space := range s.Spaces {
		asked = append(asked, engine.Equal(document.Spaces, strconv.Itoa(space.Number)))
	}
	counts, err := client.Count(ctx, s.Collection, asked...)
	if err != nil {
		return err
	}
	t.counts = map[index.Kind]int{0: counts[0], index.KindText: counts[1], index.KindImage: counts[0] - counts[1]}
	t.filled = map[int]int{}
	for i, space := range s.Spaces {
		t.filled[space.Number] = counts[2+i]
	}
	return nil
}
