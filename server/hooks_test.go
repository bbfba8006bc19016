package server

import (
	"context"
	"iter"
	"slices"
	"sync"
	"sync/atomic"

	"mekiki/index"
	"mekiki/index/ingest"
	"mekiki/index/ingest/report"
	"mekiki/search/contract"
	"mekiki/server/queries"
)

// countedLibrary is a library that counts the readers that are open.
type countedLibrary struct {
	index.Library
	open atomic.Int64
}

func (l *countedLibrary) Reader(ctx context.Context) (index.Reader, error) {
	reader, err := l.Library.Reader(ctx)
	if err != nil {
		return nil, err
	}
	l.open.Add(1)
	return countedReader{reader, l}, nil
}

type countedReader struct {
	index.Reader
	library *countedLibrary
}

func (r countedReader) Close() error {
	r.library.open.Add(-1)
	return r.Reader.Close()
}

// hook is called first, if it is set, and may wait, fail or panic.
type hook func(ctx context.Context) error

func (h hook) call(ctx context.Context) error {
	if h == nil {
		return nil
	}
	return h(ctx)
}

// hookedSearcher is a real searcher that a test can delay, fail and ask what it was asked.
type hookedSearcher struct {
	queries.Searcher
	before    hook
	streaming error // what a stream ends with after its first answer

	mutex    sync.Mutex
	requests []contract.Request
}

func (s *hookedSearcher) lastRequest() contract.Request {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Concat([]contract.Request{{}}, s.requests)[len(s.requests)]
}

func (s *hookedSearcher) called(ctx context.Context, request contract.Request) error {
	s.mutex.Lock()
	s.requests = append(s.requests, request)
	s.mutex.Unlock()
	return s.before.call(ctx)
}

func (s *hookedSearcher) Search(ctx context.Context, request contract.Request) (contract.Response, error) {
	if err := s.called(ctx, request); err != nil {
		return contract.Response{}, err
	}
	return s.Searcher.Search(ctx, request)
}

func (s *hookedSearcher) Similar(ctx context.Context, request contract.Request) (contract.Response, error) {
	if err := s.called(ctx, request); err != nil {
		return contract.Response{}, err
	}
	return s.Searcher.Similar(ctx, request)
}

func (s *hookedSearcher) Stream(ctx context.Context, request contract.Request) iter.Seq2[contract.Response, error] {
	return func(yield func(contract.Response, error) bool) {
		if err := s.called(ctx, request); err != nil {
			yield(contract.Response{}, err)
			return
		}
		for response, err := range s.Searcher.Stream(ctx, request) {
			if !yield(response, err) {
				return
			}
			if s.streaming != nil {
				yield(contract.Response{}, s.streaming)
				return
			}
		}
	}
}

// hookedIngester is a real ingester that a test can delay and fail.
type hookedIngester struct {
	Ingester
	before hook
}

func (i *hookedIngester) Ingest(ctx context.Context, options ingest.Options) (report.Summary, error) {
	if err := i.before.call(ctx); err != nil {
		return report.Summary{}, err
	}
	return i.Ingester.Ingest(ctx, options)
}
