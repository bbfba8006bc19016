package checkpoint

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"mekiki/embed/checkpoint/checkpointtest"
	"mekiki/embed/checkpoint/tensors"
	"mekiki/embed/modelconfig"
)

// secondStageOptions says how the fixture of a second stage is opened: a Hugging Face folder, or LAVIS files with the
// sizes and the language model's folder.
func secondStageOptions(name string) Options {
	folder := filepath.Join("testdata", name)
	if !strings.HasPrefix(name, "lavis-") {
		return Options{FS: os.DirFS(folder)}
	}
	return Options{Paths: []string{
		filepath.Join(folder, "language-model"), filepath.Join(folder, "eva_vit_g.pth"),
		filepath.Join(folder, "blip2_pretrained.pth"), filepath.Join(folder, "config.json"),
	}}
}

// TestSecondStageValues compares every tensor of every second stage with PyTorch's values to the bit.
func TestSecondStageValues(t *testing.T) {
	for _, name := range []string{"language-opt", "language-opt-bin", "language-t5", "language-t5-aliases", "language-llama",
		"instruct-t5", "instruct-llama", "lavis-language-opt", "lavis-language-t5", "lavis-instruct-llama"} {
		t.Run(name, func(t *testing.T) {
			sameAsExpected(t, filepath.Join("testdata", name), openTest(t, secondStageOptions(name)))
		})
	}
}

// TestLavisEqualsHuggingFace compares the two forms of one set of weights tensor by tensor. LAVIS's vision file is in half
// precision, so that those tensors are compared with what half precision leaves of them.
func TestLavisEqualsHuggingFace(t *testing.T) {
	for lavis, other := range map[string]string{
		"lavis-language-opt": "language-opt", "lavis-language-t5": "language-t5", "lavis-instruct-llama": "instruct-llama",
	} {
		first, second := openTest(t, secondStageOptions(lavis)), openTest(t, secondStageOptions(other))
		if diff := cmp.Diff(second.Names(), first.Names()); diff != "" {
			t.Fatalf("%s (-Hugging Face +LAVIS):\n%s", lavis, diff)
		}
		for _, name := range first.Names() {
			a, err := first.Float32(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			b, err := second.Float32(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			tolerance := float32(0)
			if tensors.OfVisionEncoder(name) {
				tolerance = 2e-3
			}
			for i := range a {
				if difference := max(a[i]-b[i], b[i]-a[i]); !(difference <= tolerance) {
					t.Fatalf("%s: %s differs at %d: %g and %g", lavis, name, i, a[i], b[i])
				}
			}
		}
	}
}

// languageOf is the language model of a fixture.
func languageOf(t *testing.T, options Options) modelconfig.Language {
	t.Helper()
	language := openTest(t, options).Config().Language
	if language == nil {
		t.Fatal("no language model")
	}
	return *language
}

func TestLanguageOfFixtures(t *testing.T) {
	opt := modelconfig.Language{
		Architecture: modelconfig.OPT, HiddenSize: 16, Layers: 2, Heads: 2, KeyValueHeads: 2, HeadWidth: 8, IntermediateSize: 20, VocabularySize: 34,
		Positions: 160, Activation: modelconfig.Relu, NormEpsilon: 1e-5, Tied: true, End: []int64{5}, Words: 34, Prompts: modelconfig.PublishedPrompts(false, false),
	}
	newer := opt
	newer.Words = 30
	t5 := modelconfig.Language{
		Architecture: modelconfig.T5, HiddenSize: 12, Layers: 2, DecoderLayers: 2, Heads: 2, KeyValueHeads: 2, HeadWidth: 8, IntermediateSize: 16,
		VocabularySize: 34, Activation: modelconfig.Gelu, Gated: true, NormEpsilon: 1e-6, RelativeBuckets: 8, RelativeDistance: 16,
		End: []int64{1}, Words: 30, Prompts: modelconfig.PublishedPrompts(false, false),
	}
	told := t5
	told.End, told.Start = []int64{1, 7}, 3
	told.Prompts.Caption, told.Prompts.Question = "describe", "Q {} A"
	instructT5 := t5
	instructT5.Instructed, instructT5.Prompts = true, modelconfig.PublishedPrompts(true, false)
	llama := modelconfig.Language{
		Architecture: modelconfig.Llama, HiddenSize: 12, Layers: 2, Heads: 4, KeyValueHeads: 2, HeadWidth: 16, IntermediateSize: 20, VocabularySize: 34,
		Positions: 48, Activation: modelconfig.Silu, Gated: true, NormEpsilon: 1e-5, RotaryTheta: 50000, Tied: true, End: []int64{2, 4}, Words: 30,
		Prompts: modelconfig.PublishedPrompts(false, false),
	}
	instructLlama := llama
	instructLlama.Instructed, instructLlama.Prompts = true, modelconfig.PublishedPrompts(true, false)
	for name, want := range map[string]modelconfig.Language{
		"language-opt": opt, "language-opt-bin": newer, "lavis-language-opt": newer, "language-t5": t5, "language-t5-aliases": told,
		"lavis-language-t5": t5, "instruct-t5": instructT5, "language-llama": llama, "instruct-llama": instructLlama,
		"lavis-instruct-llama": instructLlama,
	} {
		if diff := cmp.Diff(want, languageOf(t, secondStageOptions(name))); diff != "" {
			t.Errorf("%s (-expected +read):\n%s", name, diff)
		}
	}
}

// TestQFormerTexts wants a vocabulary where the Q-Former reads prompts, and there alone.
func TestQFormerTexts(t *testing.T) {
	for name, want := range map[string]bool{"language-opt": false, "instruct-t5": true, "instruct-llama": true} {
		checkpoint := openTest(t, secondStageOptions(name))
		vocabulary, ok := checkpoint.Vocabulary()
		if ok != want || want && !strings.HasSuffix(string(vocabulary), "\n[DEC]\n") {
			t.Errorf("%s: vocabulary %q", name, vocabulary)
		}
		if q := checkpoint.Config().QFormer; (q.VocabularySize > 0) != want || (q.MaxPositions > 0) != want {
			t.Errorf("%s: %+v", name, q)
		}
	}
}

// TestReadFileOfLanguageModel reads the language model's small files from its own folder.
func TestReadFileOfLanguageModel(t *testing.T) {
	checkpoint := openTest(t, secondStageOptions("lavis-language-t5"))
	for file, want := range map[string]string{"generation_config.json": "decoder_start_token_id", "expected.json": "sha256"} {
		if data, err := checkpoint.ReadFile(file); err != nil || !strings.Contains(string(data), want) {
			t.Errorf("%s: %.80s, %v", file, data, err)
		}
	}
}

// editJSON changes a file of settings.
func editJSON(t *testing.T, folder fstest.MapFS, name string, edit func(fields map[string]any)) {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal(folder[name].Data, &fields); err != nil {
		t.Fatal(err)
	}
	edit(fields)
	data, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	folder[name] = &fstest.MapFile{Data: data, Mode: 0o644}
}

// TestSecondStageFaults wants files that do not fit to be named with a remedy, before and with their weights.
func TestSecondStageFaults(t *testing.T) {
	text := func(changes map[string]any) func(map[string]any) {
		return func(fields map[string]any) {
			for key, value := range changes {
				fields["text_config"].(map[string]any)[key] = value
			}
		}
	}
	for _, test := range []struct {
		folder string
		edit   map[string]any
		want   string
	}{
		{"language-opt", map[string]any{"do_layer_norm_before": false}, "do_layer_norm_before is false"},
		{"language-opt", map[string]any{"word_embed_proj_dim": 6}, "word_embed_proj_dim is 6"},
		{"language-opt", map[string]any{"enable_bias": false}, "without biases"},
		{"language-opt", map[string]any{"num_attention_heads": 5}, "not that of 5 heads"},
		{"language-opt", map[string]any{"activation_function": "gelu"}, `activation is "gelu"`},
		{"language-opt", map[string]any{"vocab_size": 0}, "vocabulary's size is 0"},
		{"language-opt", map[string]any{"eos_token_id": 99}, "has 0 tokens that end a text"},
		{"language-opt", map[string]any{"eos_token_id": "x"}, "neither a token's id"},
		{"language-t5", map[string]any{"model_type": "umt5"}, `"umt5"; opt, t5 and llama are supported`},
		{"language-t5", map[string]any{"relative_attention_num_buckets": 1}, "relative buckets is 1"},
		{"language-t5", map[string]any{"dense_act_fn": "tanh"}, `activation is "tanh"`},
		{"language-t5", map[string]any{"num_layers": 1 << 20}, "number of layers is 1048576"},
		{"language-llama", map[string]any{"model_type": "qwen2"}, "have biases"},
		{"language-llama", map[string]any{"attention_bias": true}, "Llama with biases"},
		{"language-llama", map[string]any{"rope_parameters": map[string]any{"rope_type": "yarn"}}, `scaled by "yarn"`},
		{"language-llama", map[string]any{"rope_scaling": map[string]any{"type": "linear", "factor": 2}}, `scaled by "linear"`},
		{"language-llama", map[string]any{"head_dim": 7}, "rotary positions need an even width"},
		{"language-llama", map[string]any{"num_key_value_heads": 3}, "not a multiple of its 3 heads"},
		{"language-llama", map[string]any{"hidden_act": "gelu"}, `activation is "gelu"`},
	} {
		folder := copyFolder(t, "testdata/"+test.folder)
		editJSON(t, folder, configFile, text(test.edit))
		delete(folder, generationFile)
		_, err := Open(t.Context(), Options{FS: folder})
		checkpointtest.WantError(t, err, test.want, "config.json in")
		checkpointtest.WantError(t, settingsError(Options{FS: folder}), test.want)
	}
	folder := copyFolder(t, "testdata/language-t5-aliases")
	folder[promptsFile] = &fstest.MapFile{Data: []byte(`{"question":"What?"}`)}
	checkpointtest.WantError(t, settingsError(Options{FS: folder}), "prompts.json", `question is "What?", with 0 places {} where 1 belong`)
}

// TestMistralIsLlama reads a model of Llama's shape under its own name, up to the width of its window.
func TestMistralIsLlama(t *testing.T) {
	folder := copyFolder(t, "testdata/language-llama")
	editJSON(t, folder, configFile, func(fields map[string]any) {
		text := fields["text_config"].(map[string]any)
		text["model_type"], text["sliding_window"] = "mistral", 40
	})
	if language := languageOf(t, Options{FS: folder}); language.Architecture != modelconfig.Llama || language.Positions != 40 {
		t.Errorf("%+v", language)
	}
}

// TestHeads wants a head that differs from the token embedding to be taken where the configuration allows it, and named
// where not.
func TestHeads(t *testing.T) {
	folder := copyFolder(t, "testdata/language-opt")
	folder[weightsFile].Data = changeTensor(t, folder[weightsFile].Data, tensors.LanguageHead)
	_, err := Open(t.Context(), Options{FS: folder})
	checkpointtest.WantError(t, err, "lm_head.weight in model.safetensors differs from the token embedding", "tie_word_embeddings to false")
	editJSON(t, folder, configFile, func(fields map[string]any) {
		fields["text_config"].(map[string]any)["tie_word_embeddings"] = false
	})
	checkpoint := openTest(t, Options{FS: folder})
	if checkpoint.Config().Language.Tied || !checkpoint.Has(tensors.LanguageHead) {
		t.Error("the head of its own was not taken")
	}
}

// changeTensor changes the last value of a tensor of a safetensors file.
func changeTensor(t *testing.T, data []byte, name string) []byte {
	t.Helper()
	changed := slices.Clone(data)
	editSafetensors(t, data, func(header map[string]map[string]any) {
		end := int(header[name]["data_offsets"].([]any)[1].(float64))
		changed[8+int(binary.LittleEndian.Uint64(data))+end-3] ^= 1
	})
	return changed
}

// TestScaledOutput scales T5's output where the head is the token embedding, as the first T5 has it, unless the files say not.
func TestScaledOutput(t *testing.T) {
	for _, test := range []struct {
		tied, scaled any
		want         bool
		missing      bool
	}{
		{tied: nil, scaled: nil, want: true},
		{tied: true, scaled: nil, want: true},
		{tied: true, scaled: false, want: false},
		{tied: false, scaled: nil, missing: true},
	} {
		folder := copyFolder(t, "testdata/language-t5-aliases")
		folder[weightsFile].Data = editSafetensors(t, folder[weightsFile].Data, func(header map[string]map[string]any) {
			header["language_model.decoder.version"] = header[tensors.LanguageHead]
			delete(header, tensors.LanguageHead)
		})
		editJSON(t, folder, configFile, func(fields map[string]any) {
			text := fields["text_config"].(map[string]any)
			text["tie_word_embeddings"], text["scale_decoder_outputs"] = test.tied, test.scaled
		})
		if test.missing {
			_, err := Open(t.Context(), Options{FS: folder})
			checkpointtest.WantError(t, err, "1 missing: language_model.lm_head.weight")
			continue
		}
		if language := languageOf(t, Options{FS: folder}); !language.Tied || language.ScaleOutput != test.want {
			t.Errorf("tied %v, scaled %v: %+v", test.tied, test.scaled, language)
		}
	}
}

// TestAliasesMustAgree refuses a T5 whose two stacks have token embeddings of their own.
func TestAliasesMustAgree(t *testing.T) {
	folder := copyFolder(t, "testdata/language-t5-aliases")
	folder[weightsFile].Data = editSafetensors(t, folder[weightsFile].Data, func(header map[string]map[string]any) {
		const alias = "language_model.decoder.embed_tokens.weight"
		header[alias], header[tensors.LanguageHead] = header[tensors.LanguageHead], header[alias]
	})
	_, err := Open(t.Context(), Options{FS: folder})
	checkpointtest.WantError(t, err, "decoder.embed_tokens.weight in model.safetensors differs", "must be the same token embedding")
}

// TestBorrowedVision opens a second stage without a vision encoder beside the first stage that has it.
func TestBorrowedVision(t *testing.T) {
	whole := openTest(t, secondStageOptions("language-llama"))
	folder := copyFolder(t, "testdata/language-llama")
	folder[weightsFile].Data = withoutTensors(t, folder[weightsFile].Data, func(name string) bool { return strings.HasPrefix(name, "vision_model.") })
	_, err := Open(t.Context(), Options{FS: folder})
	checkpointtest.WantError(t, err, "missing: vision_model.", "needs the first stage that it was trained with")
	borrowing := openTest(t, Options{FS: folder, Vision: whole})
	if !borrowing.borrows || whole.borrows {
		t.Error("the wrong checkpoint borrows its vision encoder")
	}
	sameAsExpected(t, "testdata/language-llama", borrowing)
	if got, want := borrowing.Config().Vision, whole.Config().Vision; got != want {
		t.Errorf("vision encoder %+v, want %+v", got, want)
	}
	if own := openTest(t, Options{FS: os.DirFS("testdata/language-llama"), Vision: whole}); own.borrows {
		t.Error("a checkpoint with a vision encoder borrowed another")
	}
	editJSON(t, folder, configFile, func(fields map[string]any) {
		fields["vision_config"].(map[string]any)["num_hidden_layers"] = 3
	})
	_, err = Open(t.Context(), Options{FS: folder, Vision: whole})
	checkpointtest.WantError(t, err, "trained with another vision encoder")
	editJSON(t, folder, configFile, func(fields map[string]any) { delete(fields, "vision_config") })
	sameAsExpected(t, "testdata/language-llama", openTest(t, Options{FS: folder, Vision: whole}))
}
