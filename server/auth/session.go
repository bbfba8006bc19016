package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"
)

// SessionCookie is the name of the cookie that holds a session's secret, SessionLifetime for how long it is good.
const (
	SessionCookie   = "mekiki_session"
	SessionLifetime = 7 * 24 * time.Hour
)

// Sessions remembers which browsers have shown a token. They live in memory: a
// restart signs everyone out. Safe for concurrent use.
type Sessions struct {
	now    func() time.Time
	tokens *Store

	mutex   sync.Mutex
	entries map[[sha256.Size]byte]session
}

type session struct {
	token   Token
	expires time.Time
}

// NewSessions makes an empty store of sessions that last while their tokens are good; now is the clock.
func NewSessions(tokens *Store, now func() time.Time) *Sessions {
	return &Sessions{now: now, tokens: tokens, entries: map[[sha256.Size]byte]session{}}
}

// Start opens a session for whoever holds token and gives its secret. When there are too many, one of the token with the most
// makes way, the one that ends soonest: nobody signs others out by signing in.
func (s *Sessions) Start(token Token) string {
	data := make([]byte, 32)
	rand.Read(data)
	secret := hex.EncodeToString(data)
	now := s.now()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for key, entry := range s.entries {
		if !now.Before(entry.expires) {
			delete(s.entries, key)
		}
	}
	s.entries[sha256.Sum256([]byte(secret))] = session{token, now.Add(SessionLifetime)}
	if len(s.entries) > maxSessions {
		s.makeWay()
	}
	return secret
}

// makeWay ends the session that ends soonest of the token that has the most. The mutex is held.
func (s *Sessions) makeWay() {
	counts, most := map[[sha256.Size]byte]int{}, 0
	for _, entry := range s.entries {
		counts[entry.token.Hash]++
		most = max(most, counts[entry.token.Hash])
	}
	var oldest [sha256.Size]byte
	var soonest time.Time
	for key, entry := range s.entries {
		if counts[entry.token.Hash] == most && (soonest.IsZero() || entry.expires.Before(soonest)) {
			oldest, soonest = key, entry.expires
		}
	}
	delete(s.entries, oldest)
}

// Find gives the token behind a session, as it is now. The map is keyed by the secret's hash,
// so that the time of a look-up tells nothing of the secrets.
func (s *Sessions) Find(secret string) (Token, bool) {
	key := sha256.Sum256([]byte(secret))
	s.mutex.Lock()
	defer s.mutex.Unlock()
	entry, found := s.entries[key]
	if found && s.now().Before(entry.expires) {
		if token, good := s.tokens.Current(entry.token); good {
			return token, true
		}
	}
	delete(s.entries, key)
	return Token{}, false
}

// End closes a session, if there is such a one.
func (s *Sessions) End(secret string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.entries, sha256.Sum256([]byte(secret)))
}
