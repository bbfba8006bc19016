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
}
