package tombstones

import "testing"

func TestEarlierSetsStay(t *testing.T) {
	var sets []Set
	numbers := []int{0, 63, 64, 4095, 4096, 100_000}
	set := Set{}
	for _, number := range numbers {
		sets = append(sets, set)
		set = set.With(number)
	}
	sets = append(sets, set)
	for i, set := range sets {
		if set.Count() != i {
			t.Errorf("set %d has %d numbers", i, set.Count())
		}
		for j, number := range numbers {
			if set.Has(number) != (j < i) || set.Has(number+1) && number+1 != 64 && number+1 != 4096 {
				t.Errorf("set %d: number %d", i, number)
			}
		}
	}
}
