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

	watching atomic.Bool
	once     sync.Once
	stale    chan struct{}
}

// Watch makes what the library suggests, and makes it again in the background whenever it was
// found to be of an earlier state of a large library, until the context ends: nobody waits
// for it then. read runs work on the library's present state.
func (s *Suggester) Watch(ctx context.Context, read func(ctx context.Context, work func(index.Reader) error) error) {
	s.watching.Store(true)
	defer s.watching.Store(false)
	for ctx.Err() == nil {
		// Should it fail, whoever asks next is told why.
		_ = read(ctx, func(reader index.Reader) error {
			s.making.Lock()
			defer s.making.Unlock()
			_, err := s.make(ctx, reader)
			return err
		})
		select {
		case <-ctx.Done():
		case <-s.found():
		}
	}
}

// found tells Watch that what is suggested is of an earlier state.
func (s *Suggester) found() chan struct{} {
	s.once.Do(func() { s.stale = make(chan struct{}, 1) })
	return s.stale
}

// For gives what a snapshot suggests; of a large library, perhaps what it suggested a
// little before.
func (s *Suggester) For(ctx context.Context, reader index.Reader) (*Vocabulary, error) {
	known := s.present.Load()
	if known != nil && known.serves(reader.Sequence(), time.Now()) {
		return known, nil
	}
	switch {
	case known != nil && known.took >= quickMaking && s.watching.Load():
		select {
		case s.found() <- struct{}{}:
		default: // it knows
		}
		return known, nil
	case known == nil || known.took < quickMaking:
		s.making.Lock()
	case !s.making.TryLock():
		return known, nil // somebody is making it
	}
	defer s.making.Unlock()
	return s.make(ctx, reader)
}

// make makes what a snapshot suggests, unless somebody has meanwhile. The caller holds making.
func (s *Suggester) make(ctx context.Context, reader index.Reader) (*Vocabulary, error) {
	if known := s.present.Load(); known != nil && known.serves(reader.Sequence(), time.Now()) {
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
