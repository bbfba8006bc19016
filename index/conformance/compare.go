package conformance

import (
	"cmp"
	"maps"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/filters"
	"mekiki/index/indextest"
)

// Scores are computed from half-precision values, in whatever order: they are equal when
// they differ by less than scoreError. A value differs by less than halfError from what was put.
const (
	scoreError = 1e-5
	halfError  = 1e-3
)

// check holds a reader to the model: all that it has, and random questions.
func (m *model) check(t *testing.T, r index.Reader, random *rand.Rand) {
	t.Helper()
	if r.Sequence() != m.sequence {
		t.Fatalf("the reader shows commit %d, expected %d", r.Sequence(), m.sequence)
	}
	m.checkRecords(t, r, random)
	m.checkSpaces(t, r, random)
	m.checkFailures(t, r)
	m.checkSearches(t, r)
	for range 2 {
		filter, page := m.randomFilter(random), index.Page{Order: index.Order(random.IntN(4)), Offset: random.IntN(4), Limit: random.IntN(8)}
		m.checkList(t, r, filter, page)
		page.Behind = m.randomPlace(random)
		m.checkList(t, r, filter, page)
		m.checkLayout(t, r, filter, page.Order)
		m.checkFacets(t, r, filter)
		m.checkNearest(t, r, random, filter)
		m.checkWords(t, r, random, filter)
	}
}

// asked gives the IDs of all records and of some that there are not, in some order, one twice.
func (m *model) asked(random *rand.Rand) []index.ID {
	ids := append(m.ids(), 0, m.last+1, m.last+1000, 1, 1)
	random.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	return ids
}

func sameRecord(want, got index.Record) string {
	want.Sequence, got.Sequence = 0, 0
	return gocmp.Diff(want, got, cmpopts.EquateEmpty())
}

func (m *model) checkRecords(t *testing.T, r index.Reader, random *rand.Rand) {
	t.Helper()
	asked := m.asked(random)
	found, err := r.Records(t.Context(), asked)
	indextest.Must(t, err)
	same(t, "records", len(asked), len(found))
	var paths []string
	var hashes []index.Hash
	for i, id := range asked {
		wanted := m.records[id]
		if wanted == nil {
			wanted = &entry{Record: index.Record{Hash: index.Hash{1}, Files: []index.File{{Path: filepath.FromSlash("/nowhere/x.jpg")}}}}
			if found[i] != nil {
				t.Fatalf("record %d is there", id)
			}
		} else if found[i] == nil {
			t.Fatalf("record %d is not there", id)
		} else if diff := sameRecord(wanted.Record, *found[i]); diff != "" {
			t.Fatalf("record %d is not as it was written (-want +got):\n%s", id, diff)
		} else if found[i].Sequence == 0 || found[i].Sequence > r.Sequence() {
			t.Fatalf("record %d was written by commit %d of %d", id, found[i].Sequence, r.Sequence())
		}
		paths, hashes = append(paths, wanted.Paths()...), append(hashes, wanted.Hash)
	}
	byPath, err := r.RecordsByPath(t.Context(), paths)
	indextest.Must(t, err)
	byHash, err := r.RecordsByHash(t.Context(), hashes)
	indextest.Must(t, err)
	if len(byPath) != len(paths) || len(byHash) != len(hashes) {
		t.Fatalf("%d and %d answers about %d paths and %d hashes", len(byPath), len(byHash), len(paths), len(hashes))
	}
	for i, path := range paths {
		sameID(t, path, m.byPath(path), byPath[i])
	}
	for i, hash := range hashes {
		sameID(t, hash.String(), m.byHash(hash), byHash[i])
	}
	at, counts := 0, map[index.Kind]int{}
	ids := m.ids()
	for record := range indextest.All(t, r) {
		if at >= len(ids) || record.ID != ids[at] {
			t.Fatalf("record %d of all is %d, expected of %v", at, record.ID, ids)
		}
		at++
		counts[0]++
		counts[record.Kind]++
	}
	for _, kind := range []index.Kind{0, index.KindImage, index.KindText} {
		if r.Count(kind) != counts[kind] || at != len(ids) {
			t.Fatalf("%d of kind %d are counted, all has %d, expected %d in all", r.Count(kind), kind, counts[kind], len(ids))
		}
	}
}

func sameID(t *testing.T, by string, want index.ID, got *index.Record) {
	t.Helper()
	if (got == nil) != (want == 0) || got != nil && got.ID != want {
		t.Fatalf("%s: found %+v, expected record %d", by, got, want)
	}
}

func same(t *testing.T, what string, want, got int) {
	t.Helper()
	if want != got {
		t.Fatalf("%s: %d answers to %d questions", what, got, want)
	}
}

func (m *model) checkSpaces(t *testing.T, r index.Reader, random *rand.Rand) {
	t.Helper()
	serving, serves := r.Space()
	if serving != m.serving || serves != (len(m.spaces) > 0) || len(r.Spaces()) != len(m.spaces) {
		t.Fatalf("space %v serves (%v) of %v, expected %v of %v", serving, serves, r.Spaces(), m.serving, m.spaces)
	}
	asked := m.asked(random)
	for _, state := range r.Spaces() {
		space, filled := state.Space, 0
		has, err := r.HaveParts(t.Context(), space, asked)
		indextest.Must(t, err)
		for i, id := range asked {
			if e := m.records[id]; has[i] != (e != nil && e.vectors[space].Parts.Count > 0) {
				t.Fatalf("record %d has vectors in space %v: %v", id, space, has[i])
			}
		}
		for _, e := range m.records {
			if e.vectors[space].Parts.Count > 0 {
				filled++
			}
		}
		want := index.SpaceState{Space: space, Number: state.Number, Added: state.Added, Serving: space == m.serving, Previous: space == m.previous, Records: filled, Total: len(m.records)}
		if !slices.Contains(m.spaces, space) || state != want {
			t.Fatalf("space %+v, expected %+v", state, want)
		}
	}
	parts, err := r.Parts(t.Context(), asked)
	indextest.Must(t, err)
	tokens, err := r.Tokens(t.Context(), asked)
	indextest.Must(t, err)
	for i, id := range asked {
		var want index.Vectors
		if e := m.records[id]; e != nil {
			want = e.vectors[m.serving]
		}
		if !near(want.Parts, parts[i]) {
			t.Fatalf("record %d has the vectors %v, expected %v", id, parts[i], want.Parts)
		}
		var unpacked embed.ImageTokens
		if len(want.Tokens) > 0 {
			unpacked, err = embed.Unpack(want.Tokens)
			indextest.Must(t, err)
		}
		if !gocmp.Equal(unpacked, tokens[i], cmpopts.EquateEmpty()) {
			t.Fatalf("record %d has the tokens %v, expected %v", id, tokens[i], unpacked)
		}
	}
}

// near reports whether parts are equal but for half precision.
func near(a, b embed.Parts) bool {
	if a.Count != b.Count || a.Count > 0 && a.Width != b.Width || len(a.Values) != len(b.Values) {
		return false
	}
	for i := range a.Values {
		if math.Abs(float64(a.Values[i]-b.Values[i])) > halfError {
			return false
		}
	}
	return true
}

func (m *model) checkFailures(t *testing.T, r index.Reader) {
	t.Helper()
	listed, paths := indextest.Failures(t, r), []string{filepath.FromSlash("/nowhere/x.jpg")}
	for _, failure := range listed {
		paths = append(paths, failure.File.Path)
	}
	if !slices.IsSorted(paths[1:]) || len(listed) != len(m.failures) {
		t.Fatalf("failures %+v, expected %+v", listed, m.failures)
	}
	found, err := r.FailuresOf(t.Context(), paths)
	indextest.Must(t, err)
	same(t, "failures", len(paths), len(found))
	for i, failure := range listed {
		want := m.failures[failure.File.Path]
		if found[0] != nil || found[i+1] == nil || !gocmp.Equal(want, failure) || !gocmp.Equal(want, *found[i+1]) {
			t.Fatalf("failure %+v, asked for %+v, expected %+v", failure, found[i+1], want)
		}
	}
}

func (m *model) checkSearches(t *testing.T, r index.Reader) {
	t.Helper()
	found, err := r.SavedSearches(t.Context())
	indextest.Must(t, err)
	byName := func(a, b index.SavedSearch) int { return strings.Compare(a.Name, b.Name) }
	want := slices.SortedFunc(maps.Values(m.searches), byName)
	for i := range found {
		if found[i].Saved.IsZero() {
			t.Fatalf("nobody knows when %+v was saved", found[i])
		}
		found[i].Saved = time.Time{}
	}
	if !slices.Equal(found, want) {
		t.Fatalf("saved searches %+v, expected %+v", found, want)
	}
}

// passing gives the IDs of the records that pass a filter, in order.
func (m *model) passing(filter index.Filter) []index.ID {
	matcher := filters.Compile(filter)
	return slices.DeleteFunc(m.ids(), func(id index.ID) bool { return !matcher.Matches(&m.records[id].Record) })
}

func (m *model) checkList(t *testing.T, r index.Reader, filter index.Filter, page index.Page) {
	t.Helper()
	want := m.passing(filter)
	found, total, err := r.List(t.Context(), filter, page)
	indextest.Must(t, err)
	if total != len(want) {
		t.Fatalf("%d records pass %+v, expected %v", total, filter, want)
	}
	m.sort(want, page.Order)
	if at := page.Behind; at != nil {
		want = slices.DeleteFunc(want, func(id index.ID) bool {
			byDate := m.records[id].Date().Compare(at.Date)
			return [...]int{cmp.Compare(id, at.ID), cmp.Compare(at.ID, id), cmp.Or(-byDate, cmp.Compare(id, at.ID)), cmp.Or(byDate, cmp.Compare(id, at.ID))}[page.Order] <= 0
		})
	}
	want = want[min(page.Offset, len(want)):]
	if page.Limit > 0 {
		want = want[:min(page.Limit, len(want))]
	}
	got := []index.ID{}
	for _, record := range found {
		got = append(got, record.ID)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%+v of %+v behind %+v lists %v, expected %v", page, filter, page.Behind, got, want)
	}
}

// randomPlace gives a place in lists: mostly that of a record, also of one that is gone, or between records.
func (m *model) randomPlace(random *rand.Rand) *index.Place {
	at := index.Place{ID: pick(random, m.asked(random)...)}
	if e := m.records[pick(random, m.asked(random)...)]; e != nil {
		at.Date = e.Date()
	}
	if e := m.records[at.ID]; e != nil && random.IntN(4) > 0 {
		at.Date = e.Date()
	}
	return &at
}

// sort puts records, which are in order of ID, into another order.
func (m *model) sort(ids []index.ID, order index.Order) {
	slices.SortStableFunc(ids, func(a, b index.ID) int {
		byDate := m.records[a].Date().Compare(m.records[b].Date())
		return [...]int{cmp.Compare(a, b), cmp.Compare(b, a), -byDate, byDate}[order]
	})
}

func (m *model) checkLayout(t *testing.T, r index.Reader, filter index.Filter, order index.Order) {
	t.Helper()
	got, err := r.Layout(t.Context(), filter, order)
	indextest.Must(t, err)
	images := slices.DeleteFunc(m.passing(filter), func(id index.ID) bool { return m.records[id].Kind != index.KindImage })
	m.sort(images, order)
	want := index.Layout{IDs: images}
	for _, id := range images {
		e := m.records[id]
		day, ratio := int32(index.NoDay), uint32(1000)
		if date := e.Date(); !date.IsZero() {
			day = int32(math.Floor(float64(date.Unix()) / (24 * 60 * 60)))
		}
		if e.Height > 0 && e.Width > 0 {
			ratio = uint32(max(1, math.Round(1000*float64(e.Width)/float64(e.Height))))
		}
		want.Ratios, want.Days = append(want.Ratios, ratio), append(want.Days, day)
	}
	if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("order %d of %+v is laid out otherwise:\n%s", order, filter, diff)
	}
}

func (m *model) checkFacets(t *testing.T, r index.Reader, filter index.Filter) {
	t.Helper()
	facets, err := r.Facets(t.Context(), filter)
	indextest.Must(t, err)
	want := make([]map[string]int, 9)
	for i := range want {
		want[i] = map[string]int{}
	}
	passing := m.passing(filter)
	for _, id := range passing {
		e := m.records[id]
		rating, years, folders := []string{}, []string{}, []string{}
		if stars := e.Rating(); stars != nil {
			rating = append(rating, strconv.Itoa(*stars))
		}
		if date := e.Date(); !date.IsZero() {
			years = append(years, strconv.Itoa(date.Year()))
		}
		for _, file := range e.Files {
			folders = append(folders, cmp.Or(file.NamedFolder(), filepath.Dir(file.Path)))
		}
		for i, values := range [][]string{
			{e.Kind.String()}, {e.Format}, {e.Metadata.Camera}, unite(e.Tags, e.Metadata.Keywords), unite(e.People()), rating, years, unite(folders), e.Collections(),
		} {
			for _, value := range values {
				if value != "" {
					want[i][value]++
				}
			}
		}
	}
	got := [][]index.FacetCount{facets.Kinds, facets.Formats, facets.Cameras, facets.Tags, facets.People, facets.Ratings, facets.Years, facets.Folders, facets.Collections}
	for i, counts := range got {
		counted := map[string]int{}
		for _, count := range counts {
			counted[count.Value] = count.Count
		}
		frequentFirst := slices.IsSortedFunc(counts, func(a, b index.FacetCount) int { return cmp.Compare(b.Count, a.Count) })
		if facets.Total != len(passing) || !frequentFirst || len(counted) != len(counts) || !gocmp.Equal(want[i], counted) {
			t.Fatalf("facet %d of %+v: %v of %d, expected %v of %d", i, filter, counts, facets.Total, want[i], len(passing))
		}
	}
}

// checkNearest compares a search with a scan of the vectors as they are stored.
func (m *model) checkNearest(t *testing.T, r index.Reader, random *rand.Rand, filter index.Filter) {
	t.Helper()
	if len(m.spaces) == 0 {
		return
	}
	kind, k := pick(random, index.KindImage, index.KindText), 1+random.IntN(12)
	query := indextest.Unit(random.Uint64N(100), 1+random.IntN(3), m.serving.Width)
	found, err := r.Nearest(t.Context(), kind, query.Values, k, filter)
	indextest.Must(t, err)
	passing := slices.DeleteFunc(m.passing(filter), func(id index.ID) bool {
		return m.records[id].Kind != kind || m.records[id].vectors[m.serving].Parts.Count == 0
	})
	parts, err := r.Parts(t.Context(), passing)
	indextest.Must(t, err)
	scores := map[index.ID]float32{}
	for i, id := range passing {
		scores[id] = bestScore(parts[i], query)
	}
	if len(found) != min(k, len(passing)) {
		t.Fatalf("the nearest %d of %+v are %+v, expected of %v", k, filter, found, scores)
	}
	for i, hit := range found {
		at, passes := slices.BinarySearch(passing, hit.ID)
		if !passes || hit.Part < 0 || hit.Part >= parts[at].Count {
			t.Fatalf("hit %+v does not pass %+v", hit, filter)
		}
		row := embed.Parts{Count: 1, Width: m.serving.Width, Values: parts[at].Row(hit.Part)}
		if !close(hit.Score, scores[hit.ID]) || !close(bestScore(row, query), hit.Score) {
			t.Fatalf("hit %+v has score %g", hit, scores[hit.ID])
		}
		if i > 0 && (hit.Score > found[i-1].Score || hit.Score == found[i-1].Score && hit.ID <= found[i-1].ID) {
			t.Fatalf("hits are out of order: %+v", found)
		}
		delete(scores, hit.ID)
	}
	for id, score := range scores {
		if last := found[len(found)-1].Score; score > last && !close(score, last) {
			t.Fatalf("record %d with score %g is missing of the nearest %d: %+v", id, score, k, found)
		}
	}
}

func close(a, b float32) bool { return math.Abs(float64(a-b)) < scoreError }

func bestScore(parts, query embed.Parts) float32 {
	best := float32(math.Inf(-1))
	for i := range query.Count {
		score, _ := parts.Similarity(query.Row(i))
		best = max(best, score)
	}
	return best
}

// vocabulary are words that are equal to no other when their endings are cut off.
var vocabulary = []string{"dog", "cat", "house", "tree", "river", "volcano", "lantern", "elephant"}

// says reports whether a record has a word of the vocabulary.
func (e *entry) says(word string) bool {
	texts := append(slices.Concat(e.Tags, e.Metadata.Keywords), e.Text, e.Title(), e.Description())
	texts = append(texts, e.OCR.Texts()...)
	for _, caption := range e.Captions {
		texts = append(texts, caption.Text)
	}
	return slices.Contains(strings.FieldsFunc(strings.ToLower(strings.Join(texts, " ")), func(r rune) bool { return !unicode.IsLetter(r) }), word)
}

func (m *model) checkWords(t *testing.T, r index.Reader, random *rand.Rand, filter index.Filter) {
	t.Helper()
	wanted, excluded := []string{pick(random, vocabulary...), pick(random, vocabulary...)}, pick(random, vocabulary...)
	query := index.KeywordQuery{Text: strings.Join(wanted, " "), Kind: pick(random, 0, 0, index.KindImage, index.KindText), ScoresOnly: true}
	if random.IntN(2) == 0 {
		query.Exclude = []string{excluded}
	}
	want := slices.DeleteFunc(m.passing(filter), func(id index.ID) bool {
		e := m.records[id]
		return query.Kind != 0 && e.Kind != query.Kind || query.Exclude != nil && e.says(excluded) || !slices.ContainsFunc(wanted, e.says)
	})
	found := words(t, r, query, len(m.records)+1, filter)
	if slices.Sort(found); !slices.Equal(found, want) {
		t.Fatalf("%+v of %+v finds %v, expected %v", query, filter, found, want)
	}
	if k := 3; len(words(t, r, query, k, filter)) != min(k, len(want)) {
		t.Fatalf("%+v of %+v does not give the best %d of %d", query, filter, k, len(want))
	}
}

func pick[T any](random *rand.Rand, values ...T) T { return values[random.IntN(len(values))] }
