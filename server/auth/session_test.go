package auth

import (
	"testing"
	"time"
)

func TestSessionsAreBounded(t *testing.T) {
	now := time.Now()
	clock := func() time.Time { now = now.Add(time.Millisecond); return now }
	store := NewSessions(NewStore([]Token{{Name: "first"}, {Name: "later"}}, "", clock, nil), clock)
	first := store.Start(Token{Name: "first"})
	later := ""
	for range maxSessions {
		later = store.Start(Token{Name: "later"})
	}
	if _, found := store.Find(later); !found {
		t.Error("the newest session has ended")
	}
	if len(store.entries) > maxSessions {
		t.Errorf("%d sessions", len(store.entries))
	}
	if _, found := store.Find(first); found {
		t.Error("the oldest session should have made way")
	}
}
