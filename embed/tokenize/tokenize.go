// Package tokenize turns text into the token ids that a model reads, and token ids
// back into text.
//
//	tokenizer.Encode("two cats", 0).IDs   101 2048 8870 102 in BERT's vocabulary
//	tokenizer.Decode([]int64{2048, 8870}) "two cats"
//
// The tokenizers are packages of their own: wordpiece is BERT's, language has those of
// language models.
package tokenize

// Tokenizer is a model's vocabulary and how texts are cut into its tokens. It is
// safe for concurrent use.
type Tokenizer interface {
	// Encode returns a text's tokens as the model reads them, with the special tokens
	// around them. Where that is more than maximum, tokens are dropped from the end of
	// the text, or from its beginning where the model's files say so; 0 means no limit.
	// Bytes of text that are not UTF-8 are ignored.
	Encode(text string, maximum int) Encoding
	// Decode returns the text of tokens. Special tokens and ids outside the vocabulary
	// are left out.
	Decode(ids []int64) string
	// Special returns the tokens that texts to be generated begin and end with.
	Special() Special
}

// Language is the tokenizer of a language model, which goes on with texts.
type Language interface {
	Tokenizer
	// EncodeContinuation returns the tokens of a text alone, without special tokens around it.
	EncodeContinuation(text string) []int64
	// NewStream decodes the tokens of a new text as they are written.
	NewStream() Stream
}

// Stream decodes the tokens of one text as they are written.
type Stream interface {
	// Next takes the next token and returns the text that is final now, which may be none.
	Next(id int64) string
	// End returns the rest of the text.
	End() string
}

// Encoding is one text as token ids.
type Encoding struct {
	// IDs has the special tokens around the text's. There is no padding.
	IDs []int64
	// Truncated says that the text was longer than the maximum.
	Truncated bool
	// Dropped is the number of tokens that truncation cut off.
	Dropped int
	// Unread says that the vocabulary, and so what the model was trained on, has no
	// word of the text, but for single letters of a script without words of its own.
	Unread bool
}

// Special are the ids of special tokens.
type Special struct {
	Start int64 // begins a text to be generated
	End   int64 // ends it
}
