package keyword

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/search"

	"mekiki/index/keyword/checksums"
	"mekiki/internal/testsize"
	"mekiki/internal/usage"
)

// benchDocuments is the number of documents of the benchmarks, MEKIKI_TEST_WORDS or 100,000.
func benchDocuments(b *testing.B) uint64 {
	return uint64(testsize.Of(b, "MEKIKI_TEST_WORDS", 100_000))
}

// photographs draws documents like those of photographs: captions of words whose
// frequencies follow Zipf's law, names as cameras give them, folders by year, tags,
// cameras, people.
type photographs struct {
	random       *rand.Rand
	words, names *rand.Zipf
}

func newPhotographs() *photographs {
	random := rand.New(rand.NewPCG(4, 2))
	return &photographs{random, rand.NewZipf(random, 1.1, 8, 20_000), rand.NewZipf(random, 1.3, 2, 300)}
}

// word is a word of no language, the more frequent the smaller its number.
func word(number uint64) string {
	syllables := []string{"ba", "de", "ki", "lo", "mu", "na", "po", "ra", "si", "tu", "ve", "zo", "fa", "ge", "hi", "jo"}
	text := syllables[number%16] + "n"
	for number /= 16; number > 0; number /= 16 {
		text += syllables[number%16]
	}
	return text
}

func (p *photographs) caption(words int) string {
	text := "a"
	for range words {
		text += " " + word(p.words.Uint64())
	}
	return text
}

func (p *photographs) document(id uint64) Document {
	year := 2005 + p.random.IntN(20)
	folder := fmt.Sprintf("/photos/%d/%s", year, word(p.names.Uint64()))
	d := Document{
		ID: id, Kind: "image", Captions: []string{p.caption(5 + p.random.IntN(6))}, Format: "jpeg", Taken: true,
		Names:   []string{fmt.Sprintf("%s/IMG_%04d.jpg", folder, p.random.IntN(10_000))},
		Folders: []string{folder, fmt.Sprintf("/photos/%d", year), "/photos"}, HigherFolders: []string{"photos"},
		Camera: []string{"Canon EOS R5", "Apple iPhone 13", "FUJIFILM X100V"}[p.random.IntN(3)],
		Date:   time.Date(year, time.Month(1+p.random.IntN(12)), 1+p.random.IntN(28), 0, 0, 0, 0, time.UTC),
	}
	for range p.random.IntN(3) {
		d.Tags = append(d.Tags, word(p.names.Uint64()))
	}
	d.Labels = d.Tags
	if p.random.IntN(5) == 0 {
		d.People = []string{word(p.names.Uint64()) + " " + word(p.names.Uint64())}
	}
	return d
}

// captioned is a document like those of the latency test of package local: few captions, in
// each of which two words are those of all and one is that of an eighth.
func captioned(id uint64) Document {
	subjects := []string{"a dog", "a cat", "two houses by the river", "犬が庭で遊んでいる", "a mountain under snow", "a bicycle and a candle", "赤い自転車", "people in a street"}
	folder := fmt.Sprintf("/photos/%03d", id%100)
	return Document{
		ID: id, Kind: "image", Captions: []string{fmt.Sprintf("%s beside number %d", subjects[id%uint64(len(subjects))], id%5000)}, Format: "jpeg", Taken: true,
		Names: []string{fmt.Sprintf("%s/IMG_%07d.jpg", folder, id)}, Folders: []string{folder, "/photos"}, HigherFolders: []string{"photos"},
		Camera: []string{"Canon EOS R5", "NIKON Z 6"}[id%2], Date: time.Date(2024, 5, 1, int(id%10_000), 0, 0, 0, time.UTC),
	}
}

// fillBench puts documents into an index.
func fillBench(b *testing.B, x *Index, document func(id uint64) Document) {
	b.Helper()
	var batch []Document
	for id := range benchDocuments(b) {
		if batch = append(batch, document(id+1)); len(batch) == 2000 {
			if err := x.Apply(b.Context(), id+1, batch, nil); err != nil {
				b.Fatal(err)
			}
			batch = batch[:0]
		}
	}
}

// benchFolder is an index of documents on disk, closed: one of a name that is kept in the folder
// MEKIKI_TEST_WORDS_FOLDER from one run to the next, where that is set.
func benchFolder(b *testing.B, name string, document func(id uint64) Document) string {
	b.Helper()
	folder := filepath.Join(cmp.Or(os.Getenv("MEKIKI_TEST_WORDS_FOLDER"), b.TempDir()), name)
	if Clean(folder) {
		return folder
	}
	x, err := Create(folder)
	if err != nil {
		b.Fatal(err)
	}
	fillBench(b, x, document)
	if err := x.Close(); err != nil {
		b.Fatal(err)
	}
	return folder
}

// benchQueries are questions as people ask them: words that are rare, frequent, both,
// a sentence, part of a name, with filters.
func benchQueries() map[string]Query {
	tagged := Filter{Kinds: []string{"image"}, Tags: []string{word(3)}}
	year := Filter{After: time.Date(2012, 1, 1, 0, 0, 0, 0, time.UTC), Before: time.Date(2013, 1, 1, 0, 0, 0, 0, time.UTC)}
	pair, sentence := word(40)+" "+word(700), strings.Join([]string{"a", word(2), word(90), "on the", word(12), "with", word(400)}, " ")
	return map[string]Query{
		"rare":            {Words: word(1500)},
		"frequent":        {Words: word(1)},
		"pair":            {Words: pair},
		"sentence":        {Words: sentence},
		"frequent-words":  {Words: word(0) + " " + word(1) + " " + word(2)},
		"name":            {Words: "IMG_0042.jpg"},
		"folder":          {Words: "photos 2012 " + word(5)},
		"sentence-tagged": {Words: sentence, Filter: tagged},
		"sentence-year":   {Words: sentence, Filter: year},
		"frequent-tagged": {Words: word(1), Filter: tagged},
	}
}

// BenchmarkSearch asks for the hundred best in four ways, in turn, so that what else the
// machine does slows all alike: by this package's collector with MaxScore, by its
// collector alone, by bleve's collector, and by that with bleve's filter. It reports the
// median of each.
func BenchmarkSearch(b *testing.B) {
	x, err := Open(benchFolder(b, "photographs", newPhotographs().document))
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	ways := []func(context.Context, *Index, Query) (int, error){searchHere, searchAll, searchBleve, searchBleveFilter}
	for name, query := range benchQueries() {
		query.Limit = 100
		b.Run(name, func(b *testing.B) {
			times := make([][]time.Duration, len(ways))
			for b.Loop() {
				for i, search := range ways {
					start := time.Now()
					if _, err := search(b.Context(), x, query); err != nil {
						b.Fatal(err)
					}
					times[i] = append(times[i], time.Since(start))
				}
			}
			b.ReportMetric(0, "ns/op")
			for i, unit := range []string{"1-maxscore-ms", "2-collector-ms", "3-bleve-ms", "4-bleve-filter-ms"} {
				slices.Sort(times[i])
				b.ReportMetric(float64(times[i][len(times[i])/2])/1e6, unit)
			}
		})
	}
}

func searchHere(ctx context.Context, x *Index, q Query) (int, error) {
	hits, err := x.Search(ctx, q)
	return len(hits), err
}

// searchAll scores every match.
func searchAll(ctx context.Context, x *Index, q Query) (int, error) {
	reader, err := x.Reader()
	if err != nil {
		return 0, err
	}
	defer reader.Close()
	count, err := reader.documents.DocCount()
	if err != nil {
		return 0, err
	}
	best := &collector{limit: q.Limit, reader: reader.documents}
	err = reader.each(withScoring(ctx, count), build(q, nil), search.SearcherOptions{}, best.offer)
	return len(best.hits()), err
}

func searchBleve(ctx context.Context, x *Index, q Query) (int, error) {
	count, err := x.bleve.DocCount()
	if err != nil {
		return 0, err
	}
	request := bleve.NewSearchRequestOptions(build(q, nil), q.Limit, 0, false)
	request.SortBy([]string{"-_score", "_id"})
	result, err := x.bleve.SearchInContext(withScoring(ctx, count), request)
	if err != nil {
		return 0, err
	}
	return len(result.Hits), nil
}

// searchBleveFilter filters as bleve does too.
func searchBleveFilter(ctx context.Context, x *Index, q Query) (int, error) {
	count, err := x.bleve.DocCount()
	if err != nil {
		return 0, err
	}
	wanted := bleve.NewBooleanQuery()
	wanted.AddMust(wantedQuery(q, nil))
	if filter := buildFilter(q.Filter); filter != nil {
		wanted.AddFilter(filter)
	}
	request := bleve.NewSearchRequestOptions(wanted, q.Limit, 0, false)
	request.SortBy([]string{"-_score", "_id"})
	result, err := x.bleve.SearchInContext(withScoring(ctx, count), request)
	if err != nil {
		return 0, err
	}
	return len(result.Hits), nil
}

// BenchmarkCaptions asks captions that are much alike for the hundred best, and reports the
// median and the 99th percentile, in processor time. Of 30 times the latter is the longest, as
// a rule the first, in which long lists are unpacked.
func BenchmarkCaptions(b *testing.B) {
	x, err := Open(benchFolder(b, "captions", captioned))
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	r, err := x.Reader()
	if err != nil {
		b.Fatal(err)
	}
	if err := errors.Join(r.Prepare(b.Context()), r.Close()); err != nil { // as package local does in the background
		b.Fatal(err)
	}
	queries := map[string]func(i int) string{
		"three-words": func(i int) string { return fmt.Sprintf("dog beside number %d", i%30) },
		"one-of-all":  func(int) string { return "beside" },
		"two-of-many": func(int) string { return "mountain houses" },
		"a-sentence":  func(int) string { return "a mountain under snow beside the number" },
		"name":        func(i int) string { return fmt.Sprintf("IMG_%07d", 1000*i+17) },
	}
	for name, words := range queries {
		b.Run(name, func(b *testing.B) {
			var times []time.Duration
			for i := 0; b.Loop(); i++ {
				before := usage.ProcessorTime()
				if _, err := x.Search(b.Context(), Query{Words: words(i), Limit: 100, Matches: true}); err != nil {
					b.Fatal(err)
				}
				times = append(times, usage.ProcessorTime()-before)
			}
			slices.Sort(times)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(times[len(times)/2].Seconds()*1e3, "p50-ms")
			b.ReportMetric(times[len(times)*99/100].Seconds()*1e3, "p99-ms")
		})
	}
}

// BenchmarkOpen opens and closes an index on disk, and says how much of that is reading
// its files to verify them.
func BenchmarkOpen(b *testing.B) {
	folder := benchFolder(b, "photographs", newPhotographs().document)
	bytes, err := folderSize(folder)
	if err != nil {
		b.Fatal(err)
	}
	var opening, closing, verifying, copying time.Duration
	since := func(total *time.Duration, start time.Time) { *total += time.Since(start) }
	for b.Loop() {
		start := time.Now()
		if err := checksums.Verify(folder); err != nil {
			b.Fatal(err)
		}
		since(&verifying, start)
		start = time.Now()
		x, err := Open(folder)
		if err != nil {
			b.Fatal(err)
		}
		since(&opening, start)
		start = time.Now()
		reader, err := OpenCopy(folder)
		if err != nil {
			b.Fatal(err)
		}
		since(&copying, start)
		if err := reader.Close(); err != nil {
			b.Fatal(err)
		}
		start = time.Now()
		if err := x.Close(); err != nil {
			b.Fatal(err)
		}
		since(&closing, start)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(bytes)/1e6, "MB")
	for unit, total := range map[string]time.Duration{"open-ms": opening, "close-ms": closing, "verify-ms": verifying, "copy-ms": copying} {
		b.ReportMetric(float64(total)/1e6/float64(b.N), unit)
	}
}

func folderSize(folder string) (bytes int64, err error) {
	names, err := checksums.Files(folder)
	for _, name := range names {
		stat, statErr := os.Stat(filepath.Join(folder, name))
		if err = errors.Join(err, statErr); err != nil {
			return 0, err
		}
		bytes += stat.Size()
	}
	return bytes, err
}

// BenchmarkFill indexes all documents in memory, which is what a reader does that cannot
// copy the index.
func BenchmarkFill(b *testing.B) {
	for b.Loop() {
		x, err := OpenMemory()
		if err != nil {
			b.Fatal(err)
		}
		fillBench(b, x, newPhotographs().document)
		if err := x.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
