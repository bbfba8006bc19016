package translate_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mekiki/embed/checkpoint"
	"mekiki/embed/checkpoint/checkpointtest"
	"mekiki/embed/decode"
	"mekiki/embed/manifest"
	"mekiki/embed/translate"
)

// TestInt8 wants the model in 8 bits to write what it writes in float32, but for few texts.
func TestInt8(t *testing.T) {
	r := readReference(t, "small")
	var texts []string
	for _, one := range r.Encodings[:60] {
		texts = append(texts, one.Text)
	}
	write := func(precision manifest.Precision) []string {
		engine := open(t, compile(t, "small", precision))
		engine.Decoding = decode.Options{Method: decode.Greedy, MaximumTokens: 3}
		got, err := engine.Translate(t.Context(), texts)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	exact, quantized := write(manifest.Float32), write(manifest.Int8)
	same := 0
	for i := range exact {
		if exact[i] == quantized[i] {
			same++
		}
	}
	t.Logf("%d of %d texts are the same", same, len(texts))
	if same < 45 {
		t.Errorf("only %d of %d texts are the same", same, len(texts))
	}
}

func TestLimits(t *testing.T) {
	engine := open(t, compile(t, "small", manifest.Float32))
	if got, err := engine.Translate(t.Context(), []string{"", " \n"}); err != nil || got[0] != "" || got[1] != "" {
		t.Errorf("of nothing: %q, %v", got, err)
	}
	for _, text := range []string{strings.Repeat("犬猫", 400), strings.Repeat("a", 1<<20)} {
		if _, err := engine.Translate(t.Context(), []string{text}); !errors.Is(err, translate.ErrTooLong) {
			t.Errorf("%d bytes: %v", len(text), err)
		}
	}
}

// TestWarnings wants no word about pictures of a model that reads none.
func TestWarnings(t *testing.T) {
	described, err := manifest.Read(compile(t, "small", manifest.Int8))
	if err != nil {
		t.Fatal(err)
	}
	for _, warning := range described.Warnings() {
		if !strings.Contains(warning, "language model") {
			t.Error(warning)
		}
	}
	if can := described.Capabilities(); !can.Translate || can.Answer || can.EmbedTexts {
		t.Errorf("it can %s", can)
	}
}

// TestRefusedCheckpoints changes what the files say.
func TestRefusedCheckpoints(t *testing.T) {
	for name, test := range map[string]struct {
		file, from, to string
		want           string
	}{
		"norms before":    {"config.json", `"init_std": 0.02`, `"normalize_before": true`, "normalize_before is true"},
		"two embeddings":  {"config.json", `"share_encoder_decoder_embeddings": true`, `"share_encoder_decoder_embeddings": false`, "share_encoder_decoder_embeddings"},
		"other layers":    {"config.json", `"encoder_layers": 2`, `"encoder_layers": 3`, "layers.2"},
		"huge vocabulary": {"config.json", `"vocab_size": `, `"vocab_size": 99999999999, "was": `, ""},
		"no languages":    {"tokenizer_config.json", `source_lang`, `lang`, "source_lang"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "small"))); err != nil {
				t.Fatal(err)
			}
			content := checkpointtest.ReadFile(t, filepath.Join(dir, test.file))
			changed := strings.Replace(string(content), test.from, test.to, 1)
			if changed == string(content) {
				t.Fatalf("%s has no %s", test.file, test.from)
			}
			if err := os.WriteFile(filepath.Join(dir, test.file), []byte(changed), 0o600); err != nil {
				t.Fatal(err)
			}
			source, err := checkpoint.Open(t.Context(), checkpoint.Options{Paths: []string{dir}})
			if err == nil {
				_ = source.Close()
				t.Fatal("it is opened")
			}
			checkpointtest.WantError(t, err, test.want)
		})
	}
}
