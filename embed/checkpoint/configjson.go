package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"mekiki/embed/checkpoint/weights"
	"mekiki/embed/modelconfig"
	"mekiki/internal/hint"
)

// Published defaults of transformers' Blip2VisionConfig, Blip2QFormerConfig, Blip2Config and BlipImageProcessor. Published
// configurations leave out every field that equals them.
var (
	defaultMean              = [3]float32{0.48145466, 0.4578275, 0.40821073}
	defaultStandardDeviation = [3]float32{0.26862954, 0.26130258, 0.27577711}
)

// modelJSON mirrors the fields of config.json that matter. Pointers tell an omitted field from a zero.
type modelJSON struct {
	Architectures  []string    `json:"architectures"`
	ModelType      *string     `json:"model_type"`
	QueryTokens    *int        `json:"num_query_tokens"`
	ProjectionSize *int        `json:"image_text_hidden_size"`
	Vision         visionJSON  `json:"vision_config"`
	QFormer        qformerJSON `json:"qformer_config"`
	Text           textJSON    `json:"text_config"`
	// ImageToken is the placeholder for the image's vectors in texts, of which transformers has had two names.
	ImageToken      *int `json:"image_token_index"`
	ImageTokenLater *int `json:"image_token_id"`
}

// secondStage reports whether the configuration is that of a model with a language model.
func (m modelJSON) secondStage() bool {
	return or(m.ModelType, "") == instructType ||
		slices.ContainsFunc(m.Architectures, func(name string) bool { return slices.Contains(secondStages, name) })
}

type visionJSON struct {
	HiddenSize       *int     `json:"hidden_size"`
	IntermediateSize *int     `json:"intermediate_size"`
	Layers           *int     `json:"num_hidden_layers"`
	Heads            *int     `json:"num_attention_heads"`
	ImageSize        *int     `json:"image_size"`
	PatchSize        *int     `json:"patch_size"`
	Activation       *string  `json:"hidden_act"`
	LayerNormEpsilon *float64 `json:"layer_norm_eps"`
	QKVBias          *bool    `json:"qkv_bias"`
}

type qformerJSON struct {
	VocabularySize    *int     `json:"vocab_size"`
	HiddenSize        *int     `json:"hidden_size"`
	Layers            *int     `json:"num_hidden_layers"`
	Heads             *int     `json:"num_attention_heads"`
	IntermediateSize  *int     `json:"intermediate_size"`
	Activation        *string  `json:"hidden_act"`
	MaxPositions      *int     `json:"max_position_embeddings"`
	LayerNormEpsilon  *float64 `json:"layer_norm_eps"`
	CrossAttention    *int     `json:"cross_attention_frequency"`
	PositionEmbedding *string  `json:"position_embedding_type"`
	TextInput         *bool    `json:"use_qformer_text_input"`
	EarlierTextInput  *bool    `json:"qformer_text_input"`
}

// or returns the value pointed at, or the default.
func or[T any](value *T, otherwise T) T {
	if value == nil {
		return otherwise
	}
	return *value
}

// parseConfig reads config.json. Fields that are left out take their published defaults; trailing commas, which one
// published revision has, are tolerated.
func parseConfig(data []byte) (modelconfig.Config, modelJSON, error) {
	var model modelJSON
	if err := unmarshalLenient(data, &model); err != nil {
		return modelconfig.Config{}, model, err
	}
	if err := checkModelType(or(model.ModelType, blip2Type)); err != nil {
		return modelconfig.Config{}, model, err
	}
	v, q := model.Vision, model.QFormer
	epsilon := or(v.LayerNormEpsilon, 1e-6)
	config := modelconfig.Config{
		QueryTokens:    or(model.QueryTokens, defaultQueryTokens),
		ProjectionSize: or(model.ProjectionSize, defaultProjectionSize),
		Vision: modelconfig.Vision{
			HiddenSize: or(v.HiddenSize, 1408), Layers: or(v.Layers, 39), Heads: or(v.Heads, 16),
			IntermediateSize: or(v.IntermediateSize, 6144), ImageSize: or(v.ImageSize, 224), PatchSize: or(v.PatchSize, 14),
			Activation: or(v.Activation, modelconfig.Gelu), LayerNormEpsilon: epsilon, FinalLayerNormEpsilon: epsilon, PatchBias: true,
		},
		QFormer: modelconfig.QFormer{
			HiddenSize: or(q.HiddenSize, 768), Layers: or(q.Layers, 12), Heads: or(q.Heads, 12),
			IntermediateSize: or(q.IntermediateSize, 3072), VocabularySize: or(q.VocabularySize, 30522),
			MaxPositions: or(q.MaxPositions, 512), CrossAttentionFrequency: or(q.CrossAttention, 2),
			LayerNormEpsilon: or(q.LayerNormEpsilon, 1e-12),
		},
		Preprocess: modelconfig.Preprocess{
			ImageSize: or(v.ImageSize, 224), Mean: defaultMean, StandardDeviation: defaultStandardDeviation,
			RescaleFactor: 1.0 / 255,
		},
	}
	return config, model, errors.Join(model.supported(), config.Validate())
}

// blip2Type is BLIP-2's model_type, of both stages.
const blip2Type = "blip-2"

func checkModelType(kind string) error {
	switch kind {
	case blip2Type, instructType:
		return nil
	case modelconfig.OPT, modelconfig.T5, modelconfig.Llama:
		return hint.Wrap(fmt.Errorf("model_type is %q: this is a language model by itself", kind),
			"give a second stage's LAVIS file, such as blip2_pretrained_flant5xl.pth, and eva_vit_g.pth as well")
	}
	return fmt.Errorf("model_type is %q; only %q and %q are supported", kind, blip2Type, instructType)
}

// supported names settings that would give other numbers than ours.
func (m modelJSON) supported() error {
	var problems []error
	if activation := or(m.QFormer.Activation, modelconfig.Gelu); activation != modelconfig.Gelu {
		problems = append(problems, fmt.Errorf("qformer_config.hidden_act is %q; only \"gelu\" is supported", activation))
	}
	if kind := or(m.QFormer.PositionEmbedding, "absolute"); kind != "absolute" {
		problems = append(problems, fmt.Errorf("qformer_config.position_embedding_type is %q; only \"absolute\" is supported", kind))
	}
	return errors.Join(problems...)
}

// processorJSON mirrors preprocessor_config.json.
type processorJSON struct {
	Size      json.RawMessage `json:"size"`
	Mean      json.RawMessage `json:"image_mean"`
	Deviation json.RawMessage `json:"image_std"`
	Rescale   *float64        `json:"rescale_factor"`
	DoResize  *bool           `json:"do_resize"`
	DoRescale *bool           `json:"do_rescale"`
	DoNorm    *bool           `json:"do_normalize"`
	DoCrop    *bool           `json:"do_center_crop"`
	Resample  *int            `json:"resample"`
}

// parsePreprocess reads preprocessor_config.json.
func parsePreprocess(data []byte) (modelconfig.Preprocess, error) {
	var processor processorJSON
	if err := unmarshalLenient(data, &processor); err != nil {
		return modelconfig.Preprocess{}, err
	}
	const bicubic = 3
	var problems []error
	for _, setting := range []struct {
		name  string
		value bool
	}{
		{"do_resize", or(processor.DoResize, true)},
		{"do_rescale", or(processor.DoRescale, true)},
		{"do_normalize", or(processor.DoNorm, true)},
		{"do_center_crop", !or(processor.DoCrop, false)},
		{"resample", or(processor.Resample, bicubic) == bicubic},
	} {
		if !setting.value {
			problems = append(problems, fmt.Errorf("%s differs from what BLIP-2 models use and is not supported", setting.name))
		}
	}
	size, err := parseSize(processor.Size)
	problems = append(problems, err)
	mean, err := parseTriple(processor.Mean, defaultMean)
	problems = append(problems, wrapField("image_mean", err))
	deviation, err := parseTriple(processor.Deviation, defaultStandardDeviation)
	problems = append(problems, wrapField("image_std", err))
	return modelconfig.Preprocess{
		ImageSize: size, Mean: mean, StandardDeviation: deviation, RescaleFactor: or(processor.Rescale, 1.0/255),
	}, errors.Join(problems...)
}

func wrapField(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}

// parseSize reads "size" in its several forms: a number, [height, width], {"height", "width"} or {"shortest_edge"}. Only
// squares are accepted.
func parseSize(raw json.RawMessage) (int, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return defaultProcessorSize, nil
	}
	var sides []int
	var number int
	var object map[string]int
	switch {
	case json.Unmarshal(raw, &number) == nil:
		sides = []int{number, number}
	case json.Unmarshal(raw, &sides) == nil:
		if len(sides) == 1 {
			sides = append(sides, sides[0])
		}
	case json.Unmarshal(raw, &object) == nil:
		if edge, ok := object["shortest_edge"]; ok && len(object) == 1 {
			sides = []int{edge, edge}
		} else {
			sides = []int{object["height"], object["width"]}
		}
	}
	if len(sides) != 2 || sides[0] != sides[1] || sides[0] < 1 {
		return 0, fmt.Errorf("size is %.80s; a square such as {\"height\": 224, \"width\": 224} is expected", raw)
	}
	return sides[0], nil
}

// parseTriple reads one number for each channel, or one number for all.
func parseTriple(raw json.RawMessage, otherwise [3]float32) ([3]float32, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return otherwise, nil
	}
	var values []float32
	var single float32
	if json.Unmarshal(raw, &single) == nil {
		return [3]float32{single, single, single}, nil
	}
	if err := json.Unmarshal(raw, &values); err != nil || len(values) != 3 {
		return otherwise, fmt.Errorf("%.80s is not a list of three numbers", raw)
	}
	return [3]float32(values), nil
}

// unmarshalLenient decodes JSON, tolerating a byte-order mark and a comma before a closing bracket.
func unmarshalLenient(data []byte, value any) error {
	return unmarshalStrict(removeTrailingCommas(data), value)
}

// unmarshalStrict decodes JSON as it is.
func unmarshalStrict(data []byte, value any) error {
	err := json.Unmarshal(data, value)
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) && wrong.Field != "" {
		return hint.Wrap(fmt.Errorf("%s is a %s where %s belongs", wrong.Field, wrong.Value, kindWords(wrong.Type.Kind())),
			"correct that value in the file, or fetch the file again")
	}
	if err != nil {
		return hint.Wrap(fmt.Errorf("not valid JSON for this file: %w", err), weights.FetchRemedy)
	}
	return nil
}

// kindWords says what JSON value a Go value of this kind is read from.
func kindWords(kind reflect.Kind) string {
	switch kind {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Float32, reflect.Float64:
		return "a number"
	}
	return "a whole number"
}

// removeTrailingCommas blanks commas that nothing but white space parts from a closing bracket, outside strings.
func removeTrailingCommas(data []byte) []byte {
	const mark = "\ufeff"
	if len(data) >= len(mark) && string(data[:len(mark)]) == mark {
		data = data[len(mark):]
	}
	cleaned := append([]byte(nil), data...)
	comma, inString := -1, false
	for i := 0; i < len(cleaned); i++ {
		switch c := cleaned[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString, comma = !inString, -1
		case inString || c == ' ' || c == '\n' || c == '\r' || c == '\t':
		case c == ',':
			comma = i
		case (c == '}' || c == ']') && comma >= 0:
			cleaned[comma], comma = ' ', -1
		default:
			comma = -1
		}
	}
	return cleaned
}
