package onnx

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"os"
	"path/filepath"
)

// Alignment of tensors in a data file. Large tensors start on a page so that
// a runtime can map them; small ones on a cache line.
const (
	pageAlignment  = 4096
	lineAlignment  = 64
	largeThreshold = 64 << 10
)

// DataFile is a file of tensors beside the model files that read them.
// Tensors are appended one after another and hashed on the way. It is not
// safe for concurrent use.
type DataFile struct {
	name   string
	file   *os.File
	writer *bufio.Writer
	hash   hash.Hash
	offset int64
	buffer []byte
}

// CreateDataFile creates (or truncates) the named data file in folder dir.
// The caller closes it.
func CreateDataFile(dir, name string) (*DataFile, error) {
	if name == "" || filepath.Base(name) != name {
		return nil, fmt.Errorf("create data file: %q is not a plain file name", name)
	}
	file, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return nil, fmt.Errorf("create data file: %w", err)
	}
	sum := sha256.New()
	return &DataFile{name: name, file: file, hash: sum,
		writer: bufio.NewWriterSize(io.MultiWriter(file, sum), 1<<20)}, nil
}

// AppendFloat32 appends float values and returns the tensor that refers to
// them. len(values) must equal the product of shape.
func (d *DataFile) AppendFloat32(values []float32, shape ...int64) (Tensor, error) {
	tensor, err := d.begin(Float32, int64(len(values)), shape)
	if err != nil {
		return Tensor{}, err
	}
	if d.buffer == nil {
		d.buffer = make([]byte, 0, 256<<10)
	}
	for len(values) > 0 {
		count := min(len(values), cap(d.buffer)/4)
		if err := d.write(AppendFloat32(d.buffer[:0], values[:count])); err != nil {
			return Tensor{}, err
		}
		values = values[count:]
	}
	return tensor, nil
}

// AppendBytes appends the little-endian bytes of a tensor of any type.
func (d *DataFile) AppendBytes(elementType ElementType, raw []byte, shape ...int64) (Tensor, error) {
	size := elementType.Size()
	if size == 0 || int64(len(raw))%size != 0 {
		return Tensor{}, fmt.Errorf("append to %s: %d bytes are no whole number of %v elements", d.name, len(raw), elementType)
	}
	tensor, err := d.begin(elementType, int64(len(raw))/size, shape)
	if err != nil {
		return Tensor{}, err
	}
	return tensor, d.write(raw)
}

// begin pads to the alignment of the coming tensor and describes it.
func (d *DataFile) begin(elementType ElementType, count int64, shape []int64) (Tensor, error) {
	want := int64(1)
	for _, size := range shape {
		if size < 0 || (size > 0 && want > math.MaxInt64/8/size) {
			return Tensor{}, fmt.Errorf("append to %s: shape %v is out of range", d.name, shape)
		}
		want *= size
	}
	if want != count {
		return Tensor{}, fmt.Errorf("append to %s: %d elements do not fill shape %v", d.name, count, shape)
	}
	length := count * elementType.Size()
	alignment := int64(lineAlignment)
	if length >= largeThreshold {
		alignment = pageAlignment
	}
	if padding := (alignment - d.offset%alignment) % alignment; padding > 0 {
		if err := d.write(make([]byte, padding)); err != nil {
			return Tensor{}, err
		}
	}
	return Tensor{Type: elementType, Shape: shape,
		External: Location{File: d.name, Offset: d.offset, Length: length}}, nil
}

func (d *DataFile) write(raw []byte) error {
	n, err := d.writer.Write(raw)
	d.offset += int64(n)
	if err != nil {
		return fmt.Errorf("write %s: %w", d.name, err)
	}
	return nil
}

// Name is the plain file name.
func (d *DataFile) Name() string { return d.name }

// Size is the number of bytes appended so far, padding included.
func (d *DataFile) Size() int64 { return d.offset }

// Flush makes everything appended so far visible to readers of the file.
func (d *DataFile) Flush() error {
	if err := d.writer.Flush(); err != nil {
		return fmt.Errorf("write %s: %w", d.name, err)
	}
	return nil
}

// Close writes what is buffered and closes the file; whoever needs it to
// survive a power loss syncs it afterwards. It returns the hexadecimal
// SHA-256 of the content.
func (d *DataFile) Close() (string, error) {
	err := errors.Join(d.writer.Flush(), d.file.Close())
	if err != nil {
		return "", fmt.Errorf("close %s: %w", d.name, err)
	}
	return hex.EncodeToString(d.hash.Sum(nil)), nil
}
