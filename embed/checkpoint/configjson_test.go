package checkpoint

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"mekiki/embed/checkpoint/checkpointtest"
	"mekiki/embed/checkpoint/tensors"
	"mekiki/embed/checkpoint/weights"
	"mekiki/embed/modelconfig"
)

// publishedG is the published ViT-g retrieval model at 224 pixels.
func publishedG() modelconfig.Config {
	return modelconfig.Config{
		QueryTokens: 32, ProjectionSize: 256,
		Vision: modelconfig.Vision{
			HiddenSize: 1408, Layers: 39, Heads: 16, IntermediateSize: 6144, ImageSize: 224, PatchSize: 14, Activation: "gelu",
			LayerNormEpsilon: 1e-6, FinalLayerNormEpsilon: 1e-6, PatchBias: true,
		},
		QFormer: modelconfig.QFormer{
			HiddenSize: 768, Layers: 12, Heads: 12, IntermediateSize: 3072, VocabularySize: 30523, MaxPositions: 512,
			CrossAttentionFrequency: 2, LayerNormEpsilon: 1e-12,
		},
		Preprocess: modelconfig.Preprocess{
			ImageSize: 224, Mean: defaultMean, StandardDeviation: defaultStandardDeviation, RescaleFactor: 1.0 / 255,
		},
	}
}

func TestParseConfig(t *testing.T) {
	coco := publishedG()
	coco.Vision.ImageSize, coco.Preprocess.ImageSize = 364, 364
	for _, test := range []struct {
		name, data string
		want       modelconfig.Config
	}{
		{"published", `{"architectures":["Blip2ForImageTextRetrieval"],"image_text_hidden_size":256,"image_token_index":30523,
			"model_type":"blip-2","num_query_tokens":32,"qformer_config":{"use_qformer_text_input":true,"vocab_size":30523},
			"text_config":{"model_type":"opt"},"vision_config":{}}`, publishedG()},
		{"comma and stray keys", "\ufeff" + `{"qformer_config":{"vocab_size":30523,"model_type":"blip_2_qformer"},
			"text_config":{"model_type":"opt","prefix":",}\"]",},
			"vision_config":{"image_size":364,"dropout":0.0,"num_channels":3 , } , }`, coco},
		{"nulls", `{"vision_config":null,"qformer_config":{"vocab_size":30523,"hidden_act":null},"num_query_tokens":null}`, publishedG()},
	} {
		config, _, err := parseConfig([]byte(test.data))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if diff := cmp.Diff(test.want, config); diff != "" {
			t.Errorf("%s (-expected +read):\n%s", test.name, diff)
		}
	}
}

func TestParseConfigFaults(t *testing.T) {
	for want, data := range map[string]string{
		"not valid JSON":                                    `{"vision_config":`,
		"model_type is \"blip\"":                            `{"model_type":"blip"}`,
		"must lie between":                                  `{"vision_config":{"num_hidden_layers":-1}}`,
		"the number of query tokens is 99999":               `{"num_query_tokens":99999}`,
		"not a multiple of its 5 heads":                     `{"vision_config":{"num_attention_heads":5}}`,
		"smaller than the patch size":                       `{"vision_config":{"image_size":7}}`,
		"1024 by 1024 patches":                              `{"vision_config":{"image_size":1024,"patch_size":1}}`,
		"the vision encoder's activation":                   `{"vision_config":{"hidden_act":"gelu_new"}}`,
		"epsilon is 0":                                      `{"vision_config":{"layer_norm_eps":0}}`,
		"num_query_tokens is a string where a whole number": `{"num_query_tokens":"five"}`,
		"position_embedding_type":                           `{"qformer_config":{"position_embedding_type":"relative_key"}}`,
		"qformer_config.hidden_act":                         `{"qformer_config":{"hidden_act":"relu"}}`,
	} {
		_, _, err := parseConfig([]byte(data))
		checkpointtest.WantError(t, err, want)
	}
}

func TestParsePreprocess(t *testing.T) {
	for data, want := range map[string]int{
		`{"size":224}`:                          224,
		`{"size":[364,364]}`:                    364,
		`{"size":[112]}`:                        112,
		`{"size":{"height":364,"width":364}}`:   364,
		`{"size":{"shortest_edge":224}}`:        224,
		`{}`:                                    384,
		`{"size":null,"image_mean":0.5}`:        384,
		`{"size":{"width":28,"height":28,},}`:   28,
		`{"do_center_crop":false,"resample":3}`: 384,
	} {
		preprocess, err := parsePreprocess([]byte(data))
		if err != nil || preprocess.ImageSize != want {
			t.Errorf("%s: size %d, %v; expected %d", data, preprocess.ImageSize, err, want)
		}
	}
	for data, want := range map[string]string{
		`{"size":{"height":224,"width":300}}`: "a square",
		`{"size":"large"}`:                    "a square",
		`{"size":-5}`:                         "a square",
		`{"size":224,"do_center_crop":true}`:  "do_center_crop",
		`{"size":224,"resample":2}`:           "resample",
		`{"size":224,"image_mean":[1,2]}`:     "image_mean: [1,2] is not a list of three numbers",
	} {
		_, err := parsePreprocess([]byte(data))
		checkpointtest.WantError(t, err, want)
	}
}

func TestProcessorMustFitEncoder(t *testing.T) {
	folder := copyFolder(t, "testdata/hf-f32")
	folder[processorFile].Data = []byte(`{"size":384}`)
	_, err := Open(t.Context(), Options{FS: folder})
	checkpointtest.WantError(t, err, "384", "16")
}

// TestInfer checks that the published LAVIS files need no configuration, by their shapes alone.
func TestInfer(t *testing.T) {
	for _, test := range []struct {
		name  string
		want  func() modelconfig.Config
		clip  bool
		extra int // layers that the vision file has too many
	}{
		{"stage 1 with EVA", func() modelconfig.Config {
			config := publishedG()
			config.Vision.FinalLayerNormEpsilon = 1e-5
			return config
		}, false, 1},
		{"COCO", func() modelconfig.Config {
			config := publishedG()
			config.Vision.FinalLayerNormEpsilon = 1e-5
			config.Vision.ImageSize, config.Preprocess.ImageSize = 364, 364
			return config
		}, false, 0},
		{"ViT-L", func() modelconfig.Config {
			config := publishedG()
			config.Vision = modelconfig.Vision{
				HiddenSize: 1024, Layers: 23, Heads: 16, IntermediateSize: 4096, ImageSize: 224, PatchSize: 14,
				Activation: "quick_gelu", LayerNormEpsilon: 1e-5, FinalLayerNormEpsilon: 1e-5, PreLayerNorm: true,
			}
			return config
		}, true, 1},
	} {
		want := test.want()
		stored := want
		stored.Vision.Layers += test.extra
		held := &holdings{byName: map[string]*weights.Tensor{}, clip: test.clip}
		for _, expected := range tensors.Expected(stored) {
			held.byName[expected.Name] = &weights.Tensor{Name: expected.Name, Shape: expected.Shape}
		}
		config, err := configure(t.Context(), &source{lavis: true}, held, Options{})
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if diff := cmp.Diff(want, config); diff != "" {
			t.Errorf("%s (-expected +read):\n%s", test.name, diff)
		}
	}
}

func TestPublishedParameterCount(t *testing.T) {
	for size, want := range map[int]int{224: 1172032258, 364: 1172623618} {
		config := publishedG()
		config.Vision.ImageSize = size
		total, several := 0, 0
		for _, expected := range tensors.Expected(config) {
			if !expected.Optional {
				count, _ := weights.Elements(expected.Shape)
				total += count
				several++
			}
		}
		if total != want || several != 809 {
			t.Errorf("%d pixels: %d parameters in %d tensors, expected %d in 809", size, total, several, want)
		}
	}
}
