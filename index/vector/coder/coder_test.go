//go:build !windows

package coder

import (
	"math"
	"testing"
)

func TestGraphFindsAndGuards(t *testing.T) {
	g := New()
	if found, err := g.Search([]float32{1, 0}, 3); err != nil || len(found) != 0 {
		t.Errorf("an empty graph finds %v, %v", found, err)
	}
	for i := range 20 {
		angle := float64(i) / 20
		if err := g.Add([]float32{float32(math.Cos(angle)), float32(math.Sin(angle))}); err != nil {
			t.Fatal(err)
		}
	}
	found, err := g.Search([]float32{1, 0}, 5)
	if err != nil || len(found) != 5 {
		t.Fatalf("found %v, %v", found, err)
	}
	for _, one := range found {
		if want := float32(math.Cos(float64(one.Number) / 20)); one.Score != want {
			t.Errorf("number %d scores %g, want %g", one.Number, one.Score, want)
		}
	}
	if err := guard(func() { panic("broken") }); err == nil {
		t.Error("a panic is no error")
	}
	if err := g.Add([]float32{1}); err == nil {
		t.Error("a vector of another width is no error")
	}
}
