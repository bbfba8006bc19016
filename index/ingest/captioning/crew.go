package captioning

import (
	"context"
	"fmt"

	"mekiki/index"
)

// Crew is this process among those that write captions of one library at the same time. Its methods may be called from any
// goroutine.
type Crew interface {
	// Mine reports whether a picture falls to this process. That changes when others come and go.
	Mine(content index.Hash) bool
	// Settle waits until it is known which of the others are there still.
	Settle(ctx context.Context) error
	// Leave says that this process does no more.
	Leave()
}

// Shared is a library of which several processes may write captions at the same time.
type Shared interface {
	// JoinCaptioning makes this process one of them, until it leaves or the context ends.
	JoinCaptioning(ctx context.Context) (Crew, error)
}

// join joins the others, where the library may have any. Who writes those of a shard does so alone: the others may be at other shards,
// and would leave undone what fell to them.
func (r *recaption) join(ctx context.Context) (leave func(), err error) {
	shared, may := r.library.(Shared)
	if !may || r.options.Shard.Of > 0 {
		return func() {}, nil
	}
	if r.crew, err = shared.JoinCaptioning(ctx); err != nil {
		return nil, fmt.Errorf("write captions: %w", err)
	}
	r.seen = map[index.Hash]bool{}
	return r.crew.Leave, nil
}

// mine reports whether a picture falls to this process.
func (r *recaption) mine(content index.Hash) bool { return r.crew == nil || r.crew.Mine(content) }
