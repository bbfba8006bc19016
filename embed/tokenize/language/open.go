package language

import (
	"errors"
	"fmt"
	"io/fs"

	"mekiki/internal/hint"
)

// The files of a tokenizer.
const (
	tokenizerFile  = "tokenizer.json"
	vocabularyFile = "vocab.json"
	mergesFile     = "merges.txt"
	unigramFile    = "spiece.model"
	piecesFile     = "tokenizer.model"
	sourceFile     = "source.spm" // of a model that translates
	targetFile     = "target.spm"
	settingsFile   = "tokenizer_config.json"
	specialsFile   = "special_tokens_map.json"
	addedFile      = "added_tokens.json"
)

// Files returns the names of the files that Open may ask for.
func Files() []string {
	return []string{
		tokenizerFile, vocabularyFile, mergesFile, unigramFile, piecesFile, sourceFile, targetFile,
		settingsFile, specialsFile, addedFile,
	}
}

// Open makes the tokenizer of a language model of the files that lie beside its
// weights: of tokenizer.json or, where there is none, of vocab.json and
// merges.txt, of spiece.model or of tokenizer.model, of vocab.json and source.spm
// (Marian), with what
// tokenizer_config.json, special_tokens_map.json and added_tokens.json add. read
// returns the content of a file, or fs.ErrNotExist where there is none.
func Open(read func(name string) ([]byte, error)) (*Tokenizer, error) {
	files, err := readFiles(read)
	if err != nil {
		return nil, err
	}
	settings, err := readSettings(files)
	if err != nil {
		return nil, err
	}
	var d *definition
	switch {
	case files[tokenizerFile] != nil:
		d, err = fromTokenizer(files[tokenizerFile], settings)
		err = inFile(tokenizerFile, err)
	case files[vocabularyFile] != nil && files[sourceFile] != nil:
		d, err = fromMarian(files[vocabularyFile], files[sourceFile], settings)
	case files[vocabularyFile] != nil && files[mergesFile] != nil:
		d, err = fromMerges(files[vocabularyFile], files[mergesFile], settings)
	case files[unigramFile] != nil:
		d, err = fromSentencePiece(files[unigramFile], settings)
		err = inFile(unigramFile, err)
	case files[piecesFile] != nil:
		d, err = fromSentencePiece(files[piecesFile], settings)
		err = inFile(piecesFile, err)
	default:
		return nil, hint.Wrap(errors.New("the language model has no tokenizer"),
			"put tokenizer.json, or vocab.json and merges.txt, spiece.model or tokenizer.model, beside the model's weights")
	}
	if err != nil {
		return nil, hint.Wrap(fmt.Errorf("read the language model's tokenizer: %w", err),
			"get the tokenizer's files again from where the model was published")
	}
	return d.build(settings)
}

// readFiles reads those of the files that exist.
func readFiles(read func(name string) ([]byte, error)) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, name := range Files() {
		content, err := read(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return nil, fmt.Errorf("read the language model's tokenizer: %w", err)
		case len(content) > maximumFileBytes:
			return nil, fmt.Errorf("%s has %d bytes, more than the %d allowed", name, len(content), maximumFileBytes)
		}
		files[name] = content
	}
	return files, nil
}

// inFile returns an error with the name of the file it is about.
func inFile(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}
