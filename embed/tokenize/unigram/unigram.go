// Package unigram cuts words into tokens as SentencePiece's unigram models do: of
// all ways to cut a word into pieces of the vocabulary, the likeliest, which is
// that whose pieces' logarithms have the largest sum.
//
//	▁cats   ▁cat -8, s -4: -12    ▁ca -10, ts -9: -19    ▁cats -11   -> ▁cats
//
// A Model is immutable and safe for concurrent use.
package unigram

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"unicode/utf8"

	"mekiki/embed/tokenize/trie"
)

// Piece is a piece of the vocabulary and the logarithm of its probability.
type Piece struct {
	Text  string
	Score float64
}

// Model cuts words into tokens. Make one with New.
type Model struct {
	pieces       *trie.Trie
	scores       []float64
	unknown      int32
	unknownScore float64
	fallback     [256]int32 // the pieces <0x00> to <0xFF>
	hasFallback  bool
	named        func(run string) int64
	scratch      sync.Pool
}

// New makes a model of pieces, whose ids are their places in the list. unknown is
// the id of the piece that stands for runs of characters that the vocabulary
// lacks; with byteFallback, such a run is spelled in the pieces <0x00> to <0xFF>
// where the vocabulary has those.
func New(pieces []Piece, unknown int, byteFallback bool) (*Model, error) {
	if len(pieces) > maximumPieces {
		return nil, fmt.Errorf("%d pieces are more than the %d allowed", len(pieces), maximumPieces)
	}
	if unknown < 0 || unknown >= len(pieces) {
		return nil, errors.New("no piece stands for unknown characters")
	}
	total := 0
	for id, piece := range pieces {
		if total += len(piece.Text); len(piece.Text) > maximumPieceBytes || total > maximumBytes {
			return nil, fmt.Errorf("piece %d has %d bytes: at most %d, and %d for all, are allowed",
				id, len(piece.Text), maximumPieceBytes, maximumBytes)
		}
		if !(piece.Score >= -maximumScore && piece.Score <= maximumScore) {
			return nil, fmt.Errorf("piece %d has the score %v", id, piece.Score)
		}
	}
	m := &Model{pieces: trie.New(total), scores: make([]float64, len(pieces)), unknown: int32(unknown)}
	m.scratch.New = func() any { return new([]step) }
	lowest := pieces[0].Score
	for id, piece := range pieces {
		m.pieces.Insert(piece.Text, int32(id))
		m.scores[id] = piece.Score
		lowest = min(lowest, piece.Score)
	}
	m.unknownScore = lowest - unknownPenalty
	m.hasFallback = byteFallback
	for b := range m.fallback {
		m.fallback[b] = m.pieces.Find(fmt.Sprintf("<0x%02X>", b))
	}
	return m, nil
}

// NameUnknown has ids of runs of characters that the vocabulary lacks given by a function, instead of the unknown piece's. Call
// it before the model is used.
func (m *Model) NameUnknown(id func(run string) int64) { m.named = id }

// step is the best way to cut a word up to a place: the score, and the last piece
// and where it begins. Nothing ends at a place whose start is -1.
type step struct {
	score float64
	start int32
	id    int32
}

// Append appends the ids of one word, UTF-8 text, to dst and returns the extended
// slice. It takes one step for each byte and piece that begins there.
func (m *Model) Append(dst []int64, word string) []int64 {
	scratch := m.scratch.Get().(*[]step)
	defer m.scratch.Put(scratch)
	steps := slices.Grow((*scratch)[:0], len(word)+1)[:len(word)+1]
	*scratch = steps
	for i := range steps {
		steps[i] = step{start: -1}
	}
	for at := 0; at < len(word); {
		_, size := utf8.DecodeRuneInString(word[at:])
		m.extend(steps, word, at, size)
		at += size
	}
	dst = m.trace(dst, steps, word)
	if cap(steps) > largestScratch {
		*scratch = nil
	}
	return dst
}

// extend tries all pieces that begin at a place, where a character of so many
// bytes is.
func (m *Model) extend(steps []step, word string, at, size int) {
	before := steps[at].score
	single := false
	for node, end := int32(0), at; end < len(word); {
		next, id := m.pieces.Next(node, word[end])
		if next == trie.None {
			break
		}
		node = next
		end++
		if id == trie.None {
			continue
		}
		improve(&steps[end], step{before + m.scores[id], int32(at), id})
		single = single || end == at+size
	}
	if !single {
		improve(&steps[at+size], step{before + m.unknownScore, int32(at), m.unknown})
	}
}

func improve(best *step, found step) {
	if best.start < 0 || found.score > best.score {
		*best = found
	}
}

// trace appends the pieces of the best way. A run of unknown characters is one.
func (m *Model) trace(dst []int64, steps []step, word string) []int64 {
	first := len(dst)
	for end := len(word); end > 0; {
		start, id := int(steps[end].start), steps[end].id
		if id == m.unknown {
			for start > 0 && steps[start].id == m.unknown {
				start = int(steps[start].start)
			}
			dst = m.appendUnknown(dst, word[start:end])
		} else {
			dst = append(dst, int64(id))
		}
		end = start
	}
	slices.Reverse(dst[first:])
	return dst
}

// appendUnknown appends what a run of unknown characters becomes, backwards.
func (m *Model) appendUnknown(dst []int64, run string) []int64 {
	if m.named != nil {
		return append(dst, m.named(run))
	}
	if id := m.pieces.Find(run); id != trie.None {
		return append(dst, int64(id))
	}
	if !m.hasFallback {
		return append(dst, int64(m.unknown))
	}
	for i := range len(run) {
		if m.fallback[run[i]] == trie.None {
			return append(dst, int64(m.unknown))
		}
	}
	for i := len(run) - 1; i >= 0; i-- {
		dst = append(dst, int64(m.fallback[run[i]]))
	}
	return dst
}
