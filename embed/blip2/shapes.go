package blip2

import (
	"fmt"

	"mekiki/embed/checkpoint"
)

// tensorShapes lists every tensor that a model of this configuration reads,
// by canonical name; the language-model head only if captions is set.
func tensorShapes(config checkpoint.Config, captions bool) map[string][]int {
	shapes := shapeList{}
	vision, former := config.Vision, config.QFormer
	width := former.HiddenSize
	shapes["vision_model.embeddings.class_embedding"] = []int{1, 1, vision.HiddenSize}
	shapes["vision_model.embeddings.position_embedding"] = []int{1, vision.Tokens(), vision.HiddenSize}
	shapes["vision_model.embeddings.patch_embedding.weight"] = []int{vision.HiddenSize, 3, vision.PatchSize, vision.PatchSize}
	if vision.PatchBias {
		shapes["vision_model.embeddings.patch_embedding.bias"] = []int{vision.HiddenSize}
	}
	if vision.PreLayerNorm {
		shapes.norm("vision_model.pre_layernorm", vision.HiddenSize)
	}
	for i := range vision.Layers {
		shapes.visionLayer(vision, i)
	}
	shapes.norm("vision_model.post_layernorm", vision.HiddenSize)
	shapes["query_tokens"] = []int{1, config.QueryTokens, width}
	shapes["embeddings.word_embeddings.weight"] = []int{former.VocabularySize, width}
	shapes["embeddings.position_embeddings.weight"] = []int{former.MaxPositions, width}
	shapes.norm("qformer.layernorm", width)
	for i := range former.Layers {
		shapes.formerLayer(config, i)
	}
	shapes.linear(visionHead, config.ProjectionSize, width)
	shapes.linear(textHead, config.ProjectionSize, width)
	shapes.linear(matchHead, 2, width)
	if captions {
		shapes.linear(headPrefix+"transform.dense", width, width)
		shapes.norm(headPrefix+"transform.LayerNorm", width)
		shapes[headBias] = []int{former.VocabularySize}
	}
	return shapes
}

// shapeList collects shapes by tensor name.
type shapeList map[string][]int

func (s shapeList) linear(name string, output, input int) {
	s[name+".weight"], s[name+".bias"] = []int{output, input}, []int{output}
}

func (s shapeList) norm(name string, width int) {
	s[name+".weight"], s[name+".bias"] = []int{width}, []int{width}
}

func (s shapeList) visionLayer(config checkpoint.Vision, layer int) {
	prefix := fmt.Sprintf("vision_model.encoder.layers.%d.", layer)
	s.norm(prefix+"layer_norm1", config.HiddenSize)
	s.norm(prefix+"layer_norm2", config.HiddenSize)
	qkv, projection, first, second := visionProducts(config, layer)
	for _, l := range []linear{qkv, projection, first, second} {
		s.linear(l.layers[0], l.output, l.input)
	}
}

func (s shapeList) formerLayer(config checkpoint.Config, layer int) {
	former := config.QFormer
	prefix, width := fmt.Sprintf("qformer.encoder.layer.%d.", layer), former.HiddenSize
	attention := func(name string, source int) {
		s.linear(name+".attention.query", width, width)
		s.linear(name+".attention.key", width, source)
		s.linear(name+".attention.value", width, source)
		s.linear(name+".output.dense", width, width)
		s.norm(name+".output.LayerNorm", width)
	}
	attention(prefix+"attention", width)
	if former.CrossAttends(layer) {
		attention(prefix+"crossattention", config.Vision.HiddenSize)
	}
	for _, suffix := range []string{"", querySuffix} {
		s.linear(prefix+"intermediate"+suffix+".dense", former.IntermediateSize, width)
		s.linear(prefix+"output"+suffix+".dense", width, former.IntermediateSize)
		s.norm(prefix+"output"+suffix+".LayerNorm", width)
	}
}
