package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"mekiki/embed/checkpoint/tensors"
	"mekiki/embed/checkpoint/weights"
	"mekiki/embed/modelconfig"
	"mekiki/internal/hint"
)

// tokenizerSettingsFile says which languages a translation model is for.
const tokenizerSettingsFile = "tokenizer_config.json"

// marianNormEpsilon is that of torch.nn.LayerNorm, which transformers takes for Marian.
const marianNormEpsilon = 1e-5

// marianJSON mirrors the fields of the config.json of transformers' MarianMTModel that matter.
type marianJSON struct {
	Width             *int    `json:"d_model"`
	Layers            *int    `json:"encoder_layers"`
	DecoderLayers     *int    `json:"decoder_layers"`
	Heads             *int    `json:"encoder_attention_heads"`
	DecoderHeads      *int    `json:"decoder_attention_heads"`
	FeedForward       *int    `json:"encoder_ffn_dim"`
	DecoderForward    *int    `json:"decoder_ffn_dim"`
	VocabularySize    *int    `json:"vocab_size"`
	DecoderVocabulary *int    `json:"decoder_vocab_size"`
	Positions         *int    `json:"max_position_embeddings"`
	Activation        *string `json:"activation_function"`
	ScaleInput        *bool   `json:"scale_embedding"`
	Shared            *bool   `json:"share_encoder_decoder_embeddings"`
	Tied              *bool   `json:"tie_word_embeddings"`
	NormBefore        *bool   `json:"normalize_before"`
	NormEmbedding     *bool   `json:"normalize_embedding"`
	FinalNorm         *bool   `json:"add_final_layer_norm"`
	StaticPositions   *bool   `json:"static_position_embeddings"`
	End               tokens  `json:"eos_token_id"`
	Pad               *int64  `json:"pad_token_id"`
	DecoderStart      *int64  `json:"decoder_start_token_id"`
	Beams             *int    `json:"num_beams"`
}

// translates reports whether the source is a translation model.
func (s *source) translates() (bool, error) {
	if s.config == nil || s.lavis {
		return false, nil
	}
	var fields struct {
		ModelType *string `json:"model_type"`
	}
	if err := unmarshalLenient(s.config, &fields); err != nil {
		return false, fmt.Errorf("%s in %s: %w", configFile, s.name, err)
	}
	return or(fields.ModelType, "") == modelconfig.Marian, nil
}

// newTranslatorHoldings gives the tensors of a translation model the names of a language model's. The tables of positions
// that some files hold are computed, and left out.
func newTranslatorHoldings(s *source) (*holdings, error) {
	held := &holdings{byName: make(map[string]*weights.Tensor, len(s.tensors))}
	for _, tensor := range s.tensors {
		if slices.Contains([]string{"model.encoder.embed_positions.weight", "model.decoder.embed_positions.weight"}, tensor.Name) {
			continue
		}
		if err := held.add(tensors.LanguagePrefix+tensor.Name, tensor); err != nil {
			return nil, err
		}
	}
	return held, nil
}

// configureTranslator works out the configuration of a translation model.
func configureTranslator(ctx context.Context, s *source, held *holdings, options Options) (modelconfig.Config, error) {
	var fields marianJSON
	if err := unmarshalLenient(s.config, &fields); err != nil {
		return modelconfig.Config{}, fmt.Errorf("%s in %s: %w", configFile, s.name, err)
	}
	if err := fields.supported(); err != nil {
		return modelconfig.Config{}, fmt.Errorf("%s in %s: %w", configFile, s.name, err)
	}
	model := fields.language()
	if err := readTranslatorSettings(s, fields, &model); err != nil {
		return modelconfig.Config{}, err
	}
	if err := held.settleEmbedding(ctx, &model); err != nil {
		return modelconfig.Config{}, err
	}
	if err := held.settleHead(ctx, &model); err != nil {
		return modelconfig.Config{}, fmt.Errorf("%s: %w", s.name, err)
	}
	config := modelconfig.Config{Name: s.base, Language: &model}
	if options.Name != "" {
		config.Name = options.Name
	}
	if err := config.Validate(); err != nil {
		return modelconfig.Config{}, fmt.Errorf("%s: %w", s.name, err)
	}
	return config, nil
}

// supported names settings that would give other numbers than ours.
func (m marianJSON) supported() error {
	var problems []error
	for _, one := range []struct {
		name        string
		value, want bool
	}{
		{"normalize_before", or(m.NormBefore, false), false}, {"normalize_embedding", or(m.NormEmbedding, false), false},
		{"add_final_layer_norm", or(m.FinalNorm, false), false}, {"static_position_embeddings", or(m.StaticPositions, true), true},
		{"share_encoder_decoder_embeddings", or(m.Shared, true), true},
	} {
		if one.value != one.want {
			problems = append(problems, fmt.Errorf("%s is %t; only %t is supported", one.name, one.value, one.want))
		}
	}
	if heads, decoder := or(m.Heads, 16), or(m.DecoderHeads, 16); heads != decoder {
		problems = append(problems, fmt.Errorf("the encoder has %d heads and the decoder %d; only equal numbers are supported", heads, decoder))
	}
	if size := or(m.VocabularySize, 58101); or(m.DecoderVocabulary, size) != size {
		problems = append(problems, errors.New("encoder and decoder have vocabularies of their own; only one for both is supported"))
	}
	return errors.Join(problems...)
}

// language makes the description; defaults are those of transformers' MarianConfig.
func (m marianJSON) language() modelconfig.Language {
	width, heads := or(m.Width, 1024), or(m.Heads, 16)
	size := or(m.VocabularySize, 58101)
	activation := or(m.Activation, modelconfig.Gelu)
	if activation == "swish" { // another name
		activation = modelconfig.Silu
	}
	return modelconfig.Language{
		Architecture: modelconfig.Marian, HiddenSize: width, Layers: or(m.Layers, 12), DecoderLayers: or(m.DecoderLayers, 12),
		Heads: heads, KeyValueHeads: heads, HeadWidth: width / max(1, heads),
		IntermediateSize: or(m.FeedForward, 4096), DecoderIntermediateSize: or(m.DecoderForward, 4096),
		VocabularySize: size, Positions: or(m.Positions, 1024), Activation: activation, NormEpsilon: marianNormEpsilon,
		ScaleInput: or(m.ScaleInput, false), Tied: or(m.Tied, true),
	}
}

// readTranslatorSettings takes over which tokens mean what, how texts are written, and from what language into what.
func readTranslatorSettings(s *source, fields marianJSON, model *modelconfig.Language) error {
	var generation marianJSON
	var languages struct {
		From *string `json:"source_lang"`
		To   *string `json:"target_lang"`
	}
	for name, into := range map[string]any{generationFile: &generation, tokenizerSettingsFile: &languages} {
		data, err := readSmall(s.folder, name)
		if ignoreMissing(err) != nil {
			return err
		}
		if err == nil {
			if err := unmarshalLenient(data, into); err != nil {
				return fmt.Errorf("%s in %s: %w", name, s.name, err)
			}
		}
	}
	if model.End = []int64(generation.End); len(model.End) == 0 {
		if model.End = []int64(fields.End); len(model.End) == 0 {
			model.End = []int64{0}
		}
	}
	padding := or(fields.Pad, int64(model.VocabularySize-1))
	model.Start = or(generation.DecoderStart, or(fields.DecoderStart, padding))
	model.Beams = or(generation.Beams, or(fields.Beams, 0))
	// The padding is the last token of published vocabularies, and is never written.
	if model.Words = model.VocabularySize; padding == int64(model.VocabularySize-1) {
		model.Words--
	}
	model.From, model.To = or(languages.From, ""), or(languages.To, "")
	if model.From == "" || model.To == "" {
		return hint.Wrap(fmt.Errorf("%s does not say from which language into which it translates", s.name),
			"add source_lang and target_lang, such as \"ja\" and \"en\", to its "+tokenizerSettingsFile)
	}
	return nil
}
