package scoring

import "testing"

// TestUnlikePicturesAreNotStrong: what unlike pictures reach is no strong hit, and the same picture is one.
func TestUnlikePicturesAreNotStrong(t *testing.T) {
	c := DefaultCalibration()
	for _, test := range []struct {
		likeness float64
		want     Verdict
	}{{0.5, VerdictNone}, {0.74, VerdictWeak}, {0.79, VerdictWeak}, {0.95, VerdictStrong}, {1, VerdictStrong}, {-1, VerdictNone}} {
		if got := c.Verdict(Sigmoid(c.Alike(test.likeness))); got != test.want {
			t.Errorf("a likeness of %v is %s, want %s", test.likeness, got, test.want)
		}
	}
	c.Likeness = &Likeness{Offset: -1, Slope: 0}
	if c.Validate() == nil {
		t.Error("a likeness without a slope is accepted")
	}
}
