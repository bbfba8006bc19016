package embed

import (
	"context"
	"fmt"
	"math"

	"mekiki/embed/manifest"
	"mekiki/embed/ort"
	"mekiki/embed/runner"
	"mekiki/embed/tokenize"
	"mekiki/internal/hint"
)

// Locate says where in an image a text is; see [Locator]. It is an error that wraps
// ErrNoMatching where the model does not match.
//
// The attention map is that of the last layer whose queries look at the image: of each
// query the mean over its heads, less what it looks at without any text, and of the
// queries the mean by the softmax of their match margins. Among a dozen ways this one
// pointed best, and no gradients are needed; docs/measurements/evaluation.md has the
// figures.
func (e *Engine) Locate(ctx context.Context, tokens ImageTokens, text string, options LocateOptions) (Map, error) {
	done, err := e.model.Begin()
	if err != nil {
		return Map{}, err
	}
	defer done()
	if e.model.Description.Map == nil {
		return Map{}, fmt.Errorf("locate: %w", ErrNoMatching)
	}
	if err := e.checkTokens(tokens); err != nil {
		return Map{}, fmt.Errorf("locate: %w", err)
	}
	memory, err := e.matchMemory(ctx, tokens)
	if err != nil {
		return Map{}, fmt.Errorf("locate: %w", err)
	}
	var found Map
	switch options.Method {
	case "", MapAttention:
		found, err = e.locateByAttention(ctx, memory, text)
	case MapOcclusion:
		found, err = e.locateByOcclusion(ctx, memory, text, options.Progress)
	default:
		err = hint.Wrap(fmt.Errorf("unknown method %q", options.Method), fmt.Sprintf("choose %s or %s", MapAttention, MapOcclusion))
	}
	if err != nil {
		return Map{}, fmt.Errorf("locate: %w", err)
	}
	return found, nil
}

// matchMemory computes what matching reads of an image.
func (e *Engine) matchMemory(ctx context.Context, tokens ImageTokens) (memory []ort.Tensor, err error) {
	session, err := e.model.Graphs[manifest.MatchImageFile].Open(ctx, e.model)
	if err != nil {
		return nil, err
	}
	input, err := e.tokenTensor(tokens)
	if err != nil {
		return nil, err
	}
	err = e.model.One(ctx, 0, func(ctx context.Context, _ int) error {
		memory, err = session.Run(ctx, input)
		return err
	})
	return memory, err
}

// look is where the queries look for a text.
type look struct {
	weights []float64 // [Q N], of each query over the image tokens, adding up to 1
	margins []float64 // [Q], of each query: its logit for a match less its other one
	match   Match
}

func (e *Engine) locateByAttention(ctx context.Context, memory []ort.Tensor, text string) (Map, error) {
	with, err := e.look(ctx, memory, text)
	if err != nil {
		return Map{}, err
	}
	without, err := e.look(ctx, memory, "")
	if err != nil {
		return Map{}, err
	}
	grid := e.model.Description.Map.Grid
	values := make([]float64, grid.Rows*grid.Columns)
	tokens, _ := e.model.TokenShape()
	for query, share := range softmax(with.margins) {
		for i := range values {
			at := query*tokens + grid.First + i
			values[i] += share * max(0, with.weights[at]-without.weights[at])
		}
	}
	found := newMap(grid.Rows, grid.Columns, values, MapAttention)
	found.Match, found.Runs = with.match, 2
	return found, nil
}

// look runs matching for one text and reads where its queries look.
func (e *Engine) look(ctx context.Context, memory []ort.Tensor, text string) (found look, err error) {
	graph := e.model.Graphs[manifest.MatchMapFile]
	session, err := graph.Open(ctx, e.model)
	if err != nil {
		return look{}, err
	}
	ids, mask := runner.TextTensors([]tokenize.Encoding{e.encode(text)}, []int{0})
	var outputs []ort.Tensor
	err = e.model.One(ctx, 0, func(ctx context.Context, _ int) error {
		outputs, err = session.Run(ctx, append([]ort.Tensor{ids, mask}, memory...)...)
		return err
	})
	if err != nil {
		return look{}, err
	}
	queries, logits, last := outputs[0].Float32(), outputs[1].Float32(), memory[len(memory)-1].Float32()
	tokens, _ := e.model.TokenShape()
	found.weights = attention(queries, last, len(logits)/2, tokens, e.model.Description.Map.Heads)
	var mismatch, match float32
	for i := 0; i < len(logits); i += 2 {
		found.margins = append(found.margins, float64(logits[i+1]-logits[i]))
		mismatch, match = mismatch+logits[i], match+logits[i+1]
	}
	count := float32(len(logits) / 2)
	found.match = newMatch(mismatch/count, match/count)
	return found, nil
}

// attention is the mean over heads of softmax(q·k/√d): [queries tokens]. Queries are
// [queries width], and the memory is [tokens 2·width], of which the first half are keys.
func attention(queries, memory []float32, count, tokens, heads int) []float64 {
	width := len(queries) / count
	size := width / heads
	weights := make([]float64, count*tokens)
	scores := make([]float64, tokens)
	for query := range count {
		for head := range heads {
			q := queries[query*width+head*size:][:size]
			for token := range scores {
				var sum float32
				for i, key := range memory[token*2*width+head*size:][:size] {
					sum += q[i] * key
				}
				scores[token] = float64(sum) / math.Sqrt(float64(size))
			}
			for token, weight := range softmax(scores) {
				weights[query*tokens+token] += weight / float64(heads)
			}
		}
	}
	return weights
}

// softmax returns shares that add up to 1.
func softmax(scores []float64) []float64 {
	largest := math.Inf(-1)
	for _, score := range scores {
		largest = max(largest, score)
	}
	shares, sum := make([]float64, len(scores)), 0.0
	for i, score := range scores {
		shares[i] = math.Exp(score - largest)
		sum += shares[i]
	}
	for i := range shares {
		shares[i] /= sum
	}
	return shares
}
