// Package document says what the engine knows of a record of a library on a cluster: the
// properties of its object, and which condition over them asks for what passes a filter.
package document

import (
	"encoding/base64"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"mekiki/index"
	"mekiki/index/cluster/engine"
	"mekiki/index/cluster/form"
	"mekiki/index/filters"
	"mekiki/index/keyword"
	"mekiki/index/local/keywords"
)

// NoVector is a vector that no object has: a collection must have one.
const NoVector = "none"

// The properties of an object. The record itself is among them, so that what the engine
// finds need not be fetched from the store.
const (
	Record     = "f_record"
	Version    = "f_version" // a digest of it
	Hash       = "f_hash"
	Kind       = "f_kind"
	Paths      = "f_paths"
	External   = "f_externalID"
	Spaces     = "f_spaces"
	Folders    = "f_folders"
	Tags       = "f_tags"
	People     = "f_people"
	Format     = "f_format"
	Camera     = "f_camera"
	Rating     = "f_rating"
	Taken      = "f_taken"
	Date       = "f_date"
	Number     = "f_number"
	Latitude   = "f_latitude"
	Longitude  = "f_longitude"
	Pixels     = "f_pixels"
	Collection = "f_collections"
	Favourite  = "f_favourite"
	Hidden     = "f_hidden"
	Trash      = "f_trash"
	OCR        = "f_ocr" // there are words in the picture
	// WordsPrefix begins the properties of the terms of each field of package keyword.
	WordsPrefix = "words_"
)

// unrated stands for no rating.
const unrated = -100

// Properties are those of a collection.
func Properties() []engine.Property {
	var list []engine.Property
	for kind, names := range map[engine.Type][]string{
		engine.Stored:   {Record, Version},
		engine.Exact:    {Hash, Kind, External, Format, Camera},
		engine.ExactSet: {Paths, Spaces, Folders, Tags, People, Collection},
		engine.Number:   {Rating, Date, Number, Latitude, Longitude, Pixels},
		engine.Truth:    {Taken, Favourite, Hidden, Trash, OCR},
	} {
		for _, name := range names {
			list = append(list, engine.Property{Name: name, Type: kind})
		}
	}
	for _, field := range keyword.Fields() {
		list = append(list, engine.Property{Name: WordsPrefix + field.Name, Type: engine.Words})
	}
	return list
}

// Of gives the properties of a record, whose object of the store has the bytes encoded.
func Of(s *form.Record, encoded []byte) map[string]any {
	r := &s.Record
	d := keywords.DocumentOf(r)
	p := map[string]any{
		Record: string(encoded), Version: form.VersionOf(encoded), Hash: r.Hash.String(), Kind: r.Kind.String(), Number: float64(r.ID),
		Rating: float64(unrated), Taken: d.Taken, Pixels: float64(int64(r.Width) * int64(r.Height)),
		Favourite: r.Favourite(), Hidden: r.Hidden(), Trash: r.InTrash(),
		OCR: r.OCR != nil && len(r.OCR.Lines) > 0,
	}
	var paths, spaces, people []string
	for _, path := range r.Paths() {
		paths = append(paths, Plain(path))
	}
	for number := range s.Spaces {
		spaces = append(spaces, fmt.Sprint(number))
	}
	for _, person := range d.People {
		people = append(people, keyword.Beginnings(person)...)
	}
	for name, values := range map[string][]string{
		Paths: paths, Spaces: spaces, People: people, Folders: d.Folders,
		Tags: keyword.FoldAll(d.Tags), Collection: keyword.FoldAll(r.Collections()),
	} {
		if len(values) > 0 {
			p[name] = Texts(values)
		}
	}
	for name, value := range map[string]string{
		External: r.ExternalID, Format: keyword.Fold(d.Format), Camera: keyword.Fold(d.Camera),
	} {
		if value != "" {
			p[name] = Plain(value)
		}
	}
	if d.Rating != nil {
		p[Rating] = float64(*d.Rating)
	}
	if !d.Date.IsZero() {
		p[Date] = float64(d.Date.Unix())
	}
	if d.Latitude != nil && d.Longitude != nil && !math.IsNaN(*d.Latitude) && !math.IsNaN(*d.Longitude) {
		p[Latitude], p[Longitude] = *d.Latitude, *d.Longitude
	}
	for _, field := range keyword.Fields() {
		if terms := d.FieldTerms(field.Name); len(terms) > 0 {
			p[WordsPrefix+field.Name] = Plain(strings.Join(terms, " "))
		}
	}
	return p
}

// Texts gives texts that the engine takes.
func Texts(values []string) []string {
	list := make([]string, len(values))
	for i, value := range values {
		list[i] = Plain(value)
	}
	return list
}

// Where asks the engine for at least what passes a filter and is of a kind; zero is any. It
// reports whether everything that it finds passes.
func Where(filter index.Filter, m *filters.Matcher, kind index.Kind) (condition engine.Condition, exact bool) {
	k := m.KeywordFilter()
	var all []engine.Condition
	anyOf := func(property string, values []string) {
		if len(values) > 0 {
			all = append(all, engine.OneOf(property, Texts(values)))
		}
	}
	if kind != 0 {
		all = append(all, engine.Equal(Kind, kind.String()))
	}
	anyOf(Kind, k.Kinds)
	anyOf(Tags, keyword.FoldAll(k.Tags))
	anyOf(Format, keyword.FoldAll(k.Formats))
	if len(k.Folders)+len(k.FolderNames) > 0 {
		folders := beginning(Folders, k.FolderNames)
		if len(k.Folders) > 0 {
			folders = append(folders, engine.OneOf(Folders, Texts(k.Folders)))
		}
		all = append(all, engine.Any(folders...))
	}
	if len(k.People) > 0 {
		all = append(all, engine.Any(beginning(People, k.People)...))
	}
	if len(k.Cameras) > 0 {
		var cameras []engine.Condition
		for _, camera := range k.Cameras {
			cameras = append(cameras, engine.Like(Camera, "*"+Plain(keyword.Fold(camera))+"*"))
		}
		all = append(all, engine.Any(cameras...))
	}
	if k.Taken != nil {
		all = append(all, engine.Is(Taken, *k.Taken))
	}
	if len(k.Ratings) > 0 {
		all = append(all, ratings(k.Ratings))
	}
	if !k.After.IsZero() {
		all = append(all, engine.AtLeast(Date, float64(k.After.Unix())))
	}
	if !k.Before.IsZero() {
		all = append(all, engine.Below(Date, float64(k.Before.Unix()+1)))
	}
	if k.Near != nil {
		all = append(all, near(*k.Near))
	}
	if len(k.IDs) > 0 {
		ids := make([]string, len(k.IDs))
		for i, id := range k.IDs {
			ids[i] = form.UUID(index.ID(id))
		}
		all = append(all, engine.IDs(ids))
	}
	if m != nil {
		all = append(all, whereGiven(filter, m)...)
	}
	rest := m.Except(func(name filters.Name) bool { return toldExactly(filter, k, name) })
	return engine.All(all...), rest == nil
}

// Behind asks for what stands behind the place of a page in an order by ID.
func Behind(page index.Page) engine.Condition {
	const largest = 1 << 53 // more than any ID, and a float
	if page.Order == index.OrderNewest {
		return engine.Below(Number, float64(min(page.Behind.ID, largest)))
	}
	return engine.AtLeast(Number, float64(min(page.Behind.ID, largest)+1))
}

// toldExactly reports whether the engine lets pass what a field of a filter does, and nothing
// else. A field that is not known here is not.
func toldExactly(filter index.Filter, k keyword.Filter, name filters.Name) bool {
	switch name {
	case filters.Kind, filters.Tag, filters.Type, filters.Rating, filters.Taken, filters.Collection, filters.Favourite, filters.Hidden, filters.Trash, filters.Size, filters.IDs:
		return true
	case filters.Folder:
		return len(k.FolderNames) == 0
	case filters.After:
		return !filter.AfterZoned && filter.After.Nanosecond() == 0
	}
	return false
}

// whereGiven asks for what people gave records, which no keyword index knows.
func whereGiven(filter index.Filter, m *filters.Matcher) (all []engine.Condition) {
	if len(m.Collections) > 0 {
		all = append(all, engine.OneOf(Collection, Texts(m.Collections)))
	}
	if m.Favourite != nil {
		all = append(all, engine.Is(Favourite, *m.Favourite))
	}
	for property, choice := range map[string]index.Choice{Hidden: m.Hidden, Trash: m.Trash} {
		if choice != index.ChoiceInclude {
			all = append(all, engine.Is(property, choice == index.ChoiceOnly))
		}
	}
	if len(filter.OCR) > 0 {
		all = append(all, engine.Is(OCR, true))
	}
	if len(filter.Sizes) > 0 {
		var sizes []engine.Condition
		for _, size := range filter.Sizes {
			sizes = append(sizes, engine.All(engine.AtLeast(Pixels, float64(size.Least)), engine.Below(Pixels, float64(size.Below))))
		}
		all = append(all, engine.Any(sizes...))
	}
	return all
}

// beginning lets pass what begins with one of some texts, and maybe more: * and ? stand for
// themselves and others.
func beginning(property string, values []string) []engine.Condition {
	var conditions []engine.Condition
	for _, value := range values {
		conditions = append(conditions, engine.Like(property, Plain(value)+"*"))
	}
	return conditions
}

func ratings(ranges []keyword.RatingRange) engine.Condition {
	var conditions []engine.Condition
	for _, r := range ranges {
		if r.Unrated {
			conditions = append(conditions, engine.AtMost(Rating, unrated))
		} else {
			conditions = append(conditions, engine.All(engine.AtLeast(Rating, float64(r.Least)), engine.AtMost(Rating, float64(r.Most))))
		}
	}
	return engine.Any(conditions...)
}

// near asks for a rectangle around a circle, or, where that would hold a pole or cross the
// date line, for its latitudes alone.
func near(c keyword.Circle) engine.Condition {
	const kilometresPerDegree = 111.19 // of latitude, on a sphere, rounded down
	height := c.Kilometres*1.001/kilometresPerDegree + 1e-6
	south, north := c.Latitude-height, c.Latitude+height
	all := []engine.Condition{engine.AtLeast(Latitude, south), engine.AtMost(Latitude, north)}
	if south > -89 && north < 89 {
		width := height / math.Cos(math.Max(math.Abs(south), math.Abs(north))*math.Pi/180)
		if west, east := c.Longitude-width, c.Longitude+width; west > -180 && east < 180 {
			all = append(all, engine.AtLeast(Longitude, west), engine.AtMost(Longitude, east))
		}
	}
	return engine.All(all...)
}

// Plain is a text that the engine takes, which stands for any text.
func Plain(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	return "base64:" + base64.StdEncoding.EncodeToString([]byte(text))
}
