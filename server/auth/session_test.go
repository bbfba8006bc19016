package auth

import (
	"testing"
	"time"
)

func TestSessionsAreBounded(t *testing.T) {
	now := time.Now()
	store := NewSessions(func() time.Time { now = now.Add(time.Millisecond); return now })
	first := store.Start(Token{Name: "first"})
	for range maxSessions {
		store.Start(Token{Name: "later"})
	}
	if len(store.entries) > maxSessions {
		t.Errorf("%d sessions", len(store.entries))
	}
	if _, found := store.Find(first); found {
		t.Error("the oldest session should have made way")
	}
}
