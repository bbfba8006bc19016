package language

import (
	"strings"

	"mekiki/embed/tokenize"
)

// Stream decodes tokens as they are generated. Make one with Tokenizer.Stream. It
// is for one text and one goroutine.
type Stream struct {
	tokenizer *Tokenizer
	stages    []stage
	text      strings.Builder
}

// Stream returns a stream for a new text.
func (t *Tokenizer) Stream() *Stream {
	return &Stream{tokenizer: t, stages: newStages(t.decode, t.cleanUp)}
}

// NewStream implements tokenize.Language.
func (t *Tokenizer) NewStream() tokenize.Stream { return t.Stream() }

// Next takes the next token and returns the text that is final now: "" where a
// character or a rule for spaces waits for the tokens that follow. All that Next
// and End return is, joined, what Decode returns for all the tokens.
func (s *Stream) Next(id int64) string {
	if id < 0 || id >= int64(len(s.tokenizer.tokens)) || s.tokenizer.special[id] || s.tokenizer.tokens[id] == "" {
		return ""
	}
	s.push(0, s.tokenizer.tokens[id])
	return s.taken()
}

// End returns the rest of the text. The stream is of no use after it.
func (s *Stream) End() string {
	for i := range s.stages {
		s.stages[i].flush(func(text string) { s.push(i+1, text) })
	}
	return s.taken()
}

func (s *Stream) push(i int, text string) {
	if i == len(s.stages) {
		s.text.WriteString(text)
		return
	}
	s.stages[i].push(text, func(text string) { s.push(i+1, text) })
}

func (s *Stream) taken() string {
	text := s.text.String()
	s.text.Reset()
	return text
}
