package hnsw

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

const testStride = 64

func scalar(query []int8, rows [][]byte, out []int32) {
	for i, row := range rows {
		out[i] = 0
		for j, value := range query {
			out[i] += int32(value) * int32(row[j])
		}
	}
}

// drawn gives codes of unit vectors around a few middles.
func drawn(count int) (codes [][]byte, rows []Row) {
	source := rand.New(rand.NewPCG(1, 9))
	middles := make([][]float64, 12)
	for i := range middles {
		middles[i] = make([]float64, testStride)
		for j := range middles[i] {
			middles[i][j] = source.NormFloat64()
		}
	}
	for range count {
		middle, squares, sum := middles[source.IntN(len(middles))], 0, int32(0)
		code := make([]byte, testStride)
		for j := range code {
			value := int32(max(-127, min(127, 30*(middle[j]+0.6*source.NormFloat64()))))
			code[j] = byte(value + 128)
			sum += value
			squares += int(value * value)
		}
		codes, rows = append(codes, code), append(rows, Row{Scale: float32(1 / math.Sqrt(float64(squares))), Sum: sum})
	}
	return codes, rows
}

func queryOf(codes []byte, row Row) Query {
	q := Query{Codes: make([]int8, len(codes)), Shift: 128 * row.Sum, Scale: row.Scale}
	for i, code := range codes {
		q.Codes[i] = int8(code ^ 0x80)
	}
	return q
}

func built(t testing.TB, codes [][]byte, rows []Row, workers int) *Graph {
	t.Helper()
	g := New(testStride, scalar)
	for i := range codes {
		if node := g.Append(codes[i], rows[i]); node != uint32(i) {
			t.Fatalf("node %d has number %d", i, node)
		}
	}
	if !g.Link(workers, nil) {
		t.Fatal("linking was stopped")
	}
	return g
}

// first gives the first nodes of a walk.
func first(t testing.TB, v *View, q Query, count int) (nodes []uint32) {
	t.Helper()
	err := v.Walk(t.Context(), []Query{q}, func(node uint32, _ float32) bool {
		nodes = append(nodes, node)
		return len(nodes) < count
	})
	if err != nil {
		t.Fatal(err)
	}
	return nodes
}

// TestWalkFindsTheNearest compares what a walk comes to with the scores of all nodes.
func TestWalkFindsTheNearest(t *testing.T) {
	codes, rows := drawn(2000)
	view := built(t, codes[:1900], rows, 2).View()
	recall := 0.0
	for i := 1900; i < 2000; i++ {
		q := queryOf(codes[i], rows[i])
		var best []key
		err := view.Scan(t.Context(), []Query{q}, func(query []int8, rows []byte, out []int32) {
			scalar(query, slices.Collect(slices.Chunk(rows, testStride)), out)
		}, func(first uint32, scores []float32) {
			for j, score := range scores {
				best = append(best, newKey(score, first+uint32(j)))
			}
		})
		if err != nil || len(best) != 1900 {
			t.Fatal(len(best), err)
		}
		slices.Sort(best)
		walked := first(t, view, q, 60)
		for _, k := range best[len(best)-10:] {
			if slices.Contains(walked, k.number()) {
				recall += 0.001
			}
		}
	}
	t.Logf("recall@10 within 60 steps: %.3f", recall)
	if recall < 0.95 {
		t.Errorf("recall %.3f", recall)
	}
	q := queryOf(codes[0], rows[0])
	if all := first(t, view, q, math.MaxInt); len(all) < 1890 {
		t.Errorf("a walk reaches %d of 1,900 nodes", len(all))
	}
}

// TestGraphIsTheSameForAnyWorkers builds with one goroutine and with several.
func TestGraphIsTheSameForAnyWorkers(t *testing.T) {
	codes, rows := drawn(1500)
	one, three := built(t, codes, rows, 1), built(t, codes, rows, 3)
	for level := range one.layers {
		a, b := &one.layers[level], &three.layers[level]
		if a.count != b.count || a.entry != b.entry {
			t.Fatalf("layer %d: %d nodes from %d, and %d from %d", level, a.count, a.entry, b.count, b.entry)
		}
		for number := range uint32(a.count) {
			if !slices.Equal(a.links(number), b.links(number)) {
				t.Fatalf("layer %d, node %d: %v and %v", level, number, a.links(number), b.links(number))
			}
		}
	}
}

// TestViewStaysWhileTheGraphGrows: a view walks as before, to nodes that it knows.
func TestViewStaysWhileTheGraphGrows(t *testing.T) {
	codes, rows := drawn(1200)
	g := built(t, codes[:600], rows, 1)
	view, q := g.View(), queryOf(codes[0], rows[0])
	want := first(t, view, q, 600)
	for i := 600; i < 1200; i++ {
		g.Append(codes[i], rows[i])
		if i%100 == 99 {
			g.Link(2, nil)
			g.View()
		}
	}
	if got := first(t, view, q, 600); !slices.Equal(got, want) {
		t.Errorf("a view walks another way: %v, want %v", got[:10], want[:10])
	}
	if all := first(t, g.View(), q, math.MaxInt); len(all) < 1190 {
		t.Errorf("a walk reaches %d of 1,200 nodes", len(all))
	}
}

func TestLinkingCanBeStopped(t *testing.T) {
	codes, rows := drawn(300)
	g := New(testStride, scalar)
	for i := range codes {
		g.Append(codes[i], rows[i])
	}
	looked := 0
	if g.Link(1, func() bool { looked++; return looked > 20 }) {
		t.Error("linking came to its end")
	}
	if !g.Link(1, nil) || len(first(t, g.View(), queryOf(codes[1], rows[1]), math.MaxInt)) < 295 {
		t.Error("linking did not go on")
	}
}

func TestWalkEndsWithItsContext(t *testing.T) {
	codes, rows := drawn(300)
	view := built(t, codes, rows, 1).View()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	all := func(uint32, float32) bool { return true }
	if err := view.Walk(ctx, []Query{queryOf(codes[0], rows[0])}, all); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := New(testStride, scalar).View().Walk(t.Context(), []Query{queryOf(codes[0], rows[0])}, all); err != nil {
		t.Error(err)
	}
}

func TestKeysAreInOrder(t *testing.T) {
	scores := []float32{float32(math.Inf(-1)), -3, -1e-9, 0, 1e-9, 0.5, 2}
	for i, score := range scores {
		k := newKey(score, 7)
		if k.score() != score || k.number() != 7 {
			t.Errorf("%g comes back as %g, node %d", score, k.score(), k.number())
		}
		if i > 0 && newKey(scores[i-1], 0) >= k {
			t.Errorf("%g is not before %g", scores[i-1], score)
		}
	}
	if newKey(1, 3) <= newKey(1, 4) {
		t.Error("of equals the smaller number is not the better")
	}
}

// TestViewIsSavedAsItWas: what a view saves does not depend on nodes that the graph has since.
func TestViewIsSavedAsItWas(t *testing.T) {
	codes, rows := drawn(400)
	g := built(t, codes[:300], rows, 1)
	view := g.View()
	var before, after bytes.Buffer
	if err := view.SaveLinks(&before); err != nil {
		t.Fatal(err)
	}
	for i := 300; i < 400; i++ {
		g.Append(codes[i], rows[i])
	}
	g.Link(1, nil)
	if err := view.SaveLinks(&after); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before.Bytes(), after.Bytes()) {
		t.Errorf("a view saves %d bytes of links, and %d after the graph grew", before.Len(), after.Len())
	}
}

// FuzzLinks loads links that are not what was saved, though their checksums are right.
func FuzzLinks(f *testing.F) {
	codes, rows := drawn(300)
	var saved bytes.Buffer
	if err := built(f, codes, rows, 1).View().SaveLinks(&saved); err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(0), []byte{7})
	f.Add(uint32(8), []byte{0, 0, 0, 0, 0, 0, 0, 0})
	f.Add(uint32(70), bytes.Repeat([]byte{1, 0, 0, 0}, 2000))
	f.Fuzz(func(t *testing.T, at uint32, other []byte) {
		links := slices.Clone(saved.Bytes())
		copy(links[int(at)%len(links):], other)
		g := New(testStride, scalar)
		for i := range codes {
			g.Append(codes[i], rows[i])
		}
		rest := links
		sum := func(length int) {
			binary.LittleEndian.PutUint32(rest[length:], crc32.Checksum(rest[:length], castagnoli))
			rest = rest[length+4:]
		}
		for level := range g.layers {
			sum(4)
			sum(g.layers[level].count * maxLinks * 4)
		}
		if err := g.LoadLinks(bytes.NewReader(links)); err != nil {
			if !errors.Is(err, ErrSaved) {
				t.Fatal(err)
			}
			return
		}
		if all := first(t, g.View(), queryOf(codes[3], rows[3]), math.MaxInt); len(all) > len(codes) {
			t.Errorf("a walk comes to %d of %d nodes", len(all), len(codes))
		}
		g.Append(codes[0], rows[0])
		g.Link(1, nil)
	})
}
