package wire

import (
	"mekiki/index"
	"mekiki/search"
	"mekiki/search/query"
	"mekiki/server/problem"
	"strconv"
	"strings"
	"time"
)

// Filter is a filter as a JSON object.
type Filter struct {
	Kinds   []string `json:"kinds"`
	Folders []string `json:"folders"`
	After   string   `json:"after"`
	Before  string   `json:"before"`
	Cameras []string `json:"cameras"`
	Tags    []string `json:"tags"`
	People  []string `json:"people"`
	Ratings []string `json:"ratings"`
	Taken   string   `json:"taken"`
	Formats []string `json:"formats"`
	Near    *Near    `json:"near"`
	IDs     []string `json:"ids"`
}

// Near is the neighbourhood of a place.
type Near struct {
	Latitude   float64 `json:"latitude"`
	Longitude  float64 `json:"longitude"`
	Kilometres float64 `json:"kilometres"`
}

// FilterQuery is a filter as parameters of a query.
type FilterQuery struct {
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

// Parse turns it into the form of the index.
func (q FilterQuery) Parse() (index.Filter, error) {
	object := Filter{
		Kinds: q.Kind, Folders: q.Folder, After: q.After, Before: q.Before, Cameras: q.Camera, Tags: q.Tag, Formats: q.Format,
		People: q.Person, Ratings: q.Rating, Taken: q.Taken,
	}
	if q.Near != "" {
		numbers, err := numbersIn("near", q.Near, 3)
		if err != nil {
			return index.Filter{}, err
		}
		object.Near = &Near{numbers[0], numbers[1], numbers[2]}
	}
	return object.Parse("")
}

// Parse turns the wire's form into the index's. prefix goes before names of
// members in errors.
func (f Filter) Parse(prefix string) (index.Filter, error) {
	filter := index.Filter{Folders: f.Folders, Cameras: f.Cameras, Tags: f.Tags, People: f.People, Formats: f.Formats}
	if f.Taken != "" {
		Time := f.Taken == "known"
		filter.Taken = &Time
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
		id, err := ParseID(prefix+"ids", text)
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

// ParseCrop reads a part of an image: left, top, width and height as shares of it. "" is nil.
func ParseCrop(text string) (*search.Rectangle, error) {
	if text == "" {
		return nil, nil
	}
	numbers, err := numbersIn("crop", text, 4)
	if err != nil {
		return nil, err
	}
	return &search.Rectangle{X: numbers[0], Y: numbers[1], Width: numbers[2], Height: numbers[3]}, nil
}

// ParseID reads the identity of a record; field names it in errors.
func ParseID(field, text string) (index.ID, error) {
	id, err := index.ParseID(text)
	if err != nil {
		return 0, problem.Invalid(field, "is not the id of a record")
	}
	return id, nil
}
