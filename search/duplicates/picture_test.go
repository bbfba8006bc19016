package duplicates

import (
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"mekiki/index"
)

func TestHashTablesFindAllWithinADistance(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 2))
	var records []*index.Record
	for range 2000 {
		hash := random.Uint64()
		if len(records) > 0 && random.IntN(2) == 0 { // near one that is there
			hash = records[random.IntN(len(records))].PerceptualHash
			for range random.IntN(18) {
				hash ^= 1 << random.IntN(64)
			}
		}
		records = append(records, &index.Record{PerceptualHash: hash})
	}
	tables := newHashTables(records)
	for distance := 0; distance <= 16; distance++ {
		for _, record := range records[:100] {
			var want []int
			for i, other := range records {
				if bits.OnesCount64(record.PerceptualHash^other.PerceptualHash) <= distance {
					want = append(want, i)
				}
			}
			if got := tables.within(record.PerceptualHash, distance); !slices.Equal(got, want) {
				t.Fatalf("distance %d: got %v, want %v", distance, got, want)
			}
		}
	}
}

func BenchmarkPictures(b *testing.B) {
	random := rand.New(rand.NewPCG(3, 3))
	records := make([]*index.Record, 100_000)
	for i := range records {
		records[i] = &index.Record{ID: index.ID(i + 1), Width: 640, Height: 480, PerceptualHash: random.Uint64()}
	}
	for b.Loop() {
		if _, err := Pictures(b.Context(), records, 6); err != nil {
			b.Fatal(err)
		}
	}
}
