package cluster

import (
	"cmp"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"mekiki/embed"
	"mekiki/embed/blip2"
	"mekiki/embed/builtin"
	"mekiki/embed/manifest"
	"mekiki/embed/models"
	"mekiki/embed/ort/orttest"
	"mekiki/embed/pixels"
	"mekiki/embed/priority"
	"mekiki/embed/runner"
	"mekiki/index"
	"mekiki/index/cluster/objects"
	"mekiki/index/cluster/settings"
	"mekiki/index/indextest"
	"mekiki/index/local"
	"mekiki/internal/clustertest"
	"mekiki/internal/testsize"
)

// large is a space of the size that published models have.
var large = embed.Space{Fingerprint: "scale", Parts: 32, Width: 256}

// largePut is an image whose parts are near each other, and near those of its topic, of which there are many.
func largePut(number uint64) index.Put {
	put := indextest.ScalePut(number, large)
	put.Vectors.Parts = largeParts(number)
	return put
}

func largeParts(number uint64) embed.Parts {
	parts := indextest.Unit(number, large.Parts, large.Width)
	topic, own := indextest.Unit(1<<40+number%997, 1, large.Width).Values, indextest.Unit(1<<41+number, 1, large.Width).Values
	for i := range parts.Count {
		mix(parts.Row(i), 0.4, topic, 0.6, own, 0.7)
	}
	return parts
}

// largeQuery is what somebody may ask for who has an image in mind.
func largeQuery(number uint64) []float32 {
	query := indextest.Unit(1<<42+number, 1, large.Width).Values
	mix(query, 0.5, indextest.Unit(1<<40+number%997, 1, large.Width).Values, 0.6, indextest.Unit(1<<41+number, 1, large.Width).Values, 0.6)
	return query
}

// mix makes a weighted sum of three vectors of length one, and puts it, at length one, into the first.
func mix(into []float32, of float32, a []float32, ofA float32, b []float32, ofB float32) {
	sum := float32(0)
	for i := range into {
		into[i] = of*into[i] + ofA*a[i] + ofB*b[i]
		sum += into[i] * into[i]
	}
	scale := float32(math.Sqrt(float64(sum)))
	for i := range into {
		into[i] /= scale
	}
}

// scale is what BenchmarkScale measures: a library on a cluster, filled by two processes, and one on a disk with the same images.
type scale struct {
	cluster []*Library
	disk    *local.Library
	nodes   *clustertest.Cluster
	gateway *clustertest.Gateway
	engine  *embed.Engine
	tokens  [][]byte // of pictures of the gallery
	filled  int
}

// BenchmarkScale fills a library of three nodes, three copies, to MEKIKI_TEST_IMAGES images
// (1,000 without it) of 32 parts by two processes at once, and another one on a disk, and measures at 1,000, at each four times as many, and
// at the end: images a second, searches as they are made for a first page (a reader, both legs 256 deep, the
// records), the same with 16 hits reranked by the built-in model from the image tokens of the library, recall of the ten nearest, memory of a node.
func BenchmarkScale(b *testing.B) {
	s := &scale{nodes: clustertest.StartWeaviate(b, 3), gateway: clustertest.StartVersitygw(b, []string{"scale"})}
	s.openModel(b)
	store, err := objects.Open(settings.Store{
		Address: s.gateway.Address(), Bucket: "scale", Region: settings.DefaultRegion, Addressing: "path", AccessKey: clustertest.OwnerAccess, SecretKey: clustertest.OwnerSecret,
	})
	indextest.Must(b, err)
	for range 2 {
		o := optionsOf(b, store, openEngine(b, s.nodes.Addresses()), "Scale")
		o.Shards, o.Replicas = 3, 3
		indextest.Must(b, Init(b.Context(), o))
		library, err := Open(b.Context(), o)
		indextest.Must(b, err)
		s.cluster = append(s.cluster, library)
	}
	indextest.Must(b, s.cluster[0].AddSpace(b.Context(), large))
	s.disk, err = local.Open(b.Context(), filepath.Join(b.TempDir(), "library"), local.Options{})
	indextest.Must(b, err)
	b.Cleanup(func() { indextest.Must(b, s.disk.Close()) })
	indextest.Must(b, s.disk.AddSpace(b.Context(), large))
	most := testsize.Of(b, "MEKIKI_TEST_IMAGES", 1000)
	for images := min(1000, most); ; images = min(4*images, most) {
		done := false
		b.Run(fmt.Sprintf("%d-images", images), func(b *testing.B) {
			report := s.fill(b, images)
			for b.Loop() {
				s.measure(b, images)
			}
			report()
			done = true
		})
		if !done || images == most {
			break
		}
	}
}

// openModel opens the built-in model, and reads pictures of the gallery for their tokens.
func (s *scale) openModel(b *testing.B) {
	runtime := orttest.Open(b)
	model, err := models.Builtin(b.Context(), models.Options{Dir: b.TempDir(), Runtime: runtime})
	indextest.Must(b, err)
	s.engine, err = embed.Open(b.Context(), runner.Options{ModelDir: model.Dir, Families: []manifest.Family{blip2.Family()}, Runtime: runtime})
	indextest.Must(b, err)
	b.Cleanup(func() { indextest.Must(b, s.engine.Close()) })
	decoder, err := pixels.NewDecoder(pixels.Options{MaxPixels: pixels.MaximumPixels})
	indextest.Must(b, err)
	defer decoder.Close()
	names, err := fs.Glob(builtin.Gallery(), "images/*")
	indextest.Must(b, err)
	for some := range slices.Chunk(names[:64], 16) {
		var pictures []*pixels.Image
		for _, name := range some {
			data, err := fs.ReadFile(builtin.Gallery(), name)
			indextest.Must(b, err)
			picture, err := decoder.Decode(b.Context(), data)
			indextest.Must(b, err)
			pictures = append(pictures, picture)
		}
		tokens, err := s.engine.ImageTokens(b.Context(), pictures)
		indextest.Must(b, err)
		for _, one := range tokens {
			packed, err := embed.Pack(one, embed.PackInt8)
			indextest.Must(b, err)
			s.tokens = append(s.tokens, packed)
		}
	}
}

// batch is the images of some numbers, with tokens.
func (s *scale) batch(from, to int) (batch index.Batch) {
	for number := from; number < to; number++ {
		put := largePut(uint64(number))
		put.Vectors.Tokens = s.tokens[number%len(s.tokens)]
		batch.Puts = append(batch.Puts, put)
	}
	return batch
}

// fill brings images into both libraries; on the cluster two processes do, each its share. Report tells how fast, and what of the
// processors' time each kind of process took for an image.
func (s *scale) fill(b *testing.B, to int) (report func()) {
	const size = 64
	engineTime := func() (sum time.Duration) {
		for i := range s.nodes.Addresses() {
			sum += processorTime(b, s.nodes.PID(i))
		}
		return sum
	}
	count := float64(to - s.filled)
	began, engineBegan, storeBegan, ownBegan := time.Now(), engineTime(), processorTime(b, s.gateway.PID()), processorTime(b, os.Getpid())
	var group errgroup.Group
	for worker, library := range s.cluster {
		group.Go(func() error {
			for start := s.filled + worker*size; start < to; start += len(s.cluster) * size {
				if _, err := library.Write(priority.Background(b.Context()), s.batch(start, min(start+size, to))); err != nil {
					return err
				}
			}
			return nil
		})
	}
	indextest.Must(b, group.Wait())
	rate := count / time.Since(began).Seconds()
	engineTook, storeTook, ownTook := engineTime()-engineBegan, processorTime(b, s.gateway.PID())-storeBegan, processorTime(b, os.Getpid())-ownBegan
	began = time.Now()
	for start := s.filled; start < to; start += size {
		_, err := s.disk.Write(b.Context(), s.batch(start, min(start+size, to)))
		indextest.Must(b, err)
	}
	diskRate := count / time.Since(began).Seconds()
	s.filled = to
	return func() {
		b.ReportMetric(rate, "images/s")
		b.ReportMetric(diskRate, "disk-images/s")
		b.ReportMetric(engineTook.Seconds()*1000/count, "engine-ms/image")
		b.ReportMetric(storeTook.Seconds()*1000/count, "store-ms/image")
		b.ReportMetric(ownTook.Seconds()*1000/count, "own-ms/image")
	}
}

// measure asks both libraries the same.
func (s *scale) measure(b *testing.B, images int) {
	const queries, exactly = 100, 10
	source := rand.New(rand.NewPCG(uint64(images), 1))
	vectors, words := make([][]float32, queries), make([]string, queries)
	for i := range queries {
		number := uint64(source.IntN(images))
		vectors[i], words[i] = largeQuery(number), fmt.Sprintf("bicycle beside number %d", number%5000)
	}
	exact := exactLarge(vectors[:exactly], images)
	for _, asked := range []struct {
		name    string
		library index.Library
	}{{"", s.cluster[0]}, {"disk-", s.disk}} {
		var plain, reranked []time.Duration
		found, wanted := 0, 0
		for i := range queries {
			began := time.Now()
			nearest := s.search(b, asked.library, vectors[i], words[i], 0)
			plain = append(plain, time.Since(began))
			if i < exactly {
				for _, hit := range nearest[:len(exact[i])] {
					if slices.Contains(exact[i], hit.Path()) {
						found++
					}
				}
				wanted += len(exact[i])
			}
		}
		for i := range queries { // others, whose tokens are in no cache of this process
			began := time.Now()
			s.search(b, asked.library, vectors[(i+queries/2)%queries], words[i], 16)
			reranked = append(reranked, time.Since(began))
		}
		for name, times := range map[string][]time.Duration{"": plain, "rerank-": reranked} {
			slices.Sort(times)
			b.ReportMetric(times[queries/2].Seconds()*1000, asked.name+name+"p50-ms")
			b.ReportMetric(times[queries*99/100].Seconds()*1000, asked.name+name+"p99-ms")
		}
		b.ReportMetric(float64(found)/float64(wanted), asked.name+"recall@10")
	}
	memory := 0
	for i := range s.nodes.Addresses() {
		memory = max(memory, residentMiB(b, s.nodes.PID(i)))
	}
	b.ReportMetric(float64(memory), "MiB/node")
}

// search asks what a search for a first page asks, lets the model read some of the hits again, and gives the records nearest to the query.
func (s *scale) search(b *testing.B, library index.Library, query []float32, words string, rerank int) []*index.Record {
	const window = 256
	r, err := library.Reader(b.Context())
	indextest.Must(b, err)
	defer r.Close()
	var near []index.Neighbour
	var hits []index.KeywordHit
	var group errgroup.Group
	group.Go(func() (err error) {
		near, err = r.Nearest(b.Context(), index.KindImage, query, window, index.Filter{})
		return err
	})
	group.Go(func() (err error) {
		hits, err = r.Keyword(b.Context(), index.KeywordQuery{Text: words, Kind: index.KindImage, ScoresOnly: true}, window, index.Filter{})
		return err
	})
	indextest.Must(b, group.Wait())
	var ids, lacking []index.ID
	for _, hit := range near {
		ids = append(ids, hit.ID)
	}
	for _, hit := range hits {
		if !slices.Contains(ids, hit.ID) {
			ids, lacking = append(ids, hit.ID), append(lacking, hit.ID)
		}
	}
	records, err := r.Records(b.Context(), ids)
	indextest.Must(b, err)
	if len(lacking) > 0 {
		_, err = r.Nearest(b.Context(), index.KindImage, query, len(lacking), index.Filter{IDs: lacking})
		indextest.Must(b, err)
	}
	if rerank > 0 {
		tokens, err := r.Tokens(b.Context(), ids[:rerank])
		indextest.Must(b, err)
		matches, err := s.engine.MatchPairs(b.Context(), tokens, []string{words})
		indextest.Must(b, err)
		if len(matches) != rerank {
			b.Fatalf("%d of %d are matched", len(matches), rerank)
		}
	}
	return records
}

// exactLarge gives the paths of the ten images nearest to each of some queries.
func exactLarge(queries [][]float32, images int) [][]string {
	type scored struct {
		number uint64
		score  float32
	}
	all := make([][]scored, len(queries))
	for i := range all {
		all[i] = make([]scored, images)
	}
	var group sync.WaitGroup
	for worker := range 2 {
		group.Go(func() {
			for number := worker; number < images; number += 2 {
				parts := largeParts(uint64(number))
				for i, query := range queries {
					score, _ := parts.Similarity(query)
					all[i][number] = scored{uint64(number), score}
				}
			}
		})
	}
	group.Wait()
	paths := make([][]string, len(queries))
	for i := range all {
		slices.SortFunc(all[i], func(a, b scored) int { return cmp.Compare(b.score, a.score) })
		for _, one := range all[i][:10] {
			paths[i] = append(paths[i], indextest.ScalePath(one.number))
		}
	}
	return paths
}

// processorTime is what a process has taken of the processors.
func processorTime(b *testing.B, pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	indextest.Must(b, err)
	_, after, _ := strings.Cut(string(stat), ") ")
	var skipped [11]string
	var user, system int64
	scanned := make([]any, 0, 13)
	for i := range skipped {
		scanned = append(scanned, &skipped[i])
	}
	_, err = fmt.Sscan(after, append(scanned, &user, &system)...)
	indextest.Must(b, err)
	return time.Duration(user+system) * 10 * time.Millisecond // a hundred ticks a second
}

// residentMiB is the memory of a process.
func residentMiB(b *testing.B, pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	indextest.Must(b, err)
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	kilobytes := 0
	_, err = fmt.Sscan(after, &kilobytes)
	indextest.Must(b, err)
	return kilobytes / 1024
}
