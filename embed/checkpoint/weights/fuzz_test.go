package weights

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"mekiki/embed/checkpoint/checkpointtest"
)

// FuzzSafetensorsHeader reads arbitrary bytes as a safetensors file. Whatever is accepted must be readable.
func FuzzSafetensorsHeader(f *testing.F) {
	for _, path := range []string{"../testdata/hf-f32/model.safetensors", "../testdata/hf-bf16/model.safetensors"} {
		f.Add(checkpointtest.ReadFile(f, path))
	}
	for _, header := range []string{
		`{}`, `{"a":{"dtype":"F16","shape":[2,1],"data_offsets":[0,4]},"__metadata__":{"format":"pt"}}`,
		`{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}`, `{"a":{"dtype":"F64","shape":[0],"data_offsets":[0,0]}}`,
	} {
		f.Add(append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...), 1, 2, 3, 4))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tensors, err := ReadSafetensors(bytes.NewReader(data), int64(len(data)), "fuzz")
		if err != nil {
			return
		}
		readAll(t, tensors, len(data))
	})
}

// readAll reads every tensor and fails if the reader promised more than the file has.
func readAll(t *testing.T, tensors []*Tensor, size int) {
	for _, tensor := range tensors {
		count, ok := Elements(tensor.Shape)
		if !ok || count > size {
			t.Fatalf("tensor %q of shape %v in a file of %d bytes", tensor.Name, tensor.Shape, size)
		}
		if !tensor.dataType.floating() {
			continue
		}
		err := tensor.Read(t.Context(), make([]float32, count))
		if err != nil && !strings.Contains(err.Error(), " holds ") {
			t.Fatalf("accepted tensor cannot be read: %v", err)
		}
	}
}

// FuzzPickle reads arbitrary bytes as the pickle of a checkpoint. Every tensor that comes out must fit its storage.
func FuzzPickle(f *testing.F) {
	for _, pattern := range []string{"../testdata/lavis-*/*.pth", "../testdata/refused/*.pth"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range paths {
			addPickle(f, path)
		}
	}
	f.Add([]byte("\x80\x02}q\x00(X\x01\x00\x00\x00aK\x01u."))
	f.Add([]byte("\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00\x8c\x0bcollections\x94\x8c\x0bOrderedDict\x94\x93\x94)R\x94."))
	f.Add([]byte("(lp0\n."))
	f.Fuzz(func(t *testing.T, data []byte) {
		value, taken, err := readPickle(data)
		if err != nil {
			return
		}
		if taken < 1 || taken > len(data) {
			t.Fatalf("took %d of %d bytes", taken, len(data))
		}
		const size = 1 << 10
		tensors, err := collectTensors(value, func(string) (located, error) { return located{size: size}, nil })
		if err != nil {
			return
		}
		for _, tensor := range tensors {
			tensor.reader = bytes.NewReader(make([]byte, size))
		}
		readAll(t, tensors, size)
	})
}

// addPickle adds the pickle of a torch file as a seed.
func addPickle(f *testing.F, path string) {
	f.Helper()
	archive, err := zip.OpenReader(path)
	if err != nil {
		f.Add(checkpointtest.ReadFile(f, path)) // the earlier format
		return
	}
	defer archive.Close()
	for _, entry := range archive.File {
		if !strings.HasSuffix(entry.Name, "data.pkl") {
			continue
		}
		content, err := entry.Open()
		if err != nil {
			f.Fatal(err)
		}
		data, err := io.ReadAll(content)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
}

// FuzzTorchFile reads arbitrary bytes as a file of torch.save.
func FuzzTorchFile(f *testing.F) {
	for _, path := range []string{"../testdata/refused/language.pth", "../testdata/lavis-legacy/blip2_legacy.pth", "../testdata/refused/danger.pth"} {
		f.Add(checkpointtest.ReadFile(f, path))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tensors, err := ReadTorch(bytes.NewReader(data), int64(len(data)), "fuzz")
		if err != nil {
			return
		}
		readAll(t, tensors, len(data))
	})
}
