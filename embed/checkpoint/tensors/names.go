package tensors

import "strings"

// visionPrefix marks the vision encoder's tensors in a LAVIS checkpoint; the EVA and CLIP files have no prefix.
const visionPrefix = "visual_encoder."

// Names of the two halves of a query-key-value bias whose key part is zero, as EVA stores it.
const (
	QueryBiasSuffix = ".self_attn.q_bias"
	ValueBiasSuffix = ".self_attn.v_bias"
	PackedBias      = ".self_attn.qkv.bias"
)

// exactNames maps whole LAVIS, EVA and CLIP names to canonical ones.
var exactNames = map[string]string{
	"cls_token":            ClassEmbedding,
	"class_embedding":      ClassEmbedding,
	"pos_embed":            PositionEmbedding,
	"positional_embedding": PositionEmbedding,
	"conv1.weight":         PatchWeight,
}

// prefixNames maps beginnings of names. The first that fits is taken.
var prefixNames = []struct{ from, to string }{
	{"patch_embed.proj.", "vision_model.embeddings.patch_embedding."},
	{"ln_pre.", "vision_model.pre_layernorm."},
	{"ln_vision.", "vision_model.post_layernorm."},
	{"Qformer.bert.embeddings.LayerNorm.", "qformer.layernorm."},
	{"Qformer.bert.embeddings.", "embeddings."},
	{"Qformer.bert.encoder.", "qformer.encoder."},
	{"Qformer.cls.", "cls."},
	{"vision_proj.", "vision_projection."},
	{"text_proj.", "text_projection."},
	{"qformer.embeddings.layernorm.", "qformer.layernorm."}, // InstructBLIP's
	{"qformer.embeddings.", "embeddings."},
	{"opt_proj.", LanguageProjection + "."},
	{"t5_proj.", LanguageProjection + "."},
	{"llm_proj.", LanguageProjection + "."},
	{"opt_model.", LanguagePrefix},
	{"t5_model.", LanguagePrefix},
	{"llm_model.", LanguagePrefix},
}

// blockNames maps what follows the layer's number in EVA's "blocks." and CLIP's "transformer.resblocks.".
var blockNames = []struct{ from, to string }{
	{"norm1.", "layer_norm1."},
	{"norm2.", "layer_norm2."},
	{"ln_1.", "layer_norm1."},
	{"ln_2.", "layer_norm2."},
	{"attn.in_proj_weight", "self_attn.qkv.weight"},
	{"attn.in_proj_bias", "self_attn.qkv.bias"},
	{"attn.out_proj.", "self_attn.projection."},
	{"attn.qkv.", "self_attn.qkv."},
	{"attn.q_bias", "self_attn.q_bias"},
	{"attn.v_bias", "self_attn.v_bias"},
	{"attn.proj.", "self_attn.projection."},
	{"mlp.c_fc.", "mlp.fc1."},
	{"mlp.c_proj.", "mlp.fc2."},
	{"mlp.fc1.", "mlp.fc1."},
	{"mlp.fc2.", "mlp.fc2."},
}

// Unwrapped is a stored name without what wrappers put into it: data-parallel training a prefix "module.", torch.compile
// "_orig_mod." before the names of each compiled module.
func Unwrapped(stored string) string {
	return strings.TrimPrefix(strings.ReplaceAll(stored, "_orig_mod.", ""), "module.")
}

// CanonicalName returns the current Hugging Face name of a tensor stored under any of the known names; an unknown name
// is returned unchanged.
func CanonicalName(stored string) string {
	name := Unwrapped(stored)
	name = strings.TrimPrefix(name, visionPrefix)
	if exact, ok := exactNames[name]; ok {
		return exact
	}
	for _, prefix := range []string{"blocks.", "transformer.resblocks."} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			return canonicalBlock(name, rest)
		}
	}
	for _, rule := range prefixNames {
		if rest, ok := strings.CutPrefix(name, rule.from); ok {
			name = rule.to + rest
			break
		}
	}
	if strings.HasPrefix(name, "qformer.encoder.") {
		name = strings.Replace(name, ".attention.self.", ".attention.attention.", 1)
		name = strings.Replace(name, ".crossattention.self.", ".crossattention.attention.", 1)
	}
	return name
}

// canonicalBlock maps the name of a tensor within a vision layer; rest is what follows the prefix of the layers.
func canonicalBlock(name, rest string) string {
	layer, tail, ok := strings.Cut(rest, ".")
	if !ok {
		return name
	}
	for _, rule := range blockNames {
		if end, ok := strings.CutPrefix(tail, rule.from); ok {
			return "vision_model.encoder.layers." + layer + "." + rule.to + end
		}
	}
	return name
}

// OfVisionEncoder reports whether a canonical name belongs to the vision encoder proper, without the final normalisation,
// which LAVIS keeps with the Q-Former.
func OfVisionEncoder(canonical string) bool {
	return strings.HasPrefix(canonical, "vision_model.") && !strings.HasPrefix(canonical, "vision_model.post_layernorm.")
}

// Ignorable reports whether a tensor that the architecture does not have is known to be of no consequence.
func Ignorable(canonical string) bool {
	switch canonical {
	case "embeddings.position_ids", "embeddings.token_type_ids", DecoderBias:
		return true
	case LanguagePrefix + "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight": // T5 never used it
		return true
	}
	return strings.HasPrefix(canonical, LanguagePrefix) &&
		(strings.HasSuffix(canonical, ".rotary_emb.inv_freq") || strings.HasSuffix(canonical, ".decoder.version"))
}

// LanguageName returns the canonical name of a tensor of a language model's own folder, whose names lack the prefix. Of
// OPT's earliest files, early, they lack a part more.
func LanguageName(stored string, early bool) string {
	name := Unwrapped(stored)
	if early && strings.HasPrefix(name, "decoder.") {
		name = "model." + name
	}
	return LanguagePrefix + name
}

// IsAdapter reports whether a stored name belongs to a LoRA adapter.
func IsAdapter(stored string) bool {
	return strings.Contains(stored, ".lora_A.") || strings.Contains(stored, ".lora_B.")
}

// OfLanguageModel reports whether a stored name belongs to a second stage, which has a large language model.
func OfLanguageModel(stored string) bool {
	for _, prefix := range []string{
		LanguagePrefix, LanguageProjection + ".", "opt_proj.", "t5_proj.", "llm_proj.", "opt_model.", "t5_model.", "llm_model.",
	} {
		if strings.HasPrefix(Unwrapped(stored), prefix) {
			return true
		}
	}
	return false
}
