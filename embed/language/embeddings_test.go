package language

import (
	"bytes"
	"context"
	"math"
	"slices"
	"testing"

	"mekiki/embed/checkpoint/weights"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
)

// TestHalf wants every finite half-precision number to go there and back, and what lies between two to be told.
func TestHalf(t *testing.T) {
	for half := range 1 << 16 {
		if half>>10&0x1f == 0x1f {
			continue // infinities and what is no number
		}
		value := weights.HalfToFloat(uint16(half))
		if back, exact := halfBits(value); !exact || back != uint16(half) {
			t.Fatalf("%04x is %g, which is %04x, exact %v", half, value, back, exact)
		}
		if _, exact := halfBits(math.Nextafter32(value, 1e9)); exact {
			t.Fatalf("the neighbour of %g is exact", value)
		}
	}
	for _, value := range []float32{65536, -1e30, 1e-8, float32(math.Inf(1))} {
		if _, exact := halfBits(value); exact {
			t.Errorf("%g is exact", value)
		}
	}
}

// table is a checkpoint of one tensor.
type table []float32

func (table) Has(string) bool { return true }

func (table) Shape(string) ([]int, bool) { return []int{3, 4}, true }

func (w table) Float32(context.Context, string) ([]float32, error) { return w, nil }

// TestEmbeddings writes tables and reads rows of them.
func TestEmbeddings(t *testing.T) {
	config := modelconfig.Language{Architecture: modelconfig.Llama, VocabularySize: 3, HiddenSize: 4}
	for _, test := range []struct {
		scale float32
		size  int
	}{{0.25, 24}, {0.1, 48}} {
		values := make(table, 12)
		for i := range values {
			values[i] = float32(i-5) * test.scale
		}
		var file bytes.Buffer
		if err := WriteEmbeddings(t.Context(), config, values, &file); err != nil {
			t.Fatal(err)
		}
		if file.Len() != test.size {
			t.Errorf("multiples of %g take %d bytes, not %d", test.scale, file.Len(), test.size)
		}
		embeddings, err := manifest.NewEmbeddings(config, bytes.NewReader(file.Bytes()), int64(file.Len()))
		if err != nil {
			t.Fatal(err)
		}
		rows, err := embeddings.Append([]float32{7}, 2, 0)
		if want := slices.Concat([]float32{7}, values[8:], values[:4]); err != nil || !slices.Equal(rows, want) {
			t.Errorf("rows are %v, %v; want %v", rows, err, want)
		}
		for _, token := range []int64{-1, 3} {
			if _, err := embeddings.Append(nil, token); err == nil {
				t.Errorf("token %d has an embedding", token)
			}
		}
	}
	if _, err := manifest.NewEmbeddings(config, nil, 36); err == nil {
		t.Error("a file of another size is read")
	}
}
