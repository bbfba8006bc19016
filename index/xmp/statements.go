package xmp

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"mekiki/index"
)

// Kinds says what is written.
type Kinds uint16

// What is written.
const (
	Tags       Kinds = 1 << iota // dc:subject, lr:hierarchicalSubject, digiKam:TagsList
	People                       // Iptc4xmpExt:PersonInImage, and tags below "People"
	Ratings                      // xmp:Rating
	Titles                       // dc:title, and descriptions by people in dc:description
	Dates                        // photoshop:DateCreated, exif:DateTimeOriginal
	Favourites                   // digiKam:PickLabel, xmpDM:pick
	Captions                     // by a model, in dc:description where there is no other
	Given      = Tags | People | Ratings | Titles | Dates | Favourites
)

// Statements are what Mekiki says of a picture that others may read. What a kind has no value for was not given.
type Statements struct {
	// Tags may have levels, between slashes: "Places/Japan/Kyoto".
	Tags   []string
	People []string
	// Rating is from 0, for unrated, to 5; nil where nobody gave one.
	Rating *int
	// Title and Description are people's.
	Title, Description string
	// Date is what the camera's clock showed; zero where nobody gave one.
	Date      time.Time
	Favourite bool
	// Caption is by a model, whose fingerprint CaptionModel is.
	Caption, CaptionModel string
}

// StatementsOf gives what people gave a record, and its caption unless people or the picture itself describe it.
func StatementsOf(r *index.Record) Statements {
	s := Statements{Tags: r.Tags}
	if g := r.Given; g != nil {
		s.Rating, s.Title, s.Date, s.Favourite = g.Rating, g.Title, g.Date, g.Favourite
		s.People, s.Description = g.People, g.Description
	}
	if len(r.Captions) > 0 && r.Metadata.Description == "" {
		s.Caption, s.CaptionModel = r.Captions[0].Text, cmp.Or(r.Captions[0].Model, "unknown")
	}
	return s
}

// nothing reports whether none of the kinds has a value.
func (s Statements) nothing(kinds Kinds) bool {
	for kind, none := range map[Kinds]bool{
		Tags: len(s.Tags) == 0, People: len(s.People) == 0, Ratings: s.Rating == nil, Titles: s.Title == "" && s.Description == "",
		Dates: s.Date.IsZero(), Favourites: !s.Favourite, Captions: s.Caption == "",
	} {
		if kinds&kind != 0 && !none {
			return false
		}
	}
	return true
}

// levels parts a tag.
func levels(tag string) (parts []string) {
	for part := range strings.FieldsFuncSeq(tag, func(r rune) bool { return r == '/' || r == '|' }) {
		if part = strings.Join(strings.Fields(legible(part)), " "); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// peopleTag is the tag below which digiKam, darktable and Mekiki look for people.
const peopleTag = "People"

// subjects gives the flat words of tags, and paths those with their levels, by what is between these.
func (s Statements) subjects(kinds Kinds) (words []string) {
	for _, parts := range s.all(kinds) {
		words = append(words, parts[len(parts)-1])
	}
	return distinct(words)
}

func (s Statements) paths(kinds Kinds, separator string) (paths []string) {
	for _, parts := range s.all(kinds) {
		paths = append(paths, strings.Join(parts, separator))
	}
	return distinct(paths)
}

// all gives the tags of the kinds, and people as tags.
func (s Statements) all(kinds Kinds) (all [][]string) {
	if kinds&Tags != 0 {
		for _, tag := range s.Tags {
			if parts := levels(tag); len(parts) > 0 {
				all = append(all, parts)
			}
		}
	}
	if kinds&People != 0 {
		for _, name := range s.people() {
			if parts := levels(name); len(parts) > 0 {
				all = append(all, []string{peopleTag, strings.Join(parts, " ")})
			}
		}
	}
	return all
}

func (s Statements) people() (names []string) {
	for _, name := range s.People {
		if name = strings.Join(strings.Fields(legible(name)), " "); name != "" {
			names = append(names, name)
		}
	}
	return distinct(names)
}

// legible leaves out what XML does not allow.
func legible(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0xFFFE || r == 0xFFFF || r == 0xFEFF {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

func distinct(words []string) (kept []string) {
	seen := map[string]bool{}
	for _, word := range words {
		if !seen[word] {
			seen[word] = true
			kept = append(kept, word)
		}
	}
	return kept
}

// rating gives the stars as XMP has them, or "".
func (s Statements) rating() string {
	if s.Rating == nil {
		return ""
	}
	return strconv.Itoa(*s.Rating)
}

// date gives what the clock showed as XMP has it, without a zone, or "".
func (s Statements) date() string {
	if s.Date.IsZero() {
		return ""
	}
	return s.Date.Format("2006-01-02T15:04:05")
}

// when gives a text if a thing is so, or "".
func when(is bool, text string) string {
	if is {
		return text
	}
	return ""
}
