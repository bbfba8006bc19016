package server

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mekiki/index"
	"mekiki/index/ingest"
	"mekiki/search"
)

// memoryLibrary is a library in memory, for tests of the server alone; the
// end-to-end tests use a real one.
type memoryLibrary struct {
	mutex    sync.Mutex
	sequence uint64
	last     index.ID
	records  map[index.ID]*index.Record
	failures []index.Failure
	broken   error // of Snapshot
	open     int   // snapshots not closed
}

func newMemoryLibrary() *memoryLibrary { return &memoryLibrary{records: map[index.ID]*index.Record{}} }

func (l *memoryLibrary) put(record index.Record) index.ID {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for id, known := range l.records {
		if known.Hash == record.Hash {
			return id
		}
	}
	l.last++
	l.sequence++
	record.ID, record.Sequence = l.last, l.sequence
	if record.Added.IsZero() {
		record.Added = time.Now()
	}
	l.records[record.ID] = &record
	return record.ID
}

func (l *memoryLibrary) Snapshot() (Snapshot, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.broken != nil {
		return nil, l.broken
	}
	l.open++
	records := make([]*index.Record, 0, len(l.records))
	for _, record := range l.records {
		records = append(records, record)
	}
	slices.SortFunc(records, func(a, b *index.Record) int { return cmp.Compare(a.ID, b.ID) })
	return &memorySnapshot{library: l, sequence: l.sequence, records: records, failures: l.failures}, nil
}

func (l *memoryLibrary) Write(_ context.Context, batch index.Batch) (index.WriteResult, error) {
	var result index.WriteResult
	for _, put := range batch.Puts {
		result.IDs = append(result.IDs, l.put(put.Record))
	}
	for _, change := range batch.Tags {
		l.change(change.ID, func(record *index.Record) {
			record.Tags = append(record.Tags, change.Add...)
			record.Tags = slices.DeleteFunc(record.Tags, func(tag string) bool { return slices.Contains(change.Remove, tag) })
		})
	}
	return result, nil
}

// change replaces a record by a changed copy, as snapshots share records.
func (l *memoryLibrary) change(id index.ID, edit func(*index.Record)) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if known := l.records[id]; known != nil {
		copied := *known
		copied.Tags = slices.Clone(known.Tags)
		edit(&copied)
		slices.Sort(copied.Tags)
		copied.Tags = slices.Compact(copied.Tags)
		l.sequence++
		l.records[id] = &copied
	}
}

func (l *memoryLibrary) Tag(ctx context.Context, ids []index.ID, tags ...string) error {
	for _, id := range ids {
		l.change(id, func(record *index.Record) { record.Tags = append(record.Tags, tags...) })
	}
	return nil
}

func (l *memoryLibrary) Untag(ctx context.Context, ids []index.ID, tags ...string) error {
	for _, id := range ids {
		l.change(id, func(record *index.Record) {
			record.Tags = slices.DeleteFunc(record.Tags, func(tag string) bool { return slices.Contains(tags, tag) })
		})
	}
	return nil
}

func (l *memoryLibrary) Remove(_ context.Context, ids ...index.ID) error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for _, id := range ids {
		delete(l.records, id)
	}
	l.sequence++
	return nil
}

type memorySnapshot struct {
	library  *memoryLibrary
	sequence uint64
	records  []*index.Record
	failures []index.Failure
}

func (s *memorySnapshot) Sequence() uint64 { return s.sequence }

func (s *memorySnapshot) Count(kind index.Kind) int {
	count := 0
	for _, record := range s.records {
		if kind == 0 || record.Kind == kind {
			count++
		}
	}
	return count
}

func (s *memorySnapshot) find(matches func(*index.Record) bool) (*index.Record, bool) {
	if i := slices.IndexFunc(s.records, matches); i >= 0 {
		return s.records[i], true
	}
	return nil, false
}

func (s *memorySnapshot) Record(id index.ID) (*index.Record, bool) {
	return s.find(func(record *index.Record) bool { return record.ID == id })
}

func (s *memorySnapshot) RecordByHash(hash index.Hash) (*index.Record, bool) {
	return s.find(func(record *index.Record) bool { return record.Hash == hash })
}

func (s *memorySnapshot) Records(_ context.Context, filter index.Filter, page index.Page) ([]*index.Record, int, error) {
	var found []*index.Record
	for _, record := range s.records {
		if (len(filter.Kinds) == 0 || slices.Contains(filter.Kinds, record.Kind)) &&
			(len(filter.Tags) == 0 || slices.ContainsFunc(filter.Tags, func(tag string) bool { return slices.Contains(record.Tags, tag) })) {
			found = append(found, record)
		}
	}
	switch page.Order {
	case index.OrderNewest:
		slices.Reverse(found)
	case index.OrderDateDescending:
		slices.SortStableFunc(found, func(a, b *index.Record) int { return b.Date().Compare(a.Date()) })
	case index.OrderDateAscending:
		slices.SortStableFunc(found, func(a, b *index.Record) int { return a.Date().Compare(b.Date()) })
	}
	start := min(page.Offset, len(found))
	end := len(found)
	if page.Limit > 0 {
		end = min(start+page.Limit, len(found))
	}
	return found[start:end], len(found), nil
}

func (s *memorySnapshot) All() iter.Seq[*index.Record] { return slices.Values(s.records) }

func (s *memorySnapshot) Facets(context.Context, index.Filter) (index.Facets, error) {
	tags := map[string]int{}
	for _, record := range s.records {
		for _, tag := range record.Tags {
			tags[tag]++
		}
	}
	facets := index.Facets{
		Total: len(s.records), Kinds: []index.FacetCount{{Value: "image", Count: s.Count(index.KindImage)}},
		Folders: []index.FacetCount{{Value: "/pictures/new york", Count: 2}}, Cameras: []index.FacetCount{{Value: "Nikon Z 6", Count: 1}},
		Formats: []index.FacetCount{{Value: "jpeg", Count: 2}}, Years: []index.FacetCount{{Value: "2024", Count: 2}},
	}
	for tag, count := range tags {
		facets.Tags = append(facets.Tags, index.FacetCount{Value: tag, Count: count})
	}
	slices.SortFunc(facets.Tags, func(a, b index.FacetCount) int { return strings.Compare(a.Value, b.Value) })
	return facets, nil
}

func (s *memorySnapshot) Failures() []index.Failure { return s.failures }

func (s *memorySnapshot) Thumbnail(context.Context, index.ID) ([]byte, error) {
	return jpegOf(8, 8), nil
}

func (s *memorySnapshot) OpenOriginal(id index.ID) (*os.File, error) {
	record, found := s.Record(id)
	if !found || record.Path() == "" {
		return nil, index.ErrNotFound
	}
	return os.Open(record.Path())
}

func (s *memorySnapshot) Close() error {
	s.library.mutex.Lock()
	defer s.library.mutex.Unlock()
	s.library.open--
	return nil
}

// scriptedSearcher gives the same hits to every question. before, if set, is
// called first and may wait or fail.
type scriptedSearcher struct {
	before func(ctx context.Context) error

	mutex     sync.Mutex
	requests  []search.Request
	lookups   []search.LookupRequest
	streaming []error // errors to yield after the first answer
}

func (s *scriptedSearcher) note(ctx context.Context, request search.Request) error {
	s.mutex.Lock()
	s.requests = append(s.requests, request)
	before := s.before
	s.mutex.Unlock()
	if before != nil {
		return before(ctx)
	}
	return nil
}

func (s *scriptedSearcher) lastRequest() search.Request {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(s.requests) == 0 {
		return search.Request{}
	}
	return s.requests[len(s.requests)-1]
}

func scriptedResponse(request search.Request, stage search.Stage) search.Response {
	taken := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	hit := search.Hit{
		Rank: 1, ID: 1, Kind: "image", Path: "/pictures/cats.jpg", Paths: []string{"/pictures/cats.jpg"}, Caption: "two cats beside a pizza", Title: "Cats",
		Format: "jpeg", Width: 640, Height: 480, Taken: &taken, Tags: []string{"cat"},
		Score: 5.8, Probability: 0.97, Verdict: search.VerdictStrong, Basis: search.BasisMatch, Reason: "looks like it",
	}
	if request.Explain {
		hit.Explanation = &search.Explanation{
			Vector: &search.Leg{Score: 0.4, Scaled: 0.8, Rank: 1, Contribution: 0.6}, Keyword: &search.Leg{},
			Fused: 0.9, FusedRank: 1, Words: []search.FieldMatch{{Field: "caption", Fragments: []string{"two «cats»"}}},
			Match: &search.MatchExplanation{Score: 5, Probability: 0.97, Clauses: []search.ClauseMatch{{Text: "two cats", Logit: 4, Raw: 0.98, Probability: 0.97}}},
		}
	}
	return search.Response{
		Query: request.Text, Understood: &search.Understood{Clauses: []string{request.Text}}, Hits: []search.Hit{hit}, Total: 1,
		Verdict: search.VerdictStrong, Stage: stage, Candidates: 3, Reranked: 3, RerankPlanned: 3, Warnings: []string{"a warning"},
	}
}

func (s *scriptedSearcher) Search(ctx context.Context, request search.Request) (search.Response, error) {
	if err := s.note(ctx, request); err != nil {
		return search.Response{}, err
	}
	if request.Text == "" && request.Image == nil && request.Record == 0 && request.Filter.IsZero() {
		return search.Response{}, &search.Error{Code: search.CodeEmptyRequest, Message: "nothing to look for", Remedy: "type some words"}
	}
	return scriptedResponse(request, search.StageReranked), nil
}

func (s *scriptedSearcher) Similar(ctx context.Context, request search.Request) (search.Response, error) {
	return s.Search(ctx, request)
}

func (s *scriptedSearcher) Stream(ctx context.Context, request search.Request) iter.Seq2[search.Response, error] {
	return func(yield func(search.Response, error) bool) {
		if _, err := s.Search(ctx, request); err != nil {
			yield(search.Response{}, err)
			return
		}
		if !yield(scriptedResponse(request, search.StageFirst), nil) {
			return
		}
		for _, err := range s.streaming {
			yield(search.Response{}, err)
			return
		}
		yield(scriptedResponse(request, search.StageReranked), nil)
	}
}

func (s *scriptedSearcher) Lookup(ctx context.Context, request search.LookupRequest) (search.LookupResponse, error) {
	s.mutex.Lock()
	s.lookups = append(s.lookups, request)
	s.mutex.Unlock()
	if request.Image == nil && request.Record == 0 {
		return search.LookupResponse{}, &search.Error{Code: search.CodeEmptyRequest, Message: "no image"}
	}
	logit, share := 3.0, 1/float64(max(1, len(request.Labels)))
	answer := search.LookupResponse{Texts: []search.TextHit{}, Verdict: search.VerdictStrong}
	for i, label := range request.Labels {
		answer.Texts = append(answer.Texts, search.TextHit{
			Rank: i + 1, Text: label, Source: search.TextSourceLabel, Probability: 0.5, Share: &share,
			Verdict: search.VerdictWeak, Basis: search.BasisMatch, ITM: &logit,
		})
	}
	if len(request.Labels) == 0 {
		answer.Texts = append(answer.Texts, search.TextHit{Rank: 1, ID: 3, Text: "a cat", Source: search.TextSourceRecord, Probability: 0.9, Verdict: search.VerdictStrong, Basis: search.BasisVector})
	}
	answer.Total = len(answer.Texts)
	return answer, nil
}

func (s *scriptedSearcher) Duplicates(_ context.Context, request search.DuplicatesRequest) (search.DuplicatesResponse, error) {
	members := []search.DuplicateMember{{ID: 1, Path: "/a.jpg", Width: 4, Height: 4, Bytes: 10, Similarity: 1}, {ID: 2, Path: "/b.jpg", Width: 2, Height: 2, Bytes: 5}}
	return search.DuplicatesResponse{Level: request.Level, Groups: []search.DuplicateGroup{{Members: members, ReclaimableBytes: 5}}, Total: 1, Examined: 2}, nil
}

// directIngester puts the files it is told of into a memory library.
type directIngester struct {
	library *memoryLibrary
	before  func(ctx context.Context) error
	fail    string // reason for which every file fails
}

func (i *directIngester) Ingest(ctx context.Context, options ingest.Options) (ingest.Summary, error) {
	var summary ingest.Summary
	if i.before != nil {
		if err := i.before(ctx); err != nil {
			return summary, err
		}
	}
	for _, root := range options.Paths {
		err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			summary.Seen++
			if i.fail != "" {
				summary.Failed++
				summary.Failures = append(summary.Failures, index.Failure{File: index.File{Path: path}, Reason: i.fail})
				return nil
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			info, err := entry.Info()
			if err != nil {
				return err
			}
			i.library.put(index.Record{
				Kind: index.KindImage, Hash: sha256.Sum256(data), Format: "jpeg", Bytes: info.Size(), Width: 4, Height: 4,
				Files: []index.File{{Path: path, Bytes: info.Size(), Modified: info.ModTime()}},
			})
			summary.Added++
			if options.Progress != nil {
				options.Progress(ingest.Progress{Seen: summary.Seen, Added: summary.Added, Path: path, Rate: 2, Remaining: time.Second})
			}
			return ctx.Err()
		})
		if err != nil {
			return summary, err
		}
	}
	return summary, nil
}

func (i *directIngester) AddTexts(_ context.Context, texts []ingest.Text) ([]index.ID, error) {
	ids := make([]index.ID, len(texts))
	for at, text := range texts {
		ids[at] = i.library.put(index.Record{
			Kind: index.KindText, Hash: sha256.Sum256([]byte(text.ID + "\x00" + text.Text)), Text: text.Text, ExternalID: text.ID, Tags: text.Tags, Fields: text.Fields,
		})
	}
	return ids, nil
}

func pictureOf(width, height int) image.Image {
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for x := range width {
		for y := range height {
			picture.Set(x, y, color.RGBA{uint8(x * 31), uint8(y * 17), 99, 255})
		}
	}
	return picture
}

func jpegOf(width, height int) []byte {
	var buffer bytes.Buffer
	if err := jpeg.Encode(&buffer, pictureOf(width, height), nil); err != nil {
		panic(err)
	}
	return buffer.Bytes()
}

func pngOf(width, height int) []byte {
	var buffer bytes.Buffer
	if err := png.Encode(&buffer, pictureOf(width, height)); err != nil {
		panic(err)
	}
	return buffer.Bytes()
}

// fill puts two images with files and a text into the library.
func (l *memoryLibrary) fill(t testing.TB, folder string) {
	t.Helper()
	for i, caption := range []string{"two cats beside a pizza", "two dogs on a red sofa"} {
		data := jpegOf(20+i, 10)
		path := filepath.Join(folder, fmt.Sprintf("Picture %d.jpg", i+1))
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		latitude, longitude := 35.6, 139.7
		l.put(index.Record{
			Kind: index.KindImage, Hash: sha256.Sum256(data), Format: "jpeg", Width: 20 + i, Height: 10, Bytes: info.Size(),
			Files: []index.File{{Path: path, Bytes: info.Size(), Modified: info.ModTime()}}, Tags: []string{"pet"},
			Captions: []index.Caption{{Text: caption, Match: 0.9, Model: "m"}},
			Metadata: index.Metadata{Taken: time.Date(2024, 5, 1+i, 0, 0, 0, 0, time.UTC), Camera: "Nikon Z 6", Latitude: &latitude, Longitude: &longitude},
		})
	}
	l.put(index.Record{Kind: index.KindText, Hash: index.Hash{9}, Text: "a cat", ExternalID: "sku-1", Fields: map[string]string{"price": "3"}})
	l.failures = []index.Failure{{File: index.File{Path: "/pictures/broken.jpg"}, Reason: "image is damaged", Time: time.Now()}, {File: index.File{Path: "/pictures/worse.jpg"}, Reason: "image is damaged"}}
}
