package checkpoint

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"mekiki/embed/checkpoint/tensors"
	"mekiki/embed/checkpoint/weights"
	"mekiki/embed/modelconfig"
	"mekiki/internal/hint"
)

// lavisFinalEpsilon is the epsilon of LAVIS's ln_vision: the default of torch.nn.LayerNorm.
const lavisFinalEpsilon = 1e-5

// configRemedy is for checkpoints whose sizes are not those of published ones.
const configRemedy = "give a config.json in the form of Hugging Face's as well"

// knownTrunk says what tensor shapes cannot: how the vision encoders that BLIP-2 was published with are used.
type knownTrunk struct {
	width int
	clip  bool
	heads int
	// layers is how many layers BLIP-2 uses; the last of the vision file is left out.
	layers int
}

var knownTrunks = []knownTrunk{
	{width: 1408, clip: false, heads: 16, layers: 39},
	{width: 1024, clip: true, heads: 16, layers: 23},
}

// configure works out the configuration from config.json, or from tensor shapes where there is none.
func configure(ctx context.Context, s *source, held *holdings, options Options) (modelconfig.Config, error) {
	if err := held.checkLanguage(s); err != nil {
		return modelconfig.Config{}, err
	}
	config, fields, err := configOf(s, held)
	if err != nil {
		return modelconfig.Config{}, err
	}
	if held.hasLanguageModel() || fields.secondStage() {
		if err := configureSecondStage(ctx, s, held, fields, &config); err != nil {
			return modelconfig.Config{}, err
		}
	}
	config.Name = s.base
	if options.Name != "" {
		config.Name = options.Name
	}
	_, config.Vision.PreLayerNorm = held.byName["vision_model.pre_layernorm.weight"]
	config.Vision.PatchBias = !held.clip
	if held.borrowed = options.Vision; held.borrowed != nil {
		if err := borrowVision(held, fields, &config); err != nil {
			return modelconfig.Config{}, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	if !s.lavis {
		if err := applyPreprocess(s, &config, options.ImageSize > 0); err != nil {
			return modelconfig.Config{}, err
		}
	}
	if size := options.ImageSize; size > 0 {
		if size%config.Vision.PatchSize != 0 {
			return modelconfig.Config{}, fmt.Errorf("image size %d is not a multiple of the patch size %d", size, config.Vision.PatchSize)
		}
		config.Vision.ImageSize, config.Preprocess.ImageSize = size, size
	}
	if err := config.Validate(); err != nil {
		return modelconfig.Config{}, fmt.Errorf("%s: %w", s.name, err)
	}
	return config, nil
}

// configOf reads config.json where the source has one. LAVIS's own values replace its defaults for what the two programs
// do differently.
func configOf(s *source, held *holdings) (modelconfig.Config, modelJSON, error) {
	if s.config == nil {
		config, err := infer(held)
		if err != nil {
			return modelconfig.Config{}, modelJSON{}, fmt.Errorf("%s: %w", s.name, err)
		}
		return config, modelJSON{}, nil
	}
	config, fields, err := parseConfig(s.config)
	if err != nil {
		return modelconfig.Config{}, modelJSON{}, fmt.Errorf("%s in %s: %w", configFile, s.name, err)
	}
	held.noQKVBias = !or(fields.Vision.QKVBias, true)
	if s.lavis {
		if fields.Vision.LayerNormEpsilon == nil {
			config.Vision.LayerNormEpsilon, config.Vision.FinalLayerNormEpsilon = trunkEpsilon(held.clip), lavisFinalEpsilon
		}
		if fields.Vision.Activation == nil {
			config.Vision.Activation = trunkActivation(held.clip)
		}
	}
	return config, fields, nil
}

// readProcessor returns the image processor's settings and the file that holds them. As in transformers, what
// processor_config.json has under "image_processor" goes before preprocessor_config.json.
func readProcessor(s *source) (settings []byte, name string, err error) {
	data, err := readSmall(s.folder, nestedProcessorFile)
	if ignoreMissing(err) != nil {
		return nil, "", err
	}
	if err == nil {
		var nested struct {
			ImageProcessor json.RawMessage `json:"image_processor"`
		}
		if err := unmarshalLenient(data, &nested); err != nil {
			return nil, "", fmt.Errorf("%s in %s: %w", nestedProcessorFile, s.name, err)
		}
		if len(nested.ImageProcessor) > 0 && string(nested.ImageProcessor) != "null" {
			return nested.ImageProcessor, nestedProcessorFile, nil
		}
	}
	data, err = readSmall(s.folder, processorFile)
	return data, processorFile, ignoreMissing(err)
}

// applyPreprocess reads the image processor's settings where there are any.
func applyPreprocess(s *source, config *modelconfig.Config, resized bool) error {
	data, name, err := readProcessor(s)
	if err != nil || data == nil {
		return err
	}
	preprocess, err := parsePreprocess(data)
	if err != nil {
		return fmt.Errorf("%s in %s: %w", name, s.name, err)
	}
	if preprocess.ImageSize != config.Vision.ImageSize && !resized {
		return hint.Wrap(fmt.Errorf("%s prepares images of %d pixels where the vision encoder takes %d",
			name, preprocess.ImageSize, config.Vision.ImageSize), "say which size to use with --image-size")
	}
	config.Preprocess = preprocess
	return nil
}

func trunkEpsilon(clip bool) float64 {
	if clip {
		return 1e-5
	}
	return 1e-6
}

func trunkActivation(clip bool) string {
	if clip {
		return modelconfig.QuickGelu
	}
	return modelconfig.Gelu
}

// infer derives the configuration of a LAVIS checkpoint from the shapes of its tensors.
func infer(held *holdings) (modelconfig.Config, error) {
	reader := shapeReader{held: held}
	patch := reader.shape(tensors.PatchWeight, 4)
	position := reader.positions()
	queries := reader.shape("query_tokens", 3)
	visionHidden := reader.shape("vision_model.encoder.layers.0.mlp.fc1.weight", 2)
	textHidden := reader.shape("qformer.encoder.layer.0.intermediate_query.dense.weight", 2)
	words, texts, projection := []int{0}, []int{0}, []int{0}
	second := held.hasLanguageModel()
	if !second || held.byName[tensors.WordEmbedding] != nil {
		words = reader.shape(tensors.WordEmbedding, 2)
		texts = reader.shape("embeddings.position_embeddings.weight", 2)
	}
	if !second {
		projection = reader.shape("text_projection.weight", 2)
	}
	if reader.err != nil {
		return modelconfig.Config{}, reader.err
	}
	config := modelconfig.Config{
		QueryTokens: queries[1], ProjectionSize: projection[0],
		Vision: modelconfig.Vision{
			HiddenSize: patch[0], PatchSize: patch[3], ImageSize: position * patch[3], IntermediateSize: visionHidden[0],
			Activation: trunkActivation(held.clip), LayerNormEpsilon: trunkEpsilon(held.clip), FinalLayerNormEpsilon: lavisFinalEpsilon,
		},
		QFormer: modelconfig.QFormer{
			HiddenSize: queries[2], VocabularySize: words[0], MaxPositions: texts[0], IntermediateSize: textHidden[0],
			Layers: held.layers("qformer.encoder.layer."), CrossAttentionFrequency: held.crossAttention(), LayerNormEpsilon: 1e-12,
		},
		Preprocess: modelconfig.Preprocess{
			ImageSize: position * patch[3], Mean: defaultMean, StandardDeviation: defaultStandardDeviation, RescaleFactor: 1.0 / 255,
		},
	}
	return config, inferHeads(held, &config)
}

// inferHeads fills in what no shape tells, for the published encoders.
func inferHeads(held *holdings, config *modelconfig.Config) error {
	const bertHeadWidth = 64
	if config.QFormer.HiddenSize%bertHeadWidth != 0 {
		return hint.Wrap(fmt.Errorf("the number of heads of a Q-Former of width %d is not known", config.QFormer.HiddenSize), configRemedy)
	}
	config.QFormer.Heads = config.QFormer.HiddenSize / bertHeadWidth
	for _, trunk := range knownTrunks {
		if trunk.width == config.Vision.HiddenSize && trunk.clip == held.clip {
			config.Vision.Heads = trunk.heads
			config.Vision.Layers = min(trunk.layers, held.layers("vision_model.encoder.layers."))
			return nil
		}
	}
	return hint.Wrap(fmt.Errorf("a vision encoder of width %d is not one of the published ones", config.Vision.HiddenSize), configRemedy)
}

// shapeReader reads shapes and keeps the first problem.
type shapeReader struct {
	held *holdings
	err  error
}

// Shape returns the shape of a tensor of the given number of axes, all of them positive.
func (r *shapeReader) shape(name string, axes int) []int {
	stored := r.held.byName[name]
	if stored == nil {
		r.fail(name, "is missing")
		return make([]int, axes)
	}
	count, ok := weights.Elements(stored.Shape)
	if len(stored.Shape) != axes || !ok || count == 0 {
		r.fail(name, fmt.Sprintf("has the shape %v", stored.Shape))
		return make([]int, axes)
	}
	return stored.Shape
}

// positions returns the side of the grid of vision positions.
func (r *shapeReader) positions() int {
	stored := r.held.byName[tensors.PositionEmbedding]
	if stored == nil {
		r.fail(tensors.PositionEmbedding, "is missing")
		return 0
	}
	rows, _ := positionShape(stored.Shape)
	side, square := squareSide(rows - 1)
	if !square {
		r.fail(tensors.PositionEmbedding, fmt.Sprintf("has the shape %v", stored.Shape))
	}
	return side
}

func (r *shapeReader) fail(name, problem string) {
	if r.err != nil {
		return
	}
	remedy := "fetch the file again; it may be damaged"
	switch {
	case tensors.OfVisionEncoder(name) && problem == "is missing":
		remedy = visionFileRemedy
	case problem == "is missing":
		remedy = "give the main file of a BLIP-2 checkpoint, such as blip2_pretrained.pth"
	}
	r.err = hint.Wrap(fmt.Errorf("tensor %s %s", name, problem), remedy)
}

// hasLanguageModel reports whether any tensor belongs to a large language model.
func (h *holdings) hasLanguageModel() bool {
	for _, stored := range h.byName {
		if tensors.OfLanguageModel(stored.Name) {
			return true
		}
	}
	return h.second || len(h.language) > 0
}

// layers counts the layers whose names begin with the prefix: one more than the highest number.
func (h *holdings) layers(prefix string) int {
	const most = 1 << 10
	count := 0
	for name := range h.byName {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		digits, _, _ := strings.Cut(rest, ".")
		if number, err := strconv.Atoi(digits); err == nil && number >= 0 && number < most {
			count = max(count, number+1)
		}
	}
	return count
}

// crossAttention returns the distance between layers with cross-attention; the first has it.
func (h *holdings) crossAttention() int {
	layers := h.layers("qformer.encoder.layer.")
	for layer := 1; layer < layers; layer++ {
		if h.byName[fmt.Sprintf("qformer.encoder.layer.%d.crossattention.attention.query.weight", layer)] != nil {
			return layer
		}
	}
	return max(layers, 1)
}
