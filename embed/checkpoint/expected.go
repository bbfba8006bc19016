package checkpoint

import (
	"fmt"
	"strings"
)

// expectation is one tensor of the architecture.
type expectation struct {
	name  string
	shape []int
	// optional tensors belong to the caption head, which Hugging Face files lack.
	optional bool
}

// Names of tensors that are treated apart.
const (
	classEmbeddingName    = "vision_model.embeddings.class_embedding"
	positionEmbeddingName = "vision_model.embeddings.position_embedding"
	patchWeightName       = "vision_model.embeddings.patch_embedding.weight"
	wordEmbeddingName     = "embeddings.word_embeddings.weight"
	decoderWeightName     = "cls.predictions.decoder.weight"
	decoderBiasName       = "cls.predictions.decoder.bias"
	predictionBiasName    = "cls.predictions.bias"
	temperatureName       = "temp"
)

// expectations lists every tensor that a model of this configuration has, in the order of the architecture.
func expectations(config Config) []expectation {
	var list expectationList
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
func Shapes(config Config, captions bool) map[string][]int {
	shapes := map[string][]int{}
	for _, expected := range expectations(config) {
		if !expected.optional || captions && expected.name != decoderWeightName && expected.name != temperatureName {
			shapes[expected.name] = expected.shape
		}
	}
	return shapes
}

type expectationList []expectation

func (l *expectationList) add(name string, shape ...int) {
	*l = append(*l, expectation{name: name, shape: shape})
}

func (l *expectationList) linear(name string, out, in int) {
	l.add(name+".weight", out, in)
	l.add(name+".bias", out)
}

func (l *expectationList) norm(name string, width int) {
	l.add(name+".weight", width)
	l.add(name+".bias", width)
}

func (l *expectationList) vision(v Vision) {
	l.add(classEmbeddingName, 1, 1, v.HiddenSize)
	l.add(positionEmbeddingName, 1, v.Tokens(), v.HiddenSize)
	l.add(patchWeightName, v.HiddenSize, 3, v.PatchSize, v.PatchSize)
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

func (l *expectationList) queryTransformer(config Config) {
	q := config.QFormer
	l.add("query_tokens", 1, config.QueryTokens, q.HiddenSize)
	branches := []string{"_query"}
	if config.QFormerReadsText() {
		branches = []string{"", "_query"}
		l.add(wordEmbeddingName, q.VocabularySize, q.HiddenSize)
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

func (l *expectationList) captionHead(q QFormer) {
	first := len(*l)
	l.linear("cls.predictions.transform.dense", q.HiddenSize, q.HiddenSize)
	l.norm("cls.predictions.transform.LayerNorm", q.HiddenSize)
	l.add(predictionBiasName, q.VocabularySize)
	l.add(decoderWeightName, q.VocabularySize, q.HiddenSize)
	l.add(temperatureName)
	for i := first; i < len(*l); i++ {
		(*l)[i].optional = true
	}
}

// MismatchError says how a checkpoint differs from the architecture that its configuration describes.
type MismatchError struct {
	// Source is the folder or file.
	Source string
	// Missing, Extra and Misshapen name the tensors concerned; the entries of Misshapen give both shapes.
	Missing, Extra, Misshapen []string
	// Remedy says what to do.
	Remedy string
}

// Hint returns the remedy.
func (e *MismatchError) Hint() string { return e.Remedy }

// Error lists the tensors, at most eight of each sort.
func (e *MismatchError) Error() string {
	var parts []string
	for _, group := range []struct {
		word  string
		names []string
	}{{"missing", e.Missing}, {"misshapen", e.Misshapen}, {"unknown", e.Extra}} {
		if len(group.names) > 0 {
			parts = append(parts, fmt.Sprintf("%d %s: %s", len(group.names), group.word, abridge(group.names)))
		}
	}
	return fmt.Sprintf("%s does not hold the model that it describes: %s", e.Source, strings.Join(parts, "; "))
}

// abridge joins at most eight names.
func abridge(names []string) string {
	const most = 8
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
