//go:build !windows

package vector

import "testing"

var coderGraphs = []graphCase{{"coder", func() Graph { return NewCoder(testWidth) }, 0}}

func TestGuard(t *testing.T) {
	if err := guard(func() { panic("broken") }); err == nil {
		t.Error("a panic is no error")
	}
}
