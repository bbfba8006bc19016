package nearest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/local/catalog"
	"mekiki/index/local/segment"
	"mekiki/index/vector"
	"mekiki/index/vector/codes"
	"mekiki/index/vector/quantized"
	"mekiki/internal/plural"
	"mekiki/internal/vfs"
)

// Store holds the vector indexes of one space and brings them from one
// state to another, by what differs between the two: from nothing when the
// space is first searched, and from commit to commit thereafter.
type Store struct {
	Host   *Host
	Number uint64 // of the space
	space  embed.Space
	loaded atomic.Bool

	// mu is held by whoever changes what follows.
	mu            chan struct{}
	images, texts Index
	// keeps says that the indexes keep the vectors in full precision.
	keeps bool
	// at are the locations of what the indexes hold.
	at catalog.Table[catalog.Location]
	// unread could not be read, and are tried again each time.
	unread map[index.ID]bool
	// damaged are not as written where they are said to be, and are tried again
	// where they are said to be elsewhere.
	damaged map[index.ID]segment.Extent
	// stale are the kinds whose lists are to be saved; saved is how many groups
	// those had that were saved or read last.
	stale map[index.Kind]bool
	saved map[index.Kind]int
	// building are the kinds whose lists are being built in the background.
	building map[index.Kind]chan struct{} // closed when it ends
	// codes are the files that the indexes read codes from.
	codes map[index.Kind]*savedCodes
	// lists are the files that the indexes read, or have read, inverted lists from.
	lists    map[index.Kind][]vfs.File
	renewing atomic.Bool // lists are being built again
}

// Loaded reports whether somebody has searched the vectors, so that they are kept up
// to date.
func (x *Store) Loaded() bool { return x.loaded.Load() }

// KeepsVectors reports whether the indexes keep the vectors in full precision.
func (x *Store) KeepsVectors() bool { return x.keeps }

// Host is what the vector stores of a library know of it.
type Host struct {
	Fsys   vfs.FS
	Folder string // of the library
	Logger *slog.Logger
	Now    func() time.Time
	// KeptVectors is the number of vectors up to which an index keeps them in full
	// precision, and ApproximateFrom that from which it is not searched exactly, unless
	// Method says otherwise.
	KeptVectors, ApproximateFrom int
	Method                       vector.Method
	// BuiltAtOnce is the number of vectors up to which a graph or inverted lists are built
	// while the first search waits.
	BuiltAtOnce int
	Background  *Background
	// ReadOnly says that another process may be writing, and Present fails when the
	// folder is not the library's any more.
	ReadOnly   func() bool
	Present    func() error
	AddFinding func(index.Finding)
	// Current gives the newest view, and what lets go of it.
	Current func() (*View, func() error, error)
	// NewIndex makes an empty index, and FewChanges is the number of changes up to which
	// vectors are read before any of them changes an index, so that an interruption costs
	// nothing.
	NewIndex   func(options vector.Options, keep bool) (Index, error)
	FewChanges int
}

// View is what a vector index is searched at: a state, and the segments and
// the store that go with it.
type View struct {
	State    *catalog.State
	Segments segment.Set
	Store    *Store // of the serving space; nil without one

	// Found are the vector indexes at this state, once they were asked for.
	Found atomic.Pointer[Indexes]
}

// WithSegments gives a view that differs in its segments alone.
func (v *View) WithSegments(segments segment.Set) *View {
	next := &View{State: v.State, Segments: segments, Store: v.Store}
	next.Found.Store(v.Found.Load())
	return next
}

// Indexes are the vector indexes at one state.
type Indexes struct{ images, texts IndexView }

// NewStore makes an empty store for a space; nil without one.
func NewStore(host *Host, from *catalog.Space) *Store {
	if from == nil {
		return nil
	}
	return &Store{Host: host, Number: from.Number, space: from.Space, mu: make(chan struct{}, 1)}
}

// Indexes gives the vector indexes as of the view, loading what is missing.
func (v *View) Indexes(ctx context.Context) (Indexes, error) {
	if found := v.Found.Load(); found != nil || v.Store == nil {
		if found == nil {
			return Indexes{}, nil
		}
		return *found, nil
	}
	found, whole, err := v.Store.Views(ctx, v)
	if err == nil && whole {
		v.Found.Store(&found)
	}
	return found, err
}

// Views brings the indexes to the view's state. Whole is false when something
// could not be read that may be readable later.
func (x *Store) Views(ctx context.Context, v *View) (found Indexes, whole bool, err error) {
	select {
	case x.mu <- struct{}{}:
	case <-ctx.Done():
		return Indexes{}, false, ctx.Err()
	}
	defer func() { <-x.mu }()
	found, whole, err = x.publish(ctx, v)
	return found, whole, err
}

// publish is the views for who has the turn.
func (x *Store) publish(ctx context.Context, v *View) (found Indexes, whole bool, err error) {
	// At the first loading somebody waits, who is better off with a scan of all vectors than with
	// waiting for a graph that takes long to build. Later it may be a writer who waits.
	deferred := func(kind index.Kind) bool {
		return x.loaded.Load() || v.State.Counts[kind]*x.space.Parts > x.Host.BuiltAtOnce
	}
	deferImages, deferTexts := deferred(index.KindImage), deferred(index.KindText)
	if err := x.sync(ctx, v); err != nil {
		return Indexes{}, false, fmt.Errorf("load vectors: %w", err)
	}
	x.loaded.Store(true)
	x.images.Defer(deferImages)
	x.texts.Defer(deferTexts)
	values := v.valuesOf(x.Number)
	found = Indexes{x.images.View(values), x.texts.View(values)}
	for _, kind := range []index.Kind{index.KindImage, index.KindText} {
		x.buildInBackground(kind)
	}
	for kind, stale := range x.stale {
		if stale && x.building[kind] == nil {
			saved := x.saveLists(kind, found.Of(kind))
			x.saved[kind] = found.Of(kind).Len()
			if saved && found.Of(kind).Method() == vector.IVF {
				// From now on their codes are read from the file, as after an opening: they need not stay in memory.
				x.loadLists(kind, x.index(kind), found.Of(kind).Len())
				found = Indexes{x.images.View(values), x.texts.View(values)}
			}
		}
	}
	x.stale = nil
	return found, len(x.unread) == 0, nil
}

func (x *Store) index(kind index.Kind) Index {
	if kind == index.KindText {
		return x.texts
	}
	return x.images
}

// buildInBackground builds the inverted lists of a kind in the background, if they are
// needed and are not being built. Until they are there, searches scan every vector.
func (x *Store) buildInBackground(kind index.Kind) {
	target := x.index(kind)
	pending := target.Pending()
	if pending == nil || x.building[kind] != nil {
		return
	}
	if x.building == nil {
		x.building = map[index.Kind]chan struct{}{}
	}
	ended := make(chan struct{})
	x.building[kind] = ended
	begun := x.Host.Background.Run(func(ctx context.Context) {
		defer close(ended)
		x.Host.Logger.Info("searches take longer until the graph or the inverted lists of the vector index are built", "kind", kind, "space", x.Number)
		pending.Run(func() bool { return ctx.Err() != nil })
		select {
		case x.mu <- struct{}{}:
		case <-ctx.Done():
			return
		}
		defer func() { <-x.mu }()
		delete(x.building, kind)
		if x.index(kind) == target && target.Adopt(pending) {
			x.Host.Logger.Info("the graph or the inverted lists of the vector index are in use", "kind", kind, "space", x.Number)
			x.publishCurrent(ctx, kind)
		}
	})
	if !begun {
		delete(x.building, kind)
	}
}

// WaitBuilt waits until the graphs or inverted lists that are being built just now are in use, or
// for the end of the context.
func (x *Store) WaitBuilt(ctx context.Context) error {
	select {
	case x.mu <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	waiting := slices.Collect(maps.Values(x.building))
	<-x.mu
	for _, ended := range waiting {
		select {
		case <-ended:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// publishCurrent makes the current view search by what the indexes have now.
func (x *Store) publishCurrent(ctx context.Context, saving ...index.Kind) {
	v, release, err := x.Host.Current()
	if err != nil {
		return
	}
	defer func() {
		if err := release(); err != nil {
			x.Host.Logger.Error("let go of a view", "error", err)
		}
	}()
	if v.Store != x {
		return
	}
	if x.stale == nil {
		x.stale = map[index.Kind]bool{}
	}
	if x.saved == nil {
		x.saved = map[index.Kind]int{}
	}
	for _, kind := range saving {
		x.stale[kind] = true
	}
	if found, whole, err := x.publish(ctx, v); err == nil && whole {
		v.Found.Store(&found)
	}
}

// Of gives the index of a kind.
func (n Indexes) Of(kind index.Kind) IndexView {
	if kind == index.KindText {
		return n.texts
	}
	return n.images
}

// valuesOf reads vectors as they were at the view, for as long as it is held.
func (v *View) valuesOf(number uint64) vector.Values {
	from := v.State.SpaceNumbered(number)
	return func(group uint64, rows []int) ([]float32, error) {
		id := index.ID(group)
		where, located := from.Locations.Get(id)
		if !located {
			return nil, &RecordError{id, index.ErrNotFound}
		}
		payload, err := readPayload(v.Segments, from, id, where)
		if err != nil {
			return nil, &RecordError{id, err}
		}
		values, err := segment.DecodeRows(payload, rows)
		if err != nil {
			return nil, &RecordError{id, err}
		}
		return values, nil
	}
}

// currentValues reads vectors as they are in the newest view.
func (x *Store) currentValues(group uint64, rows []int) ([]float32, error) {
	v, release, err := x.Host.Current()
	if err != nil {
		return nil, err
	}
	values, err := v.valuesOf(x.Number)(group, rows)
	return values, errors.Join(err, release())
}

// sync makes the indexes hold what the view's state says.
func (x *Store) sync(ctx context.Context, v *View) error {
	from := v.State.SpaceNumbered(x.Number)
	if from == nil {
		return fmt.Errorf("%w: space %d is gone", index.ErrSpace, x.Number)
	}
	keeps := from.Locations.Count*x.space.Parts <= x.Host.KeptVectors
	fresh := x.images == nil
	if !fresh && x.keeps && !keeps {
		x.images, x.texts, x.keeps = x.images.Release(), x.texts.Release(), false
	}
	if fresh {
		if err := x.begin(keeps); err != nil {
			return err
		}
	}
	held := func(index.ID) bool { return false }
	if fresh && !keeps {
		var err error
		if held, err = x.useAllCodes(ctx, v); err != nil {
			x.images, x.texts = nil, nil
			x.CloseCodes()
			return err
		}
	}
	var removed, added []index.ID
	catalog.Changes(x.at, from.Locations, func(id index.ID, before, after catalog.Location) {
		switch {
		case after.Vectors.Length == 0:
			removed = append(removed, id)
		case held(id):
		case before.Vectors.Length == 0 || before.Sequence != after.Sequence:
			added = append(added, id)
		}
	})
	for id := range x.unread {
		before, _ := x.at.Get(id)
		if after, _ := from.Locations.Get(id); after.Vectors.Length > 0 && after.Sequence == before.Sequence {
			added = append(added, id)
		}
	}
	for id, where := range x.damaged {
		before, _ := x.at.Get(id)
		if after, _ := from.Locations.Get(id); after.Vectors.Length > 0 && after.Sequence == before.Sequence && after.Vectors != where {
			added = append(added, id)
		}
	}
	window := readWindow
	if len(added) <= x.Host.FewChanges {
		window = x.Host.FewChanges
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
		if fresh || len(added) > x.Host.FewChanges {
			x.images, x.texts, x.at, x.unread, x.damaged = nil, nil, catalog.Table[catalog.Location]{}, nil, nil
			x.CloseCodes()
		}
		return err
	}
	x.at = from.Locations
	if fresh {
		x.stale, x.saved = map[index.Kind]bool{}, map[index.Kind]int{}
		for kind, index := range map[index.Kind]Index{index.KindImage: x.images, index.KindText: x.texts} {
			if records := v.State.Counts[kind]; x.isSaved(kind, records) {
				x.stale[kind], x.saved[kind] = x.loadLists(kind, index, records), records
			}
		}
	}
	return nil
}

// useAllCodes makes the empty indexes use saved codes, and tells the records that they have
// then.
func (x *Store) useAllCodes(ctx context.Context, v *View) (held func(index.ID) bool, err error) {
	images, err := x.useCodes(ctx, v, index.KindImage, x.images)
	if err != nil {
		return nil, err
	}
	texts, err := x.useCodes(ctx, v, index.KindText, x.texts)
	return func(id index.ID) bool { return images != nil && images(id) || texts != nil && texts(id) }, err
}

// begin makes empty indexes.
func (x *Store) begin(keeps bool) error {
	options := vector.Options{
		Width: x.space.Width, Method: x.Host.Method, ApproximateFrom: x.Host.ApproximateFrom, Threads: min(runtime.GOMAXPROCS(0), mostThreads), Values: x.currentValues,
	}
	images, err := x.Host.NewIndex(options, keeps)
	if err != nil {
		return err
	}
	texts, err := x.Host.NewIndex(options, keeps)
	if err != nil {
		return err
	}
	x.images, x.texts, x.keeps = images, texts, keeps
	x.at, x.unread, x.damaged = catalog.Table[catalog.Location]{}, nil, nil
	return nil
}

// reading fills a store with vectors of records: several goroutines read and
// check, one adds to the indexes, in order of the IDs.
type reading struct {
	store   *Store
	view    *View
	from    *catalog.Space
	ids     []index.ID
	window  int
	damaged int
	encode  bool // gives codes in place of values
}

type readVector struct {
	record *index.Record
	values []float32
	rows   []codes.Row
	codes  []byte
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
		r.store.Host.AddFinding(index.Finding{
			File: filepath.Join(segment.Folder, fmt.Sprintf("%04d", r.from.Number)), Damage: true,
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
	record, there := r.view.State.Record(id)
	where, located := r.from.Locations.Get(id)
	if !there || !located {
		return readVector{}
	}
	parts, err := ReadVectors(r.view.Segments, r.from, record, where)
	if err == nil && r.encode {
		rows, coded := quantized.Encode(parts.Values, parts.Width)
		return readVector{record: record, rows: rows, codes: coded}
	}
	return readVector{record: record, values: parts.Values, err: err}
}

// add puts vectors into the indexes.
func (r *reading) add(found []readVector) {
	x, logger := r.store, r.store.Host.Logger
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
		x.evict(id, r.from)
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

// Warm loads what a commit has brought, if the space is in use, lest the next
// search has to.
func (v *View) Warm(ctx context.Context) {
	if v.Store == nil || !v.Store.loaded.Load() {
		return
	}
	if _, err := v.Indexes(ctx); err != nil && ctx.Err() == nil {
		v.Store.Host.Logger.Error("bring the vector index up to date; the next search tries again", "error", err)
	}
}
