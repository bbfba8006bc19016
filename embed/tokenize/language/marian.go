package language

import (
	"errors"
	"fmt"
	"strings"

	"mekiki/embed/tokenize/charsmap"
	"mekiki/embed/tokenize/unigram"
)

// fromMarian makes the tokenizer that transformers' MarianTokenizer is: texts are cut by the source language's SentencePiece
// model, and the pieces are looked up in a vocabulary that both languages share. Decoding needs the vocabulary only.
func fromMarian(vocabulary, source []byte, s *settings) (*definition, error) {
	var ids map[string]int64
	if err := readJSON(vocabulary, &ids, 4*maximumTokens); err != nil {
		return nil, inFile(vocabularyFile, err)
	}
	m, err := readSentencePiece(source)
	if err == nil && m.kind != unigramKind {
		err = fmt.Errorf("a model of type %d is not one of unigrams", m.kind)
	}
	if err != nil {
		return nil, inFile(sourceFile, err)
	}
	for _, token := range ids {
		if token < 0 || token >= maximumTokens {
			return nil, inFile(vocabularyFile, fmt.Errorf("the id %d is not between 0 and %d", token, maximumTokens-1))
		}
	}
	nameRole(s, &s.end, "</s>")
	nameRole(s, &s.unknown, "<unk>")
	nameRole(s, &s.padding, "<pad>")
	unknown, ok := ids[s.unknown.Content]
	if !ok {
		return nil, inFile(vocabularyFile, errors.New("it has no token for unknown words"))
	}
	s.addEnd = true
	d := newDefinition(ids)
	if d.model, err = m.mapped(ids, unknown); err != nil {
		return nil, inFile(sourceFile, err)
	}
	if err := d.normalize.table(m.charsmap, (*charsmap.Map).ApplyLongest); err != nil {
		return nil, inFile(sourceFile, err)
	}
	d.split = []splitter{splitSpaces, metaspace(wordStart, "always", true)}
	d.decode = []decoderSpec{{kind: decodeMetaspace, content: wordStart}}
	return d, nil
}

// mapped is a model of the pieces whose ids are those of a vocabulary.
func (m *sentencePiece) mapped(vocabulary map[string]int64, unknown int64) (*mappedUnigram, error) {
	id := func(text string) int64 {
		if id, ok := vocabulary[text]; ok {
			return id
		}
		return unknown
	}
	var pieces []unigram.Piece
	ids := make([]int64, len(m.pieces))
	for i, piece := range m.pieces {
		text := piece.text
		if piece.kind != normalPiece && piece.kind != userPiece {
			text = "" // no text is cut into it
		}
		pieces = append(pieces, unigram.Piece{Text: text, Score: float64(piece.score)})
		ids[i] = id(piece.text)
	}
	if m.unknown < 0 || m.unknown >= len(pieces) {
		return nil, errors.New("no piece stands for unknown characters")
	}
	model, err := unigram.New(pieces, m.unknown, false)
	if err != nil {
		return nil, err
	}
	model.NameUnknown(func(run string) int64 { return -1 - id(run) })
	return &mappedUnigram{model, ids}, nil
}

// mappedUnigram cuts words into pieces and gives the ids that a vocabulary has for them.
type mappedUnigram struct {
	pieces *unigram.Model
	ids    []int64 // by piece
}

// Append implements model.
func (m *mappedUnigram) Append(dst []int64, word string) []int64 {
	first := len(dst)
	dst = m.pieces.Append(dst, word)
	for i, id := range dst[first:] {
		if id < 0 {
			dst[first+i] = -1 - id
		} else {
			dst[first+i] = m.ids[id]
		}
	}
	return dst
}

// splitSpaces splits at spaces, which go.
func splitSpaces(p piece, yield func(piece)) {
	for word := range strings.SplitSeq(p.text, " ") {
		if word != "" {
			yield(piece{word, false})
		}
	}
}
