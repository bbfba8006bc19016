package rules

import (
	"fmt"
	"testing"
)

// TestShardsPartFiles: each file is in one shard of several, and none has many more than another.
func TestShardsPartFiles(t *testing.T) {
	const of, files = 8, 8000
	var counts [of]int
	for i := range files {
		path, found := fmt.Sprintf("/photos/%d/IMG_%04d.jpg", i%7, i), 0
		for number := 1; number <= of; number++ {
			if (Shard{number, of}).Has(path) {
				counts[number-1]++
				found++
			}
		}
		if found != 1 || !(Shard{}).Has(path) || !(Shard{1, 1}).Has(path) {
			t.Fatalf("%s is in %d shards", path, found)
		}
	}
	for number, count := range counts {
		if count < files/of*8/10 || count > files/of*12/10 {
			t.Errorf("shard %d has %d of %d files", number+1, count, files)
		}
	}
}

func TestParseShard(t *testing.T) {
	if s, err := ParseShard("2/8"); err != nil || s != (Shard{2, 8}) || s.String() != "2/8" {
		t.Errorf("2/8 is %v: %v", s, err)
	}
	for _, wrong := range []string{"", "/", "2", "0/8", "9/8", "-1/8", "2/8/9", "a/b", "1/100000000"} {
		if s, err := ParseShard(wrong); err == nil {
			t.Errorf("%q is %v", wrong, s)
		}
	}
}
