package checkpoint

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"mekiki/embed/checkpoint/tensors"
	"mekiki/embed/checkpoint/weights"
	"mekiki/embed/modelconfig"
)

// configured reads settings without weights.
func configured(t *testing.T, config, generation string) modelconfig.Config {
	t.Helper()
	folder := fstest.MapFS{}
	if generation != "" {
		folder[generationFile] = &fstest.MapFile{Data: []byte(generation)}
	}
	source := &source{name: "the checkpoint", base: "checkpoint", folder: folder, config: []byte(config)}
	read, err := configure(t.Context(), source, &holdings{byName: map[string]*weights.Tensor{}}, Options{Name: "read"})
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// TestPublishedSecondStages reads configurations as their repositories have them, defaults left out.
func TestPublishedSecondStages(t *testing.T) {
	const (
		blip2    = `"architectures":["Blip2ForConditionalGeneration"],"model_type":"blip-2","num_query_tokens":32,"use_decoder_only_language_model":true`
		instruct = `"architectures":["InstructBlipForConditionalGeneration"],"model_type":"instructblip","qformer_config":{"model_type":"instructblip_qformer","vocab_size":30523},` +
			`"vision_config":{"model_type":"instructblip_vision_model"}`
		opt27  = `"text_config":{"model_type":"opt","hidden_size":2560,"ffn_dim":10240,"num_attention_heads":32,"num_hidden_layers":32,"prefix":"</s>","word_embed_proj_dim":2560`
		xxl    = `"text_config":{"model_type":"t5","architectures":["T5ForConditionalGeneration"],"bos_token_id":1,"d_ff":10240,"d_model":4096,"decoder_start_token_id":0,"dense_act_fn":"gelu","feed_forward_proj":"gated-gelu","is_gated_act":true,"num_decoder_layers":24,"num_heads":64,"num_layers":24,"output_past":true,"tie_word_embeddings":false}`
		vicuna = `"text_config":{"model_type":"llama","bos_token_id":0,"eos_token_id":1,"max_sequence_length":2048,"rms_norm_eps":1e-06`
	)
	published := func(name string, size int, change func(*modelconfig.Language)) modelconfig.Config {
		config, err := publishedSecondStage(name, size)
		if err != nil {
			t.Fatal(err)
		}
		config.Name = "read"
		if change != nil {
			change(config.Language)
		}
		return config
	}
	rows := func(count int) func(*modelconfig.Language) {
		return func(l *modelconfig.Language) { l.VocabularySize = count }
	}
	for name, test := range map[string]struct {
		config, generation string
		want               modelconfig.Config
	}{
		"opt, old": {`{` + blip2 + `,` + opt27 + `}}`, ``, published(OPT27B, 224, rows(50272))},
		"opt, new": {`{` + blip2 + `,"image_token_index":50265,` + opt27 + `,"eos_token_id":50118,"vocab_size":50304}}`,
			`{"bos_token_id":2,"eos_token_id":50118,"pad_token_id":1}`, published(OPT27B, 224, nil)},
		"opt, with another end": {`{` + blip2 + `,` + opt27 + `}}`, `{"eos_token_id":2}`, published(OPT27B, 224, func(l *modelconfig.Language) {
			l.VocabularySize, l.End = 50272, []int64{50118, 2}
		})},
		"opt on COCO": {`{` + blip2 + `,"vision_config":{"image_size":364},` + opt27 + `,"vocab_size":50304}}`, ``, published(OPT27B, 364, nil)},
		"t5":          {`{` + blip2 + `,"image_token_index":32100,` + xxl + `}`, `{"bos_token_id":1,"eos_token_id":1,"decoder_start_token_id":0,"pad_token_id":0}`, published(FlanT5XXL, 224, nil)},
		"vicuna, new": {`{` + instruct + `,"image_token_index":32001,` + vicuna + `,"pad_token_id":32000,"vocab_size":32064}}`, `{"bos_token_id":0,"eos_token_id":1,"pad_token_id":32000}`,
			published(Vicuna7B, 224, nil)},
		"vicuna, old": {`{` + instruct + `,` + vicuna + `,"pad_token_id":-1,"vocab_size":32001}}`, ``, published(Vicuna7B, 224, rows(32001))},
	} {
		if diff := cmp.Diff(test.want, configured(t, test.config, test.generation)); diff != "" {
			t.Errorf("%s (-published +read):\n%s", name, diff)
		}
	}
}

// TestPublishedParameters counts the parameters of the published second stages, which their repositories give.
func TestPublishedParameters(t *testing.T) {
	for name, want := range map[string]int{FlanT5XL: 3_942_446_592, FlanT5XXL: 12_229_596_672, OPT27B: 3_744_761_856, OPT67B: 7_752_869_376} {
		config, err := publishedSecondStage(name, 224)
		if err != nil {
			t.Fatal(err)
		}
		total := 0
		for _, expected := range tensors.Expected(config) {
			count, _ := weights.Elements(expected.Shape)
			total += count
		}
		if total != want {
			t.Errorf("%s has %d parameters, want %d", name, total, want)
		}
	}
}

// TestFirstStageHasNoLanguage wants the JSON of a first stage to be what it was before there were second ones.
func TestFirstStageHasNoLanguage(t *testing.T) {
	config := configured(t, `{"architectures":["Blip2ForImageTextRetrieval"],"qformer_config":{"vocab_size":30523},"text_config":{"model_type":"opt","hidden_size":2560}}`, "")
	if config.Language != nil || config.ProjectionSize != 256 {
		t.Errorf("%+v", config)
	}
	data, err := json.Marshal(config)
	if err != nil || strings.Contains(string(data), "Language") {
		t.Errorf("JSON is %s, %v", data, err)
	}
}

// TestInferSecondStage checks that LAVIS's published second stages need no configuration but their language model's own.
func TestInferSecondStage(t *testing.T) {
	for _, test := range []struct {
		name, config string
		change       func(*modelconfig.Language)
	}{
		{name: OPT27B, config: `{"model_type":"opt","hidden_size":2560,"ffn_dim":10240,"num_attention_heads":32,"num_hidden_layers":32,"word_embed_proj_dim":2560,"eos_token_id":2,"vocab_size":50272}`,
			change: func(l *modelconfig.Language) { l.VocabularySize = 50272 }},
		{name: FlanT5XL, config: `{"model_type":"t5","d_model":2048,"d_kv":64,"d_ff":5120,"num_heads":32,"num_layers":24,"num_decoder_layers":24,"feed_forward_proj":"gated-gelu","tie_word_embeddings":false,"decoder_start_token_id":0}`},
		{name: Vicuna7B, config: `{"model_type":"llama","hidden_size":4096,"intermediate_size":11008,"num_attention_heads":32,"num_hidden_layers":32,"rms_norm_eps":1e-06,"bos_token_id":1,"eos_token_id":2,"vocab_size":32000}`,
			change: func(l *modelconfig.Language) { l.VocabularySize, l.Words, l.End = 32000, 32000, []int64{2} }},
	} {
		want, err := publishedSecondStage(test.name, 224)
		if err != nil {
			t.Fatal(err)
		}
		want.Vision.FinalLayerNormEpsilon = lavisFinalEpsilon
		if test.change != nil {
			test.change(want.Language)
		}
		held := &holdings{byName: map[string]*weights.Tensor{}}
		stored := want
		stored.Vision.Layers++ // as in eva_vit_g.pth
		for _, expected := range tensors.Expected(stored) {
			if expected.Name == tensors.LanguageHead {
				continue // which would be compared with the embedding
			}
			held.byName[expected.Name] = &weights.Tensor{Name: expected.Name, Shape: expected.Shape}
		}
		source := &source{lavis: true, folder: fstest.MapFS{}, base: test.name,
			languageFolder: fstest.MapFS{configFile: {Data: []byte(test.config)}}}
		config, err := configure(t.Context(), source, held, Options{})
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if diff := cmp.Diff(want, config); diff != "" {
			t.Errorf("%s (-published +read):\n%s", test.name, diff)
		}
	}
}
