package weights

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"mekiki/internal/bounded"
	"mekiki/internal/hint"
)

// legacyMagic begins a file of torch.save before PyTorch 1.6: protocol 2 and a long number of ten bytes.
var legacyMagic = []byte{0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19}

// located says where a storage's bytes lie.
type located struct {
	position, size int64
}

// ReadTorch reads the tensors of the model that torch.save wrote to a file, in the zip format or the earlier one. No
// values are read and nothing of the file is run.
func ReadTorch(reader io.ReaderAt, size int64, source string) ([]*Tensor, error) {
	start := make([]byte, min(int64(len(legacyMagic)), size))
	if _, err := reader.ReadAt(start, 0); err != nil && err != io.EOF {
		return nil, fmt.Errorf("read %s: %w", source, err)
	}
	var tensors []*Tensor
	var err error
	switch {
	case bytes.HasPrefix(start, []byte("PK")):
		tensors, err = readTorchZip(reader, size)
	case bytes.Equal(start, legacyMagic):
		tensors, err = readTorchLegacy(reader, size)
	case bytes.HasPrefix(start, []byte("version ")):
		err = hint.Wrap(errors.New("this is a Git LFS pointer, not the weights"), FetchRemedy)
	default:
		err = hint.Wrap(errors.New("not a file of torch.save; it was cut short, is an error page, or is something else"), FetchRemedy)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	for _, tensor := range tensors {
		tensor.reader, tensor.Source = reader, source
	}
	return tensors, nil
}

// budgetReader fails once more than its budget has been read.
type budgetReader struct {
	reader io.ReaderAt
	budget int
}

func (b *budgetReader) ReadAt(target []byte, position int64) (int, error) {
	if b.budget -= len(target); b.budget < 0 {
		return 0, errors.New("its directory is larger than any checkpoint needs")
	}
	return b.reader.ReadAt(target, position)
}

// readTorchZip reads the zip format: <archive>/data.pkl, and <archive>/data/<key> for each storage, not compressed.
func readTorchZip(reader io.ReaderAt, size int64) ([]*Tensor, error) {
	limited := &budgetReader{reader: reader, budget: directoryBudget}
	archive, err := zip.NewReader(limited, size)
	if err != nil {
		return nil, fmt.Errorf("zip directory: %w; the file was cut short or is damaged", err)
	}
	entries := make(map[string]*zip.File, len(archive.File))
	root := ""
	for _, entry := range archive.File {
		if entries[entry.Name] != nil {
			return nil, fmt.Errorf("entry %q appears twice", entry.Name)
		}
		entries[entry.Name] = entry
		if folder, ok := strings.CutSuffix(entry.Name, "data.pkl"); ok && strings.Count(entry.Name, "/") <= 1 {
			root = folder
		}
	}
	limited.budget = directoryBudget + 512*len(entries) + maximumPickle
	pickle, err := smallEntry(entries[root+"data.pkl"], maximumPickle)
	if err != nil {
		return nil, fmt.Errorf("data.pkl: %w", err)
	}
	if order, err := smallEntry(entries[root+"byteorder"], 16); err == nil && string(order) != "little" {
		return nil, fmt.Errorf("its byte order is %q; only little-endian files are supported", order)
	}
	value, _, err := readPickle(pickle)
	if err != nil {
		return nil, fmt.Errorf("data.pkl: %w", err)
	}
	return collectTensors(value, func(key string) (located, error) {
		return locateEntry(entries[root+"data/"+key], size)
	})
}

// smallEntry reads a bounded entry of a zip file.
func smallEntry(entry *zip.File, most int64) ([]byte, error) {
	if entry == nil {
		return nil, errors.New("there is none; this zip file was not made by torch.save")
	}
	if entry.UncompressedSize64 > uint64(most) {
		return nil, fmt.Errorf("%d bytes are more than any checkpoint needs", entry.UncompressedSize64)
	}
	content, err := entry.Open()
	if err != nil {
		return nil, err
	}
	defer content.Close()
	return bounded.Read(content, most)
}

// locateEntry returns where the bytes of a stored entry lie in a file of the given size.
func locateEntry(entry *zip.File, size int64) (located, error) {
	if entry == nil {
		return located{}, errors.New("it is not in the file")
	}
	if entry.Method != zip.Store {
		return located{}, errors.New("it is compressed; save the checkpoint again with torch.save")
	}
	position, err := entry.DataOffset()
	if err != nil {
		return located{}, err
	}
	if entry.UncompressedSize64 > uint64(max(size-position, 0)) {
		return located{}, errors.New("it reaches past the end of the file")
	}
	return located{position: position, size: int64(entry.UncompressedSize64)}, nil
}

// readTorchLegacy reads the earlier format: pickles of a magic number, a version, the writer's properties, the value and
// the storages' keys, and then for each storage the number of its elements and its bytes.
func readTorchLegacy(reader io.ReaderAt, size int64) ([]*Tensor, error) {
	head := make([]byte, min(size, maximumPickle))
	if _, err := reader.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, err
	}
	var values [5]any
	position := 0
	for i := range values {
		value, taken, err := readPickle(head[position:])
		if err != nil {
			return nil, err
		}
		values[i] = value
		position += taken
	}
	if properties, ok := values[2].(*pickleDict); ok && properties.entries["little_endian"] == false {
		return nil, errors.New("its byte order is big-endian; only little-endian files are supported")
	}
	keys, ok := values[4].(*pickleList)
	if !ok || len(keys.items) > maximumStorages {
		return nil, errors.New("its list of storages is malformed")
	}
	storages, err := locateLegacy(reader, size, int64(position), keys, storageWidths(values[3]))
	if err != nil {
		return nil, err
	}
	return collectTensors(values[3], func(key string) (located, error) {
		where, ok := storages[key]
		if !ok {
			return located{}, errors.New("it is not in the file")
		}
		return where, nil
	})
}

// storageWidths walks the tensors of a value and returns the element size of each storage. Storages that no tensor of the
// model refers to, such as an optimiser's, are found too, to a fixed depth.
func storageWidths(value any) map[string]int64 {
	widths := map[string]int64{}
	budget := maximumOperations
	var walk func(value any, depth int)
	walk = func(value any, depth int) {
		if budget--; budget < 0 || depth > 8 {
			return
		}
		switch value := value.(type) {
		case *pickleTensor:
			widths[value.storage.key] = elementSizes[value.storage.dataType]
		case *pickleDict:
			for _, name := range value.order {
				walk(value.entries[name], depth+1)
			}
			for _, other := range value.others {
				walk(other, depth+1)
			}
		case *pickleList:
			for _, item := range value.items {
				walk(item, depth+1)
			}
		case pickleTuple:
			for _, item := range value {
				walk(item, depth+1)
			}
		}
	}
	walk(value, 0)
	return widths
}

// locateLegacy walks over the storages that follow the pickles.
func locateLegacy(reader io.ReaderAt, size, position int64, keys *pickleList, widths map[string]int64) (map[string]located, error) {
	storages := make(map[string]located, len(keys.items))
	for _, item := range keys.items {
		key, ok := item.(string)
		width := widths[key]
		if !ok || width == 0 {
			return nil, errors.New("a storage that no tensor uses; save the checkpoint again with a current torch.save")
		}
		var raw [8]byte
		if _, err := reader.ReadAt(raw[:], position); err != nil {
			return nil, fmt.Errorf("storage %s: %w; the file was cut short", key, noEOF(err))
		}
		count := int64(binary.LittleEndian.Uint64(raw[:]))
		position += 8
		if count < 0 || count > (size-position)/width {
			return nil, fmt.Errorf("storage %s of %d elements reaches past the end of the file, which was cut short", key, count)
		}
		storages[key] = located{position: position, size: count * width}
		position += count * width
	}
	return storages, nil
}

// collectTensors finds the model's tensors in what a pickle holds and places each in the file.
func collectTensors(value any, locate func(key string) (located, error)) ([]*Tensor, error) {
	state, err := stateDict(value)
	if err != nil {
		return nil, err
	}
	places := map[string]located{}
	var tensors []*Tensor
	for _, name := range state.order {
		view, ok := state.entries[name].(*pickleTensor)
		if !ok {
			continue // such as a module's extra state
		}
		where, known := places[view.storage.key]
		if !known {
			if where, err = locate(view.storage.key); err != nil {
				return nil, fmt.Errorf("storage %.80q of tensor %.80q: %w", view.storage.key, name, err)
			}
			places[view.storage.key] = where
		}
		width := elementSizes[view.storage.dataType]
		if !fits(view.offset, view.shape, view.strides, where.size/width) {
			return nil, fmt.Errorf("tensor %.80q needs more than the %d bytes of its storage; the file was cut short or is damaged",
				name, where.size)
		}
		tensors = append(tensors, &Tensor{
			Name: name, dataType: view.storage.dataType, Shape: toInts(view.shape), strides: view.strides,
			base: where.position, offset: view.offset,
		})
	}
	return tensors, nil
}

func toInts(numbers []int64) []int {
	converted := make([]int, len(numbers))
	for i, number := range numbers {
		converted[i] = int(number)
	}
	return converted
}

// stateDict finds the dictionary of tensors: the value itself, or what training programs wrap it in.
func stateDict(value any) (*pickleDict, error) {
	dict, ok := value.(*pickleDict)
	if !ok {
		return nil, errors.New("it does not hold a dictionary of tensors")
	}
	for _, key := range []string{"model", "state_dict", "module"} {
		if inner, ok := dict.entries[key].(*pickleDict); ok {
			dict = inner
			break
		}
	}
	for _, entry := range dict.entries {
		if _, ok := entry.(*pickleTensor); ok {
			return dict, nil
		}
	}
	return nil, errors.New("it does not hold a dictionary of tensors")
}
