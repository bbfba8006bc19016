package embed

import (
	"context"
	"fmt"

	"mekiki/embed/manifest"
	"mekiki/embed/ort"
	"mekiki/embed/pixels"
	"mekiki/embed/runner"
)

// ImageTokens runs the vision encoder over images, in their order.
func (e *Engine) ImageTokens(ctx context.Context, images []*pixels.Image) ([]ImageTokens, error) {
	return ReadImages(ctx, e.model, images)
}

// ReadImages runs a model's vision encoder over images, in their order. Of a model without one, as a second stage may be,
// it is ErrNoVision.
func ReadImages(ctx context.Context, model *runner.Model, images []*pixels.Image) ([]ImageTokens, error) {
	done, err := model.Begin()
	if err != nil {
		return nil, err
	}
	defer done()
	graph := model.Graphs[manifest.VisionFile]
	if graph == nil {
		return nil, fmt.Errorf("image tokens: %w", ErrNoVision)
	}
	session, err := graph.Open(ctx, model)
	if err != nil {
		return nil, err
	}
	rows, columns := model.TokenShape()
	size := int(graph.Inputs[0].Shape[2])
	results := make([]ImageTokens, len(images))
	err = model.Each(ctx, graph, len(images), func(ctx context.Context, i int) error {
		values, err := pixelValues(images[i], size, model.Normalization)
		if err != nil {
			return fmt.Errorf("image %d: %w", i, err)
		}
		side := int64(size)
		output := make([]float32, rows*columns)
		err = session.RunInto(ctx,
			[]ort.Tensor{ort.Float32Tensor(values, 1, 3, side, side)},
			[]ort.Tensor{ort.Float32Tensor(output, 1, int64(rows), int64(columns))})
		results[i] = ImageTokens{Rows: rows, Columns: columns, Values: output}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("image tokens: %w", err)
	}
	return results, nil
}

// pixelValues resizes and normalises an image as the checkpoint asks.
func pixelValues(image *pixels.Image, size int, normalization pixels.Normalization) ([]float32, error) {
	if image == nil || image.Width < 1 || image.Height < 1 || len(image.Pix) != 3*image.Width*image.Height {
		return nil, fmt.Errorf("no pixels")
	}
	if image.Width != size || image.Height != size {
		resized, err := pixels.Resize(image, size, size)
		if err != nil {
			return nil, err
		}
		image = resized
	}
	return normalization.Normalize(image), nil
}

// ImageParts runs the image transformer over image tokens, in their order.
func (e *Engine) ImageParts(ctx context.Context, tokens []ImageTokens) ([]Parts, error) {
	done, err := e.model.Begin()
	if err != nil {
		return nil, err
	}
	defer done()
	graph := e.model.Graphs[manifest.ImagePartsFile]
	session, err := graph.Open(ctx, e.model)
	if err != nil {
		return nil, err
	}
	space := e.Space()
	results := make([]Parts, len(tokens))
	err = e.model.Each(ctx, graph, len(tokens), func(ctx context.Context, i int) error {
		input, err := e.tokenTensor(tokens[i])
		if err != nil {
			return fmt.Errorf("image %d: %w", i, err)
		}
		output := make([]float32, space.Parts*space.Width)
		err = session.RunInto(ctx, []ort.Tensor{input},
			[]ort.Tensor{ort.Float32Tensor(output, 1, int64(space.Parts), int64(space.Width))})
		results[i] = Parts{Count: space.Parts, Width: space.Width, Values: output}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("image parts: %w", err)
	}
	return results, nil
}

// tokenTensor presents one image's tokens as a batch of one.
func (e *Engine) tokenTensor(tokens ImageTokens) (ort.Tensor, error) {
	if err := e.checkTokens(tokens); err != nil {
		return ort.Tensor{}, err
	}
	return ort.Float32Tensor(tokens.Values, 1, int64(tokens.Rows), int64(tokens.Columns)), nil
}

// checkTokens reports tokens that are not of this model's size.
func (e *Engine) checkTokens(tokens ImageTokens) error {
	rows, columns := e.model.TokenShape()
	if tokens.Rows == rows && tokens.Columns == columns && len(tokens.Values) == rows*columns {
		return nil
	}
	return fmt.Errorf("image tokens are %dx%d with %d values, this model's are %dx%d",
		tokens.Rows, tokens.Columns, len(tokens.Values), rows, columns)
}
