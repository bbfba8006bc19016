package recall

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/cluster/engine"
	"mekiki/index/cluster/form"
	"mekiki/index/cluster/objects"
	"mekiki/index/local/keywords"
	"mekiki/index/local/segment"
	"mekiki/internal/lru"
)

// Memory is what a process remembers. Its methods may be called from any goroutine; what
// they give is shared, so read it and never write to it.
type Memory struct {
	store  objects.Store
	engine *engine.Client
	logger *slog.Logger
	now    func() time.Time

	records *lru.Cache[string, *form.Record]
	vectors *lru.Cache[string, embed.Parts]
	terms   *lru.Cache[change, map[string][]string]
	counts  *lru.Cache[countKey, count]
}

// New makes an empty memory of what a store and an engine have. Now is the clock.
func New(store objects.Store, client *engine.Client, logger *slog.Logger, now func() time.Time) *Memory {
	return &Memory{
		store: store, engine: client, logger: logger, now: now,
		records: lru.New[string, *form.Record](recordBytes), vectors: lru.New[string, embed.Parts](vectorBytes),
		terms: lru.New[change, map[string][]string](termBytes), counts: lru.New[countKey, count](countBytes),
	}
}

// Parts gives the vectors of an object of the store.
func (m *Memory) Parts(ctx context.Context, key string) (embed.Parts, error) {
	if parts, there := m.vectors.Get(key); there {
		return parts, nil
	}
	data, err := m.store.Get(ctx, key)
	if err != nil {
		return embed.Parts{}, err
	}
	parts, err := segment.DecodeVectors(data)
	if err != nil {
		return embed.Parts{}, err
	}
	m.vectors.Put(key, parts, int64(4*len(parts.Values))+int64(len(key))+100)
	return parts, nil
}

// PartsOf gives the vectors of records in a space: none for those that have none there, and for
// those whose vectors are missing or damaged, of which the log is told.
func (m *Memory) PartsOf(ctx context.Context, records []*form.Record, space form.Space) ([]embed.Parts, error) {
	parts := make([]embed.Parts, len(records))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, record := range records {
		if record == nil {
			continue
		}
		vectors, has := record.Spaces[space.Number]
		if !has {
			continue
		}
		key := form.VectorKey(space.Embed(), record.Hash, vectors.Vectors)
		if known, there := m.vectors.Get(key); there {
			parts[i] = known
			continue
		}
		group.Go(func() (err error) {
			if parts[i], err = m.Parts(ctx, key); IsLost(err) {
				m.logger.Warn("the vectors of a record are missing or damaged", "record", record.ID, "what", err, "try", "mekiki cluster check")
				return nil
			}
			return err
		})
	}
	return parts, group.Wait()
}

// IsLost reports whether an error says that an object is missing or damaged, and not that the store is.
func IsLost(err error) bool {
	return errors.Is(err, objects.ErrAbsent) || errors.Is(err, index.ErrDamaged)
}

// change is a record as it was at a change.
type change struct {
	id       index.ID
	sequence uint64
}

// Terms gives the terms of a record's fields. Finding them takes longer than reading the
// record does.
func (m *Memory) Terms(record *form.Record) map[string][]string {
	key := change{record.ID, record.Sequence}
	if terms, known := m.terms.Get(key); known {
		return terms
	}
	d := keywords.DocumentOf(&record.Record)
	terms, cost := d.AllTerms(), int64(100)
	for _, list := range terms {
		cost += 100
		for _, term := range list {
			cost += 16 + int64(len(term))
		}
	}
	m.terms.Put(key, terms, cost)
	return terms
}
