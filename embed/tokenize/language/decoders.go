package language

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"mekiki/embed/tokenize/bytepair"
)

// decoderSpec is one step of a decoder.
type decoderSpec struct {
	kind    decoderKind
	pattern string // of replace
	content string // of replace, strip and metaspace
	start   int    // of strip: how many may go
	keep    bool   // of metaspace: the first token keeps its space
}

type decoderKind int

const (
	decodeBytes     decoderKind = iota // the letters of bytes become bytes
	decodeFallback                     // tokens <0x41> become bytes
	decodeReplace                      // a string in a token becomes another
	decodeStrip                        // characters go from the beginning of a token
	decodeMetaspace                    // ▁ becomes a space, but for the first token's
	decodeFuse                         // all tokens become one
	decodeJoin                         // all tokens become one, with spaces between
)

// stage is one step while a text is decoded. It emits what is final.
type stage interface {
	push(token string, emit func(string))
	flush(emit func(string))
}

// newStages returns the stages of a decoder for a new text. From the first that
// makes one string of all tokens on, stages get parts of one string.
func newStages(specs []decoderSpec, cleanUp bool) []stage {
	stages := make([]stage, 0, len(specs)+len(cleaned))
	fused := false
	for _, spec := range specs {
		switch spec.kind {
		case decodeBytes:
			stages = append(stages, &byteStage{})
			fused = true
		case decodeFallback:
			stages = append(stages, &fallbackStage{})
		case decodeReplace:
			if fused {
				stages = append(stages, &replaceStage{from: spec.pattern, to: spec.content})
			} else {
				stages = append(stages, replaceEach{spec.pattern, spec.content})
			}
		case decodeStrip:
			stages = append(stages, &stripStage{content: spec.content, count: spec.start, once: fused, left: spec.start})
		case decodeMetaspace:
			stages = append(stages, &metaspaceStage{space: spec.content, started: spec.keep, fused: fused})
		case decodeFuse:
			fused = true
		case decodeJoin:
			stages = append(stages, &joinStage{})
			fused = true
		}
	}
	if cleanUp {
		for _, pair := range cleaned {
			stages = append(stages, &replaceStage{from: pair[0], to: pair[1]})
		}
	}
	return stages
}

// cleaned are the spaces that transformers' clean_up_tokenization removes, in its
// order.
var cleaned = [...][2]string{
	{" .", "."}, {" ?", "?"}, {" !", "!"}, {" ,", ","}, {" ' ", "'"},
	{" n't", "n't"}, {" 'm", "'m"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
}

// byteStage turns tokens in the letters of bytes, or, where a token is not, the
// token itself, into one string. What is not UTF-8 becomes U+FFFD.
type byteStage struct{ pending []byte }

func (s *byteStage) push(token string, emit func(string)) {
	var ok bool
	if s.pending, ok = bytepair.AppendBytes(s.pending, token); !ok {
		s.pending = append(s.pending, token...)
	}
	s.emit(emit, false)
}

func (s *byteStage) flush(emit func(string)) { s.emit(emit, true) }

// emit emits all but the beginning of a character at the end; at the end of the
// text, all.
func (s *byteStage) emit(emit func(string), last bool) {
	var text strings.Builder
	rest := s.pending
	for len(rest) > 0 {
		r, size := utf8.DecodeRune(rest)
		if r != utf8.RuneError || size > 1 {
			text.Write(rest[:size])
			rest = rest[size:]
			continue
		}
		length, cut := invalidPart(rest)
		if cut && !last {
			break
		}
		text.WriteRune(utf8.RuneError)
		rest = rest[length:]
	}
	s.pending = append(s.pending[:0], rest...)
	if text.Len() > 0 {
		emit(text.String())
	}
}

// invalidPart returns the length of what one U+FFFD stands for at the beginning
// of bytes that are no UTF-8 there: the longest beginning of a character, or one
// byte (The Unicode Standard, section 3.9). cut says that the bytes end in it.
func invalidPart(b []byte) (length int, cut bool) {
	if !utf8.FullRune(b) {
		return len(b), true
	}
	for n := min(len(b), utf8.UTFMax) - 1; n > 1; n-- {
		if !utf8.FullRune(b[:n]) {
			return n, false
		}
	}
	return 1, false
}

// fallbackStage turns runs of tokens such as <0x41> into text: a run that is no
// UTF-8 becomes a U+FFFD a byte.
type fallbackStage struct{ pending []byte }

func (s *fallbackStage) push(token string, emit func(string)) {
	if b, ok := fallbackByte(token); ok {
		s.pending = append(s.pending, b)
		return
	}
	s.flush(emit)
	emit(token)
}

func (s *fallbackStage) flush(emit func(string)) {
	switch {
	case len(s.pending) == 0:
		return
	case utf8.Valid(s.pending):
		emit(string(s.pending))
	default:
		for range s.pending {
			emit(string(utf8.RuneError))
		}
	}
	s.pending = s.pending[:0]
}

// fallbackByte returns the byte that a token such as <0x41> stands for.
func fallbackByte(token string) (byte, bool) {
	if len(token) != 6 || !strings.HasPrefix(token, "<0x") || token[5] != '>' {
		return 0, false
	}
	digits := token[3:5]
	if digits[0] == '+' { // as Rust's from_str_radix reads a number
		digits = digits[1:]
	}
	b, err := strconv.ParseUint(digits, 16, 8)
	return byte(b), err == nil
}

// replaceEach replaces a string in every token.
type replaceEach [2]string

func (s replaceEach) push(token string, emit func(string)) {
	emit(strings.ReplaceAll(token, s[0], s[1]))
}

func (replaceEach) flush(func(string)) {}

// replaceStage replaces a string in a text that comes in parts.
type replaceStage struct {
	from, to string
	pending  string // a beginning of from, at the end of what came
}

func (s *replaceStage) push(part string, emit func(string)) {
	rest := s.pending + part
	for {
		before, after, ok := strings.Cut(rest, s.from)
		if !ok {
			break
		}
		if before += s.to; before != "" {
			emit(before)
		}
		rest = after
	}
	held := 0
	for n := min(len(s.from)-1, len(rest)); n > 0; n-- {
		if strings.HasSuffix(rest, s.from[:n]) {
			held = n
			break
		}
	}
	s.pending = rest[len(rest)-held:]
	if held < len(rest) {
		emit(rest[:len(rest)-held])
	}
}

func (s *replaceStage) flush(emit func(string)) {
	if s.pending != "" {
		emit(s.pending)
	}
	s.pending = ""
}

// stripStage removes up to count characters, each content, from the beginning of
// every token, or, once, of the text.
type stripStage struct {
	content     string
	count, left int
	once        bool
}

func (s *stripStage) push(part string, emit func(string)) {
	if !s.once {
		s.left = s.count
	}
	for s.left > 0 && part != "" {
		rest, ok := strings.CutPrefix(part, s.content)
		if !ok {
			s.left = 0
			break
		}
		part = rest
		s.left--
	}
	if part != "" || !s.once {
		emit(part)
	}
}

func (*stripStage) flush(func(string)) {}

// metaspaceStage turns every ▁ into a space, but for the first token's, which go.
type metaspaceStage struct {
	space          string
	started, fused bool
}

func (s *metaspaceStage) push(token string, emit func(string)) {
	replacement := " "
	if !s.started {
		replacement = ""
	}
	s.started = s.started || !s.fused
	emit(strings.ReplaceAll(token, s.space, replacement))
}

func (*metaspaceStage) flush(func(string)) {}

// joinStage puts spaces between tokens.
type joinStage struct{ started bool }

func (s *joinStage) push(token string, emit func(string)) {
	if s.started {
		emit(" ")
	}
	s.started = true
	emit(token)
}

func (*joinStage) flush(func(string)) {}
