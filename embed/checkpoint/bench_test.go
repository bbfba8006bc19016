package checkpoint

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"mekiki/embed/checkpoint/tensors"
	"mekiki/embed/checkpoint/weights"
)

// publishedFolder writes a Hugging Face folder of the published ViT-g sizes whose values are zeros that take no room on
// the disk.
func publishedFolder(b *testing.B) string {
	b.Helper()
	folder := b.TempDir()
	if err := os.WriteFile(filepath.Join(folder, configFile), []byte(`{"qformer_config":{"vocab_size":30523}}`), 0o644); err != nil {
		b.Fatal(err)
	}
	header := map[string]any{}
	position := int64(0)
	for _, expected := range tensors.Expected(publishedG()) {
		if expected.Optional {
			continue
		}
		count, _ := weights.Elements(expected.Shape)
		end := position + 4*int64(count)
		header[expected.Name] = map[string]any{"dtype": "F32", "shape": expected.Shape, "data_offsets": []int64{position, end}}
		position = end
	}
	writeSparse(b, folder, header, position)
	return folder
}

// writeSparse writes a safetensors file whose values are zeros that take no room on the disk: those of a header, size bytes in all.
func writeSparse(t testing.TB, folder string, header map[string]any, size int64) {
	t.Helper()
	encoded, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(folder, weightsFile))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Write(append(binary.LittleEndian.AppendUint64(nil, uint64(len(encoded))), encoded...)); err != nil {
		t.Fatal(err)
	}
	if err := file.Truncate(8 + int64(len(encoded)) + size); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkPublished opens a checkpoint of the published size and reads every tensor once. Memory is that of the largest
// tensor, whatever the size of the file.
func BenchmarkPublished(b *testing.B) {
	folder := publishedFolder(b)
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			checkpoint, err := Open(b.Context(), Options{Paths: []string{folder}})
			if err != nil {
				b.Fatal(err)
			}
			checkpoint.Close()
		}
	})
	b.Run("read", func(b *testing.B) {
		checkpoint, err := Open(b.Context(), Options{Paths: []string{folder}})
		if err != nil {
			b.Fatal(err)
		}
		defer checkpoint.Close()
		info, err := os.Stat(filepath.Join(folder, weightsFile))
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(info.Size())
		for b.Loop() {
			if err := checkpoint.Verify(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		b.ReportMetric(float64(memory.Sys)/1e6, "peak-MB")
	})
}
