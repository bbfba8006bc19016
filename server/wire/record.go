// Package wire is the JSON of requests and answers: records as they are sent, filters and tags as they arrive. The API
// document describes every member.
package wire

import (
	"strconv"
	"time"

	"mekiki/index"
	"mekiki/index/export"
	"mekiki/index/renditions"
)

// Record is a record of the library.
type Record struct {
	ID          string            `json:"id"`
	Kind        string            `json:"kind"`
	Hash        string            `json:"hash,omitempty"`
	Paths       []string          `json:"paths"`
	Name        string            `json:"name,omitempty"`
	Format      string            `json:"format,omitempty"`
	Width       int               `json:"width,omitempty"`
	Height      int               `json:"height,omitempty"`
	Bytes       int64             `json:"bytes,omitempty"`
	Damage      string            `json:"damage,omitempty"`
	Modified    *time.Time        `json:"modified,omitempty"`
	Added       time.Time         `json:"added"`
	Metadata    *export.Metadata  `json:"metadata,omitempty"`
	Tags        []string          `json:"tags"`
	Given       *export.Given     `json:"given,omitempty"`
	Title       string            `json:"title,omitempty"`
	Description string            `json:"description,omitempty"`
	Date        *time.Time        `json:"date,omitempty"`
	Rating      *int              `json:"rating,omitempty"`
	People      []string          `json:"people,omitempty"`
	Captions    []export.Caption  `json:"captions"`
	OCR         *export.OCR       `json:"ocr,omitempty"`
	Text        string            `json:"text,omitempty"`
	ExternalID  string            `json:"external_id,omitempty"`
	Fields      map[string]string `json:"fields,omitempty"`
	Thumbnail   string            `json:"thumbnail,omitempty"`
	Original    string            `json:"original,omitempty"`
	Rendition   string            `json:"rendition,omitempty"`
	Tiles       string            `json:"tiles,omitempty"`
}

// RecordList is one page of records.
type RecordList struct {
	Records []Record `json:"records"`
	Total   int      `json:"total"`
	// Next and Cursor are one: the cursor of the following page.
	Next   string  `json:"next,omitempty"`
	Cursor string  `json:"cursor,omitempty"`
	Facets *Facets `json:"facets,omitempty"`
}

// Facets is how many records have each value.
type Facets struct {
	Kinds       []Facet `json:"kinds"`
	Folders     []Facet `json:"folders"`
	Cameras     []Facet `json:"cameras"`
	Tags        []Facet `json:"tags"`
	People      []Facet `json:"people"`
	Ratings     []Facet `json:"ratings"`
	Formats     []Facet `json:"formats"`
	Years       []Facet `json:"years"`
	Collections []Facet `json:"collections"`
}

// Facet is one value and how many records have it.
type Facet struct {
	Value string `json:"value"`
	Count int    `json:"count"`
}

// RecordOf is a record as it is sent.
func RecordOf(record *index.Record) Record {
	shown := Record{
		ID: record.ID.String(), Kind: record.Kind.String(), Paths: record.Paths(), Name: record.Name(), Format: record.Format,
		Width: record.Width, Height: record.Height, Bytes: record.Bytes,
		Modified: Time(record.Modified()), Added: record.Added.UTC(),
		Tags: append([]string{}, record.Tags...), Given: export.GivenOf(record.Given), Title: record.Title(), Description: record.Description(), People: record.People(), Date: Time(record.Date()), Rating: record.Rating(), Captions: export.CaptionsOf(record.Captions),
		Text: record.Text, ExternalID: record.ExternalID, Fields: record.Fields,
	}
	if !record.Hash.IsZero() {
		shown.Hash = record.Hash.String()
	}
	if record.Kind == index.KindImage {
		address := "/api/v1/records/" + strconv.FormatUint(uint64(record.ID), 10)
		shown.Thumbnail, shown.Original = address+"/thumbnail", address+"/original"
		shown.Rendition, shown.Tiles = address+"/renditions/"+strconv.Itoa(renditions.Side)+"?hash="+record.Hash.String(), address+"/tiles"
		shown.Metadata, shown.Damage = metadataOf(record.Metadata), record.Damage
		shown.OCR = export.OCROf(record.OCR)
	}
	return shown
}

// Listed is a record as it is sent among others: without the words in the picture, which may be many.
func Listed(record *index.Record) Record {
	listed := *record
	listed.OCR = nil
	return RecordOf(&listed)
}

func metadataOf(m index.Metadata) *export.Metadata {
	shown := export.MetadataOf(m)
	shown.Taken, shown.Orientation = Time(m.Taken), m.Orientation
	return &shown
}

// Time gives a time in UTC; nil for one that is not known or that JSON cannot say.
func Time(moment time.Time) *time.Time { return export.Time(moment.UTC()) }

// FacetsOf are counts as they are sent.
func FacetsOf(facets index.Facets) *Facets {
	show := func(counts []index.FacetCount) []Facet {
		shown := make([]Facet, len(counts))
		for i, count := range counts {
			shown[i] = Facet(count)
		}
		return shown
	}
	return &Facets{
		Kinds: show(facets.Kinds), Folders: show(facets.Folders), Cameras: show(facets.Cameras),
		Tags: show(facets.Tags), People: show(facets.People), Ratings: show(facets.Ratings), Formats: show(facets.Formats), Years: show(facets.Years),
		Collections: show(facets.Collections),
	}
}
