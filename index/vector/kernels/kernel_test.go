package kernels

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// FuzzKernels holds every kernel of this processor against the portable one: the
// sums are integers, so they must be equal to the bit.
func FuzzKernels(f *testing.F) {
	f.Add(uint64(1), uint8(4), uint8(33), []byte{})
	f.Add(uint64(2), uint8(1), uint8(1), []byte{0x80, 0xff, 0x7f, 0x00})
	f.Add(uint64(3), uint8(0), uint8(5), []byte{})
	f.Fuzz(func(t *testing.T, seed uint64, blocks, count uint8, extremes []byte) {
		source := rand.New(rand.NewPCG(seed, 0))
		stride := (int(blocks%8) + 1) * Block
		query, rows := make([]int8, stride), make([]byte, stride*int(count))
		for i := range query {
			query[i] = int8(source.IntN(255) - 127)
		}
		for i := range rows {
			rows[i] = byte(source.IntN(256))
		}
		for i, value := range extremes {
			query[i%stride] = int8(value)
			if len(rows) > 0 {
				rows[i%len(rows)] = ^value
			}
		}
		want := make([]int32, count)
		dotScalar(query, rows, want)
		for _, kernel := range All() {
			got := make([]int32, count)
			kernel.Dot(query, rows, got)
			if !slices.Equal(got, want) {
				t.Errorf("%s differs: %v, want %v", kernel.Name, got, want)
			}
			shuffled, sums := shuffledRows(source, rows, stride, want)
			kernel.Gather(query, shuffled, got)
			if !slices.Equal(got, sums) {
				t.Errorf("%s gathers %v, want %v", kernel.Name, got, sums)
			}
		}
	})
}

// shuffledRows gives rows in another order, and their sums.
func shuffledRows(source *rand.Rand, rows []byte, stride int, sums []int32) (shuffled [][]byte, of []int32) {
	for _, i := range source.Perm(len(sums)) {
		shuffled, of = append(shuffled, rows[i*stride:(i+1)*stride]), append(of, sums[i])
	}
	return shuffled, of
}

// TestKernelsAgree compares kernels at every number of rows up to a few groups of
// them, many strides and every alignment, and looks that nothing beyond out is written.
func TestKernelsAgree(t *testing.T) {
	source := rand.New(rand.NewPCG(8, 8))
	for _, kernel := range All() {
		t.Log(kernel.Name)
		for blocks := range 24 {
			for count := range 14 {
				stride, offset := (blocks+1)*Block, source.IntN(64)
				query, rows := make([]int8, offset+stride)[offset:], make([]byte, offset+stride*count)[offset:]
				for i := range query {
					query[i] = int8(source.IntN(256) - 128)
				}
				for i := range rows {
					rows[i] = byte(source.IntN(256))
				}
				want, got := make([]int32, count+8), make([]int32, count+8)
				for i := range want {
					want[i], got[i] = int32(i), int32(i)
				}
				dotScalar(query, rows, want[:count])
				kernel.Dot(query, rows, got[:count])
				if !slices.Equal(got, want) {
					t.Fatalf("%s of %d rows of %d differs: %v, want %v", kernel.Name, count, stride, got, want)
				}
				shuffled, sums := shuffledRows(source, rows, stride, want[:count])
				sums = append(sums, want[count:]...)
				kernel.Gather(query, shuffled, got[:count])
				if !slices.Equal(got, sums) {
					t.Fatalf("%s gathers %d rows of %d: %v, want %v", kernel.Name, count, stride, got, sums)
				}
			}
		}
	}
}

func TestKernelsAtExtremes(t *testing.T) {
	for _, value := range []struct {
		query int8
		row   byte
	}{{127, 255}, {-127, 255}, {-128, 255}, {127, 0}, {-128, 128}, {-128, 0}} {
		query, rows := make([]int8, widest), make([]byte, widest*3)
		for i := range query {
			query[i] = value.query
		}
		for i := range rows {
			rows[i] = value.row
		}
		want := int32(value.query) * int32(value.row) * widest
		for _, kernel := range All() {
			got := make([]int32, 3)
			kernel.Dot(query, rows, got)
			if got[0] != want || got[1] != want || got[2] != want {
				t.Errorf("%s of %v: %v, want %d", kernel.Name, value, got, want)
			}
		}
	}
}

func BenchmarkKernels(b *testing.B) {
	for _, rows := range []int{2048, 65536, 1 << 20} {
		data := make([]byte, rows*256)
		for i := 0; i < len(data); i += 8 {
			binary.LittleEndian.PutUint64(data[i:], rand.Uint64())
		}
		query, out := make([]int8, 256), make([]int32, rows)
		for i := range query {
			query[i] = int8(rand.IntN(255) - 127)
		}
		for _, kernel := range All() {
			if kernel.Name == "scalar" && rows > 2048 {
				continue
			}
			b.Run(fmt.Sprintf("%s/%d-rows", kernel.Name, rows), func(b *testing.B) {
				b.SetBytes(int64(len(data)))
				for b.Loop() {
					kernel.Dot(query, data, out)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/vector")
			})
		}
	}
}

// widest is the widest row for which no sum can overflow.
const widest = 65536
