package keyword

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/query"
	index "github.com/blevesearch/bleve_index_api"

	"mekiki/index/keyword/lists"
)

// Reader finds documents of an index as it was when the reader was made, whatever
// is applied later. Its methods are safe for concurrent use. While it is open it
// keeps what it reads: files that were merged into others since, and documents that
// were not on disk yet. Close it when done.
type Reader struct {
	owner     *Index
	documents index.IndexReader

	// segments gives the segments of documents.
	segments func() []lists.Segment

	mutex  sync.Mutex
	users  int // searches under way, and one until Close
	closed bool
}

// Reader gives the present content. The error is [ErrUnusable] when the index is
// closed.
func (x *Index) Reader() (*Reader, error) {
	x.mutex.RLock()
	defer x.mutex.RUnlock()
	if x.closed {
		return nil, fmt.Errorf("read keyword index: %w", ErrUnusable)
	}
	advanced, err := x.bleve.Advanced()
	if err != nil {
		return nil, fmt.Errorf("read keyword index: %w", err)
	}
	documents, err := advanced.Reader()
	if err != nil {
		return nil, fmt.Errorf("read keyword index: %w", err)
	}
	reader := &Reader{owner: x, documents: documents, users: 1}
	reader.segments = sync.OnceValue(func() []lists.Segment { return x.ids.Segments(documents) })
	x.readersMutex.Lock()
	defer x.readersMutex.Unlock()
	if x.readers == nil {
		x.readers = map[*Reader]bool{}
	}
	x.readers[reader] = true
	return reader, nil
}

// Close lets go of what the reader keeps, once searches under way are done, for which
// it does not wait. Searching afterwards is [ErrUnusable]; closing twice does nothing.
func (r *Reader) Close() error {
	r.owner.readersMutex.Lock()
	delete(r.owner.readers, r)
	r.owner.readersMutex.Unlock()
	r.mutex.Lock()
	again := r.closed
	r.closed = true
	r.mutex.Unlock()
	if again {
		return nil
	}
	return r.release()
}

// retain keeps the reader open during a search.
func (r *Reader) retain() error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.closed {
		return ErrUnusable
	}
	r.users++
	return nil
}

func (r *Reader) release() error {
	r.mutex.Lock()
	r.users--
	last := r.users == 0
	r.mutex.Unlock()
	if !last {
		return nil
	}
	if err := r.documents.Close(); err != nil {
		return fmt.Errorf("close reader of keyword index: %w", err)
	}
	return nil
}

// Same reports whether two readers read the same files.
func (r *Reader) Same(other *Reader) bool { return r.documents == other.documents }

// OpenReaders is the number of readers that are not closed.
func (x *Index) OpenReaders() int {
	x.readersMutex.Lock()
	defer x.readersMutex.Unlock()
	return len(x.readers)
}

// closeReaders closes all readers. None is made any more.
func (x *Index) closeReaders() error {
	x.readersMutex.Lock()
	open := x.readers
	x.readers = nil
	x.readersMutex.Unlock()
	var problems []error
	for reader := range open {
		problems = append(problems, reader.Close())
	}
	return errors.Join(problems...)
}

// Search gives the best hits, equal scores in order of ID.
func (r *Reader) Search(ctx context.Context, q Query) ([]Hit, error) {
	r.owner.mutex.RLock() // closing the index waits
	defer r.owner.mutex.RUnlock()
	err := r.retain()
	var hits []Hit
	if err == nil {
		hits, err = r.search(ctx, q)
		err = errors.Join(err, r.release())
	}
	if err != nil {
		return nil, fmt.Errorf("search keyword index: %w", err)
	}
	return hits, nil
}

// Prepare reads what makes the first search for a word that very many documents have as fast as later ones. It may be left out.
func (r *Reader) Prepare(ctx context.Context) error {
	r.owner.mutex.RLock()
	defer r.owner.mutex.RUnlock()
	err := r.retain()
	if err != nil {
		return err
	}
	for _, segment := range r.segments() {
		if err = segment.Prepare(ctx); err != nil {
			break
		}
	}
	if err = errors.Join(err, r.release()); err != nil {
		return fmt.Errorf("prepare keyword index: %w", err)
	}
	return nil
}

func (r *Reader) search(ctx context.Context, q Query) (hits []Hit, err error) {
	count, err := r.documents.DocCount()
	if err != nil {
		return nil, err
	}
	ctx = search.ContextWithTermSearchersCounter(withScoring(ctx, count))
	best := &collector{limit: max(q.Limit, 0), allow: q.Allow, reader: r.documents}
	var terms []*term
	if len(q.Phrases)+len(q.Exclude) == 0 {
		if terms, err = r.bestOfWords(ctx, q, count, best); err != nil {
			return nil, err
		}
	}
	if terms == nil {
		if err := r.each(ctx, build(q, best), search.SearcherOptions{}, best.offer); err != nil {
			return nil, err
		}
	}
	hits = best.hits()
	switch {
	case !q.Matches || len(hits) == 0:
	case terms != nil:
		err = findPlaces(terms, best.best, hits)
	default:
		err = r.findMatches(ctx, q, hits)
	}
	return hits, err
}

// each gives every match of a query to visit, in the order of documents. A match is
// good during the visit only.
func (r *Reader) each(ctx context.Context, wanted query.Query, options search.SearcherOptions, visit func(*search.DocumentMatch) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	searcher, err := wanted.Searcher(ctx, r.documents, r.owner.bleve.Mapping(), options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, searcher.Close()) }()
	searching := &search.SearchContext{
		DocumentMatchPool: search.NewDocumentMatchPool(searcher.DocumentMatchPoolSize()+1, 0),
		IndexReader:       r.documents,
	}
	for number := 1; ; number++ {
		match, err := searcher.Next(searching)
		if err != nil || match == nil {
			return err
		}
		if err := visit(match); err != nil {
			return err
		}
		searching.DocumentMatchPool.Put(match)
		if number%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// findMatches asks again for the hits alone, to say where the words are: finding
// that out for every document would take longer than scoring it.
func (r *Reader) findMatches(ctx context.Context, q Query, hits []Hit) error {
	q.Filter = Filter{}
	places := make(map[uint64]int, len(hits))
	for i, hit := range hits {
		q.Filter.IDs = append(q.Filter.IDs, hit.ID)
		places[hit.ID] = i
	}
	return r.each(ctx, build(q, nil), search.SearcherOptions{IncludeTermVectors: true}, func(match *search.DocumentMatch) error {
		external, err := r.documents.ExternalID(match.IndexInternalID)
		if err != nil {
			return err
		}
		id, err := idOf(external)
		if err != nil {
			return err
		}
		if place, wanted := places[id]; wanted {
			match.Complete(nil)
			hits[place].Matches = matchesOf(match.Locations)
		}
		return nil
	})
}

// withScoring tells bleve to score by BM25, with the number of documents and the
// fixed average lengths of the fields.
func withScoring(ctx context.Context, documents uint64) context.Context {
	stats := &search.BM25Stats{DocCount: float64(documents), FieldCardinality: map[string]int{}}
	for _, field := range wordFields() {
		stats.FieldCardinality[field.name] = field.length * int(documents)
	}
	for _, name := range append(exactFilters(), filterDate, filterRating, filterLocation) {
		stats.FieldCardinality[name] = int(documents)
	}
	// bleve joins filters of several lists into one that names no field.
	stats.FieldCardinality["*"] = int(documents)
	ctx = context.WithValue(ctx, search.BM25StatsKey, stats)
	return context.WithValue(ctx, search.GetScoringModelCallbackKey,
		search.GetScoringModelCallbackFn(func() string { return index.BM25Scoring }))
}
