package checkpoint

import (
	"testing"

	"mekiki/embed/checkpoint/checkpointtest"
	"mekiki/embed/checkpoint/weights"
)

// FuzzConfig reads arbitrary bytes as config.json, preprocessor_config.json and tokenizer.json.
func FuzzConfig(f *testing.F) {
	f.Add(checkpointtest.ReadFile(f, "testdata/hf-f32/config.json"))
	f.Add(checkpointtest.ReadFile(f, "testdata/hf-f32/preprocessor_config.json"))
	f.Add([]byte(`{"model":{"type":"WordPiece","vocab":{"a":0}},"added_tokens":[{"id":1,"content":"[DEC]"}]}`))
	f.Add([]byte(`{"vision_config":{"image_size":364,},"qformer_config":{"vocab_size":30523}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if config, _, err := parseConfig(data); err == nil {
			for _, expected := range expectations(config)[:8] {
				if _, ok := weights.Elements(expected.shape); !ok {
					t.Fatalf("accepted configuration has a tensor of shape %v", expected.shape)
				}
			}
		}
		if preprocess, err := parsePreprocess(data); err == nil && preprocess.ImageSize < 1 {
			t.Fatalf("accepted image size %d", preprocess.ImageSize)
		}
		_, _, _ = parseTokenizer(data, 1<<20)
	})
}
