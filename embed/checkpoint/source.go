package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mekiki/embed/checkpoint/weights"
	"mekiki/internal/bounded"
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
	torchIndexFile      = "pytorch_model.bin.index.json"
	vocabularyFile      = "vocab.txt"
	addedFile           = "added_tokens.json"
	tokenizerFile       = "tokenizer.json"
	generationFile      = "generation_config.json"
	// promptsFile replaces the published prompts of a second stage.
	promptsFile = "prompts.json"
	// qformerTokenizer is the folder of the tokenizer by which InstructBLIP's Q-Former reads prompts.
	qformerTokenizer = "qformer_tokenizer"
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
	vision []*weights.Tensor
	// language are those of a language model's own folder, whose names lack a prefix; languageFolder has the small files
	// beside them.
	language       []*weights.Tensor
	languageFolder fs.FS
	closers        []io.Closer
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
	}
	s.tensors, err = s.readWeights(folder, name)
	return s, err
}

// hasWeights reports whether a folder holds the weights of a whole model.
func hasWeights(folder fs.FS) bool {
	return slices.ContainsFunc(weightsFiles(), func(file string) bool { return exists(folder, file) })
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
		reader, size, err := s.openRandom(s.folder, name)
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

// readSmall reads a bounded file of the folder.
func readSmall(folder fs.FS, name string) ([]byte, error) {
	return bounded.ReadFileIn(folder, name, maximumSideFile)
}
