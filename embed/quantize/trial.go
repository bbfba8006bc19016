package quantize

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"runtime"

	"mekiki/embed/onnx"
	"mekiki/embed/ort"
)

// Files of a product's trial.
const (
	trialData = "trial.bin"
	trialFile = "trial.onnx"
)

// candidate is one way to compute a matrix product.
type candidate struct {
	method Method
	// smoothing is the share of the difficulty that is moved from activations
	// to weights before quantising, 0 for none.
	smoothing float64
	// centred says that the mean row of the samples is taken off every row first,
	// and its exact product added afterwards.
	centred bool
}

func (c candidate) String() string {
	switch {
	case c.centred:
		return string(c.method) + ", centred"
	case c.smoothing != 0:
		return fmt.Sprintf("%s, smoothing %g", c.method, c.smoothing)
	}
	return string(c.method)
}

// limits are those on a product's relative error.
type limits struct {
	good       float64 // the cheapest candidate below this is taken
	acceptable float64 // else the best candidate, if below this; else float32
}

// policy is by which candidates and limits a product is chosen.
type policy struct {
	candidates []candidate // in the order of their cost
	levels     [lastLevel + 1]limits
}

// foldings are what is done to the input features of a product before it is
// quantised; without any, all are nil.
type foldings struct {
	factors []float32 // what the smoothing divides them by
	centre  []float32 // what is taken off them
	weighs  []float32 // how much an error in the weights that read them counts
}

// verdict is the candidate that was chosen for a product.
type verdict struct {
	candidate
	foldings
	error float64 // relative, of the product on the samples
}

// choose tries candidates for the product p on uses of it until one is good
// enough.
func (t *tuner) choose(ctx context.Context, p Product, uses []tap[ort.Tensor], candidates []candidate, limits limits) (verdict, error) {
	common := 1.0
	if !t.language { // whose next-token distributions are compared in the end
		common = commonness(uses, p.Width())
	}
	best := verdict{candidate: candidate{method: Float32}, error: math.Inf(1)}
	for _, candidate := range candidates {
		if candidate.method == PerWideBlock && p.Input%wideBlockSize != 0 {
			continue // what fills a block up would be read at each token
		}
		var folded foldings
		if candidate.smoothing > 0 {
			weights, err := NewStore(ctx, t.source, nil, Plan{}).matrix(p)
			if err != nil {
				return verdict{}, err
			}
			folded.factors = smoothingFactors(weights, uses, p, candidate.smoothing)
		}
		if candidate.centred {
			folded.centre = meanRow(uses, p.Input)
		}
		if candidate.method == PerBlock4 {
			folded.weighs = meanSquares(uses, p.Input)
		}
		loss, err := t.try(ctx, p, folded, candidate.method, uses)
		if err != nil {
			return verdict{}, fmt.Errorf("try %s as %v: %w", p.Name(), candidate, err)
		}
		loss *= common
		t.options.Logger.Debug("tried a precision", "product", p.Name(), "candidate", candidate.String(), "error", loss)
		if loss < best.error {
			best = verdict{candidate: candidate, foldings: folded, error: loss}
		}
		if loss <= limits.good {
			break
		}
	}
	if best.error > limits.acceptable || math.IsNaN(best.error) {
		best = verdict{candidate: candidate{method: Float32}}
	}
	t.options.Logger.Debug("chose a precision", "product", p.Name(), "choice", best.candidate.String(), "error", best.error)
	return best, nil
}

// meanRow is the mean of all rows that a product reads.
func meanRow(uses []tap[ort.Tensor], width int) []float32 {
	sums := make([]float64, width)
	count := 0
	for _, use := range uses {
		values := use.input.Float32()
		for i, value := range values {
			sums[i%width] += float64(value)
		}
		count += len(values) / width
	}
	mean := make([]float32, width)
	for i, sum := range sums {
		mean[i] = float32(sum / float64(max(1, count)))
	}
	return mean
}

// meanSquares is how large the features that a product reads are, as mean squares, with a
// tenth of their mean for all: what the samples do not show may yet come.
func meanSquares(uses []tap[ort.Tensor], width int) []float32 {
	sums := make([]float64, width)
	var all float64
	for _, use := range uses {
		for i, value := range use.input.Float32() {
			sums[i%width] += float64(value) * float64(value)
		}
	}
	for _, sum := range sums {
		all += sum
	}
	if all == 0 {
		return nil
	}
	means := make([]float32, width)
	for i, sum := range sums {
		means[i] = float32(sum/all*float64(width) + 0.1)
	}
	return means
}

// smoothingFactors are what the input features of p are divided by, so that
// their largest magnitudes and those of the weights that read them approach
// each other (SmoothQuant, arXiv 2211.10438, equation 4).
func smoothingFactors(weights []float32, uses []tap[ort.Tensor], p Product, strength float64) []float32 {
	activations, reading := make([]float64, p.Input), make([]float64, p.Input)
	for _, use := range uses {
		for i, value := range use.input.Float32() {
			activations[i%p.Input] = max(activations[i%p.Input], math.Abs(float64(value)))
		}
	}
	for i, value := range weights {
		reading[i%p.Input] = max(reading[i%p.Input], math.Abs(float64(value)))
	}
	const least, most = 1e-3, 1e3
	factors := make([]float32, p.Input)
	for i := range factors {
		factors[i] = 1
		if activations[i] > 0 && reading[i] > 0 {
			factor := math.Pow(activations[i], strength) / math.Pow(reading[i], 1-strength)
			factors[i] = float32(max(least, min(most, factor)))
		}
	}
	return factors
}

// try computes the product as the method would and returns its relative
// error: the root mean square over all rows of the difference from the exact
// row relative to that row. A row of large values thus does not hide what the
// others lose.
func (t *tuner) try(ctx context.Context, p Product, folded foldings, method Method, uses []tap[ort.Tensor]) (float64, error) {
	defer runtime.GC() // a trial leaves several copies of the weights; without this, three trials' come together
	data, err := onnx.CreateDataFile(t.scratch, trialData)
	if err != nil {
		return 0, err
	}
	plan := NewPlan(method)
	plan.rows[p.Name()], plan.centres[p.Name()], plan.weighs[p.Name()] = folded.factors, folded.centre, folded.weighs
	err = t.write(t.scratch, trialFile, trialGraph(NewStore(ctx, t.source, data, plan), p, folded.factors))
	if err := closeData(data, err); err != nil {
		return 0, err
	}
	runs := make([][]ort.Tensor, len(uses))
	for i, use := range uses {
		input, exact := use.input.Float32(), use.output.Float32()
		rows := int64(len(input) / p.Input)
		runs[i] = []ort.Tensor{ort.Float32Tensor(input, 1, rows, int64(p.Input)), ort.Float32Tensor(exact, 1, rows, int64(p.Width()))}
	}
	results, _, err := t.run(ctx, ort.SessionOptions{Path: filepath.Join(t.scratch, trialFile), NoFusion: true}, runs) // so that every machine chooses alike
	var squares float64
	var count int
	for _, outputs := range results {
		for i, whole := range outputs[1].Float32() {
			if whole > 0 {
				squares += float64(outputs[0].Float32()[i]) / float64(whole)
				count++
			}
		}
	}
	return math.Sqrt(squares / float64(max(1, count))), err
}

// commonness is how much larger the rows of a product are than what tells
// them apart, their deviations from the mean row, both as root mean squares.
// An error counts in proportion to the latter.
func commonness(uses []tap[ort.Tensor], width int) float64 {
	mean := make([]float64, width)
	var whole float64
	rows := 0
	for _, use := range uses {
		for i, value := range use.output.Float32() {
			mean[i%width] += float64(value)
			whole += float64(value) * float64(value)
		}
		rows += len(use.output.Float32()) / width
	}
	var common float64
	for _, total := range mean {
		common += total * total / float64(max(1, rows))
	}
	const most = 100
	if rows < 2 || whole <= 0 {
		return 1
	}
	return math.Sqrt(1 / max(1-common/whole, 1./(most*most)))
}

// trialGraph multiplies x as the plan's method says and adds up the squares of
// the difference from the exact product and of that product, for each row.
func trialGraph(weights *Store, p Product, factors []float32) *onnx.Graph {
	graph := onnx.NewGraph("trial")
	x := graph.Input("x", onnx.Float32, onnx.Fixed(1), onnx.Dynamic("rows"), onnx.Fixed(p.Input))
	exact := graph.Input("exact", onnx.Float32, onnx.Fixed(1), onnx.Dynamic("rows"), onnx.Fixed(p.Width()))
	if factors != nil {
		load := func() ([]float32, error) { return factors, nil }
		x = graph.Divide(x, weights.floats(graph, "factors", load, p.Input))
	}
	quantized := (&Network{graph, weights}).multiply(x, p, onnx.Value{})
	graph.Output("difference", graph.SumOfSquares(graph.Subtract(quantized, exact), 2))
	graph.Output("whole", graph.SumOfSquares(exact, 2))
	return graph
}
