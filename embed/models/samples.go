package models

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"mekiki/embed/checkpoint"
	"mekiki/embed/modelconfig"
	"mekiki/embed/pixels"
	"mekiki/embed/tokenize/language"
	"mekiki/embed/tokenize/wordpiece"
	"mekiki/internal/bounded"
)

// gallerySamples reads images and captions of a gallery annotated as Karpathy's
// splits are, spread over its split "val", as pixels and token ids for the model: of
// its Q-Former, or of a second stage's language model.
func gallerySamples(ctx context.Context, gallery fs.FS, source *checkpoint.Checkpoint, count int) ([][]float32, [][]int64, error) {
	encode, err := encoder(source)
	if err != nil {
		return nil, nil, err
	}
	chosen, err := annotated(gallery, "val", count)
	if err != nil {
		return nil, nil, err
	}
	var images [][]float32
	var texts [][]int64
	for _, sample := range chosen {
		values, err := samplePixels(ctx, gallery, sample.name, source.Config().Preprocess)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", sample.name, err)
		}
		images = append(images, values)
		texts = append(texts, encode(sample.caption))
	}
	return images, texts, nil
}

// encoder gives what makes token ids of a caption.
func encoder(source *checkpoint.Checkpoint) (func(caption string) []int64, error) {
	if source.Config().Language != nil {
		tokenizer, err := language.Open(source.ReadFile)
		if err != nil {
			return nil, err
		}
		return func(caption string) []int64 { return tokenizer.Encode(caption, longestCaption).IDs }, nil
	}
	vocabulary, ok := source.Vocabulary()
	if !ok {
		return nil, errors.New("the checkpoint has no vocabulary")
	}
	tokenizer, err := wordpiece.New(vocabulary)
	if err != nil {
		return nil, err
	}
	return func(caption string) []int64 {
		return tokenizer.Encode(caption, source.Config().QFormer.MaxPositions).IDs
	}, nil
}

type sample struct{ name, caption string }

// annotated picks count images of a split, evenly spread, each with a caption.
func annotated(gallery fs.FS, split string, count int) ([]sample, error) {
	content, err := bounded.ReadFileIn(gallery, "annotations.json", maximumAnnotations)
	if err != nil {
		return nil, err
	}
	var annotations struct {
		Images []struct {
			Filename, Filepath, Split string
			Sentences                 []struct{ Raw string }
		}
	}
	if err := json.Unmarshal(content, &annotations); err != nil {
		return nil, fmt.Errorf("annotations.json: %w", err)
	}
	var all []sample
	for i, image := range annotations.Images {
		if image.Split == split && len(image.Sentences) > 0 {
			caption := image.Sentences[i%len(image.Sentences)].Raw
			all = append(all, sample{path.Join(image.Filepath, image.Filename), caption})
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("annotations.json: no image of split %s", split)
	}
	count = min(count, len(all))
	chosen := make([]sample, count)
	for i := range chosen {
		chosen[i] = all[i*len(all)/count]
	}
	return chosen, nil
}

func samplePixels(ctx context.Context, files fs.FS, name string, preprocess modelconfig.Preprocess) ([]float32, error) {
	content, err := bounded.ReadFileIn(files, name, maximumSample)
	if err != nil {
		return nil, err
	}
	image, err := pixels.Decode(ctx, content, pixels.Options{})
	if err != nil {
		return nil, err
	}
	if image, err = pixels.Resize(image, preprocess.ImageSize, preprocess.ImageSize); err != nil {
		return nil, err
	}
	normalization := pixels.Normalization{
		Mean: preprocess.Mean, StandardDeviation: preprocess.StandardDeviation, RescaleFactor: preprocess.RescaleFactor,
	}
	return normalization.Normalize(image), nil
}
