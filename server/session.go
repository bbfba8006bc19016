package server

import (
	"crypto/sha256"
	"sync"
	"time"
)

const (
	sessionCookie   = "mekiki_session"
	sessionLifetime = 7 * 24 * time.Hour
	maximumSessions = 4096
)

// sessions remembers which browsers have shown a token. They live in memory: a
// restart signs everyone out. Safe for concurrent use.
type sessions struct {
	now func() time.Time

	mutex   sync.Mutex
	entries map[[sha256.Size]byte]session
}

type session struct {
	token   Token
	expires time.Time
}

func newSessions(now func() time.Time) *sessions {
	return &sessions{now: now, entries: map[[sha256.Size]byte]session{}}
}

// start opens a session for whoever holds token and gives its secret. When there
// are too many, the one that ends soonest makes way.
func (s *sessions) start(token Token) string {
	secret := randomHex(32)
	now := s.now()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var oldest [sha256.Size]byte
	var soonest time.Time
	for key, entry := range s.entries {
		if !now.Before(entry.expires) {
			delete(s.entries, key)
		} else if soonest.IsZero() || entry.expires.Before(soonest) {
			oldest, soonest = key, entry.expires
		}
	}
	if len(s.entries) >= maximumSessions {
		delete(s.entries, oldest)
	}
	s.entries[sha256.Sum256([]byte(secret))] = session{token, now.Add(sessionLifetime)}
	return secret
}

// find gives the token behind a session. The map is keyed by the secret's hash,
// so that the time of a look-up tells nothing of the secrets.
func (s *sessions) find(secret string) (Token, bool) {
	key := sha256.Sum256([]byte(secret))
	s.mutex.Lock()
	defer s.mutex.Unlock()
	entry, found := s.entries[key]
	if !found || !s.now().Before(entry.expires) {
		delete(s.entries, key)
		return Token{}, false
	}
	return entry.token, true
}

// end closes a session; an unknown one is no matter.
func (s *sessions) end(secret string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.entries, sha256.Sum256([]byte(secret)))
}
