package downloads

import (
	"fmt"
	"testing"
)

// TestNamesOfAnArchive: each is there once, whatever its case, and many of one name take no more work each than a few.
func TestNamesOfAnArchive(t *testing.T) {
	taken := names{"not included.txt": 1}
	for _, c := range [][2]string{
		{"cat.jpg", "cat.jpg"}, {"Cat.jpg", "Cat (2).jpg"}, {"cat (3).jpg", "cat (3).jpg"}, {"cat.jpg", "cat (4).jpg"}, {"cat (3).jpg", "cat (3) (2).jpg"},
		{"not included.txt", "not included (2).txt"}, {"..", "_.."}, {"a\xff", "a_"}, {"cat.jpg", "cat (5).jpg"},
	} {
		if got := taken.take(c[0]); got != c[1] {
			t.Errorf("%q is called %q, expected %q", c[0], got, c[1])
		}
	}
	const many = 3000
	work := testing.AllocsPerRun(1, func() {
		taken, seen := names{}, map[string]bool{}
		for range many {
			seen[taken.take("image.png")] = true
		}
		if len(seen) != many || !seen[fmt.Sprintf("image (%d).png", many)] {
			t.Errorf("%d names", len(seen))
		}
	})
	if work > 100*many {
		t.Errorf("%.0f pieces of memory were taken for %d names", work, many)
	}
}
