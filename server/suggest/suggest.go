// Package suggest completes queries with what a library holds, and knows words like those that it lacks by a letter or two:
//
//	captions, titles, names ─► words and phrases by how often they occur ─► Complete, Spellings
//
// A phrase begins and ends with a word that says something and is not a piece of a longer name: "two cats" and "cats
// on a sofa", but neither "two red" nor "cat and".
package suggest

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"mekiki/index"
)

// Suggestion completes a query.
type Suggestion struct {
	Text   string `json:"text"`
	Source string `json:"source"`
	Count  int    `json:"count,omitempty"`
}

// Suggester keeps what the library suggests. Safe for concurrent use.
type Suggester struct {
	making  sync.Mutex
	present atomic.Pointer[Vocabulary]
}

// For gives what a snapshot suggests; of a large library, perhaps what it suggested a
// little before.
func (s *Suggester) For(ctx context.Context, reader index.Reader) (*Vocabulary, error) {
	known := s.present.Load()
	if known != nil && known.serves(reader.Sequence(), time.Now()) {
		return known, nil
	}
	if known == nil || known.took < quickMaking {
		s.making.Lock()
	} else if !s.making.TryLock() {
		return known, nil // somebody is making it
	}
	defer s.making.Unlock()
	if known = s.present.Load(); known != nil && known.serves(reader.Sequence(), time.Now()) {
		return known, nil // somebody has made it meanwhile
	}
	started := time.Now()
	made, err := newVocabulary(ctx, reader)
	if err != nil {
		return nil, err
	}
	made.made = time.Now()
	made.took = made.made.Sub(started)
	s.present.Store(made)
	return made, nil
}

// serves reports whether what is known may be used for a state at a time.
func (s *Vocabulary) serves(sequence uint64, now time.Time) bool {
	return s.sequence == sequence || s.took >= quickMaking && now.Sub(s.made) < keptMakings*s.took
}
