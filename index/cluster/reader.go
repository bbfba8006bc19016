package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/cluster/document"
	"mekiki/index/cluster/engine"
	"mekiki/index/cluster/form"
	"mekiki/index/cluster/objects"
	"mekiki/index/cluster/uploaded"
	"mekiki/index/content"
)

// Reader shows the library as it is whenever it is asked. The spaces, the number of the last
// change and the counts are of when it was made.
type Reader struct {
	library  *Library
	state    *form.State
	sequence uint64
	counts   map[index.Kind]int // shared, as filled is
	filled   map[int]int        // records with vectors, by space
	closed   atomic.Bool

	// known are records that this reader was given already: who finds one asks for it next.
	mutex sync.Mutex
	known map[index.ID]*form.Record
}

var _ index.Reader = (*Reader)(nil)

// Reader implements [index.Source]. It asks the engine for the counts, so that it fails
// where the engine does not answer.
func (l *Library) Reader(ctx context.Context) (index.Reader, error) {
	if err := l.usable(ctx); err != nil {
		return nil, err
	}
	known, err := l.current(ctx)
	if err != nil {
		return nil, err
	}
	if err := l.own(known.state); err != nil {
		return nil, err
	}
	total, err := l.total(ctx, known)
	if err != nil {
		return nil, err
	}
	return &Reader{library: l, state: known.state, sequence: known.sequence, counts: total.counts, filled: total.filled}, nil
}

// Close implements [index.Reader].
func (r *Reader) Close() error {
	r.closed.Store(true)
	return nil
}

func (r *Reader) usable(ctx context.Context) error {
	if r.closed.Load() {
		return index.ErrClosed
	}
	return r.library.usable(ctx)
}

// Sequence implements [index.Reader].
func (r *Reader) Sequence() uint64 { return r.sequence }

// Count implements [index.Reader].
func (r *Reader) Count(kind index.Kind) int { return r.counts[kind] }

// Space implements [index.Reader].
func (r *Reader) Space() (embed.Space, bool) {
	serving, there := r.state.Numbered(r.state.Serving)
	return serving.Embed(), there
}

// Spaces implements [index.Reader].
func (r *Reader) Spaces() []index.SpaceState {
	var states []index.SpaceState
	for _, space := range r.state.Spaces {
		states = append(states, index.SpaceState{
			Space: space.Embed(), Number: space.Number, Serving: space.Number == r.state.Serving, Previous: space.Number == r.state.Previous,
			Records: r.filled[space.Number], Total: r.counts[0], Added: space.Added,
		})
	}
	return states
}

// query begins a query of the collection that serves.
func (r *Reader) query(condition engine.Condition, limit int) engine.Query {
	return engine.Query{Collection: r.state.Collection, Replicated: r.library.replicated(), Where: condition, Limit: limit}
}

// find gives the records that queries find, and remembers them.
func (r *Reader) find(ctx context.Context, queries ...engine.Query) ([][]*form.Record, error) {
	answers, err := r.library.memory.Find(ctx, queries...)
	for _, records := range answers {
		r.note(records)
	}
	return answers, err
}

// read gives the records that a query finds, few of which are remembered, and remembers them.
func (r *Reader) read(ctx context.Context, query engine.Query) ([]*form.Record, error) {
	records, err := r.library.memory.Read(ctx, query)
	r.note(records)
	return records, err
}

func (r *Reader) note(records []*form.Record) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.known == nil || len(r.known)+len(records) > remembered {
		r.known = map[index.ID]*form.Record{}
	}
	for _, record := range records {
		r.known[record.ID] = record
	}
}

// fetch gives the records that have one of some values of a property.
func (r *Reader) fetch(ctx context.Context, property string, values []string) ([]*form.Record, error) {
	slices.Sort(values)
	values = slices.Compact(values)
	var records []*form.Record
	for chunk := range slices.Chunk(values, pageOfObjects) {
		found, err := r.read(ctx, r.query(engine.OneOf(property, chunk), engine.MaximumResults))
		if err != nil {
			return nil, err
		}
		records = append(records, found...)
	}
	return records, nil
}

// byID gives records with where their vectors are.
func (r *Reader) byID(ctx context.Context, ids []index.ID) (map[index.ID]*form.Record, error) {
	if err := r.usable(ctx); err != nil {
		return nil, err
	}
	byID := make(map[index.ID]*form.Record, len(ids))
	var uuids []string
	r.mutex.Lock()
	for _, id := range ids {
		if record := r.known[id]; record != nil {
			byID[id] = record
		} else if id != 0 && id <= maximumID {
			uuids = append(uuids, form.UUID(id))
		}
	}
	r.mutex.Unlock()
	records, err := r.fetch(ctx, "id", uuids)
	if err != nil {
		return nil, err
	}
	for _, record := range records {
		byID[record.ID] = record
	}
	return byID, nil
}

// Records implements [index.Reader].
func (r *Reader) Records(ctx context.Context, ids []index.ID) ([]*index.Record, error) {
	byID, err := r.byID(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read records: %w", err)
	}
	records := make([]*index.Record, len(ids))
	for i, id := range ids {
		if found := byID[id]; found != nil {
			records[i] = &found.Record
		}
	}
	return records, nil
}

// RecordsByPath implements [index.Reader].
func (r *Reader) RecordsByPath(ctx context.Context, paths []string) ([]*index.Record, error) {
	if err := r.usable(ctx); err != nil {
		return nil, err
	}
	found, err := r.fetch(ctx, document.Paths, document.Texts(paths))
	if err != nil {
		return nil, fmt.Errorf("look for paths: %w", err)
	}
	byPath := map[string]*index.Record{}
	for _, one := range found {
		for _, path := range one.Paths() {
			byPath[path] = &one.Record
		}
	}
	records := make([]*index.Record, len(paths))
	for i, path := range paths {
		records[i] = byPath[path]
	}
	return records, nil
}

// RecordsByHash implements [index.Reader].
func (r *Reader) RecordsByHash(ctx context.Context, hashes []index.Hash) ([]*index.Record, error) {
	if err := r.usable(ctx); err != nil {
		return nil, err
	}
	values := make([]string, len(hashes))
	for i, hash := range hashes {
		values[i] = hash.String()
	}
	found, err := r.fetch(ctx, document.Hash, values)
	if err != nil {
		return nil, fmt.Errorf("look for contents: %w", err)
	}
	byHash := map[index.Hash]*index.Record{}
	for _, one := range found {
		byHash[one.Hash] = &one.Record
	}
	records := make([]*index.Record, len(hashes))
	for i, hash := range hashes {
		records[i] = byHash[hash]
	}
	return records, nil
}

// Purged implements [index.Reader].
func (r *Reader) Purged(ctx context.Context, hashes []index.Hash) ([]bool, error) {
	if err := r.usable(ctx); err != nil {
		return nil, err
	}
	if len(hashes) == 0 {
		return nil, nil
	}
	kept := map[string][]string{}
	for info, err := range r.library.store.List(ctx, form.KeptPrefix) {
		if err != nil {
			return nil, fmt.Errorf("list what is kept: %w", err)
		}
		hash, _, _ := strings.Cut(strings.TrimPrefix(info.Key, form.KeptPrefix), "-")
		kept[hash] = append(kept[hash], info.Key)
	}
	purged := make([]bool, len(hashes))
	for i, hash := range hashes {
		for _, key := range kept[hash.String()] {
			var read index.Kept
			if _, err := r.library.readJSON(ctx, key, &read); err != nil {
				return nil, err
			}
			purged[i] = purged[i] || read.Purged
		}
	}
	return purged, nil
}

// readJSON reads an object; false where it is not there, or not any more. One that is damaged
// is not there either, lest it hide the others: the log is told of it.
func (l *Library) readJSON(ctx context.Context, key string, into any) (bool, error) {
	data, err := l.store.Get(ctx, key)
	if errors.Is(err, objects.ErrAbsent) {
		return false, nil
	}
	if err == nil {
		if wrong := json.Unmarshal(data, into); wrong != nil {
			err = fmt.Errorf("%w: %w", index.ErrDamaged, wrong)
		}
	}
	if errors.Is(err, index.ErrDamaged) {
		l.logger.Warn("an object of the store is damaged, and left out", "object", key, "what", err)
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read %s: %w", key, err)
	}
	return true, nil
}

// All implements [index.Reader]. Records that come and go meanwhile may be among them or not.
func (r *Reader) All(ctx context.Context) iter.Seq2[*index.Record, error] {
	return func(yield func(*index.Record, error) bool) {
		for record, err := range r.scan(ctx) {
			if err != nil {
				yield(nil, fmt.Errorf("list records: %w", err))
				return
			}
			if !yield(&record.Record, nil) {
				return
			}
		}
	}
}

// scan goes through all records in order of ID.
func (r *Reader) scan(ctx context.Context) iter.Seq2[*form.Record, error] {
	return func(yield func(*form.Record, error) bool) {
		for after := engine.FirstID; ; {
			if err := r.usable(ctx); err != nil {
				yield(nil, err)
				return
			}
			query := r.query(engine.Condition{}, pageOfObjects)
			query.After = after
			records, err := r.read(ctx, query)
			for _, record := range records {
				if err = ctx.Err(); err != nil {
					break
				}
				if !yield(record, nil) {
					return
				}
				after = form.UUID(record.ID)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if len(records) == 0 {
				return
			}
		}
	}
}

// vectorsOf reads what belongs to records in the serving space.
func vectorsOf[V any](ctx context.Context, r *Reader, ids []index.ID, read func(context.Context, embed.Space, *form.Record, form.Vectors) (V, error)) ([]V, error) {
	byID, err := r.byID(ctx, ids)
	if err != nil {
		return nil, err
	}
	serving, _ := r.state.Numbered(r.state.Serving)
	found := make([]V, len(ids))
	err = each(ctx, len(ids), func(ctx context.Context, i int) error {
		record := byID[ids[i]]
		if record == nil {
			return nil
		}
		vectors, has := record.Spaces[serving.Number]
		if !has {
			return nil
		}
		one, err := read(ctx, serving.Embed(), record, vectors)
		if errors.Is(err, objects.ErrAbsent) || errors.Is(err, index.ErrDamaged) {
			r.library.logger.Warn("what a record has is missing or damaged", "record", record.ID, "what", err, "try", "mekiki cluster check")
			return nil
		}
		found[i] = one
		return err
	})
	return found, err
}

// Parts implements [index.Reader].
func (r *Reader) Parts(ctx context.Context, ids []index.ID) ([]embed.Parts, error) {
	byID, err := r.byID(ctx, ids)
	if err != nil {
		return nil, err
	}
	records := make([]*form.Record, len(ids))
	for i, id := range ids {
		records[i] = byID[id]
	}
	serving, _ := r.state.Numbered(r.state.Serving)
	return r.library.memory.PartsOf(ctx, records, serving)
}

// Tokens implements [index.Reader].
func (r *Reader) Tokens(ctx context.Context, ids []index.ID) ([]embed.ImageTokens, error) {
	return vectorsOf(ctx, r, ids, func(ctx context.Context, space embed.Space, record *form.Record, v form.Vectors) (embed.ImageTokens, error) {
		if v.Tokens == "" {
			return embed.ImageTokens{}, nil
		}
		packed, err := r.library.store.Get(ctx, form.TokenKey(space, record.Hash, v.Tokens))
		if err != nil {
			return embed.ImageTokens{}, err
		}
		tokens, err := embed.Unpack(packed)
		if err != nil {
			return embed.ImageTokens{}, fmt.Errorf("%w: %w", index.ErrDamaged, err)
		}
		return tokens, nil
	})
}

// HaveParts implements [index.Reader].
func (r *Reader) HaveParts(ctx context.Context, space embed.Space, ids []index.ID) ([]bool, error) {
	byID, err := r.byID(ctx, ids)
	if err != nil {
		return nil, err
	}
	wanted, known := r.state.Of(space)
	have := make([]bool, len(ids))
	for i, id := range ids {
		if record := byID[id]; known && record != nil {
			_, have[i] = record.Spaces[wanted.Number]
		}
	}
	return have, nil
}

// Failures implements [index.Reader].
func (r *Reader) Failures(ctx context.Context) ([]index.Failure, error) {
	keys, err := r.keys(ctx, form.FailurePrefix)
	if err != nil {
		return nil, err
	}
	failures, err := r.readFailures(ctx, keys)
	if err != nil {
		return nil, err
	}
	var list []index.Failure
	for _, failure := range failures {
		if failure != nil {
			list = append(list, *failure)
		}
	}
	slices.SortFunc(list, func(a, b index.Failure) int { return strings.Compare(a.File.Path, b.File.Path) })
	return list, nil
}

// keys lists the objects with a prefix.
func (r *Reader) keys(ctx context.Context, prefix string) ([]string, error) {
	if err := r.usable(ctx); err != nil {
		return nil, err
	}
	var keys []string
	for info, err := range r.library.store.List(ctx, prefix) {
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", prefix, err)
		}
		keys = append(keys, info.Key)
	}
	return keys, nil
}

func (r *Reader) readFailures(ctx context.Context, keys []string) ([]*index.Failure, error) {
	failures := make([]*index.Failure, len(keys))
	err := each(ctx, len(keys), func(ctx context.Context, i int) error {
		var read form.Failure
		there, err := r.library.readJSON(ctx, keys[i], &read)
		if there && err == nil {
			failure := read.Value()
			failures[i] = &failure
		}
		return err
	})
	return failures, err
}

// FailuresOf implements [index.Reader].
func (r *Reader) FailuresOf(ctx context.Context, paths []string) ([]*index.Failure, error) {
	if err := r.usable(ctx); err != nil || len(paths) == 0 {
		return nil, err
	}
	there, err := r.keys(ctx, form.FailurePrefix)
	if err != nil {
		return nil, err
	}
	found := make([]*index.Failure, len(paths))
	var keys []string
	var places []int
	for i, path := range paths {
		if _, is := slices.BinarySearch(there, form.FailureKey(path)); is {
			keys, places = append(keys, form.FailureKey(path)), append(places, i)
		}
	}
	failures, err := r.readFailures(ctx, keys)
	for i, failure := range failures {
		found[places[i]] = failure
	}
	return found, err
}

// SavedSearches implements [index.Reader].
func (r *Reader) SavedSearches(ctx context.Context) ([]index.SavedSearch, error) {
	keys, err := r.keys(ctx, form.SearchPrefix)
	if err != nil {
		return nil, err
	}
	searches := make([]*index.SavedSearch, len(keys))
	err = each(ctx, len(keys), func(ctx context.Context, i int) error {
		var read index.SavedSearch
		there, err := r.library.readJSON(ctx, keys[i], &read)
		if there {
			searches[i] = &read
		}
		return err
	})
	var list []index.SavedSearch
	for _, search := range searches {
		if search != nil {
			list = append(list, *search)
		}
	}
	slices.SortFunc(list, func(a, b index.SavedSearch) int { return strings.Compare(a.Name, b.Name) })
	return list, err
}

// Thumbnail implements [index.Reader]. One that is missing or damaged is made again from
// the original, where this machine has that.
func (r *Reader) Thumbnail(ctx context.Context, id index.ID) ([]byte, error) {
	byID, err := r.byID(ctx, []index.ID{id})
	if err != nil {
		return nil, fmt.Errorf("thumbnail of record %d: %w", id, err)
	}
	record := byID[id]
	if record == nil || record.Kind != index.KindImage {
		return nil, fmt.Errorf("thumbnail of record %d: %w", id, index.ErrNotFound)
	}
	key := form.ThumbnailKey(record)
	jpeg, err := r.library.store.Get(ctx, key)
	if errors.Is(err, objects.ErrAbsent) || errors.Is(err, index.ErrDamaged) {
		if jpeg, err = r.makeThumbnail(ctx, &record.Record); err == nil {
			if unkept := r.library.store.Put(ctx, key, jpeg); unkept != nil {
				r.library.logger.Warn("a thumbnail that was made again is not kept", "record", id, "error", unkept)
			}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("thumbnail of record %d: %w", id, err)
	}
	return jpeg, nil
}

func (r *Reader) makeThumbnail(ctx context.Context, record *index.Record) ([]byte, error) {
	file, err := uploaded.Open(ctx, r.library.store, record)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return content.ThumbnailOf(ctx, r.library.decoder, file)
}

// OpenOriginal implements [index.Reader]. The original is a file that this machine sees at
// the path that the ingester saw it at, or what was uploaded, in the store.
func (r *Reader) OpenOriginal(ctx context.Context, id index.ID) (io.ReadSeekCloser, error) {
	byID, err := r.byID(ctx, []index.ID{id})
	if err != nil {
		return nil, fmt.Errorf("original of record %d: %w", id, err)
	}
	record := byID[id]
	if record == nil {
		return nil, fmt.Errorf("original of record %d: %w", id, index.ErrNotFound)
	}
	return uploaded.Open(ctx, r.library.store, &record.Record)
}
