package server

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/search"
	"mekiki/search/query"
	"mekiki/server/problem"
)

// The requests as they arrive. Their members are described, and checked, by the
// API document.

type filterJSON struct {
	Kinds   []string  `json:"kinds"`
	Folders []string  `json:"folders"`
	After   string    `json:"after"`
	Before  string    `json:"before"`
	Cameras []string  `json:"cameras"`
	Tags    []string  `json:"tags"`
	People  []string  `json:"people"`
	Ratings []string  `json:"ratings"`
	Taken   string    `json:"taken"`
	Formats []string  `json:"formats"`
	Near    *nearJSON `json:"near"`
	IDs     []string  `json:"ids"`
}

type nearJSON struct {
	Latitude   float64 `json:"latitude"`
	Longitude  float64 `json:"longitude"`
	Kilometres float64 `json:"kilometres"`
}

// filterQuery is a filter as parameters of a query.
type filterQuery struct {
	Kind   []string `json:"kind"`
	Folder []string `json:"folder"`
	After  string   `json:"after"`
	Before string   `json:"before"`
	Camera []string `json:"camera"`
	Tag    []string `json:"tag"`
	Person []string `json:"person"`
	Rating []string `json:"rating"`
	Taken  string   `json:"taken"`
	Format []string `json:"format"`
	Near   string   `json:"near"`
}

func (q filterQuery) filter() (index.Filter, error) {
	object := filterJSON{
		Kinds: q.Kind, Folders: q.Folder, After: q.After, Before: q.Before, Cameras: q.Camera, Tags: q.Tag, Formats: q.Format,
		People: q.Person, Ratings: q.Rating, Taken: q.Taken,
	}
	if q.Near != "" {
		numbers, err := numbersIn("near", q.Near, 3)
		if err != nil {
			return index.Filter{}, err
		}
		object.Near = &nearJSON{numbers[0], numbers[1], numbers[2]}
	}
	return object.filter("")
}

// filter turns the wire's form into the index's. prefix goes before names of
// members in errors.
func (f filterJSON) filter(prefix string) (index.Filter, error) {
	filter := index.Filter{Folders: f.Folders, Cameras: f.Cameras, Tags: f.Tags, People: f.People, Formats: f.Formats}
	if f.Taken != "" {
		known := f.Taken == "known"
		filter.Taken = &known
	}
	for _, text := range f.Ratings {
		rating, ok := query.ParseRating(text)
		if !ok {
			return filter, problem.Invalid(prefix+"rating", "must be a number from 0 to 5, -1 for rejected, none, or a range such as >=4 or 3..5")
		}
		filter.Ratings = append(filter.Ratings, index.RatingRange(rating))
	}
	for _, name := range f.Kinds {
		kind, err := index.ParseKind(name)
		if err != nil {
			return filter, problem.Invalid(prefix+"kind", "%v", err)
		}
		filter.Kinds = append(filter.Kinds, kind)
	}
	for _, text := range f.IDs {
		id, err := parseID(prefix+"ids", text)
		if err != nil {
			return filter, err
		}
		filter.IDs = append(filter.IDs, id)
	}
	var err error
	if filter.After, filter.AfterZoned, err = parseDate(prefix+"after", f.After); err != nil {
		return filter, err
	}
	if filter.Before, filter.BeforeZoned, err = parseDate(prefix+"before", f.Before); err != nil {
		return filter, err
	}
	if f.Near == nil {
		return filter, nil
	}
	if f.Near.Latitude < -90 || f.Near.Latitude > 90 || f.Near.Longitude < -180 || f.Near.Longitude > 180 || f.Near.Kilometres <= 0 {
		return filter, problem.Invalid(prefix+"near", "needs a latitude of -90 to 90, a longitude of -180 to 180 and a radius above 0")
	}
	filter.Near = &index.Near{Latitude: f.Near.Latitude, Longitude: f.Near.Longitude, Kilometres: f.Near.Kilometres}
	return filter, nil
}

// parseDate reads a date, which begins at midnight by the camera's clock, or a time
// with a zone, which is a moment.
func parseDate(field, text string) (date time.Time, zoned bool, err error) {
	if text == "" {
		return time.Time{}, false, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339Nano, "2006-01", "2006"} {
		if parsed, err := time.Parse(layout, text); err == nil {
			return parsed, layout == time.RFC3339Nano, nil
		}
	}
	return time.Time{}, false, problem.Invalid(field, "must be a date such as 2024-05-01 or a time such as 2024-05-01T12:00:00Z")
}

// numbersIn reads count numbers with commas between them.
func numbersIn(field, text string, count int) ([]float64, error) {
	parts := strings.Split(text, ",")
	if len(parts) != count {
		return nil, problem.Invalid(field, "must be %d numbers with commas between them", count)
	}
	numbers := make([]float64, count)
	for i, part := range parts {
		number, err := strconv.ParseFloat(part, 64)
		if err != nil {
			return nil, problem.Invalid(field, "must be %d numbers with commas between them", count)
		}
		numbers[i] = number
	}
	return numbers, nil
}

func parseCrop(text string) (*search.Rectangle, error) {
	if text == "" {
		return nil, nil
	}
	numbers, err := numbersIn("crop", text, 4)
	if err != nil {
		return nil, err
	}
	return &search.Rectangle{X: numbers[0], Y: numbers[1], Width: numbers[2], Height: numbers[3]}, nil
}

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
	Record string            `json:"record"`
	Crop   *search.Rectangle `json:"crop"`
}

// source is an image that a request is about.
type source struct {
	record index.ID
	crop   *search.Rectangle
	data   []byte
}

func (j sourceJSON) source(given upload) (source, error) {
	from := source{crop: j.Crop, data: given.image}
	if j.Record != "" {
		id, err := parseID("record", j.Record)
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
