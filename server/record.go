package server

import (
	"strconv"
	"time"

	"mekiki/index"
)

// The library's records as they are sent.

type recordJSON struct {
	ID         string            `json:"id"`
	Kind       string            `json:"kind"`
	Hash       string            `json:"hash,omitempty"`
	Paths      []string          `json:"paths"`
	Name       string            `json:"name,omitempty"`
	Format     string            `json:"format,omitempty"`
	Width      int               `json:"width,omitempty"`
	Height     int               `json:"height,omitempty"`
	Bytes      int64             `json:"bytes,omitempty"`
	Damage     string            `json:"damage,omitempty"`
	Modified   *time.Time        `json:"modified,omitempty"`
	Added      time.Time         `json:"added"`
	Metadata   *metadataJSON     `json:"metadata,omitempty"`
	Tags       []string          `json:"tags"`
	Captions   []captionJSON     `json:"captions"`
	Text       string            `json:"text,omitempty"`
	ExternalID string            `json:"external_id,omitempty"`
	Fields     map[string]string `json:"fields,omitempty"`
	Thumbnail  string            `json:"thumbnail,omitempty"`
	Original   string            `json:"original,omitempty"`
}

type metadataJSON struct {
	Taken       *time.Time `json:"taken,omitempty"`
	TakenOffset string     `json:"taken_offset,omitempty"`
	TakenSource string     `json:"taken_source,omitempty"`
	Camera      string     `json:"camera,omitempty"`
	Lens        string     `json:"lens,omitempty"`
	Place       string     `json:"place,omitempty"`
	Title       string     `json:"title,omitempty"`
	Description string     `json:"description,omitempty"`
	Creator     string     `json:"creator,omitempty"`
	Copyright   string     `json:"copyright,omitempty"`
	Keywords    []string   `json:"keywords,omitempty"`
	People      []string   `json:"people,omitempty"`
	Rating      *int       `json:"rating,omitempty"`
	Label       string     `json:"label,omitempty"`
	Generation  string     `json:"generation,omitempty"`
	Latitude    *float64   `json:"latitude,omitempty"`
	Longitude   *float64   `json:"longitude,omitempty"`
	Orientation int        `json:"orientation,omitempty"`
}

type captionJSON struct {
	Text  string   `json:"text"`
	Match *float32 `json:"match,omitempty"`
	Model string   `json:"model,omitempty"`
}

type recordListJSON struct {
	Records []recordJSON `json:"records"`
	Total   int          `json:"total"`
	Next    string       `json:"next,omitempty"`
	Facets  *facetsJSON  `json:"facets,omitempty"`
}

type facetsJSON struct {
	Kinds   []facetJSON `json:"kinds"`
	Folders []facetJSON `json:"folders"`
	Cameras []facetJSON `json:"cameras"`
	Tags    []facetJSON `json:"tags"`
	People  []facetJSON `json:"people"`
	Ratings []facetJSON `json:"ratings"`
	Formats []facetJSON `json:"formats"`
	Years   []facetJSON `json:"years"`
}

type facetJSON struct {
	Value string `json:"value"`
	Count int    `json:"count"`
}

func showRecord(record *index.Record) recordJSON {
	shown := recordJSON{
		ID: record.ID.String(), Kind: record.Kind.String(), Paths: record.Paths(), Name: record.Name(), Format: record.Format,
		Width: record.Width, Height: record.Height, Bytes: record.Bytes,
		Modified: known(record.Modified()), Added: record.Added.UTC(),
		Tags: append([]string{}, record.Tags...), Captions: make([]captionJSON, len(record.Captions)),
		Text: record.Text, ExternalID: record.ExternalID, Fields: record.Fields,
	}
	if !record.Hash.IsZero() {
		shown.Hash = record.Hash.String()
	}
	for i, caption := range record.Captions {
		shown.Captions[i] = captionJSON{Text: caption.Text, Model: caption.Model}
		if caption.Match >= 0 {
			shown.Captions[i].Match = &caption.Match
		}
	}
	if record.Kind == index.KindImage {
		address := "/api/v1/records/" + strconv.FormatUint(uint64(record.ID), 10)
		shown.Thumbnail, shown.Original = address+"/thumbnail", address+"/original"
		shown.Metadata, shown.Damage = showMetadata(record.Metadata), record.Damage
	}
	return shown
}

func showMetadata(metadata index.Metadata) *metadataJSON {
	return &metadataJSON{
		Taken: known(metadata.Taken), TakenOffset: metadata.Zone(), TakenSource: metadata.TakenSource, Camera: metadata.Camera, Lens: metadata.Lens, Place: metadata.Place,
		Title: metadata.Title, Description: metadata.Description, Creator: metadata.Creator, Copyright: metadata.Copyright,
		Keywords: metadata.Keywords, People: metadata.People, Rating: metadata.Rating, Label: metadata.Label, Generation: metadata.Generation,
		Latitude: metadata.Latitude, Longitude: metadata.Longitude, Orientation: metadata.Orientation,
	}
}

// known gives nil for the zero time, which means that it is not known.
func known(moment time.Time) *time.Time {
	if moment.IsZero() {
		return nil
	}
	utc := moment.UTC()
	return &utc
}

func showFacets(facets index.Facets) *facetsJSON {
	show := func(counts []index.FacetCount) []facetJSON {
		shown := make([]facetJSON, len(counts))
		for i, count := range counts {
			shown[i] = facetJSON(count)
		}
		return shown
	}
	return &facetsJSON{
		Kinds: show(facets.Kinds), Folders: show(facets.Folders), Cameras: show(facets.Cameras),
		Tags: show(facets.Tags), People: show(facets.People), Ratings: show(facets.Ratings), Formats: show(facets.Formats), Years: show(facets.Years),
	}
}
