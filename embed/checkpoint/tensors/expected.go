package tensors

import (
	"fmt"

	"mekiki/embed/modelconfig"
)

// Tensor is one tensor of the architecture.
type Tensor struct {
	Name  string
	Shape []int
	// Optional tensors belong to the caption head, which Hugging Face files lack.
	Optional bool
}

// Names of tensors that are treated apart.
const (
	ClassEmbedding    = "vision_model.embeddings.class_embedding"
	PositionEmbedding = "vision_model.embeddings.position_embedding"
	PatchWeight       = "vision_model.embeddings.patch_embedding.weight"
	WordEmbedding     = "embeddings.word_embeddings.weight"
	DecoderWeight     = "cls.predictions.decoder.weight"
	DecoderBias       = "cls.predictions.decoder.bias"
	PredictionBias    = "cls.predictions.bias"
	Temperature       = "temp"
)

// Expected lists every tensor that a model of this configuration has, in the order of the architecture.
func Expected(config modelconfig.Config) []Tensor {
	var list expectationList
	if config.Translates() {
		list.languageModel(*config.Language)
		return list
	}
	list.vision(config.Vision)
	if config.Language != nil {
		list.secondStage(config)
		return list
	}
	list.queryTransformer(config)
	width := config.QFormer.HiddenSize
	list.linear("vision_projection", config.ProjectionSize, width)
	list.linear("text_projection", config.ProjectionSize, width)
	list.linear("itm_head", 2, width)
	list.captionHead(config.QFormer)
	return list
}

// Shapes gives the shape of every tensor that a model of this configuration reads, by its canonical name; of the caption
// head, whose decoder is then the word embedding, only if captions is set.
func Shapes(config modelconfig.Config, captions bool) map[string][]int {
	shapes := map[string][]int{}
	for _, expected := range Expected(config) {
		if !expected.Optional || captions && expected.Name != DecoderWeight && expected.Name != Temperature {
			shapes[expected.Name] = expected.Shape
		}
	}
	return shapes
}

type expectationList []Tensor

func (l *expectationList) add(name string, shape ...int) {
	*l = append(*l, Tensor{Name: name, Shape: shape})
}

func (l *expectationList) linear(name string, out, in int) {
	l.add(name+".weight", out, in)
	l.add(name+".bias", out)
}

func (l *expectationList) norm(name string, width int) {
	l.add(name+".weight", width)
	l.add(name+".bias", width)
}

func (l *expectationList) vision(v modelconfig.Vision) {
	l.add(ClassEmbedding, 1, 1, v.HiddenSize)
	l.add(PositionEmbedding, 1, v.Tokens(), v.HiddenSize)
	l.add(PatchWeight, v.HiddenSize, 3, v.PatchSize, v.PatchSize)
	if v.PatchBias {
		l.add("vision_model.embeddings.patch_embedding.bias", v.HiddenSize)
	}
	if v.PreLayerNorm {
		l.norm("vision_model.pre_layernorm", v.HiddenSize)
	}
	for layer := range v.Layers {
		prefix := fmt.Sprintf("vision_model.encoder.layers.%d.", layer)
		l.norm(prefix+"layer_norm1", v.HiddenSize)
		l.linear(prefix+"self_attn.qkv", 3*v.HiddenSize, v.HiddenSize)
		l.linear(prefix+"self_attn.projection", v.HiddenSize, v.HiddenSize)
		l.norm(prefix+"layer_norm2", v.HiddenSize)
		l.linear(prefix+"mlp.fc1", v.IntermediateSize, v.HiddenSize)
		l.linear(prefix+"mlp.fc2", v.HiddenSize, v.IntermediateSize)
	}
	l.norm("vision_model.post_layernorm", v.HiddenSize)
}

func (l *expectationList) queryTransformer(config modelconfig.Config) {
	q := config.QFormer
	l.add("query_tokens", 1, config.QueryTokens, q.HiddenSize)
	branches := []string{"_query"}
	if config.QFormerReadsText() {
		branches = []string{"", "_query"}
		l.add(WordEmbedding, q.VocabularySize, q.HiddenSize)
		l.add("embeddings.position_embeddings.weight", q.MaxPositions, q.HiddenSize)
	}
	l.norm("qformer.layernorm", q.HiddenSize)
	for layer := range q.Layers {
		prefix := fmt.Sprintf("qformer.encoder.layer.%d.", layer)
		l.attention(prefix+"attention", q.HiddenSize, q.HiddenSize)
		if q.CrossAttends(layer) {
			l.attention(prefix+"crossattention", q.HiddenSize, config.Vision.HiddenSize)
		}
		for _, suffix := range branches {
			l.linear(prefix+"intermediate"+suffix+".dense", q.IntermediateSize, q.HiddenSize)
			l.linear(prefix+"output"+suffix+".dense", q.HiddenSize, q.IntermediateSize)
			l.norm(prefix+"output"+suffix+".LayerNorm", q.HiddenSize)
		}
	}
}

func (l *expectationList) attention(prefix string, width, source int) {
	l.linear(prefix+".attention.query", width, width)
	l.linear(prefix+".attention.key", width, source)
	l.linear(prefix+".attention.value", width, source)
	l.linear(prefix+".output.dense", width, width)
	l.norm(prefix+".output.LayerNorm", width)
}

func (l *expectationList) captionHead(q modelconfig.QFormer) {
	first := len(*l)
	l.linear("cls.predictions.transform.dense", q.HiddenSize, q.HiddenSize)
	l.norm("cls.predictions.transform.LayerNorm", q.HiddenSize)
	l.add(PredictionBias, q.VocabularySize)
	l.add(DecoderWeight, q.VocabularySize, q.HiddenSize)
	l.add(Temperature)
	for i := first; i < len(*l); i++ {
		(*l)[i].Optional = true
	}
}
