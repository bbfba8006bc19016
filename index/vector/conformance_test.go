package vector

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"mekiki/index/vector/kernels"
)

const testWidth = 48

// searcher is what the conformance suite holds an index to: the Index, exact and by
// inverted lists, an exhaustive scan and an HNSW graph. It is for one goroutine at a
// time.
type searcher interface {
	// Add puts in a group's vectors, row after row, in place of those it has. The
	// slice is kept and must not change.
	Add(group uint64, vectors []float32) error
	// Remove takes a group out, if it is there.
	Remove(group uint64) error
	// Search gives k groups, or all that allow lets through where they are fewer,
	// best first and of equals the smaller number first. Scores are exact. Queries
	// are rows like vectors; a nil allow lets every group through.
	Search(ctx context.Context, queries []float32, k int, allow func(group uint64) bool) ([]Neighbour, error)
	// Len is the number of groups.
	Len() int
}

// searcherCase is a searcher with the recall that it must reach; 0 is reported only.
type searcherCase struct {
	name   string
	create func() searcher
	recall float64
}

// searchers lists what this platform has.
var searchers = append([]searcherCase{
	{"exhaustive", func() searcher { return newExhaustive(testWidth) }, 1},
	{"index", func() searcher { return newIndexed(testWidth, kernels.All()[0]) }, 1},
	{"index, parallel", func() searcher { return newThreaded(testWidth) }, 1},
	{"hnsw", func() searcher { return newByGraph(testWidth) }, 0.95},
	{"ivf", func() searcher { return newApproximate(testWidth) }, 0.95},
}, coderSearchers...)

// clustered draws unit vectors around common centroids, like those of photographs.
type clustered struct {
	source    *rand.Rand
	centroids [][]float32
}

func newClustered(seed uint64, centroids int) *clustered {
	c := &clustered{source: rand.New(rand.NewPCG(seed, 1))}
	for range centroids {
		c.centroids = append(c.centroids, c.near(make([]float32, testWidth), 1))
	}
	return c
}

func (c *clustered) near(centroid []float32, spread float64) []float32 {
	vector, squares := make([]float32, testWidth), 0.0
	for i := range vector {
		vector[i] = centroid[i] + float32(spread*c.source.NormFloat64()/math.Sqrt(testWidth))
		squares += float64(vector[i]) * float64(vector[i])
	}
	for i := range vector {
		vector[i] /= float32(math.Sqrt(squares))
	}
	return vector
}

// group draws rows near one centroid.
func (c *clustered) group(rows int) (vectors []float32) {
	middle := c.near(c.centroids[c.source.IntN(len(c.centroids))], 0.5)
	for range rows {
		vectors = append(vectors, c.near(middle, 0.2)...)
	}
	return vectors
}

// fill adds groups of one to four vectors to every graph alike, replaces some and
// removes some.
func fill(t testing.TB, count int, graphs ...searcher) *clustered {
	t.Helper()
	data := newClustered(5, 20)
	for number := range uint64(count + count/10) {
		group := number * 3 % uint64(count) * 7
		vectors := data.group(1 + data.source.IntN(4))
		for _, graph := range graphs {
			if err := graph.Add(group, vectors); err != nil {
				t.Fatal(err)
			}
		}
		if number%6 != 5 {
			continue
		}
		for _, graph := range graphs {
			if err := graph.Remove(group); err != nil {
				t.Fatal(err)
			}
		}
	}
	return data
}

func recallOf(got, want []Neighbour) float64 {
	there := 0
	for _, neighbour := range want {
		if slices.ContainsFunc(got, func(n Neighbour) bool { return n.Group == neighbour.Group }) {
			there++
		}
	}
	return float64(there) / float64(max(1, len(want)))
}

func TestSearchers(t *testing.T) {
	for _, test := range searchers {
		t.Run(test.name, func(t *testing.T) {
			t.Run("empty", func(t *testing.T) { testEmpty(t, test.create()) })
			t.Run("refusals", func(t *testing.T) { testRefusals(t, test.create()) })
			t.Run("changes", func(t *testing.T) { testChanges(t, test.create(), test.recall) })
			t.Run("drained", func(t *testing.T) { testDrained(t, test.create()) })
		})
	}
}

func testEmpty(t *testing.T, graph searcher) {
	found, err := graph.Search(t.Context(), make([]float32, testWidth), 10, nil)
	if err != nil || len(found) != 0 || graph.Len() != 0 {
		t.Fatalf("found %v among %d, %v", found, graph.Len(), err)
	}
	if err := graph.Remove(7); err != nil {
		t.Fatal(err)
	}
}

func testRefusals(t *testing.T, graph searcher) {
	fill(t, 20, graph)
	bad := make([]float32, testWidth)
	bad[3] = float32(math.NaN())
	for _, values := range [][]float32{nil, make([]float32, testWidth-1), bad} {
		if err := graph.Add(1, values); !errors.Is(err, ErrVectors) {
			t.Errorf("add %d values: %v", len(values), err)
		}
		if _, err := graph.Search(t.Context(), values, 1, nil); !errors.Is(err, ErrVectors) {
			t.Errorf("search %d values: %v", len(values), err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := graph.Search(ctx, make([]float32, testWidth), 1, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled search: %v", err)
	}
}

func testChanges(t *testing.T, graph searcher, least float64) {
	exact := newExhaustive(testWidth)
	data := fill(t, 400, graph, exact)
	if graph.Len() != exact.Len() {
		t.Fatalf("%d groups, want %d", graph.Len(), exact.Len())
	}
	third := func(group uint64) bool { return group%3 == 0 }
	few := func(group uint64) bool { return group < 40 }
	total, searches := 0.0, 0
	for number, allow := range []func(uint64) bool{nil, third, few, nil, third} {
		for _, k := range []int{0, 1, 10, 1000} {
			queries := data.group(1 + number*2)
			want, err := exact.Search(t.Context(), queries, k, allow)
			if err != nil {
				t.Fatal(err)
			}
			got, err := graph.Search(t.Context(), queries, k, allow)
			if err != nil || len(got) != len(want) {
				t.Fatalf("%d groups, want %d, %v", len(got), len(want), err)
			}
			checkScores(t, exact, queries, got, allow)
			total, searches = total+recallOf(got, want), searches+1
			if least == 1 && !slices.Equal(got, want) {
				t.Errorf("k %d: %v, want %v", k, got, want)
			}
		}
	}
	// Of the four searches under each filter, the one for none has no recall.
	recall := total / float64(searches-5)
	t.Logf("recall %.3f", recall)
	if recall < least {
		t.Errorf("recall %.3f, want at least %g", recall, least)
	}
}

// checkScores holds each neighbour against the group's own vectors.
func checkScores(t *testing.T, exact *exhaustive, queries []float32, got []Neighbour, allow func(uint64) bool) {
	t.Helper()
	seen := map[uint64]bool{}
	for _, neighbour := range got {
		if _, there := exact.groups[neighbour.Group]; !there || seen[neighbour.Group] || allow != nil && !allow(neighbour.Group) {
			t.Fatalf("group %d is not in, not allowed, or there twice", neighbour.Group)
		}
		seen[neighbour.Group] = true
		if want := exact.score(queries, neighbour.Group); neighbour != want {
			t.Fatalf("%v, want %v", neighbour, want)
		}
	}
	if sorted := best(slices.Clone(got), len(got)); !slices.Equal(sorted, got) {
		t.Fatalf("not best first: %v", got)
	}
}

// testDrained removes everything and fills again.
func testDrained(t *testing.T, graph searcher) {
	data := fill(t, 60, graph)
	for group := range uint64(60 * 7) {
		if err := graph.Remove(group); err != nil {
			t.Fatal(err)
		}
	}
	testEmpty(t, graph)
	vectors := data.group(2)
	if err := graph.Add(9, vectors); err != nil {
		t.Fatal(err)
	}
	found, err := graph.Search(t.Context(), vectors[testWidth:], 3, nil)
	if err != nil || len(found) != 1 || found[0].Group != 9 || found[0].Part != 1 {
		t.Fatalf("found %v, %v", found, err)
	}
}

// BenchmarkSearchers reports recall@10 beside the time of a search.
func BenchmarkSearchers(b *testing.B) {
	for _, count := range []int{500, 2000} {
		for _, test := range searchers {
			b.Run(fmt.Sprintf("%s/%d-groups", test.name, count), func(b *testing.B) {
				graph, exact := test.create(), newExhaustive(testWidth)
				data := fill(b, count, graph, exact)
				recall := 0.0
				for range 50 {
					query := data.group(1)
					want, _ := exact.Search(b.Context(), query, 10, nil)
					got, err := graph.Search(b.Context(), query, 10, nil)
					if err != nil {
						b.Fatal(err)
					}
					recall += recallOf(got, want) / 50
				}
				query := data.group(1)
				for b.Loop() {
					if _, err := graph.Search(b.Context(), query, 10, nil); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(recall, "recall@10")
			})
		}
	}
}
