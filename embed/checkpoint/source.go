package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"mekiki/embed/checkpoint/weights"
	"mekiki/internal/hint"
)

// Names of the files of a Hugging Face folder.
const (
	configFile    = "config.json"
	processorFile = "preprocessor_config.json"
	// nestedProcessorFile holds the image processor's settings under "image_processor", as transformers 5 writes them.
	nestedProcessorFile = "processor_config.json"
	adapterFile         = "adapter_config.json"
	weightsFile         = "model.safetensors"
	indexFile           = "model.safetensors.index.json"
	torchFile           = "pytorch_model.bin"
	vocabularyFile      = "vocab.txt"
	addedFile           = "added_tokens.json"
	tokenizerFile       = "tokenizer.json"
)

// source is what Open found: the tensors of one or more files, and the small files beside them.
type source struct {
	name    string // for messages
	base    string // default model name
	folder  fs.FS  // for LAVIS files, the folder of the first
	lavis   bool
	config  []byte // config.json, where there is one
	tensors []*weights.Tensor
	// vision are those of a separate vision file, whose extra tensors LAVIS ignores too.
	vision  []*weights.Tensor
	closers []io.Closer
}

func (s *source) close() error {
	var problems []error
	for _, closer := range s.closers {
		problems = append(problems, closer.Close())
	}
	return errors.Join(problems...)
}

// randomReader is an open file that can be read at any position.
type randomReader interface {
	fs.File
	io.ReaderAt
}

// openSource opens what the options name and reads headers, not values.
func openSource(options Options) (*source, error) {
	switch {
	case options.FS != nil && len(options.Paths) > 0:
		return nil, errors.New("options give both a file system and paths; give one")
	case options.FS != nil:
		return openFolder(options.FS, "the built-in checkpoint", or(nonEmpty(options.Name), "model"))
	case len(options.Paths) == 0:
		return nil, errors.New("no checkpoint given; name a Hugging Face folder or LAVIS .pth files")
	}
	if len(options.Paths) == 1 {
		info, err := os.Stat(options.Paths[0])
		if err != nil {
			return nil, err
		}
		if info.IsDir() {
			return openFolder(os.DirFS(options.Paths[0]), options.Paths[0], folderName(options.Paths[0]))
		}
	}
	return openTorchFiles(options.Paths)
}

func nonEmpty(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// folderName derives a model's name from its folder. A snapshot of the Hugging Face cache,
// models--owner--name/snapshots/<commit>, is called after the repository.
func folderName(folder string) string {
	if absolute, err := filepath.Abs(folder); err == nil {
		folder = absolute
	}
	if parent := filepath.Dir(folder); filepath.Base(parent) == "snapshots" {
		repository := filepath.Base(filepath.Dir(parent))
		if at := strings.LastIndex(repository, "--"); at >= 0 {
			return repository[at+2:]
		}
	}
	return filepath.Base(folder)
}

// openFolder opens a Hugging Face folder.
func openFolder(folder fs.FS, name, base string) (_ *source, err error) {
	s := &source{name: name, base: base, folder: folder}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.config, err = readSmall(folder, configFile); ignoreMissing(err) != nil {
		return nil, err
	}
	lavisFiles, err := fs.Glob(folder, "*.pth")
	if err != nil {
		return nil, err
	}
	switch {
	case len(lavisFiles) > 0 && !exists(folder, weightsFile) && !exists(folder, indexFile):
		return s, s.addLavisFolder(lavisFiles)
	case exists(folder, adapterFile) && !hasWeights(folder):
		return nil, hint.Wrap(fmt.Errorf("%s holds a LoRA adapter, not a whole model", name), adapterRemedy)
	case s.config == nil && dangling(folder, configFile):
		return nil, danglingError(name, configFile)
	case s.config == nil:
		return nil, hint.Wrap(fmt.Errorf("%s has no %s", name, configFile), "name a Hugging Face model folder, or LAVIS .pth files")
	case exists(folder, weightsFile):
		return s, s.addSafetensors(weightsFile)
	case exists(folder, indexFile):
		return s, s.addShards()
	case exists(folder, torchFile):
		return s, s.addTorch(torchFile)
	}
	for _, file := range []string{weightsFile, indexFile, torchFile} {
		if dangling(folder, file) {
			return nil, danglingError(name, file)
		}
	}
	return nil, hint.Wrap(fmt.Errorf("%s has none of %s, %s and %s", name, weightsFile, indexFile, torchFile), weights.FetchRemedy)
}

// hasWeights reports whether a folder holds the weights of a whole model.
func hasWeights(folder fs.FS) bool {
	return exists(folder, weightsFile) || exists(folder, indexFile) || exists(folder, torchFile)
}

// dangling reports whether a name is a link to a file that is not there.
func dangling(folder fs.FS, name string) bool {
	info, err := fs.Lstat(folder, name)
	return err == nil && info.Mode()&fs.ModeSymlink != 0 && !exists(folder, name)
}

func danglingError(folder, name string) error {
	return hint.Wrap(fmt.Errorf("%s in %s is a link to a file that is not there", name, folder),
		"the Hugging Face cache has lost it; "+weights.FetchRemedy)
}

// addLavisFolder adds the LAVIS files of a folder that holds one checkpoint.
func (s *source) addLavisFolder(files []string) error {
	const most = 2
	if len(files) > most {
		return hint.Wrap(fmt.Errorf("%s holds several checkpoints (%s)", s.name, abridge(files)), "name the files to use")
	}
	s.lavis = true
	base := s.base
	defer func() { s.base = base }()
	for _, name := range files {
		reader, size, err := s.openRandom(name)
		if err != nil {
			return err
		}
		if err := s.addLavis(reader, size, name); err != nil {
			return err
		}
	}
	return nil
}

func exists(folder fs.FS, name string) bool {
	_, err := fs.Stat(folder, name)
	return err == nil
}

// openRandom opens a file of the folder for reading at any position and returns its size.
func (s *source) openRandom(name string) (io.ReaderAt, int64, error) {
	file, err := s.folder.Open(name)
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

func (s *source) addSafetensors(name string) error {
	reader, size, err := s.openRandom(name)
	if err != nil {
		return err
	}
	tensors, err := weights.ReadSafetensors(reader, size, name)
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	s.tensors = append(s.tensors, tensors...)
	return nil
}

func (s *source) addTorch(name string) error {
	reader, size, err := s.openRandom(name)
	if err != nil {
		return err
	}
	tensors, err := weights.ReadTorch(reader, size, name)
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	s.tensors = append(s.tensors, tensors...)
	return nil
}

// addShards opens every file that the index names and checks that each tensor lies where the index says.
func (s *source) addShards() error {
	index, err := readIndex(s.folder)
	if err != nil {
		return err
	}
	shards, err := shardFiles(index)
	if err != nil {
		return err
	}
	var missing []string
	for _, shard := range shards {
		if dangling(s.folder, shard) {
			return danglingError(s.name, shard)
		}
		if !exists(s.folder, shard) {
			missing = append(missing, shard)
		}
	}
	if len(missing) > 0 {
		return hint.Wrap(fmt.Errorf("%s lacks %s, which its %s names", s.name, abridge(missing), indexFile), weights.FetchRemedy)
	}
	for _, shard := range shards {
		if err := s.addSafetensors(shard); err != nil {
			return err
		}
	}
	found := make(map[string]string, len(s.tensors))
	for _, tensor := range s.tensors {
		found[tensor.Name] = tensor.Source
	}
	for name, file := range index {
		if found[name] != file {
			return hint.Wrap(fmt.Errorf("%s says that %s is in %s, where it is not", indexFile, name, file), weights.FetchRemedy)
		}
	}
	return nil
}

// readIndex returns the file of each tensor of a checkpoint in shards.
func readIndex(folder fs.FS) (map[string]string, error) {
	data, err := readSmall(folder, indexFile)
	if err != nil {
		return nil, err
	}
	var index struct {
		Files map[string]string `json:"weight_map"`
	}
	if err := unmarshalLenient(data, &index); err != nil {
		return nil, fmt.Errorf("%s: %w", indexFile, err)
	}
	if len(index.Files) == 0 {
		return nil, hint.Wrap(fmt.Errorf("%s has an empty weight_map", indexFile), weights.FetchRemedy)
	}
	return index.Files, nil
}

// shardFiles returns the distinct files of an index in order; each must lie in the folder itself.
func shardFiles(files map[string]string) ([]string, error) {
	const most = 1000
	var shards []string
	seen := map[string]bool{}
	for _, file := range files {
		if seen[file] {
			continue
		}
		seen[file] = true
		if file != path.Base(file) || !fs.ValidPath(file) || !filepath.IsLocal(file) || !strings.HasSuffix(file, ".safetensors") {
			return nil, fmt.Errorf("%s names %q, which is not a safetensors file of the folder", indexFile, file)
		}
		if shards = append(shards, file); len(shards) > most {
			return nil, fmt.Errorf("%s names more than %d files", indexFile, most)
		}
	}
	slices.Sort(shards)
	return shards, nil
}

// readSmall reads a bounded file of the folder.
func readSmall(folder fs.FS, name string) ([]byte, error) {
	file, err := folder.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maximumSideFile+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(data) > maximumSideFile {
		return nil, fmt.Errorf("%s is larger than %d bytes, which no file of its kind is", name, maximumSideFile)
	}
	return data, nil
}
