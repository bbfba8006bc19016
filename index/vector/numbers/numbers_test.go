package numbers

import (
	"math/rand/v2"
	"testing"
)

// TestTable holds numbers of groups that are near each other, far apart and very large against a map.
func TestTable(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 9))
	var numbers Table
	want := map[uint64]int{}
	group := func() uint64 {
		switch random.IntN(3) {
		case 0:
			return random.Uint64N(50_000)
		case 1:
			return random.Uint64N(5_000_000)
		}
		return random.Uint64() | 1<<63
	}
	for step := range 100_000 {
		if one := group(); step%5 == 0 {
			numbers.Remove(one)
			delete(want, one)
		} else {
			numbers.Set(one, step)
			want[one] = step
		}
		if one := group(); step%2 == 0 {
			expected, there := want[one]
			if got, found := numbers.Get(one); got != expected || found != there {
				t.Fatalf("group %d: %d, %v instead of %d, %v", one, got, found, expected, there)
			}
		}
	}
	for one, expected := range want {
		if got, found := numbers.Get(one); got != expected || !found {
			t.Fatalf("group %d: %d, %v instead of %d", one, got, found, expected)
		}
	}
	if len(numbers.listed) == 0 || len(numbers.others) == 0 || len(numbers.listed) > gapsListed*(100_000+leastListed) {
		t.Errorf("%d are listed, %d are not", len(numbers.listed), len(numbers.others))
	}
}
