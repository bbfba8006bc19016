// Package bytepair cuts words into tokens by byte-pair encoding: a word begins
// as its bytes or characters, and the two neighbours whose merge was learned
// first become one, until no neighbours can be merged.
//
//	merges  l o, lo w, e r
//	lower   l o w e r -> lo w e r -> low e r -> low er
//
// GPT-2, OPT and their relatives merge bytes; SentencePiece's BPE, as Llama
// has it, merges characters and spells those it does not know in bytes.
//
// A Model is immutable and safe for concurrent use.
package bytepair

import (
	"fmt"
	"sync"
	"unicode/utf8"
)

// Merge is a pair of tokens that become one; of two merges, that earlier in the
// list is done first.
type Merge struct{ Left, Right string }

// Options says what a model is made of.
type Options struct {
	// Vocabulary has the ids of all tokens. Of a model of bytes, tokens are
	// spelled in GPT-2's letters for bytes (see Letters).
	Vocabulary map[string]int64
	Merges     []Merge
	// Bytes says that words begin as bytes, not as characters.
	Bytes bool
	// ByteFallback says that a character that the vocabulary lacks is spelled
	// in the tokens <0x00> to <0xFF>.
	ByteFallback bool
	// Unknown is the token of a character that the vocabulary lacks; where there
	// is none, such a character is left out.
	Unknown string
	// FuseUnknown makes a run of unknown characters one token.
	FuseUnknown bool
	// WholeWords says that a word that is a token becomes that token whatever the
	// merges say.
	WholeWords bool
}

// Model cuts words into tokens. Make one with New.
type Model struct {
	merges      table
	bytes       bool
	byteIDs     [256]int32 // of a model of bytes, what the bytes begin as; -1 where it has none
	characters  map[rune]int32
	ascii       [utf8.RuneSelf]int32 // of those in characters; -1 where it has none
	fallback    [256]int32
	hasFallback bool
	unknown     int32
	fuseUnknown bool
	words       map[string]int32
	scratch     sync.Pool
}

// New makes a model. It fails on an id that is negative or too large, and on a
// merge of tokens, or into a token, that the vocabulary lacks.
func New(options Options) (*Model, error) {
	if len(options.Vocabulary) > maximumTokens || len(options.Merges) > maximumMerges {
		return nil, fmt.Errorf("%d tokens and %d merges are more than the %d and %d allowed",
			len(options.Vocabulary), len(options.Merges), maximumTokens, maximumMerges)
	}
	for token, id := range options.Vocabulary {
		if id < 0 || id >= maximumTokens {
			return nil, fmt.Errorf("token %q has the id %d, which is not between 0 and %d", token, id, maximumTokens-1)
		}
	}
	m := &Model{bytes: options.Bytes, unknown: -1, fuseUnknown: options.FuseUnknown}
	m.scratch.New = func() any { return new(word) }
	if err := m.readMerges(options); err != nil {
		return nil, err
	}
	m.readAlphabet(options)
	if options.Unknown != "" {
		id, ok := options.Vocabulary[options.Unknown]
		if !ok {
			return nil, fmt.Errorf("the unknown token %q is not in the vocabulary", options.Unknown)
		}
		m.unknown = int32(id)
	}
	if options.WholeWords {
		m.readWords(options.Vocabulary)
	}
	return m, nil
}

// readMerges looks up the tokens of all merges.
func (m *Model) readMerges(options Options) error {
	m.merges = newTable(len(options.Merges))
	for rank, merge := range options.Merges {
		left, ok := options.Vocabulary[merge.Left]
		if !ok {
			return fmt.Errorf("merge %d is of %q, which is not in the vocabulary", rank+1, merge.Left)
		}
		right, ok := options.Vocabulary[merge.Right]
		if !ok {
			return fmt.Errorf("merge %d is of %q, which is not in the vocabulary", rank+1, merge.Right)
		}
		whole, ok := options.Vocabulary[merge.Left+merge.Right]
		if !ok {
			return fmt.Errorf("merge %d makes %q, which is not in the vocabulary", rank+1, merge.Left+merge.Right)
		}
		m.merges.set(pair(int32(left), int32(right)), int32(rank), int32(whole))
	}
	return nil
}

// readAlphabet looks up what words begin as.
func (m *Model) readAlphabet(options Options) {
	if m.bytes {
		letters := Letters()
		for b := range m.byteIDs {
			m.byteIDs[b] = -1
			if id, ok := options.Vocabulary[string(letters[b])]; ok {
				m.byteIDs[b] = int32(id)
			}
		}
		return
	}
	m.characters = map[rune]int32{}
	for b := range m.ascii {
		m.ascii[b] = -1
	}
	for token, id := range options.Vocabulary {
		if r, size := utf8.DecodeRuneInString(token); size == len(token) && size > 0 {
			if m.characters[r] = int32(id); r < utf8.RuneSelf {
				m.ascii[r] = int32(id)
			}
		}
	}
	for b := range m.fallback {
		id, ok := options.Vocabulary[fmt.Sprintf("<0x%02X>", b)]
		if m.fallback[b] = int32(id); !ok {
			m.fallback[b] = -1
		}
	}
	m.hasFallback = options.ByteFallback
}

// readWords notes all tokens as they stand in a text.
func (m *Model) readWords(vocabulary map[string]int64) {
	m.words = make(map[string]int32, len(vocabulary))
	for token, id := range vocabulary {
		if !m.bytes {
			m.words[token] = int32(id)
		} else if text, ok := AppendBytes(nil, token); ok {
			m.words[string(text)] = int32(id)
		}
	}
}

// Append appends the ids of one word, UTF-8 text, to dst and returns the extended
// slice. It takes n log n steps for n bytes.
func (m *Model) Append(dst []int64, text string) []int64 {
	if m.words != nil {
		if id, ok := m.words[text]; ok {
			return append(dst, int64(id))
		}
	}
	w := m.scratch.Get().(*word)
	defer m.scratch.Put(w)
	w.reset()
	if m.bytes {
		m.beginBytes(w, text)
	} else {
		m.beginCharacters(w, text)
	}
	if len(w.symbols) <= shortWord {
		w.mergeShort(&m.merges)
	} else {
		w.mergeLong(&m.merges)
	}
	for at := int32(0); at >= 0 && len(w.symbols) > 0; at = w.symbols[at].next {
		dst = append(dst, int64(w.symbols[at].id))
	}
	if cap(w.symbols) > largestScratch {
		*w = word{}
	}
	return dst
}

func (m *Model) beginBytes(w *word, text string) {
	pending := false
	for i := 0; i < len(text); i++ {
		if id := m.byteIDs[text[i]]; id >= 0 {
			pending = m.endUnknown(w, pending)
			w.add(id)
			continue
		}
		pending = m.addUnknown(w, pending)
	}
	m.endUnknown(w, pending)
}

func (m *Model) beginCharacters(w *word, text string) {
	pending := false
	for i, r := range text {
		if id, ok := m.character(r); ok {
			pending = m.endUnknown(w, pending)
			w.add(id)
			continue
		}
		size := utf8.RuneLen(r)
		if m.hasFallback && m.spell(w, text[i:i+size]) {
			continue
		}
		pending = m.addUnknown(w, pending)
	}
	m.endUnknown(w, pending)
}

// character returns what a character begins as.
func (m *Model) character(r rune) (int32, bool) {
	if r < utf8.RuneSelf {
		return m.ascii[r], m.ascii[r] >= 0
	}
	id, ok := m.characters[r]
	return id, ok
}

// addUnknown notes an unknown character. The token of the run before it is added
// where runs do not become one token.
func (m *Model) addUnknown(w *word, pending bool) bool {
	if m.unknown < 0 {
		return false
	}
	if pending && !m.fuseUnknown {
		w.add(m.unknown)
	}
	return true
}

// endUnknown adds the token of the unknown characters noted.
func (m *Model) endUnknown(w *word, pending bool) bool {
	if pending {
		w.add(m.unknown)
	}
	return false
}

// spell adds the tokens of a character's bytes, if the vocabulary has them all.
// Unknown characters noted before stay noted: the reference adds them after.
func (m *Model) spell(w *word, character string) bool {
	for i := range len(character) {
		if m.fallback[character[i]] < 0 {
			return false
		}
	}
	for i := range len(character) {
		w.add(m.fallback[character[i]])
	}
	return true
}
