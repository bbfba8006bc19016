package bitset

import "testing"

func TestSet(t *testing.T) {
	set := New(130)
	for _, number := range []uint64{0, 63, 64, 129} {
		set.Add(number)
	}
	for number := range uint64(300) {
		want := number == 0 || number == 63 || number == 64 || number == 129
		if set.Has(number) != want || Set(nil).Has(number) || New(0).Has(number) {
			t.Errorf("%d: in the set %t, want %t; none is in an empty one", number, set.Has(number), want)
		}
	}
	for _, c := range []struct {
		first, last uint64
		want        bool
	}{{0, 0, true}, {63, 63, true}, {66, 127, true}, {0, 1000, true}, {128, 140, true}, {192, 1 << 40, false}, {1 << 40, 1 << 41, false}} {
		if got := set.HasAny(c.first, c.last); got != c.want {
			t.Errorf("from %d to %d: %t", c.first, c.last, got)
		}
	}
}
