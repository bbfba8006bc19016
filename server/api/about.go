package api

import (
	"context"
	"errors"
	"fmt"

	"github.com/labstack/echo/v4"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/search/contract"
	"mekiki/server/problem"
	"mekiki/server/wire"
)

// ImageSource names an image: a record's, or the uploaded one, or a part of it.
type ImageSource struct {
	Record string              `json:"record"`
	Crop   *contract.Rectangle `json:"crop"`
}

// About is a request about an image, among the records that pass a filter.
type About struct {
	ImageSource
	Filter wire.Filter `json:"filter"`
}

// ReadAbout reads a request of which about is a part.
func (b Bodies) ReadAbout(c echo.Context, target any, about *About) (Source, index.Filter, error) {
	given, err := b.ReadForm(c, target)
	if err != nil {
		return Source{}, index.Filter{}, err
	}
	filter, err := about.Filter.Parse("filter.")
	if err != nil {
		return Source{}, index.Filter{}, err
	}
	from, err := about.Source(given)
	return from, filter, err
}

// Source is an image that a request is about.
type Source struct {
	Record index.ID // 0 for none
	Crop   *contract.Rectangle
	Data   []byte // of the upload; nil for none
	// More are the uploads beside it.
	More [][]byte
}

// Source is the image that is named, where given is what was uploaded with the request.
func (j ImageSource) Source(given Upload) (Source, error) {
	from := Source{Crop: j.Crop, Data: given.Image, More: given.Images}
	if j.Record != "" {
		id, err := wire.ParseID("record", j.Record)
		if err != nil {
			return from, err
		}
		from.Record = id
	}
	if from.Record != 0 && from.Data != nil {
		return from, problem.New(problem.InvalidRequest, "give either a record or an image, not both")
	}
	return from, nil
}

// Pictures decodes uploaded images.
type Pictures struct{ Decoder *pixels.Decoder }

// Decode decodes an uploaded image; nil, and no error, of no data.
func (p Pictures) Decode(ctx context.Context, data []byte) (*pixels.Image, error) {
	if data == nil {
		return nil, nil
	}
	picture, err := p.Decoder.Decode(ctx, data)
	if err == nil {
		return picture, nil
	}
	if errors.Is(err, pixels.ErrTooLarge) || errors.Is(err, pixels.ErrUnsupported) || errors.Is(err, pixels.ErrCorrupt) || ctx.Err() != nil {
		return nil, err
	}
	return nil, fmt.Errorf("%w: %w", pixels.ErrCorrupt, err)
}
