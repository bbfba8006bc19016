package checkpoint

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"mekiki/embed/checkpoint/checkpointtest"
	"mekiki/embed/checkpoint/tensors"
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
	checkpointtest.WantError(t, err, "1 missing: itm_head.bias", "itm_head.weight is [4 4], not [2 8]", "unheard.of")
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
	checkpointtest.WantError(t, err, "1 unknown: vision_model.gamma", "--allow-extra")
	openTest(t, Options{FS: folder, AllowExtra: true})
}

func TestNotFiniteIsNamed(t *testing.T) {
	for _, value := range []float64{math.NaN(), math.Inf(-1)} {
		folder := copyFolder(t, "testdata/hf-f32")
		data := slices.Clone(folder[weightsFile].Data)
		binary.LittleEndian.PutUint32(data[len(data)-4:], math.Float32bits(float32(value)))
		folder[weightsFile].Data = data
		checkpoint := openTest(t, Options{FS: folder})
		checkpointtest.WantError(t, checkpoint.Verify(t.Context()), "tensor vision_projection.weight in model.safetensors holds")
	}
}

func TestCancelledRead(t *testing.T) {
	checkpoint := openTest(t, Options{Paths: []string{"testdata/hf-f32"}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := checkpoint.Float32(ctx, tensors.WordEmbedding); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
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
		checkpointtest.WantError(t, err, want)
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
		{Options{Paths: []string{empty, "testdata/refused/danger.pth"}}, "has no config.json"},
		{Options{Paths: []string{"testdata/refused/danger.pth"}}, "posix.system"},
		{Options{Paths: []string{"testdata/refused/language.pth"}}, "give the folder of the language model"},
		{Options{Paths: []string{"testdata/lavis-stage1/blip2_pretrained.pth"}}, "give eva_vit_g.pth"},
		{Options{Paths: []string{"testdata/lavis-stage1/blip2_pretrained.pth", "testdata/lavis-stage1/config.json"}}, "give eva_vit_g.pth"},
		{Options{Paths: []string{"testdata/lavis-stage1/eva_vit_g.pth"}}, "main file"},
		{Options{Paths: []string{"testdata/lavis-stage1/eva_vit_g.pth", "testdata/lavis-whole/blip2_whole.pth"}}, "the same tensor"},
		{Options{Paths: []string{"testdata/lavis-whole/blip2_whole.pth"}}, "give a config.json"},
		{Options{Paths: []string{"testdata/lavis-language-t5"}}, "give the folder of the language model"},
		{Options{Paths: []string{"testdata/lavis-language-t5/blip2_pretrained.pth", "testdata/lavis-language-t5/language-model"}}, "give eva_vit_g.pth"},
		{Options{Paths: []string{"testdata/lavis-language-t5/blip2_pretrained.pth", "testdata/lavis-language-t5/language-model",
			"testdata/lavis-language-t5/config.json"}}, "give eva_vit_g.pth"},
		{Options{Paths: []string{"testdata/lavis-language-t5/language-model"}}, "a language model by itself"},
		{Options{Paths: []string{"testdata/lavis-language-t5/language-model", "testdata/lavis-language-opt/language-model"}}, "two folders given"},
	} {
		_, err := Open(t.Context(), test.options)
		checkpointtest.WantError(t, err, test.want)
	}
}

// withoutTensors makes a safetensors file without the tensors whose names are picked.
func withoutTensors(t *testing.T, data []byte, picked func(name string) bool) []byte {
	t.Helper()
	length := int(binary.LittleEndian.Uint64(data))
	var values []byte
	header := editSafetensors(t, data[:8+length], func(header map[string]map[string]any) {
		for name, entry := range header {
			offsets, ok := entry["data_offsets"].([]any)
			if !ok {
				continue
			}
			if picked(name) {
				delete(header, name)
				continue
			}
			begin, end := int(offsets[0].(float64)), int(offsets[1].(float64))
			entry["data_offsets"] = []int{len(values), len(values) + end - begin}
			values = append(values, data[8+length+begin:8+length+end]...)
		}
	})
	return append(header, values...)
}
