package local

import (
	"context"
	"errors"
	"fmt"
	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/vector"
	"mekiki/internal/plural"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// vectorStore holds the vector indexes of one space and brings them from one
// state to another, by what differs between the two: from nothing when the
// space is first searched, and from commit to commit thereafter.
type vectorStore struct {
	library *Library
	number  uint64 // of the space
	space   embed.Space
	loaded  atomic.Bool

	// turn is held by who changes what follows.
	turn          chan struct{}
	images, texts vectorIndex
	// keeps says that the indexes keep the vectors in full precision.
	keeps bool
	// at are the locations of what the indexes hold.
	at table[location]
	// unread could not be read, and are tried again each time.
	unread map[index.ID]bool
	// damaged are not as written where they are said to be, and are tried again
	// where they are said to be elsewhere.
	damaged map[index.ID]extent
	// stale are the kinds whose cells are to be saved; saved is how many groups
	// those had that were saved or read last.
	stale map[index.Kind]bool
	saved map[index.Kind]int
	// building are the kinds whose cells are being built in the background.
	building map[index.Kind]bool
}

// nearestViews are the vector indexes at one state.
type nearestViews struct{ images, texts vectorView }

// newVectorStore makes an empty store for the serving space; nil without one.
func newVectorStore(l *Library, from *space) *vectorStore {
	if from == nil {
		return nil
	}
	return &vectorStore{library: l, number: from.number, space: from.space, turn: make(chan struct{}, 1)}
}

// nearest gives the vector indexes as of the view, loading what is missing.
func (v *view) nearest(ctx context.Context) (nearestViews, error) {
	if found := v.found.Load(); found != nil || v.vectors == nil {
		if found == nil {
			return nearestViews{}, nil
		}
		return *found, nil
	}
	found, whole, err := v.vectors.views(ctx, v)
	if err == nil && whole {
		v.found.Store(&found)
	}
	return found, err
}

// views brings the indexes to the view's state. Whole is false when something
// could not be read that may be readable later.
func (x *vectorStore) views(ctx context.Context, v *view) (found nearestViews, whole bool, err error) {
	select {
	case x.turn <- struct{}{}:
	case <-ctx.Done():
		return nearestViews{}, false, ctx.Err()
	}
	defer func() { <-x.turn }()
	found, whole, err = x.show(ctx, v)
	return found, whole, err
}

// show is views for who has the turn.
func (x *vectorStore) show(ctx context.Context, v *view) (found nearestViews, whole bool, err error) {
	// At the first loading somebody waits for vectors that are fast to search. Later
	// it may be a writer who waits.
	grown := x.loaded.Load()
	if err := x.bring(ctx, v); err != nil {
		return nearestViews{}, false, fmt.Errorf("load vectors: %w", err)
	}
	x.loaded.Store(true)
	x.images.Defer(grown)
	x.texts.Defer(grown)
	values := v.valuesOf(x.number)
	found = nearestViews{x.images.View(values), x.texts.View(values)}
	for _, kind := range []index.Kind{index.KindImage, index.KindText} {
		x.buildLater(kind)
	}
	for kind, stale := range x.stale {
		if stale && !x.building[kind] {
			x.saveCells(kind, found.of(kind))
			x.saved[kind] = found.of(kind).Len()
		}
	}
	x.stale = nil
	return found, len(x.unread) == 0, nil
}

func (x *vectorStore) index(kind index.Kind) vectorIndex {
	if kind == index.KindText {
		return x.texts
	}
	return x.images
}

// buildLater begins to build the cells of a kind, if it has to have some and none are
// being built. Until they are there, searches look at every vector.
func (x *vectorStore) buildLater(kind index.Kind) {
	target := x.index(kind)
	pending := target.Pending()
	if pending == nil || x.building[kind] {
		return
	}
	if x.building == nil {
		x.building = map[index.Kind]bool{}
	}
	x.building[kind] = true
	x.library.background.run(func(ctx context.Context) {
		pending.Run(func() bool { return ctx.Err() != nil })
		select {
		case x.turn <- struct{}{}:
		case <-ctx.Done():
			return
		}
		defer func() { <-x.turn }()
		x.building[kind] = false
		if x.index(kind) == target && target.Adopt(pending) {
			x.takeUp(ctx, kind)
		}
	})
}

// takeUp makes the current view search by cells that were built.
func (x *vectorStore) takeUp(ctx context.Context, kind index.Kind) {
	v, err := x.library.current()
	if err != nil {
		return
	}
	defer func() {
		if err := v.release(); err != nil {
			x.library.logger.Error("let go of a view", "error", err)
		}
	}()
	if v.vectors != x {
		return
	}
	if x.stale == nil {
		x.stale = map[index.Kind]bool{}
	}
	if x.saved == nil {
		x.saved = map[index.Kind]int{}
	}
	x.stale[kind] = true
	if found, whole, err := x.show(ctx, v); err == nil && whole {
		v.found.Store(&found)
	}
}

func (n nearestViews) of(kind index.Kind) vectorView {
	if kind == index.KindText {
		return n.texts
	}
	return n.images
}

// valuesOf reads vectors as they were at the view, for as long as it is held.
func (v *view) valuesOf(number uint64) valueReader {
	from := v.state.spaceNumbered(number)
	return func(group uint64) ([]float32, error) {
		id := index.ID(group)
		where, located := from.locations.get(id)
		if !located {
			return nil, &errRecord{id, index.ErrNotFound}
		}
		parts, err := readVectorsAgain(v.segments, from, id, where)
		if err != nil {
			return nil, &errRecord{id, err}
		}
		return parts.Values, nil
	}
}

// fewChanges is the number up to which vectors are read before any of them
// changes an index, so that an interruption costs nothing.
const fewChanges = 4096

// bring makes the indexes hold what the view's state says.
func (x *vectorStore) bring(ctx context.Context, v *view) error {
	from := v.state.spaceNumbered(x.number)
	if from == nil {
		return fmt.Errorf("%w: space %d is gone", index.ErrSpace, x.number)
	}
	keeps := from.locations.count*x.space.Parts <= x.library.options.keptVectors
	fresh := x.images == nil
	if !fresh && x.keeps && !keeps {
		x.images, x.texts, x.keeps = x.images.Release(), x.texts.Release(), false
	}
	if fresh {
		if err := x.begin(keeps); err != nil {
			return err
		}
	}
	var removed, added []index.ID
	changes(x.at, from.locations, func(id index.ID, before, after location) {
		switch {
		case after.vectors.length == 0:
			removed = append(removed, id)
		case before.vectors.length == 0 || before.sequence != after.sequence:
			added = append(added, id)
		}
	})
	for id := range x.unread {
		before, _ := x.at.get(id)
		if after, _ := from.locations.get(id); after.vectors.length > 0 && after.sequence == before.sequence {
			added = append(added, id)
		}
	}
	for id, where := range x.damaged {
		before, _ := x.at.get(id)
		if after, _ := from.locations.get(id); after.vectors.length > 0 && after.sequence == before.sequence && after.vectors != where {
			added = append(added, id)
		}
	}
	window := 512
	if len(added) <= fewChanges {
		window = fewChanges
	}
	reading := reading{store: x, view: v, from: from, ids: added, window: window}
	if err := reading.run(ctx, func() {
		for _, id := range removed {
			x.images.Remove(uint64(id))
			x.texts.Remove(uint64(id))
			delete(x.unread, id)
			delete(x.damaged, id)
		}
		removed = nil
	}); err != nil {
		if len(added) > fewChanges {
			x.images, x.texts, x.at, x.unread, x.damaged = nil, nil, table[location]{}, nil, nil
		}
		return err
	}
	x.at = from.locations
	if fresh {
		x.stale, x.saved = map[index.Kind]bool{}, map[index.Kind]int{}
		for kind, index := range map[index.Kind]vectorIndex{index.KindImage: x.images, index.KindText: x.texts} {
			if records := v.state.counts[kind]; x.celled(kind, records) {
				x.stale[kind], x.saved[kind] = x.loadCells(kind, index, records), records
			}
		}
	}
	return nil
}

// keptVectors is the number of vectors up to which an index keeps them in full
// precision: at width 256, 328 MB. Beyond, only their codes are kept, and the
// few that a search scores exactly are read from the segments. A library that
// grows beyond lets go of the vectors.
const keptVectors = 320_000

// begin makes empty indexes.
func (x *vectorStore) begin(keeps bool) error {
	method := vector.Automatic
	if x.library.options.celledVectors != vector.ApproximateFrom {
		method = vector.Approximate
	}
	images, err := newVectorIndex(x.space.Width, method, keeps)
	if err != nil {
		return err
	}
	texts, err := newVectorIndex(x.space.Width, method, keeps)
	if err != nil {
		return err
	}
	x.images, x.texts, x.keeps = images, texts, keeps
	x.at, x.unread, x.damaged = table[location]{}, nil, nil
	return nil
}

// reading fills a store with vectors of records: several goroutines read and
// check, one adds to the indexes, in order of the IDs.
type reading struct {
	store   *vectorStore
	view    *view
	from    *space
	ids     []index.ID
	window  int
	damaged int
}

type readVector struct {
	record *index.Record
	values []float32
	err    error
}

// run calls ready once, before the first change and after the first reading.
func (r *reading) run(ctx context.Context, ready func()) error {
	group, ctx := errgroup.WithContext(ctx)
	windows := make(chan []readVector, 1)
	group.Go(func() error {
		defer close(windows)
		for start := 0; start < len(r.ids); start += r.window {
			found := r.read(ctx, r.ids[start:min(start+r.window, len(r.ids))])
			select {
			case windows <- found:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	group.Go(func() error {
		added := 0
		for found := range windows {
			if err := ctx.Err(); err != nil {
				return err
			}
			if added == 0 {
				ready()
			}
			r.add(found)
			added += len(found)
		}
		switch {
		case len(r.ids) == 0:
			ready()
		case added < len(r.ids):
			return ctx.Err()
		}
		// What is done is done: to call it off now would leave the indexes at a
		// state that nobody knows of.
		return nil
	})
	if err := group.Wait(); err != nil {
		return err
	}
	if r.damaged > 0 {
		r.store.library.addFinding(index.Finding{
			File: filepath.Join("spaces", fmt.Sprintf("%04d", r.from.number)), Damage: true,
			Message: "the vectors of " + plural.Count(r.damaged, "record are", "records are") + " damaged", Remedy: "mekiki check --repair",
		})
	}
	return nil
}

// read reads the vectors of some records.
func (r *reading) read(ctx context.Context, ids []index.ID) []readVector {
	found := make([]readVector, len(ids))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(ids)/16+1) {
		workers.Go(func() {
			for {
				i := int(next.Add(1) - 1)
				if i >= len(ids) || ctx.Err() != nil {
					return
				}
				found[i] = r.one(ids[i])
			}
		})
	}
	workers.Wait()
	return found
}

func (r *reading) one(id index.ID) readVector {
	record, there := r.view.state.record(id)
	where, located := r.from.locations.get(id)
	if !there || !located {
		return readVector{}
	}
	parts, err := readVectors(r.view.segments, r.from, record, where)
	return readVector{record, parts.Values, err}
}

// add puts vectors into the indexes.
func (r *reading) add(found []readVector) {
	x, logger := r.store, r.store.library.logger
	for _, one := range found {
		if one.record == nil {
			continue
		}
		id := one.record.ID
		target, other := x.images, x.texts
		if one.record.Kind == index.KindText {
			target, other = other, target
		}
		other.Remove(uint64(id)) // a text may have taken the place of an image
		err := one.err
		if err == nil {
			err = target.Add(uint64(id), one.values)
		}
		delete(x.unread, id)
		delete(x.damaged, id)
		if err == nil {
			continue
		}
		x.leaveOut(id, r.from)
		if r.damaged++; r.damaged <= 10 {
			logger.Warn("vectors of a record cannot be read; it is found by words only", "record", id, "path", one.record.Path(), "what", err)
		}
		if !errors.Is(err, index.ErrDamaged) && !errors.Is(err, index.ErrSpace) {
			delete(x.damaged, id)
			if x.unread == nil {
				x.unread = map[index.ID]bool{}
			}
			x.unread[id] = true
		}
	}
}

// serve chooses the store of the next state's serving space, and loads another
// space's before it serves if the one before it is loaded.
func (d *derived) serve(ctx context.Context, l *Library, next *view) error {
	serving := next.state.serving()
	if d.vectors != nil && serving != nil && d.vectors.number == serving.number {
		next.vectors = d.vectors
		return nil
	}
	store := newVectorStore(l, serving)
	used := d.vectors == nil && !l.options.DeferVectors || d.vectors != nil && d.vectors.loaded.Load()
	d.vectors, next.vectors = store, store
	if store == nil || !used {
		return nil
	}
	_, err := next.nearest(ctx)
	return err
}

// warm loads what a commit has brought, if the space is in use, lest the next
// search has to.
func (v *view) warm(ctx context.Context, l *Library) {
	if v.vectors == nil || !v.vectors.loaded.Load() {
		return
	}
	if _, err := v.nearest(ctx); err != nil && ctx.Err() == nil {
		l.logger.Error("bring the vector index up to date; the next search tries again", "error", err)
	}
}
