package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/labstack/echo/v4"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/search/contract"
	"mekiki/server/problem"
	"mekiki/server/wire"
)

// The requests as they arrive. Their members are described, and checked, by the
// API document.

// rerankJSON is what searches and lookups say of reranking. A missing member
// leaves the choice to the searcher.
type rerankJSON struct {
	Milliseconds *int   `json:"rerank_ms"`
	Count        int    `json:"rerank_count"`
	Show         string `json:"show"`
}

func (r rerankJSON) budget() time.Duration {
	switch {
	case r.Milliseconds == nil:
		return 0
	case *r.Milliseconds == 0:
		return -1
	}
	return time.Duration(*r.Milliseconds) * time.Millisecond
}

// sourceJSON names an image: a record's, or the uploaded one, or a part of it.
type sourceJSON struct {
	Record string              `json:"record"`
	Crop   *contract.Rectangle `json:"crop"`
}

// aboutJSON is a request about an image, among the records that pass a filter.
type aboutJSON struct {
	sourceJSON
	Filter wire.Filter `json:"filter"`
}

// readAbout reads a request of which about is a part.
func (s *Server) readAbout(c echo.Context, target any, about *aboutJSON) (source, index.Filter, error) {
	given, err := s.readRequest(c, target)
	if err != nil {
		return source{}, index.Filter{}, err
	}
	filter, err := about.Filter.Parse("filter.")
	if err != nil {
		return source{}, index.Filter{}, err
	}
	from, err := about.source(given)
	return from, filter, err
}

// source is an image that a request is about.
type source struct {
	record index.ID
	crop   *contract.Rectangle
	data   []byte
}

func (j sourceJSON) source(given upload) (source, error) {
	from := source{crop: j.Crop, data: given.image}
	if j.Record != "" {
		id, err := wire.ParseID("record", j.Record)
		if err != nil {
			return from, err
		}
		from.record = id
	}
	if from.record != 0 && from.data != nil {
		return from, problem.New(problem.InvalidRequest, "give either a record or an image, not both")
	}
	return from, nil
}

// picture decodes the uploaded image, if there is one.
func (s *Server) picture(ctx context.Context, data []byte) (*pixels.Image, error) {
	if data == nil {
		return nil, nil
	}
	picture, err := s.decoder.Decode(ctx, data)
	if err == nil {
		return picture, nil
	}
	if errors.Is(err, pixels.ErrTooLarge) || errors.Is(err, pixels.ErrUnsupported) || errors.Is(err, pixels.ErrCorrupt) || ctx.Err() != nil {
		return nil, err
	}
	return nil, fmt.Errorf("%w: %w", pixels.ErrCorrupt, err)
}
