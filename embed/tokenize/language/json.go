package language

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"mekiki/embed/tokenize/bytepair"
	"mekiki/embed/tokenize/unigram"
)

// definitionFile is a tokenizer.json. Its parts are read one by one, each with a
// bound on its elements.
type definitionFile struct {
	AddedTokens   json.RawMessage `json:"added_tokens"`
	Normalizer    json.RawMessage `json:"normalizer"`
	PreTokenizer  json.RawMessage `json:"pre_tokenizer"`
	PostProcessor json.RawMessage `json:"post_processor"`
	Decoder       json.RawMessage `json:"decoder"`
	Model         json.RawMessage `json:"model"`
}

// numberedToken is an added token in a tokenizer.json.
type numberedToken struct {
	ID int64 `json:"id"`
	addedToken
}

// readJSON reads JSON that has at most so many elements. What is not there, or null,
// leaves the target as it is.
func readJSON(content []byte, target any, elements int) error {
	if len(content) == 0 {
		return nil
	}
	if commas := bytes.Count(content, []byte(",")); commas > elements {
		return fmt.Errorf("%d elements are more than the %d allowed", commas, elements)
	}
	return json.Unmarshal(content, target)
}

// modelFile is the model in a tokenizer.json.
type modelFile struct {
	Type         string          `json:"type"`
	Vocabulary   json.RawMessage `json:"vocab"`
	Merges       mergesData      `json:"merges"`
	Unknown      *string         `json:"unk_token"`
	UnknownID    *int            `json:"unk_id"`
	Prefix       *string         `json:"continuing_subword_prefix"`
	Suffix       *string         `json:"end_of_word_suffix"`
	FuseUnknown  bool            `json:"fuse_unk"`
	ByteFallback bool            `json:"byte_fallback"`
	IgnoreMerges bool            `json:"ignore_merges"`
	Dropout      *float64        `json:"dropout"`
}

// fromTokenizer reads a tokenizer.json.
func fromTokenizer(content []byte, s *settings) (*definition, error) {
	var file definitionFile
	if err := json.Unmarshal(content, &file); err != nil {
		return nil, err
	}
	var preTokenizer *splitterFile
	if err := readJSON(file.PreTokenizer, &preTokenizer, maximumElements); err != nil {
		return nil, fmt.Errorf("pre-tokenizer: %w", err)
	}
	split := splitters{}
	if err := split.add(preTokenizer); err != nil {
		return nil, err
	}
	var model modelFile
	if err := json.Unmarshal(file.Model, &model); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	d, err := newModel(&model, split.bytes, s)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	d.split = split.steps
	d.cleanUp = model.Type == "Unigram"
	if err := d.readSteps(&file); err != nil {
		return nil, err
	}
	if s.isLlama() && !d.cleanUp && !split.bytes {
		d.followLlama(s)
	}
	return d, d.finish(&file)
}

// readSteps reads the normalizer and the decoder.
func (d *definition) readSteps(file *definitionFile) error {
	var normalizer *normalizerFile
	if err := readJSON(file.Normalizer, &normalizer, maximumElements); err != nil {
		return fmt.Errorf("normalizer: %w", err)
	}
	if err := d.normalize.add(normalizer); err != nil {
		return err
	}
	var decoder *decoderFile
	if err := readJSON(file.Decoder, &decoder, maximumElements); err != nil {
		return fmt.Errorf("decoder: %w", err)
	}
	var steps decoders
	if err := steps.add(decoder); err != nil {
		return err
	}
	if d.decode = steps.specs; decoder == nil {
		d.decode = []decoderSpec{{kind: decodeJoin}}
	}
	return nil
}

// finish adds the added tokens and the special tokens around a text.
func (d *definition) finish(file *definitionFile) error {
	var tokens []numberedToken
	if err := readJSON(file.AddedTokens, &tokens, 8*maximumAdded); err != nil {
		return fmt.Errorf("added tokens: %w", err)
	}
	for _, token := range tokens {
		if _, err := d.add(token.addedToken); err != nil {
			return err
		}
	}
	var processor *processorFile
	if err := readJSON(file.PostProcessor, &processor, maximumElements); err != nil {
		return fmt.Errorf("post-processor: %w", err)
	}
	if processor == nil {
		return nil
	}
	d.templated = true
	return d.process(processor, 0)
}

// newModel makes the model of words.
func newModel(file *modelFile, bytes bool, s *settings) (*definition, error) {
	switch {
	case file.Type == "Unigram" && !bytes:
		return newUnigram(file)
	case file.Type == "BPE" || file.Type == "" && len(file.Merges) > 0:
		if s.isLlama() && !bytes {
			file.Unknown, file.FuseUnknown, file.ByteFallback, file.IgnoreMerges = nil, true, true, false
		}
		return newBytePair(file, bytes)
	}
	return nil, fmt.Errorf("the type %q is not one of those that are known", file.Type)
}

// newUnigram makes the model of unigrams.
func newUnigram(file *modelFile) (*definition, error) {
	var list []pieceData
	if err := readJSON(file.Vocabulary, &list, 4*maximumTokens); err != nil {
		return nil, fmt.Errorf("vocabulary: %w", err)
	}
	pieces := make([]unigram.Piece, len(list))
	for id, one := range list {
		pieces[id] = unigram.Piece(one)
	}
	unknown := -1
	if file.UnknownID != nil {
		unknown = *file.UnknownID
	}
	return fromPieces(pieces, unknown, file.ByteFallback)
}

// fromPieces makes the model of pieces of unigrams.
func fromPieces(pieces []unigram.Piece, unknown int, byteFallback bool) (*definition, error) {
	model, err := unigram.New(pieces, unknown, byteFallback)
	if err != nil {
		return nil, err
	}
	vocabulary := make(map[string]int64, len(pieces))
	for id, piece := range pieces {
		vocabulary[piece.Text] = int64(id)
	}
	d := newDefinition(vocabulary)
	d.model = model
	return d, nil
}

// pieceData is a piece and its score, a list of the two.
type pieceData unigram.Piece

func (p *pieceData) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&p.Text, &p.Score})
}

// newBytePair makes the model of byte-pair encoding. bytes says that words are in
// the letters of bytes.
func newBytePair(file *modelFile, bytes bool) (*definition, error) {
	for _, affix := range []*string{file.Prefix, file.Suffix} {
		if affix != nil && *affix != "" {
			return nil, fmt.Errorf("the prefix or suffix %q of parts of words is not known", *affix)
		}
	}
	if file.Dropout != nil && *file.Dropout != 0 {
		return nil, errors.New("dropout is not known")
	}
	var vocabulary map[string]int64
	if err := readJSON(file.Vocabulary, &vocabulary, 4*maximumTokens); err != nil {
		return nil, fmt.Errorf("vocabulary: %w", err)
	}
	options := bytepair.Options{
		Vocabulary: vocabulary, Merges: file.Merges, Bytes: bytes,
		ByteFallback: file.ByteFallback, FuseUnknown: file.FuseUnknown, WholeWords: file.IgnoreMerges,
	}
	if file.Unknown != nil {
		options.Unknown = *file.Unknown
	}
	d := newDefinition(vocabulary)
	var err error
	d.model, err = bytepair.New(options)
	return d, err
}

// mergesData are merges: "a b", or ["a", "b"].
type mergesData []bytepair.Merge

func (m *mergesData) UnmarshalJSON(data []byte) error {
	var list []mergeData
	if err := readJSON(data, &list, 4*maximumPairs); err != nil {
		return err
	}
	*m = make(mergesData, len(list))
	for i, one := range list {
		(*m)[i] = bytepair.Merge(one)
	}
	return nil
}

type mergeData bytepair.Merge

func (m *mergeData) UnmarshalJSON(data []byte) error {
	var pair [2]string
	if data[0] == '"' {
		var text string
		if err := json.Unmarshal(data, &text); err != nil {
			return err
		}
		var ok bool
		if pair[0], pair[1], ok = strings.Cut(text, " "); !ok || strings.Contains(pair[1], " ") {
			return fmt.Errorf("the merge %q is not of two tokens", text)
		}
	} else if err := json.Unmarshal(data, &pair); err != nil {
		return err
	}
	*m = mergeData{pair[0], pair[1]}
	return nil
}

// decoderFile is a decoder in a tokenizer.json.
type decoderFile struct {
	Type           string        `json:"type"`
	Decoders       []decoderFile `json:"decoders"`
	Pattern        *patternFile  `json:"pattern"`
	Content        string        `json:"content"`
	Start          int           `json:"start"`
	Stop           int           `json:"stop"`
	Replacement    string        `json:"replacement"`
	PrependScheme  string        `json:"prepend_scheme"`
	AddPrefixSpace *bool         `json:"add_prefix_space"`
}

// decoders are the steps of a decoder, and how many times longer they can make a
// text.
type decoders struct {
	specs  []decoderSpec
	growth int
}

// add appends the steps of a decoder, those of a sequence in its order.
func (d *decoders) add(file *decoderFile) error {
	if file == nil {
		return nil
	}
	if len(d.specs) >= maximumStages {
		return fmt.Errorf("more than %d decoders", maximumStages)
	}
	if file.Type == "Sequence" {
		for i := range file.Decoders {
			if err := d.add(&file.Decoders[i]); err != nil {
				return err
			}
		}
		return nil
	}
	spec, err := newDecoder(file)
	if err != nil {
		return err
	}
	if spec.kind == decodeReplace {
		if d.growth, err = grow(d.growth, len(spec.pattern), len(spec.content)); err != nil {
			return err
		}
	}
	d.specs = append(d.specs, spec)
	return nil
}

// newDecoder returns one step of a decoder.
func newDecoder(file *decoderFile) (decoderSpec, error) {
	switch file.Type {
	case "ByteLevel":
		return decoderSpec{kind: decodeBytes}, nil
	case "ByteFallback":
		return decoderSpec{kind: decodeFallback}, nil
	case "Fuse":
		return decoderSpec{kind: decodeFuse}, nil
	case "Replace":
		if file.Pattern == nil || file.Pattern.String == nil || *file.Pattern.String == "" {
			return decoderSpec{}, errors.New("the decoder Replace has no string to replace")
		}
		return decoderSpec{kind: decodeReplace, pattern: *file.Pattern.String, content: file.Content}, nil
	case "Strip":
		if len([]rune(file.Content)) != 1 || file.Start < 0 || file.Stop != 0 {
			return decoderSpec{}, errors.New("the decoder Strip does not remove one character from the beginning")
		}
		return decoderSpec{kind: decodeStrip, content: file.Content, start: file.Start}, nil
	case "Metaspace":
		if len([]rune(file.Replacement)) != 1 {
			return decoderSpec{}, errors.New("the decoder Metaspace does not replace one character")
		}
		keep := file.PrependScheme == "never" || !valueOr(file.AddPrefixSpace, true)
		return decoderSpec{kind: decodeMetaspace, content: file.Replacement, keep: keep}, nil
	}
	return decoderSpec{}, fmt.Errorf("the decoder %q is not one of those that are known", file.Type)
}
