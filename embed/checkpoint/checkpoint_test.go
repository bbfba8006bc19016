package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"mekiki/embed/checkpoint/checkpointtest"
	"mekiki/embed/checkpoint/tensors"
	"mekiki/embed/checkpoint/weights"
	"mekiki/embed/modelconfig"
)

// reference is what PyTorch says of a tensor.
type reference struct {
	Shape  []int     `json:"shape"`
	Digest string    `json:"sha256"`
	First  []float64 `json:"first"`
}

func readJSON(t *testing.T, path string, value any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, value); err != nil {
		t.Fatal(err)
	}
}

func digest(values []float32) string {
	var raw bytes.Buffer
	for _, value := range values {
		_ = binary.Write(&raw, binary.LittleEndian, math.Float32bits(value))
	}
	sum := sha256.Sum256(raw.Bytes())
	return hex.EncodeToString(sum[:])
}

func openTest(t *testing.T, options Options) *Checkpoint {
	t.Helper()
	checkpoint, err := Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := checkpoint.Close(); err != nil {
			t.Error(err)
		}
	})
	return checkpoint
}

// TestValues compares every tensor of every fixture with PyTorch's values to the bit.
func TestValues(t *testing.T) {
	for name, options := range map[string]Options{
		"hf-f32":                     {Paths: []string{"testdata/hf-f32"}},
		"hf-bf16":                    {FS: os.DirFS("testdata/hf-bf16")},
		"hf-f16-sharded-early-names": {Paths: []string{"testdata/hf-f16-sharded-early-names"}},
		"lavis-whole":                {Paths: []string{"testdata/lavis-whole/blip2_whole.pth", "testdata/lavis-whole/config.json"}},
		"lavis-legacy":               {Paths: []string{"testdata/lavis-legacy/config.json", "testdata/lavis-legacy/blip2_legacy.pth"}},
		"lavis-stage1": {Paths: []string{
			"testdata/lavis-stage1/eva_vit_g.pth", "testdata/lavis-stage1/blip2_pretrained.pth", "testdata/lavis-stage1/config.json",
		}},
		"lavis-clip": {FS: os.DirFS("testdata/lavis-clip")},
	} {
		t.Run(name, func(t *testing.T) {
			sameAsExpected(t, filepath.Join("testdata", name), openTest(t, options))
		})
	}
}

// sameAsExpected compares names, shapes and values of every tensor with expected.json.
func sameAsExpected(t *testing.T, folder string, checkpoint *Checkpoint) {
	t.Helper()
	var expected map[string]reference
	readJSON(t, filepath.Join(folder, "expected.json"), &expected)
	names := checkpoint.Names()
	slices.Sort(names)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(expected)), names); diff != "" {
		t.Errorf("names (-expected +read):\n%s", diff)
	}
	for tensor, want := range expected {
		shape, _ := checkpoint.Shape(tensor)
		if !slices.Equal(shape, want.Shape) {
			t.Errorf("%s: shape %v, expected %v", tensor, shape, want.Shape)
		}
		values, err := checkpoint.Float32(t.Context(), tensor)
		if err != nil {
			t.Error(err)
		} else if digest(values) != want.Digest {
			t.Errorf("%s begins %v, expected %v", tensor, values[:min(3, len(values))], want.First)
		}
	}
	if err := checkpoint.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestConfigOfFixtures(t *testing.T) {
	tiny := modelconfig.Config{
		Name: "hf-f32", QueryTokens: 3, ProjectionSize: 4,
		Vision: modelconfig.Vision{
			HiddenSize: 8, Layers: 2, Heads: 2, IntermediateSize: 12, ImageSize: 16, PatchSize: 4, Activation: "gelu",
			LayerNormEpsilon: 1e-6, FinalLayerNormEpsilon: 1e-6, PatchBias: true,
		},
		QFormer: modelconfig.QFormer{
			HiddenSize: 8, Layers: 4, Heads: 2, IntermediateSize: 10, VocabularySize: 20, MaxPositions: 8,
			CrossAttentionFrequency: 2, LayerNormEpsilon: 1e-12,
		},
		Preprocess: modelconfig.Preprocess{
			ImageSize: 16, Mean: [3]float32{0.5, 0.25, 0.125}, StandardDeviation: [3]float32{0.5, 1, 2}, RescaleFactor: 1.0 / 255,
		},
	}
	if diff := cmp.Diff(tiny, openTest(t, Options{Paths: []string{"testdata/hf-f32"}}).Config()); diff != "" {
		t.Errorf("hf-f32 (-expected +read):\n%s", diff)
	}
	clip := tiny
	clip.Name = "blip2_pretrained_vitL"
	clip.Vision.Activation, clip.Vision.LayerNormEpsilon, clip.Vision.FinalLayerNormEpsilon = "quick_gelu", 1e-5, 1e-5
	clip.Vision.PreLayerNorm, clip.Vision.PatchBias = true, false
	clip.Preprocess.Mean, clip.Preprocess.StandardDeviation = defaultMean, defaultStandardDeviation
	read := openTest(t, Options{Paths: []string{
		"testdata/lavis-clip/clip_vit_L.pth", "testdata/lavis-clip/blip2_pretrained_vitL.pth", "testdata/lavis-clip/config.json",
	}}).Config()
	if diff := cmp.Diff(clip, read); diff != "" {
		t.Errorf("lavis-clip (-expected +read):\n%s", diff)
	}
}

// TestInterpolation compares the position embedding at other image sizes with torch's.
func TestInterpolation(t *testing.T) {
	for _, test := range []struct {
		folder, file string
		size         int
	}{
		{"lavis-stage1", "position-12.json", 12},
		{"lavis-stage1", "position-24.json", 24},
		{"lavis-clip", "position-24.json", 24},
	} {
		var expected []float64
		readJSON(t, filepath.Join("testdata", test.folder, test.file), &expected)
		checkpoint := openTest(t, Options{FS: os.DirFS(filepath.Join("testdata", test.folder)), ImageSize: test.size})
		if size := checkpoint.Config().Preprocess.ImageSize; size != test.size {
			t.Errorf("image size %d, expected %d", size, test.size)
		}
		values, err := checkpoint.Float32(t.Context(), tensors.PositionEmbedding)
		if err != nil {
			t.Fatal(err)
		}
		shape, _ := checkpoint.Shape(tensors.PositionEmbedding)
		if count, _ := weights.Elements(shape); len(values) != len(expected) || count != len(expected) {
			t.Fatalf("%d values of shape %v, expected %d", len(values), shape, len(expected))
		}
		worst := 0.0
		for i, value := range values {
			worst = max(worst, math.Abs(float64(value)-expected[i]))
		}
		if worst > 2e-6 {
			t.Errorf("%s at %d pixels: worst difference %g", test.folder, test.size, worst)
		}
	}
}

func TestImageSizeMustFitPatches(t *testing.T) {
	_, err := Open(t.Context(), Options{Paths: []string{"testdata/hf-f32"}, ImageSize: 18})
	checkpointtest.WantError(t, err, "not a multiple of the patch size")
}

func TestVocabulary(t *testing.T) {
	vocabulary, ok := openTest(t, Options{Paths: []string{"testdata/hf-f32"}}).Vocabulary()
	if !ok || !bytes.HasPrefix(vocabulary, []byte("[PAD]\n[UNK]\n")) || !bytes.HasSuffix(vocabulary, []byte("\nn\n[DEC]\n")) {
		t.Errorf("vocabulary %q", vocabulary)
	}
	if _, ok := openTest(t, Options{FS: os.DirFS("testdata/lavis-whole")}).Vocabulary(); ok {
		t.Error("a LAVIS file has no vocabulary")
	}
	given, ok := openTest(t, Options{
		FS: os.DirFS("testdata/lavis-whole"), VocabularyPath: "testdata/hf-f32/vocab.txt",
	}).Vocabulary()
	if !ok || !bytes.Equal(given, vocabulary) {
		t.Errorf("given vocabulary %q, expected %q", given, vocabulary)
	}
}

func TestVocabularyOfTokenizerFile(t *testing.T) {
	folder := copyFolder(t, "testdata/hf-bf16")
	folder["tokenizer.json"] = &fstest.MapFile{Data: []byte(
		`{"model":{"type":"WordPiece","vocab":{"[PAD]":0,"b,}":2,"a":1,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9}},` +
			`"added_tokens":[{"id":10,"content":"[DEC]"},{"id":0,"content":"[PAD]"}]}`)}
	vocabulary, ok := openTest(t, Options{FS: folder}).Vocabulary()
	if want := "[PAD]\na\nb,}\nc\nd\ne\nf\ng\nh\ni\n[DEC]\n"; !ok || string(vocabulary) != want {
		t.Errorf("vocabulary %q, expected %q", vocabulary, want)
	}
	folder["tokenizer.json"] = &fstest.MapFile{Data: []byte(`{"model":{"type":"BPE","vocab":{"a":0}}}`)}
	_, err := Open(t.Context(), Options{FS: folder})
	checkpointtest.WantError(t, err, "WordPiece")
}

// copyFolder returns a folder of testdata as a file system in memory that the test may change.
func copyFolder(t *testing.T, folder string) fstest.MapFS {
	t.Helper()
	copied := fstest.MapFS{}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		copied[entry.Name()] = &fstest.MapFile{Data: data, Mode: 0o644}
	}
	return copied
}

func TestReadFile(t *testing.T) {
	checkpoint := openTest(t, Options{Paths: []string{"testdata/hf-f32"}})
	if data, err := checkpoint.ReadFile("expected.json"); err != nil || len(data) == 0 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	if _, err := checkpoint.ReadFile("calibration.json"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if _, err := checkpoint.Float32(t.Context(), "no.such"); !errors.Is(err, ErrNotFound) {
		t.Errorf("error %v", err)
	}
}
