package weights

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"mekiki/internal/hint"
)

// headerEntry is what the header says of one tensor.
type headerEntry struct {
	DataType string  `json:"dtype"`
	Shape    []int64 `json:"shape"`
	Offsets  []int64 `json:"data_offsets"`
}

// ReadSafetensors reads the header of a safetensors file and returns its tensors in the order of the file. The format is
// an unsigned 64-bit little-endian header length, a JSON object, and the tensors' bytes without gaps.
func ReadSafetensors(reader io.ReaderAt, size int64, source string) ([]*Tensor, error) {
	if size < 8 {
		return nil, fmt.Errorf("%s: %d bytes are too few for a safetensors file", source, size)
	}
	var prefix [8]byte
	if _, err := reader.ReadAt(prefix[:], 0); err != nil {
		return nil, fmt.Errorf("read %s: %w", source, noEOF(err))
	}
	length := binary.LittleEndian.Uint64(prefix[:])
	if bytes.HasPrefix(prefix[:], []byte("version ")) {
		return nil, hint.Wrap(fmt.Errorf("%s is a Git LFS pointer, not the weights", source), "fetch them with git lfs pull, or with mekiki pull")
	}
	if length > maximumHeader || length > uint64(size-8) {
		return nil, hint.Wrap(fmt.Errorf("%s: header of %d bytes in a file of %d; it is not a safetensors file or was cut short",
			source, length, size), FetchRemedy)
	}
	header := make([]byte, length)
	if _, err := reader.ReadAt(header, 8); err != nil {
		return nil, fmt.Errorf("read header of %s: %w", source, noEOF(err))
	}
	base := 8 + int64(length)
	tensors, err := parseHeader(header, size-base)
	if err != nil {
		return nil, hint.Wrap(fmt.Errorf("header of %s: %w", source, err), FetchRemedy)
	}
	for _, tensor := range tensors {
		tensor.reader, tensor.Source = reader, source
		tensor.base += base
	}
	return tensors, nil
}

// parseHeader decodes the JSON header of a safetensors file whose data take the given number of bytes. In the result
// base is counted from the first data byte.
func parseHeader(header []byte, data int64) ([]*Tensor, error) {
	decoder := json.NewDecoder(bytes.NewReader(header))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, errors.New("not a JSON object")
	}
	var tensors []*Tensor
	ends := map[*Tensor]int64{}
	seen := map[string]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		name := token.(string)
		if seen[name] {
			return nil, fmt.Errorf("tensor %q appears twice", name)
		}
		seen[name] = true
		if name == "__metadata__" {
			var metadata json.RawMessage
			if err := decoder.Decode(&metadata); err != nil {
				return nil, err
			}
			continue
		}
		var entry headerEntry
		if err := decoder.Decode(&entry); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		tensor, end, err := entry.tensor(name, data)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		tensors = append(tensors, tensor)
		ends[tensor] = end
	}
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	if trailing := bytes.TrimSpace(header[decoder.InputOffset():]); len(trailing) > 0 {
		return nil, fmt.Errorf("%d bytes after the JSON object", len(trailing))
	}
	return tensors, checkCover(tensors, ends, data)
}

// tensor checks one entry against the size of the data section.
func (e headerEntry) tensor(name string, data int64) (*Tensor, int64, error) {
	width, known := elementSizes[dataType(e.DataType)]
	if !known {
		return nil, 0, fmt.Errorf("unknown element type %q", e.DataType)
	}
	if len(e.Shape) > maximumDimensions || len(e.Offsets) != 2 {
		return nil, 0, errors.New("shape or data_offsets malformed")
	}
	shape := make([]int, len(e.Shape))
	for axis, size := range e.Shape {
		shape[axis] = int(size)
	}
	count, ok := Elements(shape)
	begin, end := e.Offsets[0], e.Offsets[1]
	if !ok || begin < 0 || end < begin || end > data {
		return nil, 0, fmt.Errorf("bytes %d to %d lie outside the %d bytes of data; the file was cut short or is damaged",
			begin, end, data)
	}
	if int64(count) > data || int64(count)*width != end-begin {
		return nil, 0, fmt.Errorf("shape %v of %s does not take the %d bytes given", shape, e.DataType, end-begin)
	}
	return &Tensor{Name: name, Shape: shape, dataType: dataType(e.DataType), base: begin}, end, nil
}

// checkCover demands, as the format does, that the tensors cover the data without gaps or overlaps.
func checkCover(tensors []*Tensor, ends map[*Tensor]int64, data int64) error {
	ordered := slices.Clone(tensors)
	slices.SortStableFunc(ordered, func(a, b *Tensor) int {
		if a.base != b.base {
			return int(min(max(a.base-b.base, -1), 1))
		}
		return int(min(max(ends[a]-ends[b], -1), 1))
	})
	position := int64(0)
	for _, tensor := range ordered {
		if tensor.base != position {
			return fmt.Errorf("tensor %q begins at byte %d of the data where %d was expected", tensor.Name, tensor.base, position)
		}
		position = ends[tensor]
	}
	if position != data {
		return fmt.Errorf("the tensors end at byte %d of %d of the data; the file was cut short or joined with another", position, data)
	}
	return nil
}
