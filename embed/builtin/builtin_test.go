package builtin

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"io"
	"io/fs"
	"path"
	"strings"
	"testing"
)

const (
	checkpointLimit = 40 << 20 // bytes
	galleryLimit    = 10 << 20 // bytes
)

func TestCheckpointIsACompleteFolder(t *testing.T) {
	files := Checkpoint()
	for _, name := range []string{"config.json", "preprocessor_config.json", "tokenizer_config.json", "calibration.json"} {
		content, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatalf("read %s: %v", name, err)
		}
		if !json.Valid(content) {
			t.Errorf("%s is not valid JSON", name)
		}
	}
	var config struct {
		Architectures []string `json:"architectures"`
		QFormer       struct {
			VocabularySize int `json:"vocab_size"`
		} `json:"qformer_config"`
	}
	readJSON(t, files, "config.json", &config)
	if len(config.Architectures) != 1 || config.Architectures[0] != "Blip2ForImageTextRetrieval" {
		t.Errorf("architectures = %v, want Blip2ForImageTextRetrieval", config.Architectures)
	}
	vocabulary, err := fs.ReadFile(files, "vocab.txt")
	if err != nil {
		t.Fatalf("read vocab.txt: %v", err)
	}
	tokens := strings.Split(strings.TrimSuffix(string(vocabulary), "\n"), "\n")
	if len(tokens) != config.QFormer.VocabularySize {
		t.Errorf("vocab.txt has %d tokens, config.json says %d", len(tokens), config.QFormer.VocabularySize)
	}
	if last := tokens[len(tokens)-1]; last != "[DEC]" {
		t.Errorf("last token = %q, want [DEC]", last)
	}
}

func TestCheckpointHoldsTheTensorsOfEveryHead(t *testing.T) {
	file, err := Checkpoint().Open("model.safetensors")
	if err != nil {
		t.Fatalf("open model.safetensors: %v", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatalf("stat model.safetensors: %v", err)
	}
	if info.Size() > checkpointLimit {
		t.Errorf("model.safetensors has %d bytes, more than %d", info.Size(), checkpointLimit)
	}
	var length uint64
	if err := binary.Read(file, binary.LittleEndian, &length); err != nil {
		t.Fatalf("read header length: %v", err)
	}
	if length > 1<<20 {
		t.Fatalf("header length %d is not plausible", length)
	}
	header := make([]byte, length)
	if _, err := io.ReadFull(file, header); err != nil {
		t.Fatalf("read header: %v", err)
	}
	var tensors map[string]struct {
		Type string `json:"dtype"`
	}
	if err := json.Unmarshal(header, &tensors); err != nil {
		t.Fatalf("parse header: %v", err)
	}
	for _, name := range []string{
		"query_tokens", "embeddings.word_embeddings.weight", "embeddings.position_embeddings.weight",
		"vision_projection.weight", "text_projection.weight", "itm_head.weight", "temp",
		"cls.predictions.transform.dense.weight", "cls.predictions.transform.LayerNorm.weight", "cls.predictions.bias",
	} {
		if tensors[name].Type != "F16" {
			t.Errorf("tensor %s has type %q, want F16", name, tensors[name].Type)
		}
	}
}

func TestGalleryAgreesWithItsAnnotations(t *testing.T) {
	files := Gallery()
	var annotations struct {
		Images []struct {
			Filename  string `json:"filename"`
			Filepath  string `json:"filepath"`
			Split     string `json:"split"`
			Sentences []struct {
				Raw string `json:"raw"`
			} `json:"sentences"`
		} `json:"images"`
	}
	readJSON(t, files, "annotations.json", &annotations)
	if got := len(annotations.Images); got < 600 {
		t.Errorf("gallery has %d images, want at least 600", got)
	}
	splits := map[string]int{}
	for _, image := range annotations.Images {
		splits[image.Split]++
		if _, err := fs.Stat(files, path.Join(image.Filepath, image.Filename)); err != nil {
			t.Errorf("annotated image: %v", err)
		}
		if len(image.Sentences) != 5 {
			t.Errorf("%s has %d sentences, want 5", image.Filename, len(image.Sentences))
		}
	}
	if splits["val"] != splits["test"] {
		t.Errorf("splits = %v, want as many val as test", splits)
	}
}

func TestGalleryIsSmallAndHasTexts(t *testing.T) {
	files := Gallery()
	var total int64
	err := fs.WalkDir(files, ".", func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		total += info.Size()
		return nil
	})
	if err != nil {
		t.Fatalf("walk gallery: %v", err)
	}
	if total > galleryLimit {
		t.Errorf("gallery has %d bytes, more than %d", total, galleryLimit)
	}
	texts, err := files.Open("texts.txt")
	if err != nil {
		t.Fatalf("open texts.txt: %v", err)
	}
	defer texts.Close()
	seen := map[string]bool{}
	scanner := bufio.NewScanner(texts)
	for scanner.Scan() {
		if line := scanner.Text(); line == "" || seen[line] {
			t.Errorf("texts.txt has an empty or repeated line: %q", line)
		}
		seen[scanner.Text()] = true
	}
	if err := scanner.Err(); err != nil {
		t.Fatalf("read texts.txt: %v", err)
	}
	if len(seen) < 1000 {
		t.Errorf("texts.txt has %d lines, want at least 1,000", len(seen))
	}
}

func readJSON(t *testing.T, files fs.FS, name string, into any) {
	t.Helper()
	content, err := fs.ReadFile(files, name)
	if err != nil {
		t.Fatalf("read %s: %v", name, err)
	}
	if err := json.Unmarshal(content, into); err != nil {
		t.Fatalf("parse %s: %v", name, err)
	}
}
