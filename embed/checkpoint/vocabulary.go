package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"mekiki/embed/modelconfig"
	"mekiki/embed/tokenize/wordpiece"
	"mekiki/internal/bounded"
	"mekiki/internal/hint"
)

// beginToken is BLIP-2's start of a caption; it follows BERT's vocabulary.
const beginToken = "[DEC]"

// mostUnusedRows is how many rows of the word embedding may have no token: embeddings are padded to a multiple of 64 or
// 128, rarely of 512. A vocabulary that leaves more unused is another model's. Small embeddings are padded to 128 at most,
// which leaves less than half of them unused.
func mostUnusedRows(rows int) int {
	const padding, rare = 128, 512
	return min(rare, max(padding-1, rows/16), rows/2)
}

// vocabularyOf returns the Q-Former's vocabulary as loadVocabulary does, nil where it reads no text. Where there is a
// language model, the folder's own tokenizer is that model's, and the Q-Former's has a folder in it.
func vocabularyOf(config modelconfig.Config, s *source, options Options) (vocabulary []byte, dropped []string, err error) {
	if !config.QFormerReadsText() {
		return nil, nil, nil
	}
	if config.Language != nil && !s.lavis {
		folder, err := fs.Sub(s.folder, qformerTokenizer)
		if err != nil {
			return nil, nil, err
		}
		own := *s
		own.folder = folder
		s = &own
	}
	return loadVocabulary(s, options.VocabularyPath, config.QFormer.VocabularySize)
}

// loadVocabulary returns the vocabulary with added tokens: the file at path or beside
// the weights, else bert-base-uncased's where the size is that of it, else nil. Added
// tokens without a row in the embedding, which no text may use, are dropped and named.
func loadVocabulary(s *source, path string, size int) (vocabulary []byte, dropped []string, err error) {
	tokens, name, dropped, err := readVocabulary(s, path, size)
	if err == nil && tokens == nil && isBERT(size) {
		tokens, name, err = bertVocabulary()
	}
	if err != nil || tokens == nil {
		return nil, nil, err
	}
	if path == "" && !s.lavis {
		var more []string
		if tokens, more, err = addTokens(s.folder, tokens, size); err != nil {
			return nil, nil, err
		}
		dropped = append(dropped, more...)
	}
	if len(tokens) < size && !slices.Contains(tokens, beginToken) {
		tokens = append(tokens, beginToken)
	}
	if len(tokens) > size {
		return nil, nil, hint.Wrap(fmt.Errorf("%s has %d tokens where the model has %d", name, len(tokens), size), vocabularyRemedy)
	}
	if unused := size - len(tokens); unused > mostUnusedRows(size) {
		return nil, nil, hint.Wrap(fmt.Errorf("%s has only %d tokens where the model has %d", name, len(tokens), size), vocabularyRemedy)
	}
	var joined bytes.Buffer
	for _, token := range tokens {
		joined.WriteString(token)
		joined.WriteByte('\n')
	}
	return joined.Bytes(), dropped, nil
}

// vocabularyRemedy is for vocabularies of another model.
const vocabularyRemedy = "use the vocab.txt of this checkpoint: put it beside the weights, or name it with --vocabulary"

// bertTokens is the size of bert-base-uncased's vocabulary.
const bertTokens = 30522

// isBERT reports whether a model has as many tokens as the published ones, which
// all use bert-base-uncased's, with or without [DEC].
func isBERT(size int) bool { return size == bertTokens || size == bertTokens+1 }

func bertVocabulary() (tokens []string, name string, err error) {
	data, err := wordpiece.BERTVocabulary()
	return splitTokens(data), "bert-base-uncased's vocabulary", err
}

// readVocabulary reads the tokens from the given path, or from vocab.txt or tokenizer.json beside the weights.
func readVocabulary(s *source, path string, size int) (tokens []string, name string, dropped []string, err error) {
	if path != "" {
		data, err := bounded.ReadFile(path, maximumSideFile)
		if err != nil {
			return nil, "", nil, err
		}
		return splitTokens(data), path, nil, nil
	}
	data, err := readSmall(s.folder, vocabularyFile)
	if err == nil {
		return splitTokens(data), vocabularyFile, nil, nil
	}
	if !errors.Is(err, fs.ErrNotExist) || s.lavis {
		return nil, "", nil, ignoreMissing(err)
	}
	data, err = readSmall(s.folder, tokenizerFile)
	if err != nil {
		return nil, "", nil, ignoreMissing(err)
	}
	tokens, dropped, err = parseTokenizer(data, size)
	if err != nil {
		return nil, "", nil, fmt.Errorf("%s: %w", tokenizerFile, err)
	}
	return tokens, tokenizerFile, dropped, nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// splitTokens splits vocab.txt as BertTokenizer does: one token a line.
func splitTokens(data []byte) []string {
	lines := bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
	tokens := make([]string, len(lines))
	for i, line := range lines {
		tokens[i] = string(bytes.TrimSuffix(line, []byte("\r")))
	}
	return tokens
}

// parseTokenizer takes the WordPiece vocabulary out of tokenizer.json, which current releases of transformers write
// instead of vocab.txt. Added tokens whose id is size or more are left out and named.
func parseTokenizer(data []byte, size int) (tokens, dropped []string, err error) {
	var tokenizer struct {
		Model struct {
			Type       string         `json:"type"`
			Vocabulary map[string]int `json:"vocab"`
		} `json:"model"`
		Added []struct {
			ID      int    `json:"id"`
			Content string `json:"content"`
		} `json:"added_tokens"`
	}
	// A vocabulary may hold anything, so trailing commas are not mended here.
	if err := unmarshalStrict(data, &tokenizer); err != nil {
		return nil, nil, err
	}
	if tokenizer.Model.Type != "WordPiece" {
		return nil, nil, fmt.Errorf("its model is %q; BERT's WordPiece vocabulary is needed", tokenizer.Model.Type)
	}
	ids := tokenizer.Model.Vocabulary
	if len(ids) == 0 {
		return nil, nil, errors.New("its vocabulary is empty")
	}
	for _, added := range tokenizer.Added {
		if _, own := ids[added.Content]; added.ID >= size && !own {
			dropped = append(dropped, added.Content)
			continue
		}
		ids[added.Content] = added.ID
	}
	tokens, err = orderTokens(ids, 0)
	return tokens, dropped, err
}

// addTokens appends the tokens of added_tokens.json, whose ids must follow those of the vocabulary. Those whose id is
// size or more are left out and named.
func addTokens(folder fs.FS, tokens []string, size int) (all, dropped []string, err error) {
	data, err := readSmall(folder, addedFile)
	if err != nil {
		return tokens, nil, ignoreMissing(err)
	}
	var ids map[string]int
	if err := unmarshalLenient(data, &ids); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", addedFile, err)
	}
	for token, id := range ids {
		if id >= 0 && id < len(tokens) && tokens[id] == token {
			delete(ids, token) // already there
		} else if id >= size {
			dropped = append(dropped, token)
			delete(ids, token)
		}
	}
	added, err := orderTokens(ids, len(tokens))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", addedFile, err)
	}
	slices.Sort(dropped)
	return append(tokens, added...), dropped, nil
}

// orderTokens lists tokens by id; the ids must be first, first+1 and so on.
func orderTokens(ids map[string]int, first int) ([]string, error) {
	tokens := make([]string, len(ids))
	seen := make([]bool, len(ids))
	for token, id := range ids {
		position := id - first
		if position < 0 || position >= len(tokens) || seen[position] {
			return nil, fmt.Errorf("token %q has the id %d, which leaves a gap or is taken", token, id)
		}
		tokens[position], seen[position] = token, true
	}
	return tokens, nil
}
