package export

import (
	"time"

	"mekiki/index"
)

// Metadata is the JSON form of what the file of an image says about itself.
type Metadata struct {
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

// Caption is the JSON form of a caption and how well it matches.
type Caption struct {
	Text  string   `json:"text"`
	Match *float32 `json:"match,omitempty"`
	Model string   `json:"model,omitempty"`
	// Prompt is what a language model went on with.
	Prompt string `json:"prompt,omitempty"`
}

// OCR is the JSON form of the words in a picture.
type OCR struct {
	Model string    `json:"model"`
	Lines []OCRLine `json:"lines"`
}

// OCRLine is the JSON form of a line of words in a picture; corners are x and y in pixels.
type OCRLine struct {
	Text    string    `json:"text"`
	Corners [4][2]int `json:"corners"`
	Score   float32   `json:"score"`
}

// OCROf gives the JSON form of the words in a picture; nil for one that nobody has read.
func OCROf(read *index.OCR) *OCR {
	if read == nil {
		return nil
	}
	shown := &OCR{Model: read.Model, Lines: make([]OCRLine, len(read.Lines))}
	for i, line := range read.Lines {
		shown.Lines[i].Text, shown.Lines[i].Score = line.Text, line.Score
		for c, corner := range line.Corners {
			shown.Lines[i].Corners[c] = [2]int{corner.X, corner.Y}
		}
	}
	return shown
}

// Given is the JSON form of what people gave a record beside its tags.
type Given struct {
	Rating      *int       `json:"rating,omitempty"`
	Favourite   bool       `json:"favourite,omitempty"`
	Title       string     `json:"title,omitempty"`
	Date        *time.Time `json:"date,omitempty"`
	Hidden      bool       `json:"hidden,omitempty"`
	Collections []string   `json:"collections,omitempty"`
	Trashed     *time.Time `json:"trashed,omitempty"`
	Description string     `json:"description,omitempty"`
	People      []string   `json:"people,omitempty"`
}

// GivenOf gives the JSON form of what people gave; nil for nothing.
func GivenOf(g *index.Given) *Given {
	if g == nil {
		return nil
	}
	return &Given{
		Rating: g.Rating, Favourite: g.Favourite, Title: g.Title, Date: Time(g.Date), Hidden: g.Hidden, Collections: g.Collections,
		Trashed: Time(g.Trashed), Description: g.Description, People: g.People,
	}
}

// MetadataOf gives the JSON form of metadata, without the time of taking and the
// orientation, of which exports and the HTTP API say different things.
func MetadataOf(m index.Metadata) Metadata {
	return Metadata{
		TakenOffset: m.Zone(), TakenSource: m.TakenSource, Camera: m.Camera, Lens: m.Lens, Place: m.Place,
		Title: m.Title, Description: m.Description, Creator: m.Creator, Copyright: m.Copyright,
		Keywords: m.Keywords, People: m.People, Rating: m.Rating, Label: m.Label, Generation: m.Generation,
		Latitude: m.Latitude, Longitude: m.Longitude,
	}
}

// CaptionsOf gives the JSON form of captions; it is never nil.
func CaptionsOf(captions []index.Caption) []Caption {
	list := make([]Caption, len(captions))
	for i, caption := range captions {
		list[i] = Caption{Text: caption.Text, Model: caption.Model, Prompt: caption.Prompt}
		if caption.Match >= 0 {
			list[i].Match = &caption.Match
		}
	}
	return list
}
