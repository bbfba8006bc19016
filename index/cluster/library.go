package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/cluster/document"
	"mekiki/index/cluster/engine"
	"mekiki/index/cluster/form"
	"mekiki/index/cluster/lists"
	"mekiki/index/cluster/objects"
	"mekiki/index/cluster/recall"
)

// Promises are those of the contract that a library on a cluster keeps in another way than
// one on a disk; [index.Library] has the rest.
//
//   - A reader shows the library as it is whenever it is asked, and not one commit.
//   - Of a batch each record is changed as a whole or not at all, but not the batch: if it
//     fails half way, or the process ends, some of its records may have been changed. A batch
//     that is refused changes nothing, and one that is written again after a failure is
//     written once.
//   - Numbers of commits grow, and one number means one content, but for what other
//     processes are writing meanwhile.
//   - IDs grow with every process that writes; those of several at once mix.

// Options say how a library works on a cluster.
type Options struct {
	// Store has the library; its keys are the library's own.
	Store Store
	// Engine is where the collections are, whose names begin with Name, which begins with a
	// capital letter and has letters and digits alone.
	Engine *engine.Client
	Name   string
	// Shards and Replicas are those of new collections: how many parts, or zero for one for
	// each node, and copies of each.
	// Quantisation is that of new vectors.
	Shards, Replicas int
	Quantisation     engine.Quantisation
	// Representatives is how many vectors stand for a record in the engine, from 1 to
	// [form.Representatives].
	Representatives int
	// Decoder reads originals, for thumbnails; nil makes one.
	Decoder *pixels.Decoder
	Logger  *slog.Logger
	// Now is the clock; nil means the system's.
	Now func() time.Time
}

// Library is a library on a cluster.
type Library struct {
	store      Store
	engine     *engine.Client
	options    Options
	decoder    *pixels.Decoder
	ownDecoder bool
	logger     *slog.Logger
	memory     *recall.Memory
	totals     atomic.Pointer[totals]
	lists      *lists.Lists

	known   atomic.Pointer[known]
	reading sync.Mutex // held by whoever reads the state again
	writing sync.Mutex // held by whoever writes a batch
	closed  atomic.Bool

	idMutex         sync.Mutex
	nextID, untilID index.ID
}

var _ index.Library = (*Library)(nil)

// Init makes an empty library in the store and its collection in the engine, or makes sure
// that both are there.
func Init(ctx context.Context, o Options) error {
	l, err := newLibrary(o)
	if err != nil {
		return err
	}
	defer l.Close()
	if _, err := o.Engine.Check(ctx); err != nil {
		return err
	}
	there, _, err := readState(ctx, o.Store)
	if errors.Is(err, index.ErrNotLibrary) {
		there, err = l.makeState(ctx)
	}
	if err != nil {
		return err
	}
	if err := l.countShards(ctx); err != nil {
		return err
	}
	if err := l.own(there); err != nil {
		return err
	}
	for _, collection := range there.Collections() {
		if err := o.Engine.AddProperties(ctx, collection, document.Properties()); err != nil && !errors.Is(err, engine.ErrAbsent) {
			return err
		}
		if err := l.prepareCollection(ctx, there, collection); err != nil {
			return err
		}
	}
	return o.Engine.SetAlias(ctx, o.Name, there.Collection)
}

// countShards makes it one shard for each node, where the options do not say how many.
func (l *Library) countShards(ctx context.Context) error {
	if l.options.Shards > 0 {
		return nil
	}
	nodes, err := l.engine.Nodes(ctx)
	l.options.Shards = len(nodes)
	return err
}

// makeState writes the state of an empty library, unless another process does.
func (l *Library) makeState(ctx context.Context) (*form.State, error) {
	made := &form.State{Version: form.Version, Collection: l.collection(1), Generation: 1}
	data, err := json.Marshal(made)
	if err != nil {
		return nil, err
	}
	_, err = l.store.PutIf(ctx, form.StateKey, data, "")
	if errors.Is(err, objects.ErrConflict) {
		made, _, err = readState(ctx, l.store)
	}
	if err != nil {
		return nil, fmt.Errorf("make the library's state: %w", err)
	}
	return made, nil
}

// generationMark parts the library's name from a generation in the name of a collection.
const generationMark = "_g"

// collection names the engine's collection of a generation.
func (l *Library) collection(generation int) string {
	return fmt.Sprintf("%s%s%d", l.options.Name, generationMark, generation)
}

// prepareCollection makes a collection and its vectors where they are not there.
func (l *Library) prepareCollection(ctx context.Context, s *form.State, name string) error {
	made := engine.Collection{
		Name: name, Properties: document.Properties(), Vectors: []string{document.NoVector},
		Shards: max(l.options.Shards, 1), Replicas: max(l.options.Replicas, 1), Quantisation: engine.Unquantised,
	}
	if err := l.engine.CreateCollection(ctx, made); err != nil {
		return err
	}
	for _, space := range s.Spaces {
		if err := l.engine.AddVectors(ctx, name, space.Vectors(), l.options.Quantisation); err != nil {
			return err
		}
	}
	return nil
}

// Open opens a library that [Init] made. A collection that was made before this version knew
// of a property gets it.
func Open(ctx context.Context, o Options) (*Library, error) {
	l, err := newLibrary(o)
	if err != nil {
		return nil, err
	}
	known, err := l.current(ctx)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	for _, collection := range known.state.Collections() {
		// An earlier version made it. Where it is lost, the library can be opened to fill it again.
		err := o.Engine.AddProperties(ctx, collection, document.Properties())
		if err != nil && !errors.Is(err, engine.ErrAbsent) {
			return nil, errors.Join(err, l.Close())
		}
	}
	return l, nil
}

func newLibrary(o Options) (*Library, error) {
	l := &Library{store: o.Store, engine: o.Engine, options: o, decoder: o.Decoder, logger: o.Logger}
	if l.logger == nil {
		l.logger = slog.New(slog.DiscardHandler)
	}
	if l.options.Now == nil {
		l.options.Now = time.Now
	}
	l.memory, l.lists = recall.New(l.store, l.engine, l.logger, l.clock), lists.New(l.clock)
	if l.decoder == nil {
		var err error
		if l.decoder, err = pixels.NewDecoder(pixels.Options{MaxPixels: pixels.MaximumPixels}); err != nil {
			return nil, err
		}
		l.ownDecoder = true
	}
	return l, nil
}

// clock is what the library takes the time to be.
func (l *Library) clock() time.Time { return l.options.Now() }

// Decoder gives the decoder that the library reads originals with.
func (l *Library) Decoder() *pixels.Decoder { return l.decoder }

// Close closes the library. Nothing is left to be written.
func (l *Library) Close() error {
	if l.closed.Swap(true) {
		return nil
	}
	l.engine.Close()
	if l.ownDecoder {
		return l.decoder.Close()
	}
	return nil
}

// usable fails when the library is closed, or the context has ended.
func (l *Library) usable(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if l.closed.Load() {
		return index.ErrClosed
	}
	return nil
}

// takeID gives an ID that no record has or had.
func (l *Library) takeID(ctx context.Context) (index.ID, error) {
	l.idMutex.Lock()
	defer l.idMutex.Unlock()
	if l.nextID == l.untilID {
		taken, err := l.change(ctx, func(s *form.State) (bool, error) { s.NextBlock++; return true, nil })
		if err != nil {
			return 0, fmt.Errorf("take IDs: %w", err)
		}
		l.untilID = index.ID(taken.NextBlock*blockOfIDs + 1)
		l.nextID = l.untilID - blockOfIDs
	}
	if l.nextID > maximumID {
		return 0, fmt.Errorf("the library has used up the %d numbers that it has for records", uint64(maximumID))
	}
	id := l.nextID
	l.nextID++
	return id, nil
}

// pause waits a little, so that of several processes one goes first.
func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(rand.N(20 * time.Millisecond)):
		return nil
	}
}

// each calls do for every number below count, several at once, and gives the first error.
func each(ctx context.Context, count int, do func(ctx context.Context, i int) error) error {
	if count == 1 {
		return do(ctx, 0)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i := range count {
		group.Go(func() error { return do(ctx, i) })
	}
	return group.Wait()
}
