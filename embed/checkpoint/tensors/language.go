package tensors

import (
	"fmt"

	"mekiki/embed/modelconfig"
)

// Names of tensors of second stages that are treated apart.
const (
	// LanguagePrefix begins the names of all tensors of a language model.
	LanguagePrefix = "language_model."
	// LanguageHead is the head of a language model whose head is not the token embedding.
	LanguageHead = LanguagePrefix + "lm_head.weight"
	// LanguageProjection is the product between the Q-Former and the language model, without ".weight" and ".bias".
	LanguageProjection = "language_projection"
)

// OPTPositionOffset is where the positions of OPT's table begin: fairseq kept the first two rows for padding.
const OPTPositionOffset = 2

// LanguageEmbedding is the canonical name of the token embedding.
func LanguageEmbedding(l modelconfig.Language) string {
	switch l.Architecture {
	case modelconfig.OPT:
		return LanguagePrefix + "model.decoder.embed_tokens.weight"
	case modelconfig.T5:
		return LanguagePrefix + "shared.weight"
	case modelconfig.Marian:
		return LanguagePrefix + "model.shared.weight"
	}
	return LanguagePrefix + "model.embed_tokens.weight"
}

// secondStage lists the tensors of a second stage: its Q-Former's part for the queries, or the whole of it where the
// Q-Former reads the prompt, the projection and the language model.
func (l *expectationList) secondStage(config modelconfig.Config) {
	l.queryTransformer(config)
	l.linear(LanguageProjection, config.Language.HiddenSize, config.QFormer.HiddenSize)
	l.languageModel(*config.Language)
}

// OfLanguageModel lists the tensors of a language model, in the order of its layers.
func (l *expectationList) languageModel(m modelconfig.Language) {
	l.add(LanguageEmbedding(m), m.VocabularySize, m.HiddenSize)
	switch m.Architecture {
	case modelconfig.OPT:
		l.opt(m)
	case modelconfig.T5:
		l.t5Stack("encoder", m.Layers, false, m)
		l.t5Stack("decoder", m.DecoderLayers, true, m)
	case modelconfig.Llama:
		l.llama(m)
	case modelconfig.Marian:
		l.marianStack("encoder", m.Layers, m.IntermediateSize, m)
		l.marianStack("decoder", m.DecoderLayers, m.DecoderIntermediateSize, m)
		l.add(LanguagePrefix+"final_logits_bias", 1, m.VocabularySize)
	}
	if !m.Tied {
		l.add(LanguageHead, m.VocabularySize, m.HiddenSize)
	}
}

func (l *expectationList) opt(m modelconfig.Language) {
	const decoder = LanguagePrefix + "model.decoder."
	l.add(decoder+"embed_positions.weight", m.Positions+OPTPositionOffset, m.HiddenSize)
	for layer := range m.Layers {
		prefix := fmt.Sprintf(decoder+"layers.%d.", layer)
		for _, name := range []string{"q_proj", "k_proj", "v_proj", "out_proj"} {
			l.linear(prefix+"self_attn."+name, m.HiddenSize, m.HiddenSize)
		}
		l.norm(prefix+"self_attn_layer_norm", m.HiddenSize)
		l.linear(prefix+"fc1", m.IntermediateSize, m.HiddenSize)
		l.linear(prefix+"fc2", m.HiddenSize, m.IntermediateSize)
		l.norm(prefix+"final_layer_norm", m.HiddenSize)
	}
	l.norm(decoder+"final_layer_norm", m.HiddenSize)
}

func (l *expectationList) t5Stack(stack string, layers int, crosses bool, m modelconfig.Language) {
	for block := range layers {
		prefix := fmt.Sprintf(LanguagePrefix+"%s.block.%d.layer.", stack, block)
		l.t5Attention(prefix+"0.SelfAttention", m)
		if block == 0 { // whose biases serve all blocks
			l.add(prefix+"0.SelfAttention.relative_attention_bias.weight", m.RelativeBuckets, m.Heads)
		}
		l.add(prefix+"0.layer_norm.weight", m.HiddenSize)
		last := 1
		if crosses {
			l.t5Attention(prefix+"1.EncDecAttention", m)
			l.add(prefix+"1.layer_norm.weight", m.HiddenSize)
			last = 2
		}
		dense := fmt.Sprintf("%s%d.DenseReluDense.", prefix, last)
		if m.Gated {
			l.add(dense+"wi_0.weight", m.IntermediateSize, m.HiddenSize)
			l.add(dense+"wi_1.weight", m.IntermediateSize, m.HiddenSize)
		} else {
			l.add(dense+"wi.weight", m.IntermediateSize, m.HiddenSize)
		}
		l.add(dense+"wo.weight", m.HiddenSize, m.IntermediateSize)
		l.add(fmt.Sprintf("%s%d.layer_norm.weight", prefix, last), m.HiddenSize)
	}
	l.add(LanguagePrefix+stack+".final_layer_norm.weight", m.HiddenSize)
}

func (l *expectationList) t5Attention(prefix string, m modelconfig.Language) {
	inner := m.Heads * m.HeadWidth
	for _, name := range []string{"q", "k", "v"} {
		l.add(prefix+"."+name+".weight", inner, m.HiddenSize)
	}
	l.add(prefix+".o.weight", m.HiddenSize, inner)
}

func (l *expectationList) llama(m modelconfig.Language) {
	queries, keys := m.Heads*m.HeadWidth, m.KeyValueHeads*m.HeadWidth
	for layer := range m.Layers {
		prefix := fmt.Sprintf(LanguagePrefix+"model.layers.%d.", layer)
		l.add(prefix+"input_layernorm.weight", m.HiddenSize)
		l.add(prefix+"self_attn.q_proj.weight", queries, m.HiddenSize)
		l.add(prefix+"self_attn.k_proj.weight", keys, m.HiddenSize)
		l.add(prefix+"self_attn.v_proj.weight", keys, m.HiddenSize)
		l.add(prefix+"self_attn.o_proj.weight", m.HiddenSize, queries)
		l.add(prefix+"post_attention_layernorm.weight", m.HiddenSize)
		l.add(prefix+"mlp.gate_proj.weight", m.IntermediateSize, m.HiddenSize)
		l.add(prefix+"mlp.up_proj.weight", m.IntermediateSize, m.HiddenSize)
		l.add(prefix+"mlp.down_proj.weight", m.HiddenSize, m.IntermediateSize)
	}
	l.add(LanguagePrefix+"model.norm.weight", m.HiddenSize)
}

// marianStack lists Marian's encoder, or its decoder, whose layers look at the encoder too.
func (l *expectationList) marianStack(stack string, layers, inner int, m modelconfig.Language) {
	attentions := []string{"self_attn"}
	if stack == "decoder" {
		attentions = append(attentions, "encoder_attn")
	}
	for layer := range layers {
		prefix := fmt.Sprintf(LanguagePrefix+"model.%s.layers.%d.", stack, layer)
		for _, attention := range attentions {
			for _, name := range []string{"q_proj", "k_proj", "v_proj", "out_proj"} {
				l.linear(prefix+attention+"."+name, m.HiddenSize, m.HiddenSize)
			}
			l.norm(prefix+attention+"_layer_norm", m.HiddenSize)
		}
		l.linear(prefix+"fc1", inner, m.HiddenSize)
		l.linear(prefix+"fc2", m.HiddenSize, inner)
		l.norm(prefix+"final_layer_norm", m.HiddenSize)
	}
}
