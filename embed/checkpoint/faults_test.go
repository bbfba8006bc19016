package checkpoint

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// editSafetensors rewrites the header of a safetensors file.
func editSafetensors(t *testing.T, data []byte, edit func(header map[string]map[string]any)) []byte {
	t.Helper()
	length := binary.LittleEndian.Uint64(data)
	var header map[string]map[string]any
	if err := json.Unmarshal(data[8:8+length], &header); err != nil {
		t.Fatal(err)
	}
	edit(header)
	edited, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(edited))), edited, data[8+length:])
}

func TestMismatchesAreNamed(t *testing.T) {
	folder := copyFolder(t, "testdata/hf-f32")
	folder[weightsFile].Data = editSafetensors(t, folder[weightsFile].Data, func(header map[string]map[string]any) {
		header["unheard.of"] = header["itm_head.bias"]
		delete(header, "itm_head.bias")
		header["itm_head.weight"]["shape"] = []int{4, 4}
	})
	_, err := Open(t.Context(), Options{FS: folder})
	var mismatch *MismatchError
	if !errors.As(err, &mismatch) {
		t.Fatalf("error %v", err)
	}
	if !slices.Equal(mismatch.Missing, []string{"itm_head.bias"}) || !slices.Equal(mismatch.Extra, []string{"unheard.of"}) ||
		len(mismatch.Misshapen) != 1 {
		t.Errorf("%+v", mismatch)
	}
	wantError(t, err, "1 missing: itm_head.bias", "itm_head.weight is [4 4], not [2 8]", "unheard.of")
}

func TestExtraTensorsCanBeAllowed(t *testing.T) {
	folder := copyFolder(t, "testdata/hf-f32")
	data := folder[weightsFile].Data
	end := len(data) - 8 - int(binary.LittleEndian.Uint64(data))
	data = editSafetensors(t, data, func(header map[string]map[string]any) {
		header["vision_model.gamma"] = map[string]any{"dtype": "F32", "shape": []int{1}, "data_offsets": []int{end, end + 4}}
	})
	folder[weightsFile].Data = append(data, 0, 0, 0, 0)
	_, err := Open(t.Context(), Options{FS: folder})
	wantError(t, err, "1 unknown: vision_model.gamma", "--allow-extra")
	openTest(t, Options{FS: folder, AllowExtra: true})
}

func TestNotFiniteIsNamed(t *testing.T) {
	for _, value := range []float64{math.NaN(), math.Inf(-1)} {
		folder := copyFolder(t, "testdata/hf-f32")
		data := slices.Clone(folder[weightsFile].Data)
		binary.LittleEndian.PutUint32(data[len(data)-4:], math.Float32bits(float32(value)))
		folder[weightsFile].Data = data
		checkpoint := openTest(t, Options{FS: folder})
		wantError(t, checkpoint.Verify(t.Context()), "tensor vision_projection.weight in model.safetensors holds")
	}
}

func TestCancelledRead(t *testing.T) {
	checkpoint := openTest(t, Options{Paths: []string{"testdata/hf-f32"}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := checkpoint.Float32(ctx, wordEmbeddingName); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestSafetensorsFaults(t *testing.T) {
	valid, err := os.ReadFile("testdata/hf-f32/model.safetensors")
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
			_, err := readSafetensors(bytes.NewReader(test.data), int64(len(test.data)), "weights")
			wantError(t, err, test.want)
		})
	}
}

func TestShardIndexFaults(t *testing.T) {
	for want, edit := range map[string]string{
		"not a safetensors file of the folder":   `{"weight_map":{"a":"../secret.safetensors"}}`,
		"is not a safetensors file of the":       `{"weight_map":{"a":"pytorch_model.bin"}}`,
		"empty weight_map":                       `{}`,
		"where it is not":                        `{"weight_map":{"a":"model-00001-of-00002.safetensors"}}`,
		"lacks model-00003-of-00003.safetensors": `{"weight_map":{"a":"model-00003-of-00003.safetensors"}}`,
	} {
		folder := copyFolder(t, "testdata/hf-f16-sharded-early-names")
		folder[indexFile].Data = []byte(edit)
		_, err := Open(t.Context(), Options{FS: folder})
		wantError(t, err, want)
	}
}

func TestPathFaults(t *testing.T) {
	empty := t.TempDir()
	for _, test := range []struct {
		options Options
		want    string
	}{
		{Options{}, "no checkpoint given"},
		{Options{FS: fstest.MapFS{}, Paths: []string{"x"}}, "give one"},
		{Options{Paths: []string{filepath.Join(empty, "none")}}, "no such file"},
		{Options{Paths: []string{empty}}, "has no config.json"},
		{Options{FS: fstest.MapFS{configFile: {Data: []byte("{}")}}}, "none of model.safetensors"},
		{Options{Paths: []string{"testdata/hf-f32/model.safetensors"}}, "name its folder"},
		{Options{Paths: []string{empty, "testdata/refused/danger.pth"}}, "not a regular file"},
		{Options{Paths: []string{"testdata/refused/danger.pth"}}, "posix.system"},
		{Options{Paths: []string{"testdata/refused/language.pth"}}, "lacks the text side"},
		{Options{Paths: []string{"testdata/lavis-stage1/blip2_pretrained.pth"}}, "give eva_vit_g.pth"},
		{Options{Paths: []string{"testdata/lavis-stage1/blip2_pretrained.pth", "testdata/lavis-stage1/config.json"}}, "give eva_vit_g.pth"},
		{Options{Paths: []string{"testdata/lavis-stage1/eva_vit_g.pth"}}, "main file"},
		{Options{Paths: []string{"testdata/lavis-stage1/eva_vit_g.pth", "testdata/lavis-whole/blip2_whole.pth"}}, "the same tensor"},
		{Options{Paths: []string{"testdata/lavis-whole/blip2_whole.pth"}}, "give a config.json"},
	} {
		_, err := Open(t.Context(), test.options)
		wantError(t, err, test.want)
	}
}

// TestTruncatedTorchFiles cuts the fixtures at many lengths; each must be refused or, in the earlier format, which ends
// with the optimiser's values, read whole.
func TestTruncatedTorchFiles(t *testing.T) {
	for _, path := range []string{"testdata/lavis-whole/blip2_whole.pth", "testdata/lavis-legacy/blip2_legacy.pth"} {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for length := 0; length < len(data); length += 997 {
			if _, err := readTorch(bytes.NewReader(data[:length]), int64(length), "cut"); err == nil {
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
	const path = "testdata/lavis-whole/blip2_whole.pth"
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
		_, err := readTorch(bytes.NewReader(data), int64(len(data)), "edited")
		wantError(t, err, test.want)
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
	view := &storedTensor{
		reader: bytes.NewReader(storage), dataType: float32Type, shape: []int{2, 2}, strides: []int64{3 << 20, 1},
	}
	values := make([]float32, 4)
	if err := view.read(t.Context(), values); err != nil || !slices.Equal(values, []float32{0, 0, 0, 5}) {
		t.Errorf("%v, %v", values, err)
	}
}
