package language

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"mekiki/embed/tokenize/bytepair"
	"mekiki/embed/tokenize/unigram"
)

// wordStart is the character that stands for a space in SentencePiece's pieces.
const wordStart = "▁"

// fromSentencePiece makes the tokenizer of a SentencePiece model: T5's of one of
// unigrams, Llama's of one of byte-pair encoding.
func fromSentencePiece(content []byte, s *settings) (*definition, error) {
	m, err := readSentencePiece(content)
	if err != nil {
		return nil, err
	}
	switch m.kind {
	case unigramKind:
		return t5(m, s)
	case bytePairKind:
		return llama(m, s)
	}
	return nil, fmt.Errorf("a model of type %d is neither of unigrams nor of byte-pair encoding", m.kind)
}

// t5 makes the tokenizer that transformers' T5Tokenizer is.
func t5(m *sentencePiece, s *settings) (*definition, error) {
	var pieces []unigram.Piece
	for _, piece := range m.pieces {
		pieces = append(pieces, unigram.Piece{Text: piece.text, Score: float64(piece.score)})
	}
	extra := defaultExtraIDs
	if s.extraIDs != nil {
		extra = *s.extraIDs
	}
	if extra < 0 || extra > maximumAdded {
		return nil, fmt.Errorf("%d extra ids are not between 0 and %d", extra, maximumAdded)
	}
	for i := extra - 1; i >= 0; i-- {
		pieces = append(pieces, unigram.Piece{Text: fmt.Sprintf("<extra_id_%d>", i)})
	}
	d, err := fromPieces(pieces, t5Unknown, false)
	if err != nil {
		return nil, err
	}
	if err := d.normalize.charsmap(m.charsmap); err != nil {
		return nil, err
	}
	d.split = []splitter{splitWhitespace, metaspace(wordStart, "always", true)}
	d.decode = []decoderSpec{{kind: decodeMetaspace, content: wordStart}}
	d.cleanUp = true
	nameRole(s, &s.end, "</s>")
	nameRole(s, &s.unknown, "<unk>")
	nameRole(s, &s.padding, "<pad>")
	s.addEnd = true
	m.nameControls(s)
	for i := range extra {
		s.extra = append(s.extra, addedToken{Content: fmt.Sprintf("<extra_id_%d>", i), Special: true})
	}
	return d, nil
}

// nameRole gives a role to a token where no file does.
func nameRole(s *settings, role **addedToken, token string) {
	if *role == nil {
		*role = &addedToken{Content: token, Special: true}
		s.named = append(s.named, **role)
	}
}

// nameControls makes the model's control pieces and user-defined ones added tokens.
func (m *sentencePiece) nameControls(s *settings) {
	for _, piece := range m.pieces {
		if piece.kind == controlPiece || piece.kind == userPiece {
			s.extra = append(s.extra, addedToken{Content: piece.text, Special: piece.kind == controlPiece})
		}
	}
}

// llama makes the tokenizer that transformers' LlamaTokenizer is.
func llama(m *sentencePiece, s *settings) (*definition, error) {
	vocabulary := make(map[string]int64, len(m.pieces))
	total := 0
	for id, piece := range m.pieces {
		vocabulary[piece.text] = int64(id)
		total += len(piece.text)
	}
	if total > maximumPiecesBytes {
		return nil, fmt.Errorf("the pieces have %d bytes, more than the %d allowed", total, maximumPiecesBytes)
	}
	merges, err := mergesOf(vocabulary)
	if err != nil {
		return nil, err
	}
	d := newDefinition(vocabulary)
	d.model, err = bytepair.New(bytepair.Options{
		Vocabulary: vocabulary, Merges: merges, ByteFallback: true, FuseUnknown: true,
	})
	if err != nil {
		return nil, err
	}
	nameRole(s, &s.start, "<s>")
	nameRole(s, &s.end, "</s>")
	nameRole(s, &s.unknown, "<unk>")
	m.nameControls(s)
	d.followLlama(s)
	return d, nil
}

// isLlama reports whether transformers' LlamaTokenizer reads the files.
func (s *settings) isLlama() bool { return s.class == "LlamaTokenizer" }

// followLlama sets what LlamaTokenizer does whatever a tokenizer.json says.
func (d *definition) followLlama(s *settings) {
	scheme := "first"
	switch {
	case !valueOr(s.prefixSpace, true):
		scheme = "never"
	case valueOr(s.legacy, false):
		scheme = "always"
	}
	d.normalize = normalizers{}
	d.split = []splitter{metaspace(wordStart, scheme, false)}
	d.decode = []decoderSpec{
		{kind: decodeReplace, pattern: wordStart, content: " "}, {kind: decodeFallback}, {kind: decodeFuse},
	}
	if scheme != "never" {
		d.decode = append(d.decode, decoderSpec{kind: decodeStrip, content: " ", start: 1})
	}
}

// mergesOf returns the merges of SentencePiece's byte-pair encoding: all ways to
// make a piece of two others, in the order of the pieces' ids.
func mergesOf(vocabulary map[string]int64) ([]bytepair.Merge, error) {
	type ranked struct {
		bytepair.Merge
		id   int64
		left int // characters
	}
	var list []ranked
	work := 0
	for piece, id := range vocabulary {
		if work += len(piece) * len(piece); work > maximumMergeBytes {
			return nil, errors.New("the pieces are too long to look for their merges")
		}
		characters := 0
		for at := range piece {
			if at > 0 {
				if len(list) >= maximumPairs {
					return nil, fmt.Errorf("more than %d merges", maximumPairs)
				}
				_, hasLeft := vocabulary[piece[:at]]
				_, hasRight := vocabulary[piece[at:]]
				if hasLeft && hasRight {
					list = append(list, ranked{bytepair.Merge{Left: piece[:at], Right: piece[at:]}, id, characters})
				}
			}
			characters++
		}
	}
	slices.SortFunc(list, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.left, b.left))
	})
	merges := make([]bytepair.Merge, len(list))
	for i, one := range list {
		merges[i] = one.Merge
	}
	return merges, nil
}
