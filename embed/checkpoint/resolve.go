package checkpoint

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"

	"mekiki/embed/checkpoint/tensors"
	"mekiki/embed/checkpoint/weights"
	"mekiki/embed/modelconfig"
	"mekiki/internal/hint"
)

// holdings are the tensors of a source under their canonical names.
type holdings struct {
	byName map[string]*weights.Tensor
	// order keeps the canonical names in the order of the files.
	order []string
	// vision are those of a separate vision file.
	vision []*weights.Tensor
	// clip is set when the vision encoder is CLIP's.
	clip bool
	// language are those of a language model's own folder.
	language []*weights.Tensor
	// second is set when an index of shards names a language model's tensors.
	second bool
	// borrowed gives the vision encoder if set.
	borrowed *Checkpoint
	// noQKVBias is set when the vision encoder's query, key and value have no bias.
	noQKVBias bool
}

// newHoldings maps stored names to canonical ones and refuses two tensors of one meaning.
func newHoldings(s *source) (*holdings, error) {
	held := &holdings{byName: make(map[string]*weights.Tensor, len(s.tensors)+len(s.language)), vision: s.vision, language: s.language}
	for _, tensor := range s.tensors {
		if err := held.add(tensors.CanonicalName(tensor.Name), tensor); err != nil {
			return nil, err
		}
		if strings.Contains(tensor.Name, "transformer.resblocks.") {
			held.clip = true
		}
	}
	early := slices.ContainsFunc(s.language, func(tensor *weights.Tensor) bool {
		return strings.HasPrefix(tensors.Unwrapped(tensor.Name), "decoder.layers.")
	})
	for _, tensor := range s.language {
		if err := held.add(tensors.LanguageName(tensor.Name, early), tensor); err != nil {
			return nil, err
		}
	}
	return held, nil
}

func (h *holdings) add(name string, tensor *weights.Tensor) error {
	if previous, taken := h.byName[name]; taken {
		return hint.Wrap(fmt.Errorf("%s in %s and %s in %s are the same tensor, %s",
			previous.Name, previous.Source, tensor.Name, tensor.Source, name), "give only one file that holds it")
	}
	h.byName[name] = tensor
	h.order = append(h.order, name)
	return nil
}

// drop forgets a tensor that is another's copy.
func (h *holdings) drop(name string) {
	delete(h.byName, name)
	h.order = slices.DeleteFunc(h.order, func(other string) bool { return other == name })
}

// tensor is a canonical tensor: the pieces it is joined from, and the grid it is interpolated from.
type tensor struct {
	name   string
	shape  []int
	pieces []piece
	// grid is the side of the stored position grid when it differs from that of the configuration, otherwise zero.
	grid int
	// alignCorners is how LAVIS interpolates CLIP's positions, other than EVA's.
	alignCorners bool
}

// piece is a stored tensor, or the given number of zeros when stored is nil.
type piece struct {
	stored *weights.Tensor
	count  int
}

// read returns the values of the tensor.
func (t *tensor) read(ctx context.Context) ([]float32, error) {
	total := 0
	for _, piece := range t.pieces {
		total += piece.count
	}
	values := make([]float32, total)
	rest := values
	for _, piece := range t.pieces {
		if piece.stored != nil {
			if err := piece.stored.Read(ctx, rest[:piece.count]); err != nil {
				if piece.stored.Name == t.name {
					return nil, err
				}
				return nil, fmt.Errorf("read tensor %s: %w", t.name, err)
			}
		}
		rest = rest[piece.count:]
	}
	if t.grid == 0 {
		return values, nil
	}
	side := int(math.Round(math.Sqrt(float64(t.shape[1] - 1))))
	return interpolatePositions(values, t.grid, side, t.shape[2], t.alignCorners), nil
}

// resolve finds every tensor of the architecture among the stored ones.
func resolve(ctx context.Context, config modelconfig.Config, s *source, held *holdings, options Options, logger *slog.Logger) ([]string, map[string]*tensor, error) {
	resolved := map[string]*tensor{}
	var names []string
	used := map[*weights.Tensor]bool{}
	mismatch := &MismatchError{Source: s.name}
	resizable := s.lavis || options.ImageSize > 0
	captionHead := held.byName["cls.predictions.transform.dense.weight"] != nil
	for _, expected := range tensors.Expected(config) {
		found, problem := held.find(expected, config, resizable, used)
		if found == nil && held.borrowed != nil && strings.HasPrefix(expected.Name, "vision_model.") {
			found = held.borrowed.tensors[expected.Name]
		}
		switch {
		case problem != "":
			mismatch.Misshapen = append(mismatch.Misshapen, problem)
		case found != nil:
			resolved[expected.Name] = found
			names = append(names, expected.Name)
		case !expected.Optional, captionHead && expected.Name != tensors.DecoderWeight && expected.Name != tensors.Temperature:
			mismatch.Missing = append(mismatch.Missing, expected.Name)
		}
	}
	ignored := held.leftovers(used, options.AllowExtra, mismatch)
	if len(mismatch.Missing)+len(mismatch.Extra)+len(mismatch.Misshapen) > 0 {
		if err := held.otherKind(s.name); err != nil {
			return nil, nil, err
		}
		mismatch.Remedy = held.remedy(s, config, mismatch)
		return nil, nil, mismatch
	}
	if len(ignored) > 0 {
		logger.InfoContext(ctx, "tensors of no use were ignored", "count", len(ignored), "names", abridge(ignored))
	}
	tied, err := tiedDecoder(ctx, resolved)
	if err != nil {
		return nil, nil, err
	}
	if tied {
		delete(resolved, tensors.DecoderWeight)
		names = slices.DeleteFunc(names, func(name string) bool { return name == tensors.DecoderWeight })
	}
	return names, resolved, nil
}

// find returns the tensor that is expected, or what is wrong with its shape, or neither when it is missing. A resizable
// position embedding may have any square grid.
func (h *holdings) find(expected tensors.Tensor, config modelconfig.Config, resizable bool, used map[*weights.Tensor]bool) (*tensor, string) {
	found := &tensor{name: expected.Name, shape: expected.Shape}
	if h.noQKVBias && strings.HasSuffix(expected.Name, tensors.PackedBias) {
		found.pieces = []piece{{nil, expected.Shape[0]}}
		return found, ""
	}
	stored := h.byName[expected.Name]
	if stored == nil && expected.Name == tensors.PredictionBias {
		stored = h.byName[tensors.DecoderBias]
	}
	if stored == nil {
		return h.joinBias(found, config, used)
	}
	used[stored] = true
	if expected.Name == tensors.PositionEmbedding {
		return h.positions(found, stored, resizable)
	}
	if !sameShape(stored.Shape, expected.Shape) {
		return nil, fmt.Sprintf("%s is %v, not %v", expected.Name, stored.Shape, expected.Shape)
	}
	count, _ := weights.Elements(stored.Shape)
	found.pieces = []piece{{stored, count}}
	return found, ""
}

// joinBias makes a packed query-key-value bias of EVA's two halves; the key part is zero.
func (h *holdings) joinBias(found *tensor, config modelconfig.Config, used map[*weights.Tensor]bool) (*tensor, string) {
	layer, isBias := strings.CutSuffix(found.name, tensors.PackedBias)
	if !isBias {
		return nil, ""
	}
	query, value := h.byName[layer+tensors.QueryBiasSuffix], h.byName[layer+tensors.ValueBiasSuffix]
	if query == nil || value == nil {
		return nil, ""
	}
	width := config.Vision.HiddenSize
	for _, half := range []*weights.Tensor{query, value} {
		used[half] = true
		if !sameShape(half.Shape, []int{width}) {
			return nil, fmt.Sprintf("%s is %v, not [%d]", half.Name, half.Shape, width)
		}
	}
	found.pieces = []piece{{query, width}, {nil, width}, {value, width}}
	return found, ""
}

// positions accepts a position embedding of any square grid and marks it for interpolation if need be.
func (h *holdings) positions(found *tensor, stored *weights.Tensor, resizable bool) (*tensor, string) {
	rows, width := positionShape(stored.Shape)
	side, square := squareSide(rows - 1)
	count, ok := weights.Elements(stored.Shape)
	if !ok || !square || width != found.shape[2] || rows != found.shape[1] && !resizable {
		return nil, fmt.Sprintf("%s is %v, not %v", found.name, stored.Shape, found.shape)
	}
	found.pieces = []piece{{stored, count}}
	if rows != found.shape[1] {
		found.grid, found.alignCorners = side, h.clip
	}
	return found, ""
}

// positionShape returns the rows and the width of a position embedding, [1, rows, width] or [rows, width].
func positionShape(shape []int) (rows, width int) {
	if len(shape) == 3 && shape[0] == 1 {
		shape = shape[1:]
	}
	if len(shape) != 2 {
		return 0, 0
	}
	return shape[0], shape[1]
}

// squareSide returns the square root of a positive square number.
func squareSide(count int) (int, bool) {
	if count < 1 {
		return 0, false
	}
	side := int(math.Round(math.Sqrt(float64(count))))
	return side, side*side == count
}

// sameShape compares shapes without their axes of size one, which do not change the order of elements.
func sameShape(a, b []int) bool {
	isOne := func(size int) bool { return size == 1 }
	return slices.Equal(slices.DeleteFunc(slices.Clone(a), isOne), slices.DeleteFunc(slices.Clone(b), isOne))
}

// leftovers sorts the tensors that the architecture does not use into those that may be ignored, which it returns, and
// those that may not.
func (h *holdings) leftovers(used map[*weights.Tensor]bool, allowExtra bool, mismatch *MismatchError) []string {
	var ignored []string
	for _, name := range h.order {
		switch stored := h.byName[name]; {
		case used[stored]:
		case allowExtra, tensors.Ignorable(name), slices.Contains(h.vision, stored):
			ignored = append(ignored, stored.Name)
		default:
			mismatch.Extra = append(mismatch.Extra, stored.Name)
		}
	}
	return ignored
}

// Remedies that several errors share.
const (
	adapterRemedy    = "merge it into its base model with merge_and_unload(), save that with save_pretrained(), and name the folder"
	visionFileRemedy = "this file has no vision encoder of its own: give eva_vit_g.pth (or clip_vit_L.pth) as well"
)

// otherKind says in one line what a checkpoint is that this program is not made for, or returns nil.
func (h *holdings) otherKind(source string) error {
	if slices.ContainsFunc(h.order, func(name string) bool { return tensors.IsAdapter(h.byName[name].Name) }) {
		return hint.Wrap(fmt.Errorf("%s holds a LoRA adapter that is not merged into its model", source), adapterRemedy)
	}
	return nil
}

// remedy recognises the usual reasons for a mismatch.
func (h *holdings) remedy(s *source, config modelconfig.Config, mismatch *MismatchError) string {
	if config.Language != nil {
		if remedy := secondStageRemedy(s, mismatch); remedy != "" {
			return remedy
		}
	}
	for _, name := range mismatch.Missing {
		if s.lavis && tensors.OfVisionEncoder(name) {
			return visionFileRemedy
		}
	}
	resized := !s.lavis && len(mismatch.Missing) == 0 && len(mismatch.Misshapen) == 1 &&
		strings.HasPrefix(mismatch.Misshapen[0], tensors.WordEmbedding+" ")
	if resized { // by resize_token_embeddings, which changes another vocab_size; transformers refuses the folder too
		return "if the word embedding was resized, write its number of rows into config.json, as vocab_size of qformer_config"
	}
	if len(mismatch.Missing)+len(mismatch.Misshapen) == 0 {
		return "these might change its outputs; ignore them with --allow-extra"
	}
	return "check that config.json belongs to these weights, or fetch them again"
}

// tiedDecoder reports whether the caption head's output matrix equals the word embedding, as in every published file.
func tiedDecoder(ctx context.Context, resolved map[string]*tensor) (bool, error) {
	decoder, words := resolved[tensors.DecoderWeight], resolved[tensors.WordEmbedding]
	if decoder == nil {
		return false, nil
	}
	first, second := decoder.pieces[0].stored, words.pieces[0].stored
	if first.SameElements(second) {
		return true, nil
	}
	a, err := decoder.read(ctx)
	if err != nil {
		return false, err
	}
	b, err := words.read(ctx)
	if err != nil {
		return false, err
	}
	return slices.Equal(a, b), nil
}
