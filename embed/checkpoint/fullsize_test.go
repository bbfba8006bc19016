package checkpoint

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"mekiki/embed/checkpoint/tensors"
	"mekiki/embed/checkpoint/weights"
)

// secondStageFolder writes a Hugging Face folder of a published second stage whose values are zeros that take no room on
// the disk, the head stored beside the token embedding as older files have it.
func secondStageFolder(t *testing.T, name string) string {
	t.Helper()
	config, err := publishedSecondStage(name, 224)
	if err != nil {
		t.Fatal(err)
	}
	language := *config.Language
	list := tensors.Expected(config)
	if language.Tied {
		list = append(list, tensors.Tensor{Name: tensors.LanguageHead, Shape: []int{language.VocabularySize, language.HiddenSize}})
	}
	header, position := map[string]any{}, int64(0)
	for _, expected := range list {
		count, _ := weights.Elements(expected.Shape)
		header[expected.Name] = map[string]any{"dtype": "F32", "shape": expected.Shape, "data_offsets": []int64{position, position + 4*int64(count)}}
		position += 4 * int64(count)
	}
	folder := t.TempDir()
	writeSparse(t, folder, header, position)
	text := map[string]any{"model_type": "opt", "hidden_size": 2560, "ffn_dim": 10240, "num_attention_heads": 32, "num_hidden_layers": 32, "vocab_size": 50304}
	settings, err := json.Marshal(map[string]any{"architectures": []string{"Blip2ForConditionalGeneration"}, "text_config": text})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, configFile), settings, 0o644); err != nil {
		t.Fatal(err)
	}
	return folder
}

// TestPublishedSizeOpensInLittleMemory opens a checkpoint of blip2-opt-2.7b's size, 15.5 GB, whose head must be compared with its token
// embedding: in pieces.
func TestPublishedSizeOpensInLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("reads a gigabyte")
	}
	folder := secondStageFolder(t, OPT27B)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	started := time.Now()
	checkpoint := openTest(t, Options{Paths: []string{folder}})
	runtime.ReadMemStats(&after)
	t.Logf("opened in %v", time.Since(started))
	const most = 64 << 20
	if grown := after.TotalAlloc - before.TotalAlloc; grown > most {
		t.Errorf("opening asked for %d MB in all", grown>>20)
	} else {
		t.Logf("opening asked for %d MB in all", grown>>20)
	}
	if !checkpoint.Config().Language.Tied {
		t.Error("an equal head was not dropped")
	}
}
