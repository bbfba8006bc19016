package checkpoint

import (
	"strings"
	"testing"
	"testing/fstest"

	"mekiki/embed/checkpoint/checkpointtest"
	"mekiki/embed/checkpoint/tensors"
	"mekiki/embed/checkpoint/weights"
	"mekiki/embed/modelconfig"
)

// FuzzConfig reads arbitrary bytes as config.json, preprocessor_config.json and tokenizer.json.
func FuzzConfig(f *testing.F) {
	f.Add(checkpointtest.ReadFile(f, "testdata/hf-f32/config.json"))
	f.Add(checkpointtest.ReadFile(f, "testdata/hf-f32/preprocessor_config.json"))
	f.Add([]byte(`{"model":{"type":"WordPiece","vocab":{"a":0}},"added_tokens":[{"id":1,"content":"[DEC]"}]}`))
	f.Add([]byte(`{"vision_config":{"image_size":364,},"qformer_config":{"vocab_size":30523}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if config, _, err := parseConfig(data); err == nil {
			for _, expected := range tensors.Expected(config)[:8] {
				if _, ok := weights.Elements(expected.Shape); !ok {
					t.Fatalf("accepted configuration has a tensor of shape %v", expected.Shape)
				}
			}
		}
		if preprocess, err := parsePreprocess(data); err == nil && preprocess.ImageSize < 1 {
			t.Fatalf("accepted image size %d", preprocess.ImageSize)
		}
		_, _, _ = parseTokenizer(data, 1<<20)
	})
}

// FuzzLanguage reads arbitrary bytes as the config.json, generation_config.json and prompts.json of a second stage.
func FuzzLanguage(f *testing.F) {
	for _, name := range []string{"language-opt", "language-t5", "language-llama", "instruct-t5"} {
		f.Add(checkpointtest.ReadFile(f, "testdata/"+name+"/config.json"), []byte(`{"eos_token_id":[1,2]}`), []byte(`{"question":"{}?"}`))
	}
	f.Add([]byte(`{"model_type":"instructblip","text_config":{"model_type":"llama","rope_parameters":{"rope_theta":1e5}}}`), []byte(`{"eos_token_id":null}`), []byte(`{}`))
	f.Fuzz(func(t *testing.T, config, generation, prompts []byte) {
		folder := fstest.MapFS{generationFile: {Data: generation}, promptsFile: {Data: prompts}}
		source := &source{name: "fuzzed", folder: folder, config: config}
		read, err := configure(t.Context(), source, &holdings{byName: map[string]*weights.Tensor{}}, Options{})
		if err != nil || read.Language == nil {
			return
		}
		model := *read.Language
		if len(model.End) == 0 || model.Words < 1 || model.Words > model.VocabularySize || model.HeadWidth*model.Heads < 1 {
			t.Fatalf("accepted %+v", model)
		}
		model.Layers, model.DecoderLayers = min(model.Layers, 2), min(model.DecoderLayers, 2)
		for _, expected := range tensors.Expected(modelconfig.Config{Language: &model}) {
			if !strings.HasPrefix(expected.Name, tensors.LanguagePrefix) {
				continue
			}
			if count, ok := weights.Elements(expected.Shape); !ok || count == 0 {
				t.Fatalf("accepted configuration has a tensor %s of shape %v", expected.Name, expected.Shape)
			}
		}
	})
}
