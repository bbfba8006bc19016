// Package wordpiece turns text into the token ids that BLIP-2's text
// transformer reads, and token ids back into text.
//
// It is BERT's uncased WordPiece tokenizer, equal to BertTokenizer of Hugging
// Face transformers: control characters go, Chinese characters stand alone,
// accents and case are folded, punctuation splits words, and each word is cut
// greedily into the longest pieces that the vocabulary holds. BLIP-2 adds one
// special token to BERT's vocabulary, "[DEC]", which starts a caption.
//
// A Tokenizer is immutable and safe for concurrent use.
package wordpiece

import (
	"fmt"

	"mekiki/embed/tokenize"
)

// The special tokens of BERT's vocabulary and the one that BLIP-2 adds. In a
// text they are recognised in exactly this spelling and never split.
const (
	padding    = "[PAD]"
	unknown    = "[UNK]"
	classifier = "[CLS]"
	separator  = "[SEP]"
	mask       = "[MASK]"
	start      = "[DEC]"
)

// Tokenizer maps text to token ids and back. Make one with New.
type Tokenizer struct {
	tokens  []string // by id
	initial trie     // pieces that start a word
	inner   trie     // pieces that continue one, without their "##"
	special specials
}

// New reads a vocabulary: UTF-8 text with one token per line, the line number
// (from 0) being the id. The five special tokens of BERT must be there; [DEC]
// is appended when it is not, and is then plain text in a text: the model
// has no row for it. It fails, naming the line, on a vocabulary that
// is too large, is not UTF-8, or holds a token twice.
func New(vocabulary []byte) (*Tokenizer, error) {
	tokens, ids, starts, err := parseVocabulary(vocabulary)
	if err != nil {
		return nil, fmt.Errorf("read vocabulary: %w", err)
	}
	t := &Tokenizer{tokens: tokens, special: newSpecials(ids, starts)}
	t.initial, t.inner = buildTries(tokens)
	return t, nil
}

// Encode implements tokenize.Tokenizer: [CLS], the text's tokens, [SEP]. The
// smallest useful maximum is 2.
func (t *Tokenizer) Encode(text string, maximum int) tokenize.Encoding {
	ids := make([]int64, 1, len(text)/4+8)
	ids[0] = int64(t.special.classifier)
	ids = t.appendTokens(ids, text)
	var encoding tokenize.Encoding
	if limit := max(maximum, 2) - 1; maximum > 0 && len(ids) > limit {
		encoding.Truncated = true
		encoding.Dropped = len(ids) - limit
		ids = append(make([]int64, 0, limit+1), ids[:limit]...) // lets the long slice go
	}
	encoding.IDs = append(ids, int64(t.special.separator))
	encoding.Unread = t.unread(encoding.IDs)
	return encoding
}

// appendTokens appends the token ids of text, without [CLS] and [SEP], to dst
// and returns the extended slice.
func (t *Tokenizer) appendTokens(dst []int64, text string) []int64 {
	for len(text) > 0 {
		at, length, id := t.special.find(text)
		if at < 0 {
			return t.appendPlain(dst, text)
		}
		dst = t.appendPlain(dst, text[:at])
		dst = append(dst, int64(id))
		text = text[at+length:]
	}
	return dst
}

// token returns the token with the given id, as the vocabulary spells it, or ""
// when there is none.
func (t *Tokenizer) token(id int64) string {
	if id < 0 || id >= int64(len(t.tokens)) {
		return ""
	}
	return t.tokens[id]
}

// Special implements tokenize.Tokenizer: a caption begins with [DEC] and ends with
// [SEP].
func (t *Tokenizer) Special() tokenize.Special {
	return tokenize.Special{Start: int64(t.special.start), End: int64(t.special.separator)}
}
