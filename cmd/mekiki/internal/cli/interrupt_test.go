package cli

import "testing"

func TestInterruptsGoToWhoTookThem(t *testing.T) {
	var interrupts Interrupts
	if interrupts.Interrupt() {
		t.Error("nobody took it")
	}
	outer, doneOuter := interrupts.Take(t.Context())
	inner, doneInner := interrupts.Take(outer)
	if !interrupts.Interrupt() || inner.Err() == nil || outer.Err() != nil {
		t.Errorf("inner %v, outer %v", inner.Err(), outer.Err())
	}
	doneInner()
	finished, done := interrupts.Take(outer)
	done()
	if finished.Err() == nil || outer.Err() != nil {
		t.Error("done ends its own part alone")
	}
	if !interrupts.Interrupt() || outer.Err() == nil {
		t.Error("the outer part goes on")
	}
	doneOuter()
	if interrupts.Interrupt() {
		t.Error("all is over")
	}
}
