package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/keyword"
	"mekiki/search/contract"
	"mekiki/search/words"
)

// world is a small library and model for tests: things have random directions,
// a picture of some things has parts near their directions, and a text is the
// sum of its words' directions. Matching counts the things that are there.
type world struct {
	matchless bool // its model cannot match
	space     embed.Space
	records   map[index.ID]*index.Record
	things    map[index.ID][]string
	parts     map[index.ID]embed.Parts
	order     []index.ID
	sequence  uint64

	// matchDelay is how long one pair takes; matchCalls counts pairs.
	matchDelay time.Duration
	matchCalls atomic.Int64
	// onMatch is called with each pair, before it is read.
	onMatch func()
	// wordsError is what the keyword leg fails with.
	wordsError error
	// contrary is how much matching differs from what vectors and words say, as
	// the deviation of its logits: at 0 both put pictures in about one order.
	contrary  float64
	textCalls atomic.Int64
	// noTokens are records whose tokens cannot be read.
	noTokens map[index.ID]bool
	open     atomic.Int64
}

const worldWidth = 64

func newWorld() *world {
	return &world{
		space: embed.Space{Fingerprint: "world", Parts: 4, Width: worldWidth}, records: map[index.ID]*index.Record{},
		things: map[index.ID][]string{}, parts: map[index.ID]embed.Parts{}, noTokens: map[index.ID]bool{}, sequence: 1,
	}
}

// direction is the fixed unit vector of a word.
func direction(word string) []float32 {
	hash := fnv.New64a()
	hash.Write([]byte(strings.Join(keyword.Terms(word), " ")))
	random := rand.New(rand.NewPCG(hash.Sum64(), 1))
	vector := make([]float32, worldWidth)
	for i := range vector {
		vector[i] = float32(random.NormFloat64())
	}
	return unit(vector)
}

func unit(vector []float32) []float32 {
	sum := 0.0
	for _, value := range vector {
		sum += float64(value) * float64(value)
	}
	norm := float32(math.Sqrt(max(sum, 1e-12)))
	for i := range vector {
		vector[i] /= norm
	}
	return vector
}

func textDirection(text string) []float32 {
	sum := make([]float32, worldWidth)
	for _, word := range words.Terms(text) {
		for i, value := range direction(word) {
			sum[i] += value
		}
	}
	return unit(sum)
}

// add puts in a picture of things; its caption names them all.
func (w *world) add(path string, things ...string) *index.Record {
	id := index.ID(len(w.order) + 1)
	record := &index.Record{
		ID: id, Kind: index.KindImage, Files: []index.File{{Path: path, Modified: time.Unix(int64(id)*86400, 0).UTC()}},
		Format: "jpeg", Width: 640, Height: 480, Bytes: 1000, Captions: []index.Caption{{Text: strings.Join(things, " and ")}},
	}
	parts := embed.Parts{Count: 4, Width: worldWidth}
	random := rand.New(rand.NewPCG(uint64(id), 2))
	for i := range parts.Count {
		vector := slices.Clone(textDirection(strings.Join(things, " ")))
		if len(things) > 0 && i > 0 {
			vector = slices.Clone(direction(things[i%len(things)]))
		}
		for j := range vector {
			vector[j] += float32(random.NormFloat64()) * 0.05
		}
		parts.Values = append(parts.Values, unit(vector)...)
	}
	w.records[id], w.things[id], w.parts[id] = record, things, parts
	w.order = append(w.order, id)
	return record
}

func (w *world) addText(text string) *index.Record {
	id := index.ID(len(w.order) + 1)
	record := &index.Record{ID: id, Kind: index.KindText, Text: text, Added: time.Unix(int64(id)*86400, 0).UTC()}
	w.records[id], w.parts[id] = record, embed.Parts{Count: 1, Width: worldWidth, Values: textDirection(text)}
	w.order = append(w.order, id)
	return record
}

// Reader implements index.Source.
func (w *world) Reader(context.Context) (index.Reader, error) {
	w.open.Add(1)
	return &worldSnapshot{world: w}, nil
}

// worldSnapshot does what searching asks of a reader.
type worldSnapshot struct {
	*world
	index.Reader
}

func (s *worldSnapshot) Space() (embed.Space, bool) { return s.space, len(s.order) > 0 }
func (s *worldSnapshot) Sequence() uint64           { return s.sequence }
func (s *worldSnapshot) Close() error               { s.world.open.Add(-1); return nil }
func (s *worldSnapshot) Count(kind index.Kind) int {
	count := 0
	for _, record := range s.records {
		if record.Kind == kind || kind == 0 {
			count++
		}
	}
	return count
}

func (s *worldSnapshot) Records(ctx context.Context, ids []index.ID) ([]*index.Record, error) {
	found := make([]*index.Record, len(ids))
	for i, id := range ids {
		found[i] = s.records[id]
	}
	return found, ctx.Err()
}

// Spellings knows one mistake.
func (s *worldSnapshot) Spellings(ctx context.Context, words []string) ([][]string, error) {
	found := make([][]string, len(words))
	for i, word := range words {
		if word == "zebbra" {
			found[i] = []string{"zebra"}
		}
	}
	return found, ctx.Err()
}

// passing gives the records that pass a filter.
func (s *worldSnapshot) passing(filter index.Filter) func(*index.Record) bool {
	ids := map[index.ID]bool{}
	for _, id := range filter.IDs {
		ids[id] = true
	}
	filter.IDs = nil
	return func(record *index.Record) bool {
		return (len(ids) == 0 || ids[record.ID]) && s.passes(record, filter)
	}
}

func (s *worldSnapshot) passes(record *index.Record, filter index.Filter) bool {
	any := func(wanted []string, has func(string) bool) bool {
		return len(wanted) == 0 || slices.ContainsFunc(wanted, has)
	}
	return (len(filter.IDs) == 0 || slices.Contains(filter.IDs, record.ID)) &&
		(len(filter.Kinds) == 0 || slices.Contains(filter.Kinds, record.Kind)) &&
		any(filter.Folders, func(folder string) bool { return strings.Contains(record.Path(), "/"+folder+"/") }) &&
		any(filter.Tags, func(tag string) bool { return slices.Contains(record.Tags, tag) }) &&
		(filter.After.IsZero() || !record.Date().Before(filter.After)) &&
		(filter.Before.IsZero() || record.Date().Before(filter.Before))
}

func (s *worldSnapshot) List(_ context.Context, filter index.Filter, page index.Page) ([]*index.Record, int, error) {
	var found []*index.Record
	for _, id := range s.order {
		if record, ok := s.records[id]; ok && s.passes(record, filter) {
			found = append(found, record)
		}
	}
	if page.Order == index.OrderDateDescending {
		slices.SortStableFunc(found, func(a, b *index.Record) int { return b.Date().Compare(a.Date()) })
	}
	total := len(found)
	if page.Behind != nil {
		found = slices.DeleteFunc(found, func(r *index.Record) bool { return page.Order.Compare(index.PlaceOf(r), *page.Behind) <= 0 })
	}
	found = found[min(page.Offset, len(found)):]
	if page.Limit > 0 {
		found = found[:min(page.Limit, len(found))]
	}
	return found, total, nil
}

func (s *worldSnapshot) HaveParts(_ context.Context, _ embed.Space, ids []index.ID) ([]bool, error) {
	have := make([]bool, len(ids))
	for i, id := range ids {
		have[i] = s.parts[id].Count > 0
	}
	return have, nil
}

func (s *worldSnapshot) nearest(query []float32, k int, filter index.Filter, kind index.Kind) []index.Neighbour {
	var found []index.Neighbour
	passes := s.passing(filter)
	for _, id := range s.order {
		record, ok := s.records[id]
		if !ok || record.Kind != kind || !passes(record) {
			continue
		}
		best := index.Neighbour{ID: id, Score: -2}
		for start := 0; start < len(query); start += worldWidth {
			if score, part := s.parts[id].Similarity(query[start : start+worldWidth]); score > best.Score {
				best.Score, best.Part = score, part
			}
		}
		found = append(found, best)
	}
	slices.SortFunc(found, func(a, b index.Neighbour) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
	})
	return found[:min(k, len(found))]
}

func (s *worldSnapshot) Nearest(ctx context.Context, kind index.Kind, query []float32, k int, filter index.Filter) ([]index.Neighbour, error) {
	return s.nearest(query, k, filter, kind), ctx.Err()
}

// texts gives the words of every record, and in how many each word stands.
func (s *worldSnapshot) texts() (texts map[index.ID]string, frequency map[string]int) {
	texts, frequency = map[index.ID]string{}, map[string]int{}
	for _, id := range s.order {
		record, ok := s.records[id]
		if !ok {
			continue
		}
		words := keyword.Terms(record.Caption() + " " + record.Path() + " " + record.Text + " " + strings.Join(record.Tags, " ") + " " + record.Metadata.Camera)
		texts[id] = " " + strings.Join(words, " ") + " "
		slices.Sort(words)
		for _, word := range slices.Compact(words) {
			frequency[word]++
		}
	}
	return texts, frequency
}

// Keyword scores by the rarity of the words that match; scores do not depend
// on filters.
func (s *worldSnapshot) Keyword(ctx context.Context, query index.KeywordQuery, k int, filter index.Filter) ([]index.KeywordHit, error) {
	if s.wordsError != nil {
		return nil, s.wordsError
	}
	texts, frequency := s.texts()
	has := func(id index.ID, phrase string) bool {
		return strings.Contains(texts[id], " "+strings.Join(keyword.Terms(phrase), " ")+" ")
	}
	var hits []index.KeywordHit
	passes := s.passing(filter)
	for _, id := range s.order {
		record, ok := s.records[id]
		if !ok || !passes(record) || query.Kind != 0 && record.Kind != query.Kind {
			continue
		}
		if slices.ContainsFunc(query.Exclude, func(p string) bool { return has(id, p) }) || slices.ContainsFunc(query.Phrases, func(p string) bool { return !has(id, p) }) {
			continue
		}
		score := 0.0
		for _, word := range words.Terms(query.Text) {
			if has(id, word) {
				score += math.Log(1 + float64(len(s.order))/float64(frequency[word]))
			}
		}
		if score == 0 && len(query.Phrases) > 0 {
			score = 1
		}
		if score > 0 {
			hits = append(hits, index.KeywordHit{ID: id, Score: score, Fragments: map[string][]string{
				"caption": {"<mark>x</mark>"}, "name": {"<mark>x</mark>"}, "folder": {"<mark>x</mark>"}, "tag": {"<mark>x</mark>"},
			}})
		}
	}
	slices.SortFunc(hits, func(a, b index.KeywordHit) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
	})
	return hits[:min(k, len(hits))], ctx.Err()
}

func (s *worldSnapshot) Parts(ctx context.Context, ids []index.ID) ([]embed.Parts, error) {
	found := make([]embed.Parts, len(ids))
	for i, id := range ids {
		found[i] = s.world.parts[id]
	}
	return found, ctx.Err()
}

// Tokens carry nothing but the record's number.
func (s *worldSnapshot) Tokens(ctx context.Context, ids []index.ID) ([]embed.ImageTokens, error) {
	found := make([]embed.ImageTokens, len(ids))
	for i, id := range ids {
		if !s.noTokens[id] {
			found[i] = embed.ImageTokens{Rows: 1, Columns: 1, Values: []float32{float32(id)}}
		}
	}
	return found, ctx.Err()
}

func (s *worldSnapshot) OpenOriginal(context.Context, index.ID) (io.ReadSeekCloser, error) {
	return nil, index.ErrNotFound
}

// coverage is the share of words found in a set, 0 to 1.
func coverage(words []string, set map[string]bool) float64 {
	found := 0
	for _, word := range words {
		if set[word] {
			found++
		}
	}
	return float64(found) / float64(max(len(words), 1))
}

// worldThings are the things of the populated world.
func worldThings() []string {
	return strings.Fields("cat dog pizza table lamp tree car boat house horse bird flower guitar bottle clock chair")
}

// populated is a world of pictures with one to three things each.
func populated(pictures int) *world {
	w := newWorld()
	random := rand.New(rand.NewPCG(7, 7))
	things := worldThings()
	for i := range pictures {
		var shown []string
		for range 1 + random.IntN(3) {
			if thing := things[random.IntN(len(things))]; !slices.Contains(shown, thing) {
				shown = append(shown, thing)
			}
		}
		w.add(fmt.Sprintf("/library/set%d/scene%04d.jpg", i%5, i), shown...)
	}
	return w
}

func newTestSearcher(t testing.TB, w *world, options Options) *Searcher {
	t.Helper()
	s, err := New(w, worldEngine{w}, options)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func search(t testing.TB, s *Searcher, request contract.Request) contract.Response {
	t.Helper()
	response, err := s.Search(t.Context(), request)
	if err != nil {
		t.Fatalf("Search(%q): %v", request.Text, err)
	}
	return response
}

func hitIDs(response contract.Response) []index.ID {
	ids := make([]index.ID, len(response.Hits))
	for i, hit := range response.Hits {
		ids[i] = hit.ID
	}
	return ids
}

func wantCode(t *testing.T, err error, code contract.Code) {
	t.Helper()
	if codeOf(err) != code {
		t.Errorf("got error %v (%q), want code %q", err, codeOf(err), code)
	}
	var known *contract.Error
	if errors.As(err, &known) && known.Remedy == "" {
		t.Errorf("error %v has no remedy", err)
	}
}

// codeOf gives the code of err, or "" when err carries none.
func codeOf(err error) contract.Code {
	var known *contract.Error
	if errors.As(err, &known) {
		return known.Code
	}
	return ""
}
