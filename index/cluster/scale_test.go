package cluster

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/cluster/objects"
	"mekiki/index/cluster/settings"
	"mekiki/index/indextest"
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

// BenchmarkScale fills a library of three nodes, three copies, to MEKIKI_TEST_IMAGES images
// (1,000 without it) of 32 parts by two processes at once, and measures at each doubling from 1,000 on:
// images a second, searches as they are made for a first page (a reader, both legs 256 deep, the
// records), recall of the ten nearest, memory of a node.
func BenchmarkScale(b *testing.B) {
	nodes := clustertest.StartWeaviate(b, 3)
	gateway := clustertest.StartVersitygw(b, []string{"scale"})
	store, err := objects.Open(settings.Store{
		Address: gateway.Address(), Bucket: "scale", Region: settings.DefaultRegion, Addressing: "path", AccessKey: clustertest.OwnerAccess, SecretKey: clustertest.OwnerSecret,
	})
	indextest.Must(b, err)
	open := func() *Library {
		o := optionsOf(b, store, openEngine(b, nodes.Addresses()), "Scale")
		o.Shards, o.Replicas = 3, 3
		indextest.Must(b, Init(b.Context(), o))
		library, err := Open(b.Context(), o)
		indextest.Must(b, err)
		return library
	}
	libraries := []*Library{open(), open()}
	indextest.Must(b, libraries[0].AddSpace(b.Context(), large))
	most, filled := testsize.Of(b, "MEKIKI_TEST_IMAGES", 1000), 0
	for images := 1000; images <= most; images *= 2 {
		b.Run(fmt.Sprintf("%d-images", images), func(b *testing.B) {
			began := time.Now()
			fillLarge(b, libraries, filled, images)
			rate := float64(images-filled) / time.Since(began).Seconds()
			filled = images
			for b.Loop() {
				measureLarge(b, libraries[0], nodes, images)
			}
			b.ReportMetric(rate, "images/s")
		})
		if filled < images {
			break
		}
	}
}

// fillLarge lets several processes bring in images, each its share.
func fillLarge(b *testing.B, libraries []*Library, from, to int) {
	var group errgroup.Group
	for worker, library := range libraries {
		group.Go(func() error {
			const size = 64
			for start := from + worker*size; start < to; start += len(libraries) * size {
				var batch index.Batch
				for number := start; number < min(start+size, to); number++ {
					batch.Puts = append(batch.Puts, largePut(uint64(number)))
				}
				if _, err := library.Write(b.Context(), batch); err != nil {
					return err
				}
			}
			return nil
		})
	}
	indextest.Must(b, group.Wait())
}

func measureLarge(b *testing.B, library *Library, nodes *clustertest.Cluster, images int) {
	const queries, window = 100, 256
	source := rand.New(rand.NewPCG(uint64(images), 1))
	var times []time.Duration
	found, wanted := 0, 0
	for i := range queries {
		number := uint64(source.IntN(images))
		query := largeQuery(number)
		began := time.Now()
		nearest := searchLarge(b, library, query, fmt.Sprintf("bicycle beside number %d", number%5000), window)
		times = append(times, time.Since(began))
		if i < 10 {
			exact := exactLarge(query, images)
			for _, hit := range nearest[:10] {
				if slices.Contains(exact, hit.Path()) {
					found++
				}
			}
			wanted += len(exact)
		}
	}
	slices.Sort(times)
	b.ReportMetric(times[queries/2].Seconds()*1000, "p50-ms")
	b.ReportMetric(times[queries*99/100].Seconds()*1000, "p99-ms")
	b.ReportMetric(float64(found)/float64(wanted), "recall@10")
	memory := 0
	for i := range nodes.Addresses() {
		memory = max(memory, residentMiB(b, nodes.PID(i)))
	}
	b.ReportMetric(float64(memory), "MiB/node")
}

// searchLarge asks what a search for a first page asks, and gives the records nearest to the query.
func searchLarge(b *testing.B, library *Library, query []float32, words string, window int) []*index.Record {
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
	return records
}

// exactLarge gives the paths of the ten images nearest to a query.
func exactLarge(query []float32, images int) []string {
	type scored struct {
		number uint64
		score  float32
	}
	all := make([]scored, images)
	var group sync.WaitGroup
	for worker := range 2 {
		group.Go(func() {
			for number := worker; number < images; number += 2 {
				score, _ := largeParts(uint64(number)).Similarity(query)
				all[number] = scored{uint64(number), score}
			}
		})
	}
	group.Wait()
	slices.SortFunc(all, func(a, b scored) int { return int(1e6 * (b.score - a.score)) })
	var paths []string
	for _, one := range all[:10] {
		paths = append(paths, indextest.ScalePath(one.number))
	}
	return paths
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
