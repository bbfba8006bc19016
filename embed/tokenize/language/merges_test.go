package language

import (
	"fmt"
	"strings"
	"testing"
)

// Long pieces would take minutes to be cut at every place.
func TestLongPiecesAreRefused(t *testing.T) {
	vocabulary := map[string]int64{}
	for i := range 1000 {
		vocabulary[fmt.Sprintf("%04d", i)+strings.Repeat("a", 4092)] = int64(i)
	}
	if _, err := mergesOf(vocabulary); err == nil {
		t.Error("a thousand pieces of 4 KiB are taken")
	}
	merges, err := mergesOf(map[string]int64{"a": 0, "b": 1, "ab": 2, "abb": 3})
	if err != nil || len(merges) != 2 {
		t.Errorf("merges %v, %v", merges, err)
	}
}
