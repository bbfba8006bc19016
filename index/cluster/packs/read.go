package packs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"

	"mekiki/index"
	"mekiki/index/cluster/objects"
	"mekiki/internal/flight"
	"mekiki/internal/lru"
)

// A Reader reads pieces of packs. Its methods may be called from any goroutine. What it
// gives is shared: read it, never write to it.
type Reader struct {
	store   objects.Store
	cache   *objects.Cache
	tables  *lru.Cache[string, []Place]
	reading singleflight.Group
}

// NewReader makes a reader. Pieces go into the cache, and come from there; it may be nil.
func NewReader(store objects.Store, cache *objects.Cache) *Reader {
	return &Reader{store: store, cache: cache, tables: lru.New[string, []Place](tableBytes)}
}

// A Piece is what was asked for, or why there is none: [objects.ErrAbsent] or
// [index.ErrDamaged].
type Piece struct {
	Data []byte
	Err  error
}

// Read gives pieces in the order of the question, several at a time: those that lie close
// together by one range of bytes. What is damaged or gone costs only itself; the error is
// one that concerns all, such as [objects.ErrUnavailable].
func (r *Reader) Read(ctx context.Context, places []Place) ([]Piece, error) {
	pieces := make([]Piece, len(places))
	var missing []int
	for i, place := range places {
		switch data, kept := r.kept(place); {
		case kept:
			pieces[i].Data = data
		case place.Length < pieceHeader || place.Length > maximumPack || place.Offset < headerSize:
			pieces[i].Err = damaged(place.Pack, "%q cannot be %d bytes at %d", place.Name, place.Length, place.Offset)
		default:
			missing = append(missing, i)
		}
	}
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(readsAtOnce)
	for _, run := range merge(places, missing) {
		group.Go(func() error { return r.readRun(within, places, run, pieces) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return pieces, ctx.Err()
}

// keyOf names a piece in the cache.
func keyOf(place Place) string { return place.Pack + " " + place.Name }

func (r *Reader) kept(place Place) ([]byte, bool) {
	if r.cache == nil {
		return nil, false
	}
	return r.cache.Get(keyOf(place))
}

// merge puts the numbers of places that are read at once together.
func merge(places []Place, numbers []int) (runs [][]int) {
	slices.SortFunc(numbers, func(a, b int) int {
		return cmp.Or(cmp.Compare(places[a].Pack, places[b].Pack), cmp.Compare(places[a].Offset, places[b].Offset))
	})
	for _, number := range numbers {
		if place := places[number]; len(runs) > 0 {
			run := runs[len(runs)-1]
			pack, from, to := span(places, run)
			end := place.Offset + place.Length
			if place.Pack == pack && place.Offset-to <= mergeGap && end-from <= mergedMaximum {
				runs[len(runs)-1] = append(run, number)
				continue
			}
		}
		runs = append(runs, []int{number})
	}
	return runs
}

// span is what a run of places covers.
func span(places []Place, run []int) (pack string, from, to int64) {
	first := places[run[0]]
	for _, number := range run {
		to = max(to, places[number].Offset+places[number].Length)
	}
	return first.Pack, first.Offset, to
}

// readRun reads places by one range. If that is damaged, each is read by its own.
func (r *Reader) readRun(ctx context.Context, places []Place, run []int, into []Piece) error {
	pack, from, to := span(places, run)
	data, err := flight.Do(ctx, &r.reading, fmt.Sprintf("%s %d %d", pack, from, to), func() ([]byte, error) {
		return r.store.Range(ctx, pack, from, to-from)
	})
	ownFault := errors.Is(err, index.ErrDamaged) || errors.Is(err, objects.ErrRange) || errors.Is(err, objects.ErrAbsent)
	switch {
	case err != nil && !ownFault:
		return err
	case err != nil && len(run) > 1 && !errors.Is(err, objects.ErrAbsent):
		for _, number := range run {
			if err := r.readRun(ctx, places, []int{number}, into); err != nil {
				return err
			}
		}
		return nil
	}
	for _, number := range run {
		place := places[number]
		if errors.Is(err, objects.ErrRange) {
			err = damaged(pack, "it ends before %q", place.Name)
		}
		if into[number].Err = err; err != nil {
			continue
		}
		at := place.Offset - from
		piece, err := readPiece(place, data[at:at+place.Length:at+place.Length])
		into[number] = Piece{piece, err}
		if err == nil && r.cache != nil {
			r.cache.Put(keyOf(place), piece)
		}
	}
	return nil
}

// Places gives the places of all pieces of a pack, in the order of their bytes.
func (r *Reader) Places(ctx context.Context, pack string) ([]Place, error) {
	if places, known := r.tables.Get(pack); known {
		return places, nil
	}
	return flight.Do(ctx, &r.reading, pack, func() ([]Place, error) {
		places, bytes, err := r.readPlaces(ctx, pack)
		if err == nil {
			r.tables.Put(pack, places, bytes)
		}
		return places, err
	})
}

// readPlaces reads a table, and says about how much memory it takes.
func (r *Reader) readPlaces(ctx context.Context, pack string) ([]Place, int64, error) {
	data, err := r.store.Range(ctx, pack, 0, headRead)
	if errors.Is(err, objects.ErrRange) { // a small pack is read whole
		data, err = r.store.Get(ctx, pack)
	}
	if err != nil {
		return nil, 0, err
	}
	head, err := readHead(pack, data)
	if err != nil {
		return nil, 0, err
	}
	table := data[headerSize:]
	if missing := head.table - len(table); missing > 0 {
		rest, err := r.store.Range(ctx, pack, int64(len(data)), int64(missing))
		if err != nil {
			return nil, 0, err
		}
		table = append(slices.Clip(table), rest...)
	}
	places, err := head.readTable(pack, table[:head.table])
	return places, int64(head.table + len(places)*placeBytes), err
}

// Find gives the places of pieces by their names; false for those that a pack does not have.
func (r *Reader) Find(ctx context.Context, pack string, names []string) ([]Place, []bool, error) {
	all, err := r.Places(ctx, pack)
	if err != nil {
		return nil, nil, err
	}
	byName := make(map[string]Place, len(all))
	for _, place := range all {
		byName[place.Name] = place
	}
	found, there := make([]Place, len(names)), make([]bool, len(names))
	for i, name := range names {
		found[i], there[i] = byName[name]
	}
	return found, there, nil
}

// Repack writes what is to be kept of a pack as another one; there is none if nothing is.
// The old one stays: delete it when nobody asks for its places any longer.
func (r *Reader) Repack(ctx context.Context, pack, prefix string, keep func(name string) bool) (Written, error) {
	all, err := r.Places(ctx, pack)
	if err != nil {
		return Written{}, err
	}
	data, err := r.store.Get(ctx, pack)
	if err != nil {
		return Written{}, err
	}
	var builder Builder
	for _, place := range all {
		if !keep(place.Name) {
			continue
		}
		if place.Offset+place.Length > int64(len(data)) {
			return Written{}, damaged(pack, "it ends before %q", place.Name)
		}
		piece, err := readPiece(place, data[place.Offset:place.Offset+place.Length])
		if err != nil {
			return Written{}, err
		}
		if !builder.Add(place.Name, piece) {
			return Written{}, damaged(pack, "%q comes twice, or is too large", place.Name)
		}
	}
	if builder.Count() == 0 {
		return Written{}, nil
	}
	return builder.Write(ctx, r.store, prefix)
}
