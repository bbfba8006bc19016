// Package language has the tokenizers of the language models behind the
// Q-Former: OPT's byte-level BPE, T5's SentencePiece unigram, Llama's
// SentencePiece BPE, and those of any model whose tokenizer.json says what it is
// made of.
//
//	OPT       "a cat"   2 102 4758     </s> a ␣cat
//	Flan-T5   "a cat"   3 9 1712 1     ▁ a ▁cat </s>
//	Vicuna    "a cat"   2 263 6635     </s> ▁a ▁cat
//
// Open makes one of the files that lie beside a model's weights. A text passes
// through five steps: added tokens (as "<image>") are cut out of it, what is left
// is normalised, split into words, the words are cut into tokens by a model of
// package bytepair or unigram, and special tokens are put around. Decoding is a
// row of steps too; Stream does them one token at a time.
//
// A Tokenizer is equal to that which transformers 5.24 makes of the same files,
// and safe for concurrent use.
package language

import (
	"strings"
	"unicode/utf8"

	"mekiki/embed/tokenize"
)

var _ tokenize.Language = (*Tokenizer)(nil)

// Tokenizer is a language model's tokenizer. Make one with Open.
type Tokenizer struct {
	tokens    []string // by id, as the decoder reads them; "" where there is none
	ids       map[string]int64
	special   []bool   // by id: left out of decoded text
	verbatim  *matcher // added tokens found in the text as it is
	found     *matcher // added tokens found in the normalised text
	normalize []normalizer
	split     []splitter
	model     model
	before    []int64 // special tokens before a text
	after     []int64 // special tokens after it
	decode    []decoderSpec
	cleanUp   bool
	cutLeft   bool
	named     named
}

// named are the special tokens with a role; noToken where there is none.
type named struct{ start, end, unknown, padding int64 }

// model cuts one word into tokens.
type model interface {
	Append(dst []int64, word string) []int64
}

// Encode implements tokenize.Tokenizer. Special tokens that are written out in
// the text, as "</s>" or "<image>", are those tokens, as they are to transformers.
// Where tokens are dropped, the special tokens around the text stay.
func (t *Tokenizer) Encode(text string, maximum int) tokenize.Encoding {
	ids := make([]int64, 0, len(text)/3+8)
	ids = append(ids, t.before...)
	ids = t.appendText(ids, text)
	body := ids[len(t.before):]
	encoding := tokenize.Encoding{Unread: t.unread(body)}
	limit := max(maximum-len(t.before)-len(t.after), 0)
	if maximum > 0 && len(body) > limit {
		encoding.Truncated = true
		encoding.Dropped = len(body) - limit
		kept := body[:limit]
		if t.cutLeft {
			kept = body[encoding.Dropped:]
		}
		ids = make([]int64, 0, limit+len(t.before)+len(t.after)) // lets the long slice go
		ids = append(append(ids, t.before...), kept...)
	}
	encoding.IDs = append(ids, t.after...)
	return encoding
}

// EncodeContinuation returns the tokens of a text alone, without special tokens
// around it: of an answer that is scored, or of what is appended to a prompt.
func (t *Tokenizer) EncodeContinuation(text string) []int64 {
	return t.appendText(make([]int64, 0, len(text)/3+1), text)
}

// appendText appends the tokens of a text to dst.
func (t *Tokenizer) appendText(dst []int64, text string) []int64 {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "")
	}
	t.verbatim.cut(text, func(at int, part string, id int64) {
		if id != noToken {
			dst = append(dst, id)
			return
		}
		for _, step := range t.normalize {
			part = step(part)
		}
		t.found.cut(part, func(inner int, part string, id int64) {
			if id != noToken {
				dst = append(dst, id)
				return
			}
			t.splitFrom(0, piece{part, at+inner == 0}, func(word string) {
				dst = t.model.Append(dst, word)
			})
		})
	})
	return dst
}

// splitFrom passes a piece through the splitters from one on.
func (t *Tokenizer) splitFrom(step int, p piece, yield func(word string)) {
	if p.text == "" {
		return
	}
	if step == len(t.split) {
		yield(p.text)
		return
	}
	t.split[step](p, func(part piece) { t.splitFrom(step+1, part, yield) })
}

// unread reports whether a text has unknown tokens and, but for those of spaces, no
// others.
func (t *Tokenizer) unread(ids []int64) bool {
	unread := false
	for _, id := range ids {
		switch {
		case id == t.named.unknown:
			unread = true
		case strings.Trim(t.tokens[id], wordStart+" ") != "":
			return false
		}
	}
	return unread
}

// Special implements tokenize.Tokenizer. Start is the token that begins a sequence
// (T5, which has none, begins a text to be generated with its padding), End that
// which ends one; they are -1 where the model has none.
func (t *Tokenizer) Special() tokenize.Special {
	start := t.named.start
	if start == noToken {
		start = t.named.padding
	}
	return tokenize.Special{Start: start, End: t.named.end}
}

// ID returns the id of a token, added or of the vocabulary, in the spelling of the
// tokenizer's files: "<image>", "</s>".
func (t *Tokenizer) ID(token string) (int64, bool) {
	id, ok := t.ids[token]
	return id, ok
}

// Size returns one more than the largest id.
func (t *Tokenizer) Size() int { return len(t.tokens) }

// Decode implements tokenize.Tokenizer, as transformers' decode does with
// skip_special_tokens.
func (t *Tokenizer) Decode(ids []int64) string {
	var text strings.Builder
	stream := t.Stream()
	for _, id := range ids {
		text.WriteString(stream.Next(id))
	}
	text.WriteString(stream.End())
	return text.String()
}
