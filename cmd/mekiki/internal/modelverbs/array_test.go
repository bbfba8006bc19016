package modelverbs

import (
	"strings"
	"testing"
)

func TestArrayHeader(t *testing.T) {
	for _, shape := range [][]int{{1, 2}, {3, 32, 256}, {1000000000, 32, 256}, {5}} {
		header := arrayHeader(shape)
		if len(header)%64 != 0 || header[len(header)-1] != '\n' {
			t.Errorf("%v: %d bytes, %q", shape, len(header), header)
		}
	}
	if header := arrayHeader([]int{5}); !strings.Contains(header, "(5,)") {
		t.Errorf("%q", header)
	}
}
