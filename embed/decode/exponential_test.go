package decode

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestExponential(t *testing.T) {
	worst := 0.0
	for x := 0.0; x > -599; x -= 0.000911 {
		worst = max(worst, math.Abs(exponential(x)/math.Exp(x)-1))
	}
	if worst > 1e-10 || exponential(0) == 0 {
		t.Errorf("exponentials are off by %g of themselves", worst)
	}
	for _, x := range []float64{-601, -1e300, math.Inf(-1)} {
		if got := exponential(x); got != 0 {
			t.Errorf("e^%g is %g", x, got)
		}
	}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, test := range []struct {
		values []float32
		want   float64
	}{
		{[]float32{1, nan, 2}, math.NaN()}, {[]float32{nan}, math.NaN()}, {[]float32{inf, nan}, math.NaN()}, {[]float32{1, inf}, math.Inf(1)},
		{[]float32{-inf, -inf}, math.Inf(-1)}, {nil, math.Inf(-1)}, {[]float32{-inf, 3}, 3}, {[]float32{5, 5}, 5 + math.Ln2},
	} {
		got := logSumExp(test.values)
		if math.Abs(got-test.want) > 1e-9 || math.IsNaN(got) != math.IsNaN(test.want) || math.IsInf(test.want, 0) && got != test.want {
			t.Errorf("of %v: %v, want %v", test.values, got, test.want)
		}
	}
}

func BenchmarkLogSumExp(b *testing.B) {
	values := make([]float32, 32128)
	for i := range values {
		values[i] = float32(rand.NormFloat64() * 3)
	}
	for b.Loop() {
		logSumExp(values)
	}
}
