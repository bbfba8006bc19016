package lru

import "testing"

func TestCache(t *testing.T) {
	l := New[string, int](3)
	l.Put("a", 1, 1)
	l.Put("b", 2, 1)
	l.Put("c", 3, 1)
	l.Get("a")
	l.Put("d", 4, 1)
	if _, ok := l.Get("b"); ok {
		t.Error("the one used longest ago is still there")
	}
	l.Put("large", 9, 4)
	if _, ok := l.Get("large"); ok {
		t.Error("one over the capacity is kept")
	}
	l.Put("e", 5, 3)
	if l.used != 3 || len(l.entries) != 1 || l.order.Len() != 1 {
		t.Errorf("uses %d with %d entries", l.used, len(l.entries))
	}
	l.Put("e", 6, 2)
	if value, _ := l.Get("e"); value != 6 || l.used != 2 {
		t.Errorf("value %d, uses %d", value, l.used)
	}
	l.Put("f", 7, 1)
	l.RemoveAll(func(key string) bool { return key == "e" })
	if _, ok := l.Get("e"); ok || l.used != 1 || l.order.Len() != 1 {
		t.Errorf("uses %d after one was removed", l.used)
	}
	none := New[string, int](-1)
	none.Put("a", 1, 0)
	if _, ok := none.Get("a"); ok {
		t.Error("a cache of nothing keeps something")
	}
}
