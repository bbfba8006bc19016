package checkpoint

import (
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"mekiki/embed/checkpoint/weights"
	"mekiki/internal/hint"
)

// weightsFiles are the files that hold a folder's weights or name those that do. The first that is there is taken.
func weightsFiles() []string { return []string{weightsFile, indexFile, torchFile, torchIndexFile} }

// readWeights reads the headers of a folder's weights; name is the folder's, for messages.
func (s *source) readWeights(folder fs.FS, name string) ([]*weights.Tensor, error) {
	for _, file := range weightsFiles() {
		switch {
		case !exists(folder, file):
		case file == indexFile || file == torchIndexFile:
			return s.readShards(folder, name, file)
		default:
			return s.readFile(folder, name, file)
		}
	}
	for _, file := range weightsFiles() {
		if dangling(folder, file) {
			return nil, danglingError(name, file)
		}
	}
	return nil, hint.Wrap(fmt.Errorf("%s has none of %s, %s and %s", name, weightsFile, indexFile, torchFile), weights.FetchRemedy)
}

// readFile reads the header of one file of weights.
func (s *source) readFile(folder fs.FS, name, file string) ([]*weights.Tensor, error) {
	reader, size, err := s.openRandom(folder, file)
	if err != nil {
		return nil, err
	}
	read := weights.ReadTorch
	if strings.HasSuffix(file, safetensorsSuffix) {
		read = weights.ReadSafetensors
	}
	tensors, err := read(reader, size, file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return tensors, nil
}

// openRandom opens a file of a folder for reading at any position and returns its size.
func (s *source) openRandom(folder fs.FS, name string) (io.ReaderAt, int64, error) {
	file, err := folder.Open(name)
	if err != nil {
		return nil, 0, err
	}
	s.closers = append(s.closers, file)
	random, ok := file.(randomReader)
	if !ok {
		return nil, 0, fmt.Errorf("%s: the file system cannot read at any position", name)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s is not a regular file", name)
	}
	return random, info.Size(), nil
}

// readShards opens every file that the index names and checks that each tensor lies where the index says.
func (s *source) readShards(folder fs.FS, name, indexName string) ([]*weights.Tensor, error) {
	index, err := readIndex(folder, indexName)
	if err != nil {
		return nil, err
	}
	shards, err := index.names()
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, shard := range shards {
		if dangling(folder, shard) {
			return nil, danglingError(name, shard)
		}
		if !exists(folder, shard) {
			missing = append(missing, shard)
		}
	}
	if len(missing) > 0 {
		return nil, hint.Wrap(fmt.Errorf("%s lacks %s, which its %s names", name, abridge(missing), indexName), weights.FetchRemedy)
	}
	var tensors []*weights.Tensor
	for _, shard := range shards {
		read, err := s.readFile(folder, name, shard)
		if err != nil {
			return nil, err
		}
		tensors = append(tensors, read...)
	}
	return tensors, index.check(tensors)
}

// safetensorsSuffix ends the names of safetensors files.
const safetensorsSuffix = ".safetensors"

// shardIndex says in which file of a checkpoint in shards each tensor lies.
type shardIndex struct {
	name  string
	files map[string]string
}

// readIndex reads the index of the folder's shards, empty where it has none.
func (s *source) readIndex() (shardIndex, error) {
	for _, name := range []string{indexFile, torchIndexFile} {
		if exists(s.folder, name) {
			return readIndex(s.folder, name)
		}
	}
	return shardIndex{}, nil
}

func readIndex(folder fs.FS, name string) (shardIndex, error) {
	data, err := readSmall(folder, name)
	if err != nil {
		return shardIndex{}, err
	}
	var index struct {
		Files map[string]string `json:"weight_map"`
	}
	if err := unmarshalLenient(data, &index); err != nil {
		return shardIndex{}, fmt.Errorf("%s: %w", name, err)
	}
	if len(index.Files) == 0 {
		return shardIndex{}, hint.Wrap(fmt.Errorf("%s has an empty weight_map", name), weights.FetchRemedy)
	}
	return shardIndex{name, index.Files}, nil
}

// names returns the distinct files of the index in order; each must lie in the folder itself.
func (i shardIndex) names() ([]string, error) {
	const most = 1000
	suffix, kind := safetensorsSuffix, "safetensors"
	if i.name == torchIndexFile {
		suffix, kind = ".bin", "torch"
	}
	var shards []string
	seen := map[string]bool{}
	for _, file := range i.files {
		if seen[file] {
			continue
		}
		seen[file] = true
		if file != path.Base(file) || !fs.ValidPath(file) || !filepath.IsLocal(file) || !strings.HasSuffix(file, suffix) {
			return nil, fmt.Errorf("%s names %q, which is not a %s file of the folder", i.name, file, kind)
		}
		if shards = append(shards, file); len(shards) > most {
			return nil, fmt.Errorf("%s names more than %d files", i.name, most)
		}
	}
	slices.Sort(shards)
	return shards, nil
}

// check compares where the tensors lie with what the index says.
func (i shardIndex) check(tensors []*weights.Tensor) error {
	found := make(map[string]string, len(tensors))
	for _, tensor := range tensors {
		found[tensor.Name] = tensor.Source
	}
	for name, file := range i.files {
		if found[name] != file {
			return hint.Wrap(fmt.Errorf("%s says that %s is in %s, where it is not", i.name, name, file), weights.FetchRemedy)
		}
	}
	return nil
}
