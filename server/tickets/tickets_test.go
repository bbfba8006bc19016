package tickets_test

import (
	"testing"
	"time"

	"mekiki/server/tickets"
)

func TestTickets(t *testing.T) {
	now := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	kept := &tickets.Tickets[int]{For: time.Minute, Most: 3, Weight: 10, Now: func() time.Time { return now }}
	wants := func(token string, want int, wanted bool) {
		t.Helper()
		if got, there := kept.Get(token); there != wanted || got != want {
			t.Errorf("%d, %v, want %d, %v", got, there, want, wanted)
		}
	}
	first, until := kept.Put(1, 4)
	if !until.Equal(now.Add(time.Minute)) {
		t.Errorf("it is kept until %v", until)
	}
	second, _ := kept.Put(2, 4)
	wants(first, 1, true)
	third, _ := kept.Put(3, 4) // together they weigh too much
	wants(first, 0, false)
	wants(second, 2, true)
	wants("no such token", 0, false)

	value, back, there := kept.Take(second)
	if value != 2 || !there {
		t.Errorf("%d, %v was taken", value, there)
	}
	wants(second, 0, false)
	if _, _, again := kept.Take(second); again {
		t.Error("it was taken twice")
	}
	back()
	wants(second, 2, true)

	heavy, _ := kept.Put(4, 99)
	wants(heavy, 4, true) // the newest, whatever it weighs
	wants(third, 0, false)
	for value := range 3 {
		kept.Put(value, 0)
	}
	wants(heavy, 0, false) // there are more than three
	last, _ := kept.Put(9, 0)
	now = now.Add(time.Minute)
	wants(last, 9, true)
	now = now.Add(1)
	wants(last, 0, false)
}
