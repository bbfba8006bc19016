package quantize

import "fmt"

// Product is a matrix product of a model: a fully connected layer of the
// checkpoint, or several with one input whose outputs are put side by side.
type Product struct {
	Layers []string // names without ".weight" and ".bias"
	Input  int      // features that each layer reads
	Output int      // features that each layer gives
	// Least is what no feature that it reads is below, 0 when that is not known.
	Least float32
}

// The least values of the activations that a second feed-forward product reads:
// of the Gaussian error linear unit, at -0.7518, and of x·sigmoid(1.702·x), at
// -0.7507.
const (
	LeastGelu      float32 = -0.169972
	LeastQuickGelu float32 = -0.163617
)

// Name identifies the product in a model.
func (p Product) Name() string {
	if len(p.Layers) == 1 {
		return p.Layers[0]
	}
	return fmt.Sprintf("%s+%d", p.Layers[0], len(p.Layers)-1)
}

// Width is the number of features that the layers give together.
func (p Product) Width() int { return p.Output * len(p.Layers) }

func (p Product) names(suffix string) []string {
	names := make([]string, len(p.Layers))
	for i, layer := range p.Layers {
		names[i] = layer + suffix
	}
	return names
}
