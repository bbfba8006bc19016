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

// TestNobodyIsSignedOutByOthers: who signs in again and again, such as by a link that anybody has, ends sessions of that link alone.
func TestNobodyIsSignedOutByOthers(t *testing.T) {
	now := time.Now()
	clock := func() time.Time { now = now.Add(time.Millisecond); return now }
	owner, visitor := Token{Name: "owner", Hash: [32]byte{1}}, Token{Name: "share", Hash: [32]byte{2}}
	store := NewSessions(NewStore([]Token{owner, visitor}, "", clock, nil), clock)
	first, visit := store.Start(owner), store.Start(visitor)
	for range maxSessions {
		store.Start(visitor)
	}
	if _, found := store.Find(first); !found {
		t.Error("the owner was signed out")
	}
	if _, found := store.Find(visit); found || len(store.entries) > maxSessions {
		t.Errorf("the oldest visit should have made way: %d sessions", len(store.entries))
	}
}
