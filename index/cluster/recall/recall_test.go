package recall

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/cluster/document"
	"mekiki/index/cluster/engine"
	"mekiki/index/cluster/form"
	"mekiki/index/cluster/objects"
	"mekiki/index/cluster/settings"
	"mekiki/index/indextest"
	"mekiki/index/local/segment"
	"mekiki/internal/clustertest"
	"mekiki/internal/clustertest/storetest"
)

const collection = "Recall"

// counting counts requests.
type counting struct{ asked atomic.Int64 }

func (c *counting) RoundTrip(request *http.Request) (*http.Response, error) {
	c.asked.Add(1)
	return http.DefaultTransport.RoundTrip(request)
}

// reading counts what is read of a store.
type reading struct {
	objects.Store
	reads atomic.Int64
	fails error
}

func (r *reading) Get(ctx context.Context, key string) ([]byte, error) {
	r.reads.Add(1)
	if r.fails != nil {
		return nil, r.fails
	}
	return r.Store.Get(ctx, key)
}

// place is a memory beside the store and the engine that it remembers.
type place struct {
	*Memory
	engine *engine.Client
	asked  *counting
	store  *reading
	log    *bytes.Buffer
	now    time.Time
	space  form.Space
}

// open starts an engine, where a test needs one, and a store.
func open(t *testing.T, withEngine bool) *place {
	t.Helper()
	p := &place{asked: &counting{}, log: &bytes.Buffer{}, now: indextest.Time, space: form.Space{Number: 1, Fingerprint: indextest.Small.Fingerprint, Parts: indextest.Small.Parts, Width: indextest.Small.Width}}
	addresses := []string{"http://127.0.0.1:1"}
	if withEngine {
		addresses = clustertest.StartWeaviate(t, 1).Addresses()
	}
	var err error
	p.engine, err = engine.Open(engine.Options{Addresses: addresses, Transport: p.asked})
	indextest.Must(t, err)
	t.Cleanup(p.engine.Close)
	store, err := objects.Open(settings.Store{Address: storetest.StartMemory(t, "recall"), Bucket: "recall", Region: settings.DefaultRegion, Addressing: "path", AccessKey: "a", SecretKey: "s"})
	indextest.Must(t, err)
	p.store = &reading{Store: store}
	p.Memory = New(p.store, p.engine, slog.New(slog.NewTextHandler(p.log, nil)), func() time.Time { return p.now })
	if withEngine {
		indextest.Must(t, p.engine.CreateCollection(t.Context(), engine.Collection{Name: collection, Properties: document.Properties(), Vectors: []string{document.NoVector}, Shards: 1, Replicas: 1}))
	}
	return p
}

// record is one with a number and a caption, as of a change.
func (p *place) record(t *testing.T, number uint64, caption string, sequence uint64) *form.Record {
	t.Helper()
	put := indextest.Image(t, number, indextest.Small)
	made := &form.Record{Record: put.Record, Spaces: map[int]form.Vectors{}}
	made.ID, made.Sequence = index.ID(number), sequence
	made.Captions = []index.Caption{{Text: caption}}
	return made
}

// publish puts a record into store and engine.
func (p *place) publish(t *testing.T, r *form.Record) {
	t.Helper()
	encoded, err := r.Encode()
	indextest.Must(t, err)
	indextest.Must(t, p.store.Put(t.Context(), form.RecordKey(r.ID), encoded))
	indextest.Must(t, p.engine.Put(t.Context(), collection, []engine.Object{{ID: form.UUID(r.ID), Properties: document.Of(r, encoded)}}))
}

// vectors gives a record vectors, which are in the store.
func (p *place) vectors(t *testing.T, r *form.Record, parts embed.Parts) string {
	t.Helper()
	payload := segment.EncodeVectors(parts)
	r.Spaces[p.space.Number] = form.Vectors{Vectors: form.Name(payload, form.NewMark()), Count: parts.Count}
	key := form.VectorKey(p.space.Embed(), r.Hash, r.Spaces[p.space.Number].Vectors)
	indextest.Must(t, p.store.Put(t.Context(), key, payload))
	return key
}

// requests gives how many requests something makes of the engine.
func (p *place) requests(do func()) int {
	before := p.asked.asked.Load()
	do()
	return int(p.asked.asked.Load() - before)
}

// TestRecordsAreReadOnce: records that were read are not read again, those that have changed are, and of one
// whose object is half lost the store's is taken.
func TestRecordsAreReadOnce(t *testing.T) {
	p := open(t, true)
	for number := range uint64(5) {
		p.publish(t, p.record(t, number+1, "a dog", 1))
	}
	all := engine.Query{Collection: collection, Limit: 100}
	find := func(want int, requests int) []*form.Record {
		t.Helper()
		var answers [][]*form.Record
		if made := p.requests(func() {
			var err error
			answers, err = p.Find(t.Context(), all, all)
			indextest.Must(t, err)
		}); made != requests {
			t.Errorf("%d requests, expected %d", made, requests)
		}
		if len(answers) != 2 || len(answers[0]) != want || len(answers[1]) != want {
			t.Fatalf("found %v, expected %d records, twice", answers, want)
		}
		return answers[1]
	}
	find(5, 2) // which, and the records
	find(5, 1) // which
	p.publish(t, p.record(t, 3, "a cat", 2))
	if found := find(5, 2); found[2].Captions[0].Text != "a cat" || found[1].Captions[0].Text != "a dog" {
		t.Errorf("found %+v and %+v", found[1].Captions, found[2].Captions)
	}
	indextest.Must(t, p.engine.Delete(t.Context(), collection, []string{form.UUID(1)}))
	find(4, 1)

	// Objects without their records, as of a node that was killed: one is in the store, the other nowhere.
	for _, id := range []index.ID{2, 99} {
		indextest.Must(t, p.engine.Put(t.Context(), collection, []engine.Object{{ID: form.UUID(id), Properties: map[string]any{document.Kind: "image"}}}))
	}
	if found := find(4, 2); found[0].ID != 2 || found[0].Captions[0].Text != "a dog" {
		t.Errorf("found %+v", found[0])
	}
	// They are not remembered: the engine may be repaired at any time.
	find(4, 2)
	p.store.fails = objects.ErrUnavailable
	if _, err := p.Find(t.Context(), all); !errors.Is(err, objects.ErrUnavailable) {
		t.Errorf("the store is away: %v", err)
	}
}

// TestWordsAreCountedOnceInAWhile: counts of words are asked for once, and again when they have grown old.
func TestWordsAreCountedOnceInAWhile(t *testing.T) {
	p := open(t, true)
	var records []*form.Record
	for number, caption := range []string{"a red dog beside a house", "a dog", "a dog and a dog", "a house beside a red car"} {
		one := p.record(t, uint64(number+1), caption, 1)
		p.publish(t, one)
		records = append(records, one)
	}
	match := func(words Words, want []index.ID, requests int) []index.KeywordHit {
		t.Helper()
		words.Collection, words.Records = collection, len(records)
		var hits []index.KeywordHit
		if made := p.requests(func() {
			var err error
			hits, err = p.Matching(t.Context(), words, records)
			indextest.Must(t, err)
		}); made != requests {
			t.Errorf("%+v: %d requests, expected %d", words.KeywordQuery, made, requests)
		}
		var got []index.ID
		for _, hit := range hits {
			got = append(got, hit.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%+v: %v, expected %v", words.KeywordQuery, got, want)
		}
		return hits
	}
	dog := Words{KeywordQuery: index.KeywordQuery{Text: "dog"}}
	first := match(dog, []index.ID{3, 2, 1}, 1)
	if again := match(dog, []index.ID{3, 2, 1}, 0); again[0].Score != first[0].Score {
		t.Errorf("%v, and then %v", first, again)
	}
	p.now = p.now.Add(countsAge)
	match(dog, []index.ID{3, 2, 1}, 1)
	match(Words{KeywordQuery: index.KeywordQuery{Text: "dog", Exclude: []string{"house"}}}, []index.ID{3, 2}, 0)
	match(Words{KeywordQuery: index.KeywordQuery{Text: "dog", Phrases: []string{"red dog"}}}, []index.ID{1}, 1) // of "red"
	match(Words{KeywordQuery: index.KeywordQuery{Text: "zebra"}}, nil, 0)                                       // none has it: nothing to count

	known := func(want []bool, requests int, terms ...string) {
		t.Helper()
		if made := p.requests(func() {
			got, err := p.Known(t.Context(), collection, terms)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("known of %q: %v, %v", terms, got, err)
			}
		}); made != requests {
			t.Errorf("%d requests, expected %d", made, requests)
		}
	}
	known([]bool{true, false, false}, 1, "dog", "zebra", "")
	known([]bool{true, false}, 0, "dog", "zebra")
	p.now = p.now.Add(countsAge)
	known([]bool{false}, 1, "zebra")
}

// TestVectorsAreReadOnce: vectors are read once; a record whose vectors are missing or damaged, or of another
// width, costs itself alone, and a store that is away all.
func TestVectorsAreReadOnce(t *testing.T) {
	p := open(t, false)
	var candidates []*form.Record
	var keys []string
	for number := range uint64(6) {
		one := p.record(t, number+1, "a dog", 1)
		keys = append(keys, p.vectors(t, one, indextest.Unit(number, 4, indextest.Small.Width)))
		candidates = append(candidates, one)
	}
	same := indextest.Unit(2, 4, indextest.Small.Width) // as the third's
	p.vectors(t, candidates[4], same)
	indextest.Must(t, p.store.Delete(t.Context(), keys[0]))
	indextest.Must(t, p.store.Put(t.Context(), keys[1], []byte("no vectors")))
	p.vectors(t, candidates[5], indextest.Unit(2, 4, 2*indextest.Small.Width))
	without := p.record(t, 7, "a dog", 1)
	candidates = append(candidates, without, nil)

	query := same.Row(3)
	for range 2 {
		near, err := p.Nearest(t.Context(), candidates, p.space, query)
		indextest.Must(t, err)
		if len(near) != 3 || near[0].ID != 3 || near[1].ID != 5 || near[2].ID != 4 || near[0].Part != 3 || near[0].Score != near[1].Score || near[0].Score < 0.999 {
			t.Errorf("near %+v", near)
		}
	}
	if reads := p.store.reads.Load(); reads != 6+2 {
		t.Errorf("%d reads: six, and those that failed again", reads)
	}
	if count := bytes.Count(p.log.Bytes(), []byte("missing or damaged")); count != 4 {
		t.Errorf("the log names %d: %s", count, p.log)
	}
	parts, err := p.Parts(t.Context(), keys[2])
	if err != nil || parts.Count != 4 || !IsLost(objects.ErrAbsent) || !IsLost(index.ErrDamaged) || IsLost(objects.ErrUnavailable) {
		t.Errorf("parts %+v, %v", parts, err)
	}
	p.store.fails = objects.ErrUnavailable
	if _, err := p.Nearest(t.Context(), candidates[:4], p.space, query); !errors.Is(err, objects.ErrUnavailable) {
		t.Errorf("the store is away: %v", err)
	}
	if near, err := p.Nearest(t.Context(), candidates[2:3], p.space, query); err != nil || len(near) != 1 {
		t.Errorf("what is remembered: %v, %v", near, err)
	}
}

// TestTermsFollowChanges: the terms of a record are those of its last change.
func TestTermsFollowChanges(t *testing.T) {
	p := open(t, false)
	before, after := p.record(t, 1, "a dog", 1), p.record(t, 1, "a cat", 2)
	has := func(r *form.Record, term string) bool {
		for _, terms := range p.Terms(r) {
			if slices.Contains(terms, term) {
				return true
			}
		}
		return false
	}
	for range 2 {
		if !has(before, "dog") || has(before, "cat") || !has(after, "cat") || has(after, "dog") {
			t.Errorf("terms %v, and then %v", p.Terms(before), p.Terms(after))
		}
	}
}
