package codes

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkRead reads the codes of images of 32 vectors of 256, anywhere in a file.
func BenchmarkRead(b *testing.B) {
	const stride, rows, images = 256, 32, 4000
	name := filepath.Join(b.TempDir(), "codes")
	file, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	w, err := NewWriter(file, stride)
	codes := make([]byte, rows*stride)
	for image := range images {
		for i := range codes {
			codes[i] = byte(rand.Uint32())
		}
		if err == nil {
			err = w.Add(uint64(image), 1, make([]Row, rows), codes)
		}
	}
	if err == nil {
		err = w.Finish()
	}
	if err != nil {
		b.Fatal(err)
	}
	size, err := file.Seek(0, 2)
	if err != nil {
		b.Fatal(err)
	}
	opened, entries, err := Open(file, size, stride, stride)
	if err != nil {
		b.Fatal(err)
	}
	var buffer Buffer
	for b.Loop() {
		image := rand.IntN(images)
		if _, _, err := opened.Read(&buffer, First()+int64(image)*Size(rows, stride), rows, entries[image].Sum); err != nil {
			b.Fatal(err)
		}
	}
}
