package checkpoint

import (
	"archive/zip"
	"encoding/binary"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// publishedFolder writes a Hugging Face folder of the published ViT-g sizes whose values are zeros that take no room on
// the disk.
func publishedFolder(b *testing.B) string {
	b.Helper()
	folder := b.TempDir()
	if err := os.WriteFile(filepath.Join(folder, configFile), []byte(`{"qformer_config":{"vocab_size":30523}}`), 0o644); err != nil {
		b.Fatal(err)
	}
	header := map[string]headerEntry{}
	position := int64(0)
	for _, expected := range expectations(publishedG()) {
		if expected.optional {
			continue
		}
		entry := headerEntry{DataType: "F32", Offsets: []int64{position, position}}
		count, _ := elements(expected.shape)
		for _, size := range expected.shape {
			entry.Shape = append(entry.Shape, int64(size))
		}
		position += 4 * int64(count)
		entry.Offsets[1] = position
		header[expected.name] = entry
	}
	encoded, err := json.Marshal(header)
	if err != nil {
		b.Fatal(err)
	}
	file, err := os.Create(filepath.Join(folder, weightsFile))
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Write(append(binary.LittleEndian.AppendUint64(nil, uint64(len(encoded))), encoded...)); err != nil {
		b.Fatal(err)
	}
	if err := file.Truncate(8 + int64(len(encoded)) + position); err != nil {
		b.Fatal(err)
	}
	return folder
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

// BenchmarkPickle reads the pickle of a checkpoint with an optimiser's state.
func BenchmarkPickle(b *testing.B) {
	archive, err := zip.OpenReader("testdata/lavis-whole/blip2_whole.pth")
	if err != nil {
		b.Fatal(err)
	}
	defer archive.Close()
	for _, entry := range archive.File {
		if filepath.Base(entry.Name) != "data.pkl" {
			continue
		}
		content, err := entry.Open()
		if err != nil {
			b.Fatal(err)
		}
		data, err := io.ReadAll(content)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if _, _, err := readPickle(data); err != nil {
				b.Fatal(err)
			}
		}
	}
}
