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

// maximumWordLength is the longest word, in code points after normalisation,
// that is cut into pieces; a longer one becomes [UNK].
const maximumWordLength = 100

// Tokenizer maps text to token ids and back. Make one with New.
type Tokenizer struct {
	tokens  []string // by id
	initial trie     // pieces that start a word
	inner   trie     // pieces that continue one, without their "##"
	special specials
	ids     map[string]int32
}

// Encoding is one text as token ids.
type Encoding struct {
	// IDs starts with [CLS] and ends with [SEP]. There is no padding.
	IDs []int64
	// Truncated says that the text was longer than the maximum.
	Truncated bool
	// Dropped is the number of tokens that truncation cut off the end.
	Dropped int
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
	t := &Tokenizer{tokens: tokens, ids: ids, special: newSpecials(ids, starts)}
	t.initial, t.inner = buildTries(tokens)
	return t, nil
}

// Encode returns text as token ids: [CLS], the text's tokens, [SEP]. When that
// is more than maximum ids, tokens are dropped from the end of the text and
// the encoding says how many; maximum 0 means no limit, and the smallest
// useful maximum is 2. Bytes of text that are not UTF-8 are ignored.
func (t *Tokenizer) Encode(text string, maximum int) Encoding {
	ids := make([]int64, 1, len(text)/4+8)
	ids[0] = int64(t.special.classifier)
	ids = t.AppendTokens(ids, text)
	var encoding Encoding
	if limit := max(maximum, 2) - 1; maximum > 0 && len(ids) > limit {
		encoding.Truncated = true
		encoding.Dropped = len(ids) - limit
		ids = append(make([]int64, 0, limit+1), ids[:limit]...) // lets the long slice go
	}
	encoding.IDs = append(ids, int64(t.special.separator))
	return encoding
}

// AppendTokens appends the token ids of text, without [CLS] and [SEP], to dst
// and returns the extended slice.
func (t *Tokenizer) AppendTokens(dst []int64, text string) []int64 {

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

// Size returns the number of tokens, [DEC] included; ids are 0 to Size()-1.
func (t *Tokenizer) Size() int { return len(t.tokens) }

// Token returns the token with the given id, as the vocabulary spells it, or
// "" when there is none.
func (t *Tokenizer) Token(id int64) string {
	if id < 0 || id >= int64(len(t.tokens)) {
		return ""
	}
	return t.tokens[id]
}

// ID returns the id of a token as the vocabulary spells it, and whether there
// is such a token.
func (t *Tokenizer) ID(token string) (int64, bool) {
	id, ok := t.ids[token]
	return int64(id), ok
}

// Classifier returns the id of [CLS], the first token of every encoding.
func (t *Tokenizer) Classifier() int64 { return int64(t.special.classifier) }

// Separator returns the id of [SEP], the last token of every encoding and the
// token that ends a generated caption.
func (t *Tokenizer) Separator() int64 { return int64(t.special.separator) }

// Padding returns the id of [PAD], which fills a batch of texts to one length.
func (t *Tokenizer) Padding() int64 { return int64(t.special.padding) }

// Start returns the id of [DEC], the token that starts a generated caption.
func (t *Tokenizer) Start() int64 { return int64(t.special.start) }

// Unknown returns the id of [UNK], which stands for a word with a piece that
// the vocabulary lacks.
func (t *Tokenizer) Unknown() int64 { return int64(t.special.unknown) }

// IsSpecial reports whether id is one of [PAD], [UNK], [CLS], [SEP], [MASK]
// and [DEC].
func (t *Tokenizer) IsSpecial(id int64) bool { return t.special.has(id) }
