package weights

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mekiki/embed/checkpoint/checkpointtest"
)

func TestSafetensorsFaults(t *testing.T) {
	valid, err := os.ReadFile("../testdata/hf-f32/model.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	withHeader := func(header string, data int) []byte {
		return slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), []byte(header), make([]byte, data))
	}
	for _, test := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "too few"},
		{"length beyond file", binary.LittleEndian.AppendUint64(nil, 1<<40), "not a safetensors file or was cut short"},
		{"negative length", binary.LittleEndian.AppendUint64(nil, math.MaxUint64), "not a safetensors file"},
		{"cut short", valid[:len(valid)-1], "cut short"},
		{"joined", append(slices.Clone(valid), 0), "joined"},
		{"pointer", []byte("version https://git-lfs.github.com/spec/v1\noid sha256:00\n"), "Git LFS pointer"},
		{"not an object", withHeader(`[]`, 0), "not a JSON object"},
		{"twice", withHeader(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1), "appears twice"},
		{"overflow", withHeader(`{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}`, 0), "outside"},
		{"negative axis", withHeader(`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,0]}}`, 0), "outside"},
		{"wrong bytes", withHeader(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 4), "does not take"},
		{"gap", withHeader(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2), "begins at byte 1"},
		{"overlap", withHeader(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, 3), "begins at byte 1"},
		{"type", withHeader(`{"a":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}}`, 1), "unknown element type"},
		{"trailing", withHeader(`{} x`, 0), "after the JSON object"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ReadSafetensors(bytes.NewReader(test.data), int64(len(test.data)), "weights")
			checkpointtest.WantError(t, err, test.want)
		})
	}
}

// TestTruncatedTorchFiles cuts the fixtures at many lengths; each must be refused or, in the earlier format, which ends
// with the optimiser's values, read whole.
func TestTruncatedTorchFiles(t *testing.T) {
	for _, path := range []string{"../testdata/lavis-whole/blip2_whole.pth", "../testdata/lavis-legacy/blip2_legacy.pth"} {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for length := 0; length < len(data); length += 997 {
			if _, err := ReadTorch(bytes.NewReader(data[:length]), int64(length), "cut"); err == nil {
				t.Errorf("%s cut at %d of %d bytes was read", path, length, len(data))
			}
		}
	}
}

// rewriteZip copies a zip file, changing entries on the way.
func rewriteZip(t *testing.T, path string, method uint16, edit func(name string, data []byte) []byte) []byte {
	t.Helper()
	archive, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	var result bytes.Buffer
	writer := zip.NewWriter(&result)
	for _, entry := range archive.File {
		content, err := entry.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(content)
		if err != nil {
			t.Fatal(err)
		}
		target, err := writer.CreateHeader(&zip.FileHeader{Name: entry.Name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := target.Write(edit(entry.Name, data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return result.Bytes()
}

func TestTorchZipFaults(t *testing.T) {
	const path = "../testdata/lavis-whole/blip2_whole.pth"
	same := func(name string, data []byte) []byte { return data }
	for _, test := range []struct {
		name   string
		method uint16
		edit   func(name string, data []byte) []byte
		want   string
	}{
		{"compressed", zip.Deflate, same, "compressed"},
		{"short storage", zip.Store, func(name string, data []byte) []byte {
			if strings.HasSuffix(name, "/data/0") {
				return data[:len(data)-4]
			}
			return data
		}, "bytes of its storage"},
		{"big-endian", zip.Store, func(name string, data []byte) []byte {
			if strings.HasSuffix(name, "byteorder") {
				return []byte("big")
			}
			return data
		}, "byte order"},
	} {
		data := rewriteZip(t, path, test.method, test.edit)
		_, err := ReadTorch(bytes.NewReader(data), int64(len(data)), "edited")
		checkpointtest.WantError(t, err, test.want)
	}
}

// TestSmallFileCannotAskForMuch builds a view of many elements over one of a storage.
func TestSmallFileCannotAskForMuch(t *testing.T) {
	if fits(0, []int64{1 << 40}, []int64{0}, 1) {
		t.Error("an expanded view was accepted")
	}
	if fits(0, []int64{1 << 32, 1 << 32}, []int64{1 << 62, 1}, math.MaxInt64) {
		t.Error("a view whose size overflows was accepted")
	}
	if !fits(2, []int64{2, 3}, []int64{1, 2}, 8) || fits(3, []int64{2, 3}, []int64{1, 2}, 8) {
		t.Error("the last element of a strided view was misjudged")
	}
}

func TestWideStrides(t *testing.T) {
	storage := make([]byte, 4*(4<<20))
	binary.LittleEndian.PutUint32(storage[4*(3<<20+1):], math.Float32bits(5))
	view := &Tensor{
		reader: bytes.NewReader(storage), dataType: float32Type, Shape: []int{2, 2}, strides: []int64{3 << 20, 1},
	}
	values := make([]float32, 4)
	if err := view.Read(t.Context(), values); err != nil || !slices.Equal(values, []float32{0, 0, 0, 5}) {
		t.Errorf("%v, %v", values, err)
	}
}

// BenchmarkPickle reads the pickle of a checkpoint with an optimiser's state.
func BenchmarkPickle(b *testing.B) {
	archive, err := zip.OpenReader("../testdata/lavis-whole/blip2_whole.pth")
	if err != nil {
		b.Fatal(err)
	}
	defer archive.Close()
	for _, entry := range archive.File {
		if filepath.Base(entry.Name) != "data.pkl" {
			continue
		}
		content, err := entry.Open()
		if err != nil {
			b.Fatal(err)
		}
		data, err := io.ReadAll(content)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if _, _, err := readPickle(data); err != nil {
				b.Fatal(err)
			}
		}
	}
}
