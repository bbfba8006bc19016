package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mekiki/embed/modelconfig"
	"mekiki/internal/hint"
)

// Architectures of transformers that have a language model behind the Q-Former.
var secondStages = []string{"Blip2ForConditionalGeneration", "Blip2Model", "InstructBlipForConditionalGeneration", "InstructBlipModel"}

// instructType is the model_type of InstructBLIP, whose Q-Former reads the prompt.
const instructType = "instructblip"

// What is known of the published language models and not always written in their files.
const (
	optWords   = 50265 // OPT's vocabulary without placeholders and padding
	optNewline = 50118 // ends what OPT writes: BLIP-2 was trained on single lines
	t5Words    = 32100
	vicunaWord = 32000 // the first token that Vicuna's authors did not train
	vicunaEnd  = 2     // ends what Vicuna writes, whatever its files say
)

// textJSON mirrors the fields of a language model's configuration that matter, of all architectures.
type textJSON struct {
	ModelType      *string `json:"model_type"`
	VocabularySize *int    `json:"vocab_size"`
	Tied           *bool   `json:"tie_word_embeddings"`
	End            tokens  `json:"eos_token_id"`
	Pad            *int64  `json:"pad_token_id"`
	DecoderStart   *int64  `json:"decoder_start_token_id"`

	HiddenSize       *int     `json:"hidden_size"`
	Layers           *int     `json:"num_hidden_layers"`
	Heads            *int     `json:"num_attention_heads"`
	KeyValueHeads    *int     `json:"num_key_value_heads"`
	HeadWidth        *int     `json:"head_dim"`
	IntermediateSize *int     `json:"intermediate_size"`
	Positions        *int     `json:"max_position_embeddings"`
	Activation       *string  `json:"hidden_act"`
	NormEpsilon      *float64 `json:"rms_norm_eps"`
	AttentionBias    *bool    `json:"attention_bias"`
	FeedForwardBias  *bool    `json:"mlp_bias"`
	SlidingWindow    *int     `json:"sliding_window"`
	RotaryTheta      *float64 `json:"rope_theta"`
	RotaryScaling    *rotary  `json:"rope_scaling"`
	Rotary           *rotary  `json:"rope_parameters"`
	RotaryShare      *float64 `json:"partial_rotary_factor"`

	FeedForward  *int    `json:"ffn_dim"`
	WordWidth    *int    `json:"word_embed_proj_dim"`
	NormBefore   *bool   `json:"do_layer_norm_before"`
	NormRemoved  *bool   `json:"_remove_final_layer_norm"`
	Bias         *bool   `json:"enable_bias"`
	NormAffine   *bool   `json:"layer_norm_elementwise_affine"`
	OPTActivates *string `json:"activation_function"`

	ModelWidth       *int     `json:"d_model"`
	KeyWidth         *int     `json:"d_kv"`
	InnerWidth       *int     `json:"d_ff"`
	EncoderLayers    *int     `json:"num_layers"`
	DecoderLayers    *int     `json:"num_decoder_layers"`
	T5Heads          *int     `json:"num_heads"`
	RelativeBuckets  *int     `json:"relative_attention_num_buckets"`
	RelativeDistance *int     `json:"relative_attention_max_distance"`
	T5Epsilon        *float64 `json:"layer_norm_epsilon"`
	Projection       *string  `json:"feed_forward_proj"`
	DenseActivation  *string  `json:"dense_act_fn"`
	Gated            *bool    `json:"is_gated_act"`
	ScaleOutput      *bool    `json:"scale_decoder_outputs"`
}

// rotary mirrors how transformers describes rotary positions, before version 5 and since.
type rotary struct {
	Type        *string  `json:"rope_type"`
	EarlierType *string  `json:"type"`
	Theta       *float64 `json:"rope_theta"`
	Share       *float64 `json:"partial_rotary_factor"`
}

// tokens is one token id or a list of them.
type tokens []int64

// UnmarshalJSON reads a number, a list of numbers, or null.
func (t *tokens) UnmarshalJSON(data []byte) error {
	var one int64
	if string(data) == "null" {
		return nil
	}
	if json.Unmarshal(data, &one) == nil {
		*t = tokens{one}
		return nil
	}
	var list []int64
	if err := json.Unmarshal(data, &list); err != nil {
		return fmt.Errorf("%.80s is neither a token's id nor a list of them", data)
	}
	*t = list
	return nil
}

// generationJSON mirrors generation_config.json.
type generationJSON struct {
	End          tokens `json:"eos_token_id"`
	DecoderStart *int64 `json:"decoder_start_token_id"`
}

// languageSource is all that a language model's description is made from.
type languageSource struct {
	text       textJSON
	generation generationJSON
	// imageToken is the placeholder for the image's vectors, where one is named.
	imageToken *int
	instructed bool
	// lavis is set where LAVIS's program runs the model, which replaces some of its settings.
	lavis bool
}

// language makes the description. Whether the head is the token embedding is what the configuration says; the tensors
// decide.
func (s languageSource) language() (modelconfig.Language, error) {
	var model modelconfig.Language
	var err error
	switch kind := or(s.text.ModelType, modelconfig.OPT); kind {
	case modelconfig.OPT:
		model, err = s.text.opt()
	case modelconfig.T5:
		model, err = s.text.t5()
	case modelconfig.Llama, "mistral":
		model, err = s.text.llama(kind)
	case "qwen2":
		err = errors.New("model_type is \"qwen2\", whose queries, keys and values have biases that Llama's lack")
	default:
		err = fmt.Errorf("model_type is %q; %s, %s and %s are supported", kind, modelconfig.OPT, modelconfig.T5, modelconfig.Llama)
	}
	if err != nil {
		return modelconfig.Language{}, hint.Wrap(err, "a second stage needs one of these language models, such as that of blip2-flan-t5-xl")
	}
	if s.lavis && model.Architecture == modelconfig.T5 {
		model.Activation = modelconfig.Gelu // LAVIS sets it, whatever the language model was trained with
	}
	model.Instructed = s.instructed
	model.Words = s.words(model)
	s.setTokens(&model)
	return model, nil
}

// words is how many of the vocabulary's tokens may be written. Placeholders follow a vocabulary's own tokens, so one in
// its first half is none.
func (s languageSource) words(model modelconfig.Language) int {
	size := model.VocabularySize
	published := map[string]int{modelconfig.OPT: optWords, modelconfig.T5: t5Words}[model.Architecture]
	if model.Architecture == modelconfig.Llama && model.Instructed {
		published = vicunaWord
	}
	if published > 0 && size > published && size <= published+mostPadding {
		return published
	}
	if s.imageToken != nil && *s.imageToken > size/2 && *s.imageToken < size {
		return *s.imageToken
	}
	return size
}

// setTokens sets the tokens that end and start a text.
func (s languageSource) setTokens(model *modelconfig.Language) {
	ends := []int64(s.generation.End)
	if len(ends) == 0 {
		ends = s.text.End
	}
	stated := len(ends) > 0
	if !stated {
		ends = []int64{map[string]int64{modelconfig.OPT: 2, modelconfig.T5: 1, modelconfig.Llama: 2}[model.Architecture]}
	}
	switch {
	case model.Architecture == modelconfig.OPT && model.Words == optWords && !slices.Contains(ends, optNewline):
		if ends = append([]int64{optNewline}, ends...); !stated || s.lavis {
			ends = ends[:1]
		}
	case model.Architecture == modelconfig.Llama && model.Words == vicunaWord && model.Instructed && !slices.Contains(ends, vicunaEnd):
		ends = append([]int64{vicunaEnd}, ends...)
	}
	model.End = slices.DeleteFunc(slices.Clone(ends), func(id int64) bool { return id < 0 || id >= int64(model.Words) })
	if model.Architecture == modelconfig.T5 {
		for _, start := range []*int64{s.generation.DecoderStart, s.text.DecoderStart, s.text.Pad} {
			if start != nil {
				model.Start = *start
				break
			}
		}
	}
}

func (t textJSON) opt() (modelconfig.Language, error) {
	hidden, heads := or(t.HiddenSize, 768), or(t.Heads, 12)
	var problems []error
	if !or(t.NormBefore, true) || or(t.NormRemoved, false) {
		problems = append(problems, errors.New("do_layer_norm_before is false, as in opt-350m alone; that form is not supported"))
	}
	if width := or(t.WordWidth, hidden); width != hidden {
		problems = append(problems, fmt.Errorf("word_embed_proj_dim is %d where hidden_size is %d, as in opt-350m alone; that form is not supported", width, hidden))
	}
	if !or(t.Bias, true) || !or(t.NormAffine, true) {
		problems = append(problems, errors.New("enable_bias or layer_norm_elementwise_affine is false; OPT without biases is not supported"))
	}
	return modelconfig.Language{
		Architecture: modelconfig.OPT, HiddenSize: hidden, Layers: or(t.Layers, 12), Heads: heads, KeyValueHeads: heads, HeadWidth: quotient(hidden, heads),
		IntermediateSize: or(t.FeedForward, 3072), VocabularySize: or(t.VocabularySize, 50272), Positions: or(t.Positions, 2048),
		Activation: or(t.OPTActivates, modelconfig.Relu), NormEpsilon: 1e-5, Tied: or(t.Tied, true),
	}, errors.Join(problems...)
}

func (t textJSON) t5() (modelconfig.Language, error) {
	layers, heads := or(t.EncoderLayers, or(t.Layers, 6)), or(t.T5Heads, or(t.Heads, 8))
	projection := or(t.Projection, modelconfig.Relu)
	activation, gated := strings.CutPrefix(projection, "gated-")
	if projection == "gated-gelu" {
		activation = modelconfig.GeluNew // as in transformers, for checkpoints before dense_act_fn
	}
	scale := or(t.Tied, true)
	return modelconfig.Language{
		Architecture: modelconfig.T5, HiddenSize: or(t.ModelWidth, or(t.HiddenSize, 512)), Layers: layers, DecoderLayers: or(t.DecoderLayers, layers),
		Heads: heads, KeyValueHeads: heads, HeadWidth: or(t.KeyWidth, or(t.HeadWidth, 64)), IntermediateSize: or(t.InnerWidth, 2048),
		VocabularySize: or(t.VocabularySize, 32128), Activation: or(t.DenseActivation, activation), Gated: or(t.Gated, gated),
		NormEpsilon: or(t.T5Epsilon, 1e-6), RelativeBuckets: or(t.RelativeBuckets, 32), RelativeDistance: or(t.RelativeDistance, 128),
		Tied: or(t.Tied, true), ScaleOutput: or(t.ScaleOutput, scale),
	}, nil
}

// llama reads Llama's configuration, and that of models of its shape under another name.
func (t textJSON) llama(kind string) (modelconfig.Language, error) {
	hidden, heads := or(t.HiddenSize, 4096), or(t.Heads, 32)
	defaults := struct{ inner, keys, positions int }{11008, heads, 2048}
	if kind != modelconfig.Llama {
		defaults.inner, defaults.keys, defaults.positions = 14336, 8, 4096*32
	}
	model := modelconfig.Language{
		Architecture: modelconfig.Llama, HiddenSize: hidden, Layers: or(t.Layers, 32), Heads: heads, KeyValueHeads: or(t.KeyValueHeads, defaults.keys),
		HeadWidth: or(t.HeadWidth, quotient(hidden, heads)), IntermediateSize: or(t.IntermediateSize, defaults.inner),
		VocabularySize: or(t.VocabularySize, 32000), Positions: or(t.Positions, defaults.positions), Activation: or(t.Activation, modelconfig.Silu), Gated: true,
		NormEpsilon: or(t.NormEpsilon, 1e-6), RotaryTheta: or(t.RotaryTheta, 10000), Tied: or(t.Tied, false),
	}
	var problems []error
	if or(t.AttentionBias, false) || or(t.FeedForwardBias, false) {
		problems = append(problems, errors.New("attention_bias or mlp_bias is true; Llama with biases is not supported"))
	}
	if share := or(t.RotaryShare, 1); share != 1 {
		problems = append(problems, fmt.Errorf("partial_rotary_factor is %g; only 1 is supported", share))
	}
	for _, rotary := range []*rotary{t.RotaryScaling, t.Rotary} {
		if rotary == nil {
			continue
		}
		if kind := or(rotary.Type, or(rotary.EarlierType, "default")); kind != "default" {
			problems = append(problems, fmt.Errorf("rotary positions are scaled by %q, which is not supported", kind))
		}
		if share := or(rotary.Share, 1); share != 1 {
			problems = append(problems, fmt.Errorf("partial_rotary_factor is %g; only 1 is supported", share))
		}
		model.RotaryTheta = or(rotary.Theta, model.RotaryTheta)
	}
	window := or(t.SlidingWindow, 0)
	if kind != modelconfig.Llama {
		window = or(t.SlidingWindow, 4096)
	}
	if window > 0 { // a text within the window's width is read as Llama reads it
		model.Positions = min(model.Positions, window)
	}
	return model, errors.Join(problems...)
}

// quotient divides sizes that a file gives; a divisor of 0 is reported when sizes are checked.
func quotient(a, b int) int {
	if b == 0 {
		return 0
	}
	return a / b
}
