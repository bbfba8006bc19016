package models_test

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"mekiki/embed/blip2"
	"mekiki/embed/checkpoint"
	"mekiki/embed/manifest"
	"mekiki/embed/models"
	"mekiki/embed/ort/orttest"
	"mekiki/internal/filelock"
	"mekiki/internal/hint"
)

// folder returns a tiny random checkpoint as a Hugging Face folder; different
// numbers give different checkpoints.
func folder(t testing.TB, number int) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{"README.md": {Data: []byte(strconv.Itoa(number))}}
	for _, name := range []string{"config.json", "preprocessor_config.json", "vocab.txt", "added_tokens.json", "model.safetensors"} {
		content, err := os.ReadFile(filepath.Join("../checkpoint/testdata/hf-f32", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: content}
	}
	return files
}

func TestEmbedded(t *testing.T) {
	options := models.Options{Dir: t.TempDir(), Precision: manifest.Int8, Runtime: orttest.Open(t), Threads: 1}
	var compiled atomic.Int32
	options.Progress = func(step blip2.Step) {
		if step.Done == 0 {
			compiled.Add(1)
		}
	}
	files := folder(t, 1)
	var group sync.WaitGroup
	found := make([]models.Model, 3)
	for i := range found {
		group.Go(func() {
			var err error
			if found[i], err = models.Embedded(t.Context(), "small", files, options, nil); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if compiled.Load() != 1 {
		t.Errorf("compiled %d times, want once", compiled.Load())
	}
	for _, model := range found {
		if model.Dir != found[0].Dir || model.Manifest.Precision != manifest.Int8 || model.Bytes == 0 || !strings.HasPrefix(model.Name, "small-int8-") {
			t.Errorf("model %s in %s, %s, %d bytes", model.Name, model.Dir, model.Manifest.Precision, model.Bytes)
		}
	}
	other, err := models.Embedded(t.Context(), "small", folder(t, 2), options, nil)
	if err != nil || other.Dir == found[0].Dir {
		t.Errorf("another checkpoint is in %s, %v", other.Dir, err)
	}
	options.Precision = manifest.Float32
	plain, err := models.Embedded(t.Context(), "small", files, options, nil)
	if err != nil || plain.Dir == found[0].Dir || plain.Manifest.Precision != manifest.Float32 {
		t.Errorf("fp32 is in %s, %v", plain.Dir, err)
	}
	list, err := models.List(options)
	if err != nil || len(list) != 3 {
		t.Errorf("List: %d models, %v", len(list), err)
	}
}

func TestEmbeddedCompilesADamagedModelAgain(t *testing.T) {
	options := models.Options{Dir: t.TempDir(), Precision: manifest.Float32}
	files := folder(t, 1)
	model, err := models.Embedded(t.Context(), "small", files, options, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(model.Dir, manifest.TextFile), 10); err != nil {
		t.Fatal(err)
	}
	if again, err := models.Embedded(t.Context(), "small", files, options, nil); err != nil || again.Problem != nil {
		t.Errorf("Embedded: %v, %v", err, again.Problem)
	}
}

func TestNames(t *testing.T) {
	for _, name := range []string{"blip2", "blip2-itm-vit-g", "a", "A.b_c-9"} {
		if err := models.ValidateName(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", ".", "..", ".hidden", "a/b", `a\b`, "../x", "x.partial", "x.old", "x.removed", "x.", "ä", strings.Repeat("x", 101), "a b"} {
		if err := models.ValidateName(name); err == nil || hint.Of(err) == "" {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func compileTiny(t *testing.T, name string, options models.Options) models.Model {
	t.Helper()
	source, err := checkpoint.Open(t.Context(), checkpoint.Options{FS: folder(t, 3), Name: name})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	model, err := models.Compile(t.Context(), source, name, options, blip2.CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return model
}

func TestFindListRemove(t *testing.T) {
	options := models.Options{Dir: filepath.Join(t.TempDir(), "models"), Precision: manifest.Float32}
	if list, err := models.List(options); err != nil || len(list) != 0 {
		t.Errorf("List of nothing: %v, %v", list, err)
	}
	if _, err := models.Find("first", options); !errors.Is(err, models.ErrNotFound) || hint.Of(err) == "" {
		t.Errorf("Find of nothing: %v", err)
	}
	first, second := compileTiny(t, "first", options), compileTiny(t, "second", options)
	for _, name := range []string{"first", first.Dir} {
		if got, err := models.Find(name, options); err != nil || got.Dir != first.Dir || got.Manifest.Fingerprint != first.Manifest.Fingerprint {
			t.Errorf("Find(%s): %s, %v", name, got.Dir, err)
		}
	}
	if _, err := models.Find("third", options); !errors.Is(err, models.ErrNotFound) || !strings.Contains(hint.Of(err), "first, second") {
		t.Errorf("Find(third): %v; hint %q", err, hint.Of(err))
	}
	if err := os.Remove(filepath.Join(second.Dir, manifest.MatchFile)); err != nil {
		t.Fatal(err)
	}
	list, err := models.List(options)
	if err != nil || len(list) != 2 || list[0].Problem != nil || list[1].Problem == nil {
		t.Errorf("List: %+v, %v", list, err)
	}
	if _, err := models.Find("second", options); err == nil {
		t.Error("Find returned a damaged model")
	}
	if err := models.Remove(t.Context(), "second", options); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(second.Dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after Remove: %v", err)
	}
	if err := models.Remove(t.Context(), "../first", options); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("Remove of a path: %v", err)
	}
}

func TestInterruptedCompilation(t *testing.T) {
	options := models.Options{Dir: t.TempDir(), Precision: manifest.Float32}
	ctx, cancel := context.WithCancel(t.Context())
	options.Progress = func(blip2.Step) { cancel() }
	if _, err := models.Embedded(ctx, "small", folder(t, 1), options, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Embedded: %v, want the context's error", err)
	}
	if list, err := models.List(options); err != nil || len(list) != 0 {
		t.Errorf("List: %v, %v", list, err)
	}
}

// TestInterruptedReplacement puts a model's folder into the state in which a
// compilation leaves it that is killed between its two renames.
func TestInterruptedReplacement(t *testing.T) {
	options := models.Options{Dir: t.TempDir(), Precision: manifest.Float32}
	model := compileTiny(t, "first", options)
	interrupt := func() {
		t.Helper()
		if err := os.Rename(model.Dir, model.Dir+".old"); err != nil {
			t.Fatal(err)
		}
	}
	interrupt()
	lock, err := filelock.Try(filepath.Join(options.Dir, ".first.lock"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := models.Find("first", options); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("Find took the model from a compilation at work: %v", err)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	if found, err := models.Find("first", options); err != nil || found.Manifest.Fingerprint != model.Manifest.Fingerprint {
		t.Errorf("Find: %v", err)
	}
	interrupt()
	if list, err := models.List(options); err != nil || len(list) != 1 || list[0].Problem != nil {
		t.Errorf("List: %+v, %v", list, err)
	}
	interrupt()
	if err := os.Truncate(filepath.Join(model.Dir+".old", manifest.TextFile), 10); err != nil {
		t.Fatal(err)
	}
	if _, err := models.Find("first", options); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("Find put a damaged model back: %v", err)
	}
	compileTiny(t, "first", options)
	if entries, err := os.ReadDir(options.Dir); err != nil || len(entries) != 2 { // the model and its lock
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestEmbeddedRefuses(t *testing.T) {
	files := folder(t, 1)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if name != "config.json" && name != "vocab.txt" && name != "model.safetensors" {
			continue
		}
		broken := maps.Clone(files)
		delete(broken, name)
		options := models.Options{Dir: t.TempDir(), Precision: manifest.Float32}
		if _, err := models.Embedded(t.Context(), "small", broken, options, nil); err == nil {
			t.Errorf("accepted without %s", name)
		}
	}
	options := models.Options{Dir: t.TempDir(), Precision: manifest.Int8}
	if _, err := models.Embedded(t.Context(), "small", files, options, nil); err == nil {
		t.Error("int8 was compiled without a runtime")
	}
}
