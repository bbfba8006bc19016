package blip2

import (
	"fmt"
	"slices"
	"strings"

	"mekiki/embed/language"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/ort"
	"mekiki/embed/quantize"
	"mekiki/embed/tokenize"
	tokenizers "mekiki/embed/tokenize/language"
	"mekiki/embed/tokenize/wordpiece"
)

// Family is BLIP-2 for those who run its models.
func Family() manifest.Family {
	return manifest.Family{
		Name: manifest.FirstFamily,
		Tokenizer: func(read func(name string) ([]byte, error)) (tokenize.Tokenizer, error) {
			vocabulary, err := read(manifest.VocabularyFile)
			if err != nil {
				return nil, err
			}
			return wordpiece.New(vocabulary)
		},
		Language: func(read func(name string) ([]byte, error)) (tokenize.Language, error) {
			return tokenizers.Open(read)
		},
		Describe: func(model manifest.Manifest) manifest.Description {
			return manifest.Description{
				Language: describeLanguage(model.Config.Language), Map: mapOf(model),
				Graphs: signatures(model), MaximumTokens: model.Config.QFormer.MaxPositions, // of what the Q-Former reads
				// Where one activation scale serves a whole run of the Q-Former.
				OneByOne: slices.ContainsFunc(model.Quantization, func(choice manifest.LayerChoice) bool {
					return choice.Method == string(quantize.PerRun) && !strings.HasPrefix(choice.Layer, visionPrefix)
				}),
			}
		},
		Shares: shares,
	}
}

// describeLanguage says how a language model is run; nil where there is none.
func describeLanguage(config *modelconfig.Language) *manifest.Language {
	if config == nil {
		return nil
	}
	run := &manifest.Language{Positions: language.Capacity(*config)}
	if language.HasEncoder(*config) {
		run.EncoderBuckets = func(length int) []int64 { return language.EncoderBuckets(*config, length) }
		run.DecoderBuckets = func(before, length int) []int64 { return language.DecoderBuckets(*config, before, length) }
	}
	return run
}

// signatures lists the graphs that a model has.
func signatures(model manifest.Manifest) []manifest.Signature {
	config := model.Config
	size := int64(config.Vision.ImageSize)
	width, queries := int64(config.ProjectionSize), int64(config.QueryTokens)
	tokens, ids, mask := imageTokensValue(config), textValue(manifest.TokenIDsName), textValue(manifest.AttentionMaskName)
	work := estimate(config)
	vision := manifest.Signature{
		File: manifest.VisionFile, Data: visionData,
		Inputs:  []ort.Value{{Name: manifest.PixelsName, Type: ort.Float32, Shape: []int64{-1, 3, size, size}}},
		Outputs: []ort.Value{tokens}, Work: work.vision,
	}
	if config.Language != nil {
		second := secondSignatures(config, tokens, ids, mask)
		if model.HasVision() {
			return append([]manifest.Signature{vision}, second...)
		}
		return second
	}
	list := []manifest.Signature{
		vision,
		{
			File: manifest.ImagePartsFile, Data: qformerData,
			Inputs:  []ort.Value{tokens},
			Outputs: []ort.Value{{Name: manifest.PartsName, Type: ort.Float32, Shape: []int64{-1, queries, width}}},
			Work:    work.parts,
		},
		{
			File: manifest.TextFile, Data: qformerData,
			Inputs:  []ort.Value{ids, mask},
			Outputs: []ort.Value{{Name: manifest.TextVectorName, Type: ort.Float32, Shape: []int64{-1, width}}},
			Work:    work.text,
		},
	}
	can := model.Capabilities()
	if can.Match {
		list = append(list, matchSignatures(config, tokens, ids, mask)...)
	}
	if can.Caption {
		list = append(list, captionSignatures(config, tokens, ids)...)
	}
	return list
}

// imageTokensValue is an input or output of image tokens.
func imageTokensValue(config modelconfig.Config) ort.Value {
	return ort.Value{Name: manifest.ImageTokensName, Type: ort.Float32, Shape: []int64{-1, int64(config.Vision.Tokens()), int64(config.Vision.HiddenSize)}}
}

// textValue is an input of a number for each token of texts.
func textValue(name string) ort.Value {
	return ort.Value{Name: name, Type: ort.Int64, Shape: []int64{-1, -1}}
}

// matchSignatures describes matching, pair by pair and for many texts with an image.
func matchSignatures(config modelconfig.Config, tokens, ids, mask ort.Value) []manifest.Signature {
	memory, work := memoryValues(config), estimate(config)
	return []manifest.Signature{
		{
			File: manifest.MatchFile, Data: qformerData,
			Inputs:  []ort.Value{tokens, ids, mask},
			Outputs: []ort.Value{{Name: manifest.LogitsName, Type: ort.Float32, Shape: []int64{-1, 2}}},
			Work:    work.match,
		},
		{
			File: manifest.MatchImageFile, Data: qformerData,
			Inputs:  []ort.Value{tokens},
			Outputs: withBatch(memory, -1),
			Work:    work.memory,
		},
		{
			File: manifest.MatchTextFile, Data: qformerData,
			Inputs:  append([]ort.Value{ids, mask}, memory...),
			Outputs: []ort.Value{{Name: manifest.LogitsName, Type: ort.Float32, Shape: []int64{-1, 2}}},
			Work:    work.match - work.memory,
		},
	}
}

// memoryValues are the keys and values that the queries read of one image in
// matching, layer after layer.
func memoryValues(config modelconfig.Config) []ort.Value {
	var list []ort.Value
	for layer := range config.QFormer.Layers {
		if config.QFormer.CrossAttends(layer) {
			list = append(list, ort.Value{
				Name: fmt.Sprint(manifest.MemoryPrefix, layer), Type: ort.Float32,
				Shape: []int64{1, int64(config.Vision.Tokens()), 2 * int64(config.QFormer.HiddenSize)},
			})
		}
	}
	return list
}

// withBatch returns values whose first size is batch.
func withBatch(values []ort.Value, batch int64) []ort.Value {
	list := make([]ort.Value, len(values))
	for i, value := range values {
		list[i] = value
		list[i].Shape = append([]int64{batch}, value.Shape[1:]...)
	}
	return list
}

// captionSignatures describes the graphs that decode with a key and value cache:
// a key and a value for each layer, layer after layer.
func captionSignatures(config modelconfig.Config, tokens, ids ort.Value) []manifest.Signature {
	former := config.QFormer
	heads, width := int64(former.Heads), int64(former.HiddenSize/former.Heads)
	cache := func(key, value string, length int64) []ort.Value {
		var list []ort.Value
		for layer := range former.Layers {
			shape := []int64{-1, heads, length, width}
			list = append(list,
				ort.Value{Name: fmt.Sprintf("%s%d", key, layer), Type: ort.Float32, Shape: shape},
				ort.Value{Name: fmt.Sprintf("%s%d", value, layer), Type: ort.Float32, Shape: shape})
		}
		return list
	}
	past := cache(manifest.PastKeyPrefix, manifest.PastValuePrefix, -1)
	present := cache(manifest.PresentKeyPrefix, manifest.PresentValuePrefix, -1)
	work := estimate(config)
	return []manifest.Signature{
		{
			File: manifest.CaptionStartFile, Data: qformerData,
			Inputs:  []ort.Value{tokens},
			Outputs: cache(manifest.PastKeyPrefix, manifest.PastValuePrefix, int64(config.QueryTokens)),
			Work:    work.parts,
		},
		{
			File: manifest.CaptionStepFile, Data: qformerData,
			Inputs: append([]ort.Value{
				ids, {Name: manifest.PositionName, Type: ort.Int64, Shape: []int64{-1}},
			}, past...),
			Outputs: append([]ort.Value{
				{Name: manifest.LogitsName, Type: ort.Float32, Shape: []int64{-1, -1, int64(former.VocabularySize)}},
			}, present...),
			Work: work.step,
		},
	}
}

// workload estimates the multiply-adds of each graph.
type workload struct{ vision, parts, text, match, memory, step float64 }

// typicalText is the number of tokens that estimates assume of a text.
const typicalText = 12

// estimate counts the matrix products that dominate. It only decides between one
// thread and several, so being right within a factor of two is enough.
func estimate(config modelconfig.Config) workload {
	vision, former := config.Vision, config.QFormer
	rows, width := float64(vision.Tokens()), float64(vision.HiddenSize)
	var encoder float64
	for layer := range vision.Layers {
		before, after := float64(vision.LayerTokens(layer)), float64(vision.LayerTokens(layer+1))
		encoder += before*width*(4*width) + after*width*2*float64(vision.IntermediateSize) + 2*before*before*width
	}
	hidden, queries := float64(former.HiddenSize), float64(config.QueryTokens)
	pass := func(positions, crossed float64) float64 {
		own := positions * hidden * (4*hidden + 2*float64(former.IntermediateSize))
		cross := 2*crossed*hidden*hidden + 2*rows*width*hidden
		if crossed == 0 {
			cross = 0
		}
		return float64(former.Layers)*own + float64(former.Layers)/float64(max(1, former.CrossAttentionFrequency))*cross
	}
	return workload{
		vision: encoder,
		parts:  pass(queries, queries),
		text:   pass(typicalText, 0),
		match:  pass(queries+typicalText, queries),
		memory: float64(former.Layers) / float64(max(1, former.CrossAttentionFrequency)) * 2 * rows * width * hidden,
		step:   pass(1, 0) + hidden*float64(former.VocabularySize),
	}
}
