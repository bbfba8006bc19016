package prepared_test

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mekiki/embed"
	"mekiki/embed/blip2"
	"mekiki/embed/builtin"
	"mekiki/embed/manifest"
	"mekiki/embed/models"
	"mekiki/embed/ort/orttest"
	"mekiki/embed/pixels"
	"mekiki/embed/runner"
	"mekiki/index/ingest"
	"mekiki/index/ingest/prepared"
	"mekiki/index/ingest/textrecord"
	"mekiki/index/local"
)

var update = flag.Bool("update", false, "write what the checkpoint makes of the gallery anew")

const galleryFolder = "../../../embed/builtin/gallery"

// TestGallery compares what comes with the program for the gallery with what the compiled model makes of some of its
// pictures and texts. Write it anew, with the model in float32, by: go test ./index/ingest/prepared -run Gallery -update.
func TestGallery(t *testing.T) {
	if *update {
		writeGallery(t)
	}
	collection, err := prepared.Read(builtin.Gallery())
	if *update {
		collection, err = prepared.Read(os.DirFS(galleryFolder))
	}
	if err != nil {
		t.Fatal(err)
	}
	const remedy = "run: go test ./index/ingest/prepared -run Gallery -update"
	if checksum, err := models.BuiltinChecksum(t.Context(), nil); err != nil || checksum != collection.Checkpoint {
		t.Fatalf("it is of the checkpoint %q, and the program has %q (%v); %s", collection.Checkpoint, checksum, err, remedy)
	}
	images, err := fs.Glob(builtin.Gallery(), "images/*")
	if err != nil || len(images) != len(collection.Pictures) {
		t.Fatalf("the gallery has %d images (%v) and its index %d; %s", len(images), err, len(collection.Pictures), remedy)
	}
	if testing.Short() {
		t.Skip("compiles the model")
	}
	engine := openBuiltin(t, manifest.Int8)
	puts := collection.Puts(engine.Space())
	for i := 0; i < len(images); i += len(images) / 8 {
		data, err := fs.ReadFile(builtin.Gallery(), images[i])
		if err != nil {
			t.Fatal(err)
		}
		picture, err := pixels.Decode(t.Context(), data, pixels.Options{})
		if err != nil {
			t.Fatal(err)
		}
		put, known := puts[sha256.Sum256(data)]
		if !known || len(put.Record.Captions) == 0 || put.Record.Width != picture.Width {
			t.Fatalf("%s: got %+v; %s", images[i], put.Record, remedy)
		}
		tokens, err := engine.ImageTokens(t.Context(), []*pixels.Image{picture})
		if err != nil {
			t.Fatal(err)
		}
		made, err := engine.ImageParts(t.Context(), tokens)
		if err != nil {
			t.Fatal(err)
		}
		for row := range made[0].Count {
			compareVectors(t, images[i], put.Vectors.Parts.Row(row), made[0].Row(row))
		}
	}
	for i := 0; i < len(collection.Texts); i += len(collection.Texts) / 8 {
		made, err := engine.TextVectors(t.Context(), []string{collection.Texts[i].Text})
		if err != nil {
			t.Fatal(err)
		}
		compareVectors(t, collection.Texts[i].Text, collection.Texts[i].Vector, made[0])
	}
}

// compareVectors fails when two vectors differ by more than the rounding of int8 explains.
func compareVectors(t *testing.T, name string, got, want []float32) {
	t.Helper()
	var dot float64
	for i := range got {
		dot += float64(got[i]) * float64(want[i])
	}
	if dot < 0.98 {
		t.Errorf("%s: the cosine of the prepared vector and the model's is %.4f", name, dot)
	}
}

// writeGallery indexes the gallery and writes what came of it.
func writeGallery(t *testing.T) {
	engine := openBuiltin(t, manifest.Float32)
	library, err := local.Open(t.Context(), t.TempDir(), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer library.Close()
	if _, err := ingest.Run(t.Context(), library, engine, ingest.Options{Paths: []string{filepath.Join(galleryFolder, "images")}}); err != nil {
		t.Fatal(err)
	}
	texts, err := fs.ReadFile(builtin.Gallery(), "texts.txt")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := textrecord.AddFile(t.Context(), library, engine, bytes.NewReader(texts), textrecord.Options{Source: "gallery"}); err != nil {
		t.Fatal(err)
	}
	checksum, err := models.BuiltinChecksum(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	snapshot := library.Snapshot()
	defer snapshot.Close()
	collection, err := prepared.Of(t.Context(), snapshot, checksum)
	if err != nil {
		t.Fatal(err)
	}
	if err := collection.Write(galleryFolder); err != nil {
		t.Fatal(err)
	}
}

func openBuiltin(t *testing.T, precision manifest.Precision) *embed.Engine {
	t.Helper()
	runtime := orttest.Open(t)
	model, err := models.Builtin(t.Context(), models.Options{Dir: t.TempDir(), Precision: precision, Runtime: runtime})
	if err != nil {
		t.Fatal(err)
	}
	engine, err := embed.Open(t.Context(), runner.Options{ModelDir: model.Dir, Families: []manifest.Family{blip2.Family()}, Runtime: runtime})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	return engine
}

func TestReadRefusesWhatDoesNotFit(t *testing.T) {
	folder := t.TempDir()
	collection := prepared.Collection{Checkpoint: "c", Parts: 1, Width: 2, Texts: []prepared.Text{{Text: "a", Vector: []float32{0.6, -0.8}}}}
	if err := collection.Write(folder); err != nil {
		t.Fatal(err)
	}
	read, err := prepared.Read(os.DirFS(folder))
	if err != nil || len(read.Texts) != 1 {
		t.Fatalf("got %+v, %v", read, err)
	}
	compareVectors(t, "a", read.Texts[0].Vector, collection.Texts[0].Vector)
	text, err := os.ReadFile(filepath.Join(folder, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{
		strings.Replace(string(text), `"width": 2`, `"width": 3`, 1), strings.Replace(string(text), `"width": 2`, `"width": 1000000`, 1),
		strings.Replace(string(text), `"pictures": null`, `"pictures": [{"hash": "00"}]`, 1), "{",
	} {
		if err := os.WriteFile(filepath.Join(folder, "index.json"), []byte(wrong), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := prepared.Read(os.DirFS(folder)); err == nil {
			t.Errorf("no error for %s", wrong)
		}
	}
}
