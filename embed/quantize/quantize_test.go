package quantize

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"testing"

	"mekiki/embed/checkpoint"
	"mekiki/embed/ort"
	"mekiki/embed/ort/orttest"
)

// productWeights is one fully connected layer of random weights.
type productWeights struct{ p Product }

func (p productWeights) Has(string) bool { return true }
func (p productWeights) Shape(name string) ([]int, bool) {
	return []int{p.p.Output, p.p.Input}, true
}
func (p productWeights) Float32(_ context.Context, name string) ([]float32, error) {
	return checkpoint.RandomValues(name, 1, p.p.Output*p.p.Input), nil
}

// TestMethods runs one product in every way, on plain inputs, on inputs with
// one row far larger than the others, and on inputs with one feature far
// larger, and wants the error each way is made to bear.
func TestMethods(t *testing.T) {
	const rows = 5
	for _, size := range []struct{ input, output int }{{64, 48}, {33, 17}, {7, 2}} {
		l := Product{Layers: []string{"layer"}, Input: size.input, Output: size.output}
		tuner, weights := productTuner(t, l)
		for _, kind := range []string{"plain", "row", "feature"} {
			x := checkpoint.RandomValues(kind, 2, rows*size.input)
			for i := range x {
				if kind == "row" && i/size.input == 0 || kind == "feature" && i%size.input == 0 {
					x[i] *= 200
				}
			}
			uses := []tap[ort.Tensor]{{ort.Float32Tensor(x, 1, rows, int64(size.input)), exactProduct(x, weights, l)}}
			for method, most := range map[Method]map[string]float64{
				Float32:  {"plain": 1e-6, "row": 1e-6, "feature": 1e-6},
				PerRun:   {"plain": 0.02, "row": 2, "feature": 0.1},
				PerRow:   {"plain": 0.02, "row": 0.02, "feature": 0.1},
				PerBlock: {"plain": 0.02, "row": 0.02, "feature": 0.1},
			} {
				loss, err := tuner.try(t.Context(), l, foldings{}, method, uses)
				if err != nil {
					t.Fatal(err)
				}
				name := fmt.Sprintf("%dx%d %s %s", size.input, size.output, kind, method)
				t.Logf("%s: %.2g", name, loss)
				if method == PerRun && kind == "row" && loss < 0.1 {
					t.Errorf("%s: relative error %.3g hides what the small rows lose", name, loss)
				}
				if !(loss <= most[kind]) {
					t.Errorf("%s: relative error %.3g exceeds %g", name, loss, most[kind])
				}
			}
		}
	}
}

// productTuner is a tuner of one product, and its weights.
func productTuner(t *testing.T, l Product) (*tuner, []float32) {
	t.Helper()
	tuner := &tuner{options: Options{Runtime: orttest.Open(t), Threads: 1, Logger: slog.New(slog.DiscardHandler)}, scratch: t.TempDir(),
		source: newRecent(productWeights{l}), ports: map[string]ports{}}
	weights, err := tuner.source.Float32(t.Context(), "layer.weight")
	if err != nil {
		t.Fatal(err)
	}
	return tuner, weights
}

// exactProduct is x times the transposed weights, in double precision.
func exactProduct(x, weights []float32, l Product) ort.Tensor {
	rows := len(x) / l.Input
	product := make([]float32, rows*l.Output)
	for i := range rows {
		for j := range l.Output {
			var sum float64
			for k := range l.Input {
				sum += float64(x[i*l.Input+k]) * float64(weights[j*l.Input+k])
			}
			product[i*l.Output+j] = float32(sum)
		}
	}
	return ort.Float32Tensor(product, 1, int64(rows), int64(l.Output))
}

func TestQuantizeRows(t *testing.T) {
	values := []float32{1, -2, 0, 0, 0.5, 127}
	codes, scales := quantizeRows(values, 3, 2)
	for i, value := range values {
		row, column := i/2, i%2
		got := float32(int8(codes[column*3+row])) * scales[row]
		if math.Abs(float64(got-value)) > float64(scales[row])/2 {
			t.Errorf("value %d is %v, became %v with scale %v", i, value, got, scales[row])
		}
	}
}

// TestCentre wants the mean row, taken off rows that have much in common, to take
// with it what quantising loses of it.
func TestCentre(t *testing.T) {
	const rows = 9
	l := Product{Layers: []string{"layer"}, Input: 80, Output: 24}
	tuner, weights := productTuner(t, l)
	x, common := checkpoint.RandomValues("rows", 4, rows*l.Input), checkpoint.RandomValues("common", 5, l.Input)
	for i := range x {
		x[i] += 4 * common[i%l.Input]
	}
	uses := []tap[ort.Tensor]{{ort.Float32Tensor(x, 1, rows, int64(l.Input)), exactProduct(x, weights, l)}}
	plain, err := tuner.try(t.Context(), l, foldings{}, PerRow, uses)
	if err != nil {
		t.Fatal(err)
	}
	centred, err := tuner.try(t.Context(), l, foldings{centre: meanRow(uses, l.Input)}, PerRow, uses)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("relative error %.3g plain, %.3g centred", plain, centred)
	if centred > plain/2 {
		t.Errorf("relative error %.3g centred, %.3g plain", centred, plain)
	}
}

// TestLeastValue wants codes that count from the least value of the activation
// to lose clearly less than codes around zero, also where they are many or none.
func TestLeastValue(t *testing.T) {
	const rows = 7
	plain := Product{Layers: []string{"layer"}, Input: 96, Output: 40}
	tuner, weights := productTuner(t, plain)
	x := checkpoint.RandomValues("activated", 3, rows*plain.Input)
	for i, value := range x {
		at := 4 * float64(value)
		if i/plain.Input == 0 {
			at = -0.7518 // a row of nothing but the least value
		}
		x[i] = float32(at * 0.5 * (1 + math.Erf(at/math.Sqrt2)))
		if x[i] < LeastGelu {
			t.Fatalf("%v is less than the least value", x[i])
		}
	}
	uses := []tap[ort.Tensor]{{ort.Float32Tensor(x, 1, rows, int64(plain.Input)), exactProduct(x, weights, plain)}}
	around, err := tuner.try(t.Context(), plain, foldings{}, PerRow, uses)
	if err != nil {
		t.Fatal(err)
	}
	known := plain
	known.Least = LeastGelu
	above, err := tuner.try(t.Context(), known, foldings{}, PerRow, uses)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("relative error %.3g around zero, %.3g from the least value up", around, above)
	if above > 0.85*around {
		t.Errorf("relative error %.3g from the least value up, %.3g around zero", above, around)
	}
}
