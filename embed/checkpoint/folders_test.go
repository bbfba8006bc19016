package checkpoint

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"mekiki/embed/checkpoint/checkpointtest"
	"mekiki/embed/checkpoint/tensors"
	"mekiki/internal/hint"
)

// TestProcessorFiles reads the image processor's settings as transformers does: what processor_config.json nests goes
// before preprocessor_config.json.
func TestProcessorFiles(t *testing.T) {
	settings := func(mean float64, more string) string {
		return fmt.Sprintf(`{"size":{"height":28,"width":28},"image_mean":[%g,%g,%g]%s}`, mean, mean, mean, more)
	}
	nested := func(settings string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(`{"num_query_tokens":3,"image_token":"<image>","image_processor":` + settings + `}`)}
	}
	base := copyFolder(t, "testdata/hf-f32")
	side := openTest(t, Options{FS: base}).Config().Vision.ImageSize
	sized := func(text string) string {
		var fields map[string]any
		if err := json.Unmarshal([]byte(text), &fields); err != nil {
			t.Fatal(err)
		}
		if fields["size"] != nil {
			fields["size"] = map[string]int{"height": side, "width": side}
		}
		data, _ := json.Marshal(fields)
		return string(data)
	}
	both := copyFolder(t, "testdata/hf-f32")
	both[processorFile] = &fstest.MapFile{Data: []byte(sized(settings(0.25, "")))}
	both[nestedProcessorFile] = nested(sized(settings(0.5, "")))
	if mean := openTest(t, Options{FS: both}).Config().Preprocess.Mean; mean != [3]float32{0.5, 0.5, 0.5} {
		t.Errorf("the mean is %v, not that of %s", mean, nestedProcessorFile)
	}
	both[nestedProcessorFile] = &fstest.MapFile{Data: []byte(`{"num_query_tokens":3}`)}
	if mean := openTest(t, Options{FS: both}).Config().Preprocess.Mean; mean != [3]float32{0.25, 0.25, 0.25} {
		t.Errorf("the mean is %v, not that of %s", mean, processorFile)
	}
	for want, more := range map[string]string{"do_center_crop": `,"do_center_crop":true`, "resample": `,"resample":2`, "do_resize": `,"do_resize":false`} {
		both[nestedProcessorFile] = nested(sized(settings(0.5, more)))
		_, err := Open(t.Context(), Options{FS: both})
		checkpointtest.WantError(t, err, want, nestedProcessorFile)
	}
	both[nestedProcessorFile] = nested(`{"size":{"height":700,"width":700}}`)
	_, err := Open(t.Context(), Options{FS: both})
	checkpointtest.WantError(t, err, "--image-size", "700 pixels")
	checkpointtest.WantError(t, settingsError(Options{FS: both}), "--image-size", "700 pixels")
}

// TestWithoutQKVBias takes zeros where the configuration says that query, key and value have no bias.
func TestWithoutQKVBias(t *testing.T) {
	folder := copyFolder(t, "testdata/hf-f32")
	var config map[string]any
	if err := json.Unmarshal(folder[configFile].Data, &config); err != nil {
		t.Fatal(err)
	}
	config["vision_config"].(map[string]any)["qkv_bias"] = false
	folder[configFile].Data, _ = json.Marshal(config)
	_, err := Open(t.Context(), Options{FS: folder})
	checkpointtest.WantError(t, err, "unknown: vision_model.encoder.layers.0.self_attn.qkv.bias")
	checkpoint := openTest(t, Options{FS: folder, AllowExtra: true})
	values, err := checkpoint.Float32(t.Context(), "vision_model.encoder.layers.0.self_attn.qkv.bias")
	if err != nil || len(values) != 3*checkpoint.Config().Vision.HiddenSize {
		t.Fatalf("%d values, %v", len(values), err)
	}
	for _, value := range values {
		if value != 0 {
			t.Fatalf("a bias of %v", value)
		}
	}
}

// TestFoldersAsPeopleHaveThem gives what is not a checkpoint one line that says what it is and what to do.
func TestFoldersAsPeopleHaveThem(t *testing.T) {
	weights, err := os.ReadFile("testdata/hf-f32/model.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile("testdata/hf-f32/config.json")
	if err != nil {
		t.Fatal(err)
	}
	named := func(name string) []byte {
		return editSafetensors(t, weights, func(header map[string]map[string]any) {
			header[name] = header["itm_head.bias"]
			delete(header, "itm_head.bias")
		})
	}
	for name, test := range map[string]struct {
		files map[string][]byte
		links map[string]string
		path  string
		want  []string
	}{
		"a file for a folder": {files: map[string][]byte{"model.safetensors": weights}, path: "model.safetensors", want: []string{"one file of", "name its folder"}},
		"missing shards": {files: map[string][]byte{"config.json": config,
			"model.safetensors.index.json": []byte(`{"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}`)},
			want: []string{"lacks model-00001-of-00002.safetensors, model-00002-of-00002.safetensors", "mekiki pull"}},
		"weights lost by the cache": {files: map[string][]byte{"config.json": config}, links: map[string]string{"model.safetensors": "blobs/gone"},
			want: []string{"model.safetensors in", "a link to a file that is not there"}},
		"configuration lost by the cache": {files: map[string][]byte{"model.safetensors": weights}, links: map[string]string{"config.json": "blobs/gone"},
			want: []string{"config.json in", "a link to a file that is not there"}},
		"an adapter": {files: map[string][]byte{"adapter_config.json": []byte("{}"), "adapter_model.safetensors": weights},
			want: []string{"a LoRA adapter", "merge_and_unload"}},
		"an adapter not merged": {files: map[string][]byte{"config.json": config, "model.safetensors": named("base_model.model.qformer.q.lora_A.default.weight")},
			want: []string{"a LoRA adapter", "merge_and_unload"}},
		"an unknown language model": {files: map[string][]byte{"model.safetensors": weights,
			"config.json": []byte(`{"architectures":["Blip2ForConditionalGeneration"],"text_config":{"model_type":"gptj"}}`)},
			want: []string{`model_type is "gptj"; opt, t5 and llama are supported`, "blip2-flan-t5-xl"}},
		"a language model alone": {files: map[string][]byte{"config.json": []byte(`{"model_type":"opt"}`), "model.safetensors": weights},
			want: []string{"a language model by itself", "LAVIS file"}},
		"a string for a number": {files: map[string][]byte{"config.json": []byte(`{"vision_config":{"hidden_size":"8"}}`), "model.safetensors": weights},
			want: []string{"vision_config.hidden_size is a string where a whole number belongs"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, data := range test.files {
				if err := os.WriteFile(filepath.Join(dir, file), data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for link, target := range test.links {
				if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
					t.Skip(err)
				}
			}
			_, err := Open(t.Context(), Options{Paths: []string{filepath.Join(dir, test.path)}})
			checkpointtest.WantError(t, err, test.want...)
		})
	}
}

// TestWrappedNames understands what data-parallel training and torch.compile put into names.
func TestWrappedNames(t *testing.T) {
	for _, stored := range []string{"module.itm_head.bias", "_orig_mod.itm_head.bias", "module._orig_mod.itm_head.bias",
		"_orig_mod.module.itm_head.bias", "itm_head._orig_mod.bias"} {
		if name := tensors.CanonicalName(stored); name != "itm_head.bias" {
			t.Errorf("%s is %s", stored, name)
		}
	}
}

// TestResizedEmbedding wants a folder whose word embedding was resized, without its qformer_config, to be refused with the
// remedy, and to open once that is done.
func TestResizedEmbedding(t *testing.T) {
	folder := copyFolder(t, "testdata/hf-f32")
	config := string(folder[configFile].Data)
	folder[configFile].Data = []byte(strings.Replace(config, `"vocab_size": 20`, `"vocab_size": 17`, 1))
	_, err := Open(t.Context(), Options{FS: folder})
	if remedy := hint.Of(err); !strings.Contains(remedy, "vocab_size of qformer_config") {
		t.Errorf("%v: the remedy is %q", err, remedy)
	}
	folder[configFile].Data = []byte(config)
	openTest(t, Options{FS: folder})
}

func settingsError(options Options) error {
	_, err := CheckSettings(options)
	return err
}
