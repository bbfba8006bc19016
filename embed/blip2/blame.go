package blip2

import (
	"context"
	"slices"
)

// blame says which part of an int8 model makes it lose too much.
type blame struct {
	vision bool
	former []string // the files of the Q-Former's graphs that lose too much
}

// blame runs the samples with one part in int8 and the other in float32, and the other way round.
func (t *tuner) blame(ctx context.Context, dir string, vision visionRun) (blame, error) {
	withVision, err := t.outcome(ctx, t.scratch, vision.quantized)
	if err != nil {
		return blame{}, err
	}
	withFormer, err := t.outcome(ctx, dir, vision.exact)
	if err != nil {
		return blame{}, err
	}
	return t.share(t.compare(*t.exact, withVision), t.compare(*t.exact, withFormer)), nil
}

// share says who is to blame by the checks of a model whose vision encoder alone is in int8, and of one whose Q-Former alone
// is: each that fails, or the worse one where only both together do.
func (t *tuner) share(vision, former SelfCheck) blame {
	t.logger.Debug("losses of the parts", "vision", vision.loss(), "query_transformer", former.loss())
	var result blame
	result.vision = !vision.good()
	if !result.vision && former.good() {
		result.vision = vision.loss() >= former.loss()
	}
	if former.good() && result.vision {
		return result
	}
	for _, loss := range former.losses() {
		if loss.value == former.loss() || !(loss.value <= 1) {
			result.former = append(result.former, loss.files...)
		}
	}
	return result
}

// narrowed counts the products that have to be chosen again.
type narrowed struct{ vision, former int }

// narrow takes narrower limits for the worst products of what is to blame.
func (b blame) narrow(t *tuner) narrowed {
	var result narrowed
	if b.vision {
		result.vision = t.vision.narrow(func(linear) bool { return true })
	}
	if len(b.former) == 0 {
		return result
	}
	result.former = t.former.narrow(func(l linear) bool {
		return slices.ContainsFunc(t.graphs, func(graph *tappedGraph) bool {
			return slices.Contains(b.former, graph.file) && hasProduct(graph.taps.products, l)
		})
	})
	return result
}
