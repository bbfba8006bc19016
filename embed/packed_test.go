package embed

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func randomTokens(rows, columns int) ImageTokens {
	random := rand.New(rand.NewPCG(uint64(rows), uint64(columns)))
	tokens := ImageTokens{Rows: rows, Columns: columns, Values: make([]float32, rows*columns)}
	for i := range tokens.Values {
		// Rows of very different size, as vision encoders make them.
		tokens.Values[i] = float32(random.NormFloat64() * math.Pow(10, float64(i/columns%5)-2))
	}
	return tokens
}

func TestPackedTokens(t *testing.T) {
	for _, packing := range []Packing{PackInt8, PackInt4} {
		limit := map[Packing]float64{PackInt8: 127, PackInt4: 7}[packing]
		for _, size := range [][2]int{{1, 1}, {3, 7}, {17, 24}, {257, 1408}} {
			tokens := randomTokens(size[0], size[1])
			packed, err := Pack(tokens, packing)
			if err != nil {
				t.Fatal(err)
			}
			if want := packedSize(size[0], size[0], size[1], packing); len(packed) != want {
				t.Errorf("%v of %v: %d bytes, want %d", packing, size, len(packed), want)
			}
			got, err := Unpack(packed)
			if err != nil || got.Rows != tokens.Rows || got.Columns != tokens.Columns || got.Validate() != nil {
				t.Fatalf("Unpack: %dx%d, %v", got.Rows, got.Columns, err)
			}
			for row := range size[0] {
				largest := 0.0
				for i := range size[1] {
					largest = max(largest, math.Abs(float64(tokens.Values[row*size[1]+i])))
				}
				for i := range size[1] {
					at := row*size[1] + i
					if lost := math.Abs(float64(tokens.Values[at] - got.Values[at])); lost > largest/limit/2*1.0001 {
						t.Fatalf("%v of %v: value %d lost %g of a row with %g", packing, size, at, lost, largest)
					}
				}
			}
			again, err := Pack(got, packing)
			if err != nil {
				t.Fatal(err)
			}
			if twice, err := Unpack(again); err != nil || !alike(twice.Values, got.Values) {
				t.Errorf("%v of %v: packing what was unpacked changes it: %v", packing, size, err)
			}
		}
	}
}

// TestPackedRepeating packs tokens of which several are equal: each is stored once.
func TestPackedRepeating(t *testing.T) {
	for _, packing := range []Packing{PackInt8, PackInt4} {
		whole := randomTokens(9, 24)
		for row, from := range map[int]int{3: 1, 5: 1, 8: 2} {
			copy(whole.Values[row*24:(row+1)*24], whole.Values[from*24:(from+1)*24])
		}
		// Two rows that begin alike and are not equal.
		copy(whole.Values[7*24:7*24+hashedColumns], whole.Values[6*24:])
		packed, err := Pack(whole, packing)
		if err != nil {
			t.Fatal(err)
		}
		if want := packedSize(9, 6, 24, packing); len(packed) != want || packed[5] != packedRepeating {
			t.Errorf("%v: %d bytes of form %d, want %d of form %d", packing, len(packed), packed[5], want, packedRepeating)
		}
		got, err := Unpack(packed)
		if err != nil {
			t.Fatal(err)
		}
		for row := range whole.Rows { // each as if it were packed alone
			alone, err := Pack(ImageTokens{Rows: 1, Columns: 24, Values: whole.Values[row*24 : (row+1)*24]}, packing)
			if err != nil {
				t.Fatal(err)
			}
			if want, err := Unpack(alone); err != nil || !slices.Equal(got.Values[row*24:(row+1)*24], want.Values) {
				t.Errorf("%v: row %d is %v, want %v, %v", packing, row, got.Values[row*24:(row+1)*24], want.Values, err)
			}
		}
		change := func(at int, value byte) []byte {
			changed := bytes.Clone(packed)
			changed[at] = value
			return changed
		}
		for name, damaged := range map[string][]byte{
			"a row that is not there": change(packedHeaderBytes+2, 6), "no rows stored": change(packedHeaderBytes, 0),
			"as many rows as there are": change(packedHeaderBytes, 9), "one more row": change(packedHeaderBytes, 7),
			"cut": packed[:packedHeaderBytes+3], "without form": change(5, 0), "another form": change(5, 2),
		} {
			if _, err := Unpack(damaged); !errors.Is(err, ErrPacked) {
				t.Errorf("%v, %s: %v, want ErrPacked", packing, name, err)
			}
		}
	}
}

func alike(a, b []float32) bool {
	for i := range a {
		if math.Abs(float64(a[i]-b[i])) > 1e-5*math.Abs(float64(b[i])) {
			return false
		}
	}
	return len(a) == len(b)
}

func TestPackingZeros(t *testing.T) {
	for _, packing := range []Packing{PackInt8, PackInt4} {
		packed, err := Pack(ImageTokens{Rows: 2, Columns: 3, Values: make([]float32, 6)}, packing)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Unpack(packed)
		for _, value := range got.Values {
			if err != nil || value != 0 {
				t.Errorf("%v: %v, %v", packing, got, err)
			}
		}
	}
}

func TestPackRefuses(t *testing.T) {
	for name, tokens := range map[string]ImageTokens{
		"nothing": {}, "another size": {Rows: 2, Columns: 2, Values: make([]float32, 3)},
		"not a number": {Rows: 1, Columns: 2, Values: []float32{1, float32(math.NaN())}},
		"infinite":     {Rows: 1, Columns: 2, Values: []float32{1, float32(math.Inf(-1))}},
		"too wide":     {Rows: 1, Columns: maximumTokenColumns + 1, Values: make([]float32, maximumTokenColumns+1)},
	} {
		if _, err := Pack(tokens, PackInt8); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := Pack(randomTokens(1, 1), 3); err == nil {
		t.Error("unknown packing: accepted")
	}
}

func TestUnpackRefuses(t *testing.T) {
	sound, err := Pack(randomTokens(3, 5), PackInt8)
	if err != nil {
		t.Fatal(err)
	}
	change := func(at int, value byte) []byte {
		changed := bytes.Clone(sound)
		changed[at] = value
		return changed
	}
	huge := bytes.Clone(sound)
	binary.LittleEndian.PutUint32(huge[8:], math.MaxUint32)
	tests := map[string][]byte{
		"nothing": nil, "header only": sound[:packedHeaderBytes], "a byte less": sound[:len(sound)-1], "a byte more": append(bytes.Clone(sound), 0),
		"another magic": change(0, 'X'), "another version": change(3, 2), "another packing": change(4, 9), "reserved byte": change(5, 1),
		"more rows": change(6, 4), "no rows": change(6, 0), "more columns": change(8, 6), "all columns": huge,
		"a scale that is not a number": change(packedHeaderBytes+3, 0x7f), "a negative scale": change(packedHeaderBytes+3, 0xbf),
	}
	for name, packed := range tests {
		if _, err := Unpack(packed); !errors.Is(err, ErrPacked) {
			t.Errorf("%s: %v, want ErrPacked", name, err)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	for _, packing := range []Packing{PackInt8, PackInt4} {
		packed, err := Pack(randomTokens(3, 5), packing)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packed)
		f.Add(packed[:len(packed)-1])
		repeating := randomTokens(4, 5)
		copy(repeating.Values[10:15], repeating.Values[:5])
		if packed, err = Pack(repeating, packing); err != nil {
			f.Fatal(err)
		}
		f.Add(packed)
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		tokens, err := Unpack(packed)
		if err != nil {
			return
		}
		if err := tokens.Validate(); err != nil {
			t.Fatal(err)
		}
		for _, value := range tokens.Values {
			if math.IsNaN(float64(value)) || math.IsInf(float64(value), 0) {
				t.Fatalf("unpacked %g", value)
			}
		}
		if _, err := Pack(tokens, Packing(packed[4])); err != nil {
			t.Fatalf("pack what was unpacked: %v", err)
		}
	})
}

func BenchmarkPack(b *testing.B) {
	tokens := randomTokens(257, 1408)
	for _, packing := range []Packing{PackInt8, PackInt4} {
		packed, err := Pack(tokens, packing)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("pack/"+packing.String(), func(b *testing.B) {
			for b.Loop() {
				_, _ = Pack(tokens, packing)
			}
		})
		b.Run("unpack/"+packing.String(), func(b *testing.B) {
			for b.Loop() {
				_, _ = Unpack(packed)
			}
		})
	}
}

func TestSimilarity(t *testing.T) {
	parts := Parts{Count: 3, Width: 2, Values: []float32{1, 0, 0, 1, 0.6, 0.8}}
	if score, part := parts.Similarity(Vector{0.6, 0.8}); part != 2 || math.Abs(float64(score)-1) > 1e-6 {
		t.Errorf("Similarity = %g, %d", score, part)
	}
	if score, part := parts.Similarity(Vector{1}); part != -1 || !math.IsInf(float64(score), -1) {
		t.Errorf("Similarity with another width = %g, %d", score, part)
	}
}
