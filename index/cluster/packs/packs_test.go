package packs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"mekiki/index"
	"mekiki/index/cluster/objects"
	"mekiki/index/cluster/settings"
	"mekiki/internal/clustertest/storetest"
)

// openStore opens a store in memory, whose readings are counted.
func openStore(tb testing.TB) *counted {
	tb.Helper()
	store, err := objects.Open(settings.Store{Address: storetest.StartMemory(tb, "bucket"), Bucket: "bucket", Region: "us-east-1", AccessKey: "a", SecretKey: "s"})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { store.Close() })
	return &counted{Store: store}
}

// counted counts readings, and damages some bytes of what they give.
type counted struct {
	objects.Store
	reads atomic.Int64
	// bad is a byte of packs that cannot be read; zero for none.
	bad int64
}

func (c *counted) Get(ctx context.Context, key string) ([]byte, error) {
	c.reads.Add(1)
	return c.Store.Get(ctx, key)
}

func (c *counted) Range(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	c.reads.Add(1)
	if c.bad > 0 && offset <= c.bad && c.bad < offset+length {
		return nil, fmt.Errorf("object %s: %w", key, index.ErrDamaged)
	}
	return c.Store.Range(ctx, key, offset, length)
}

// someOf gives pieces of random lengths.
func someOf(count, longest int) map[string][]byte {
	random := rand.New(rand.NewPCG(uint64(count), uint64(longest)))
	pieces := map[string][]byte{}
	for i := range count {
		data := make([]byte, random.IntN(longest+1))
		for j := range data {
			data[j] = byte(random.Uint32())
		}
		pieces[fmt.Sprintf("tokens/%04d", i)] = data
	}
	return pieces
}

func write(tb testing.TB, store objects.Store, pieces map[string][]byte) Written {
	tb.Helper()
	var builder Builder
	for i := range len(pieces) {
		name := fmt.Sprintf("tokens/%04d", i)
		if !builder.Add(name, pieces[name]) {
			tb.Fatalf("%s is not taken", name)
		}
	}
	written, err := builder.Write(tb.Context(), store, "packs/")
	if err != nil || builder.Count() != 0 {
		tb.Fatal(builder.Count(), err)
	}
	return written
}

// TestPacks: pieces are read by their places, which those that know the pack alone find, few at a time or all.
func TestPacks(t *testing.T) {
	for _, test := range []struct{ count, longest int }{{0, 0}, {1, 0}, {3, 100}, {200, 3000}, {3000, 60}, {30, 200 << 10}} {
		store := openStore(t)
		pieces := someOf(test.count, test.longest)
		written := write(t, store, pieces)
		if again := write(t, store, pieces); again.Pack != written.Pack {
			t.Errorf("the same pieces are %s and %s", written.Pack, again.Pack)
		}
		reader := NewReader(store, nil)
		places, err := reader.Places(t.Context(), written.Pack)
		if err != nil || len(places) != test.count {
			t.Fatalf("%d pieces: %d, %v", test.count, len(places), err)
		}
		for _, place := range places {
			if written.Places[place.Name] != place {
				t.Fatalf("%+v instead of %+v", place, written.Places[place.Name])
			}
		}
		rand.Shuffle(len(places), func(i, j int) { places[i], places[j] = places[j], places[i] })
		for _, asked := range [][]Place{places, places[:len(places)/7]} {
			got, err := reader.Read(t.Context(), asked)
			if err != nil || len(got) != len(asked) {
				t.Fatal(len(got), err)
			}
			for i, piece := range got {
				if piece.Err != nil || !bytes.Equal(piece.Data, pieces[asked[i].Name]) {
					t.Fatalf("%s: %d bytes, %v", asked[i].Name, len(piece.Data), piece.Err)
				}
			}
		}
	}
}

func TestFind(t *testing.T) {
	store := openStore(t)
	written := write(t, store, someOf(10, 50))
	reader := NewReader(store, nil)
	for range 2 {
		found, there, err := reader.Find(t.Context(), written.Pack, []string{"tokens/0003", "nothing", "tokens/0009"})
		if err != nil || !there[0] || there[1] || !there[2] || found[2] != written.Places["tokens/0009"] {
			t.Errorf("%v %v %v", found, there, err)
		}
	}
	if reads := store.reads.Load(); reads != 2 { // a small pack: once too much, once whole
		t.Errorf("the table was read %d times", reads)
	}
	if _, _, err := reader.Find(t.Context(), "packs/none", nil); !errors.Is(err, objects.ErrAbsent) {
		t.Error(err)
	}
}

// TestReadsAreMerged: neighbours are read at once, those of one pack far apart are not, and nothing is read twice with a cache.
func TestReadsAreMerged(t *testing.T) {
	store := openStore(t)
	pieces := someOf(100, 30<<10)
	written := write(t, store, pieces)
	var all, apart []Place
	for i := range 100 {
		place := written.Places[fmt.Sprintf("tokens/%04d", i)]
		all = append(all, place)
		if i%20 == 0 {
			apart = append(apart, place)
		}
	}
	cache, err := objects.OpenCache(t.TempDir(), 1<<30, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		places []Place
		reader *Reader
		reads  int64
	}{
		{all, NewReader(store, nil), 1}, {apart, NewReader(store, nil), 5}, {apart, NewReader(store, cache), 5}, {apart, NewReader(store, cache), 0},
	} {
		if _, err := want.reader.Read(t.Context(), want.places); err != nil {
			t.Fatal(err)
		}
		if reads := store.reads.Swap(0); reads != want.reads {
			t.Errorf("%d: %d reads, expected %d", i, reads, want.reads)
		}
	}
}

// TestDamageCostsOnlyItself: a piece that is damaged, gone or not where it should be takes no other one with it.
func TestDamageCostsOnlyItself(t *testing.T) {
	store := openStore(t)
	pieces := someOf(10, 500)
	written := write(t, store, pieces)
	var places []Place
	for i := range 10 {
		places = append(places, written.Places[fmt.Sprintf("tokens/%04d", i)])
	}
	store.bad = places[4].Offset + 1
	places[2].Name = "tokens/0007"
	places[6].Offset, places[6].Length = 1<<20, 100
	places[8].Pack = "packs/none"
	places[9].Length = maximumPack + 1
	got, err := NewReader(store, nil).Read(t.Context(), places)
	if err != nil {
		t.Fatal(err)
	}
	for i, piece := range got {
		want := map[int]error{2: index.ErrDamaged, 4: index.ErrDamaged, 6: index.ErrDamaged, 8: objects.ErrAbsent, 9: index.ErrDamaged}[i]
		if !errors.Is(piece.Err, want) || want == nil && !bytes.Equal(piece.Data, pieces[places[i].Name]) {
			t.Errorf("%d: %v, expected %v", i, piece.Err, want)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := NewReader(store, nil).Read(ended, places); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestRepack(t *testing.T) {
	store := openStore(t)
	pieces := someOf(20, 500)
	written := write(t, store, pieces)
	reader := NewReader(store, nil)
	kept, err := reader.Repack(t.Context(), written.Pack, "packs/", func(name string) bool { return name > "tokens/0014" })
	if err != nil || len(kept.Places) != 5 {
		t.Fatal(kept, err)
	}
	for name, place := range kept.Places {
		got, err := reader.Read(t.Context(), []Place{place})
		if err != nil || got[0].Err != nil || !bytes.Equal(got[0].Data, pieces[name]) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if none, err := reader.Repack(t.Context(), written.Pack, "packs/", func(string) bool { return false }); err != nil || none.Pack != "" {
		t.Errorf("%v, %v", none, err)
	}
}

func TestBuilderIsBounded(t *testing.T) {
	var builder Builder
	if builder.Add("", nil) || builder.Add(strings.Repeat("n", maximumName+1), nil) || builder.Add("huge", make([]byte, maximumPack)) {
		t.Error("took what is too large")
	}
	if !builder.Add("a", nil) || builder.Add("a", nil) {
		t.Error("a name came twice")
	}
	data := make([]byte, 1<<20)
	for i := 0; builder.Add(fmt.Sprint(i), data); i++ {
		if builder.Size() > maximumPack {
			t.Fatal("the pack is too large")
		}
	}
	if builder.Count() < 20 {
		t.Errorf("took %d", builder.Count())
	}
}

// FuzzTable: whatever a store gives as a pack, reading its table ends with places or an error.
func FuzzTable(f *testing.F) {
	var builder Builder
	builder.Add("a", []byte("x"))
	builder.Add("bc", nil)
	table := append([]byte(packMagic), 1, 0, 0, 0, 2, 0, 0, 0, byte(len(builder.table)), 0, 0, 0)
	f.Add(table, builder.table)
	f.Fuzz(func(t *testing.T, start, table []byte) {
		data := append(bytes.Clone(start), make([]byte, 4)...)
		head, err := readHead("pack", data)
		if err != nil {
			return
		}
		head.sum = pieceSum("", table) // so that what follows the checksum is read, too
		places, err := head.readTable("pack", table)
		if err == nil && len(places) != head.count {
			t.Errorf("%d places of %d", len(places), head.count)
		}
	})
}
