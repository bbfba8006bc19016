package xmp

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"mekiki/index/xmp/rdf"
)

// Namespace is that of the properties in which Mekiki keeps what it wrote. The properties are called as those that it
// wrote to are, and DescriptionModel is there when a model wrote the description.
const Namespace = "http://mekiki/ns/sidecar/1.0/"

// The namespaces of what is written, from the sources beside them.
const (
	spaceDC        = "http://purl.org/dc/elements/1.1/"            // ISO 16684-1:2012, 8.3
	spaceXMP       = "http://ns.adobe.com/xap/1.0/"                // ISO 16684-1:2012, 8.4
	spacePhotoshop = "http://ns.adobe.com/photoshop/1.0/"          // XMP Specification Part 2
	spaceEXIF      = "http://ns.adobe.com/exif/1.0/"               // CIPA DC-010-2017
	spaceDM        = "http://ns.adobe.com/xmp/1.0/DynamicMedia/"   // XMP Specification Part 2
	spaceLightroom = "http://ns.adobe.com/lightroom/1.0/"          // exiftool, XMP2.pl
	spaceDigiKam   = "http://www.digikam.org/ns/1.0/"              // digiKam, metaengine
	spaceIPTCExt   = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/" // IPTC Photo Metadata Standard
)

// Change is what is done to one property.
type Change struct {
	// Property is its name with the usual prefix, such as "xmp:Rating".
	Property string `json:"property"`
	// Before and After are its value; "" for none. They are "" of a list, which has Add and Remove.
	Before string   `json:"before,omitempty"`
	After  string   `json:"after,omitempty"`
	Add    []string `json:"add,omitempty"`
	Remove []string `json:"remove,omitempty"`
	// Kept says that another program's value stays, because it is newer than what Mekiki wrote.
	Kept bool `json:"kept,omitempty"`
}

// merger brings statements into a document.
type merger struct {
	document *rdf.Document
	changes  []Change
	touched  bool // also where only Mekiki's own notes change
}

// Merge brings what Mekiki says of a picture into a document, and gives what that changes. Kinds that are not asked for
// stay as they are.
func Merge(document *rdf.Document, said Statements, kinds Kinds, now time.Time) (changes []Change, touched bool) {
	m := &merger{document: document}
	if kinds&(Tags|People) != 0 {
		m.mergeTags(said, kinds)
	}
	if kinds&Ratings != 0 {
		m.text(rdf.Name{Space: spaceXMP, Prefix: "xmp", Local: "Rating"}, said.rating(), sameNumber)
	}
	if kinds&Titles != 0 {
		m.language(rdf.Name{Space: spaceDC, Prefix: "dc", Local: "title"}, said.Title)
	}
	if kinds&(Titles|Captions) != 0 {
		m.description(said, kinds)
	}
	if kinds&Dates != 0 {
		m.text(rdf.Name{Space: spacePhotoshop, Prefix: "photoshop", Local: "DateCreated"}, said.date(), sameDate)
		m.text(rdf.Name{Space: spaceEXIF, Prefix: "exif", Local: "DateTimeOriginal"}, said.date(), sameDate)
	}
	if kinds&Favourites != 0 {
		m.text(rdf.Name{Space: spaceDigiKam, Prefix: "digiKam", Local: "PickLabel"}, when(said.Favourite, pickAccepted), sameNumber)
		m.text(rdf.Name{Space: spaceDM, Prefix: "xmpDM", Local: "pick"}, when(said.Favourite, pickFlagged), sameNumber)
	}
	if m.touched {
		document.SetText(rdf.Name{Space: spaceXMP, Prefix: "xmp", Local: "MetadataDate"}, now.UTC().Format(time.RFC3339))
	}
	return m.changes, m.touched
}

// What digiKam and Lightroom write of a picture that somebody picked out.
const (
	pickAccepted = "3"
	pickFlagged  = "1"
)

// base is where Mekiki keeps what it wrote to a property.
func base(name rdf.Name) rdf.Name {
	return rdf.Name{Space: Namespace, Prefix: "mekiki", Local: name.Local}
}

// mergeTags brings in words and people. Where one kind alone is asked for, what was written of the other stays.
func (m *merger) mergeTags(said Statements, kinds Kinds) {
	isPerson := func(path, separator string) bool {
		first, _, below := strings.Cut(path, separator)
		return below && first == peopleTag
	}
	people := rdf.Name{Space: spaceIPTCExt, Prefix: "Iptc4xmpExt", Local: "PersonInImage"}
	own := m.document.List(base(people)) // before it changes
	if kinds&People != 0 {
		m.set(people, rdf.Bag, said.people(), func(string) bool { return true })
	}
	concerns := func(path, separator string) bool {
		return kinds&Tags != 0 && kinds&People != 0 || isPerson(path, separator) == (kinds&People != 0)
	}
	m.set(rdf.Name{Space: spaceDC, Prefix: "dc", Local: "subject"}, rdf.Bag, said.subjects(kinds), func(word string) bool {
		return kinds&Tags != 0 && kinds&People != 0 || slices.Contains(own, word) == (kinds&People != 0)
	})
	m.set(rdf.Name{Space: spaceLightroom, Prefix: "lr", Local: "hierarchicalSubject"}, rdf.Bag, said.paths(kinds, "|"),
		func(path string) bool { return concerns(path, "|") })
	m.set(rdf.Name{Space: spaceDigiKam, Prefix: "digiKam", Local: "TagsList"}, rdf.Seq, said.paths(kinds, "/"),
		func(path string) bool { return concerns(path, "/") })
}

// set brings in a list: what was added since the last time is added, what was taken back is removed if it was Mekiki that
// wrote it. concerns says which of Mekiki's own values are spoken of at all.
func (m *merger) set(name rdf.Name, kind rdf.Container, wanted []string, concerns func(string) bool) {
	present, own := m.document.List(name), m.document.List(base(name))
	has := func(list []string, value string) bool {
		return slices.ContainsFunc(list, func(each string) bool { return strings.EqualFold(strings.TrimSpace(each), value) })
	}
	change := Change{Property: name.Prefix + ":" + name.Local}
	for _, value := range wanted {
		if !has(present, value) && !has(own, value) {
			change.Add = append(change.Add, value)
		}
	}
	var dropped []string
	for _, value := range own {
		if !concerns(value) || has(wanted, strings.TrimSpace(value)) {
			continue
		}
		dropped = append(dropped, value)
		if slices.Contains(present, value) {
			change.Remove = append(change.Remove, value)
		}
	}
	if len(change.Add)+len(dropped) == 0 {
		return
	}
	m.touched = true
	m.document.RemoveItems(name, change.Remove...)
	m.document.RemoveItems(base(name), dropped...)
	m.document.Add(name, kind, change.Add...)
	m.document.Add(base(name), rdf.Bag, change.Add...)
	if len(change.Add)+len(change.Remove) > 0 {
		m.changes = append(m.changes, change)
	}
}

// side is how a property that has one value is written.
type side struct {
	set    func(rdf.Name, string)
	remove func(rdf.Name)
	same   func(a, b string) bool
}

func (m *merger) text(name rdf.Name, wanted string, same func(a, b string) bool) {
	m.value(name, wanted, side{m.document.SetText, m.document.Remove, same})
}

func (m *merger) language(name rdf.Name, wanted string) {
	m.value(name, legible(wanted), m.languageSide())
}

func (m *merger) languageSide() side {
	return side{m.document.SetLanguage, m.document.RemoveLanguage, func(a, b string) bool { return strings.TrimSpace(a) == strings.TrimSpace(b) }}
}

// value brings in one value: "" for none.
func (m *merger) value(name rdf.Name, wanted string, side side) {
	present, there := m.document.Text(name)
	written, wrote := m.document.Text(base(name))
	change := Change{Property: name.Prefix + ":" + name.Local, Before: present, After: wanted}
	isOwn := wrote && there && side.same(present, written)
	switch {
	case wanted == "" && !wrote, there && side.same(present, wanted) && (!wrote || written == wanted):
		return
	case wanted == "":
		m.document.Remove(base(name))
		m.touched = true
		if isOwn {
			side.remove(name)
			m.changes = append(m.changes, change)
		}
	case wrote && side.same(written, wanted) && !isOwn: // another program has changed or removed it since
		change.After, change.Kept = present, true
		m.changes = append(m.changes, change)
	default:
		if !there || !side.same(present, wanted) {
			side.set(name, wanted)
			m.changes = append(m.changes, change)
		}
		m.document.SetText(base(name), wanted)
		m.touched = true
	}
}

// description brings in a person's description, or else a caption where nobody has described the picture.
func (m *merger) description(said Statements, kinds Kinds) {
	name := rdf.Name{Space: spaceDC, Prefix: "dc", Local: "description"}
	model := rdf.Name{Space: Namespace, Prefix: "mekiki", Local: "DescriptionModel"}
	present, there := m.document.Text(name)
	written, wrote := m.document.Text(base(name))
	former, byModel := m.document.Text(model)
	if person := legible(said.Description); kinds&Titles != 0 && (person != "" || wrote && !byModel) {
		m.document.Remove(model)
		m.value(name, person, m.languageSide())
		if person != "" {
			return
		}
		present, there = m.document.Text(name)
		written, wrote = m.document.Text(base(name))
		former, byModel = "", false
	}
	isOwn := wrote && byModel && m.languageSide().same(present, written)
	if kinds&Captions == 0 || said.Description != "" || there && strings.TrimSpace(present) != "" && !isOwn || !there && wrote {
		return
	}
	before := len(m.changes)
	m.value(name, legible(said.Caption), m.languageSide())
	switch {
	case said.Caption == "":
		m.document.Remove(model)
	case len(m.changes) > before || former != said.CaptionModel:
		m.document.SetText(model, legible(said.CaptionModel))
		m.touched = true
	}
}

func sameNumber(a, b string) bool {
	first, err := strconv.ParseFloat(strings.TrimSpace(a), 64)
	second, otherErr := strconv.ParseFloat(strings.TrimSpace(b), 64)
	return err == nil && otherErr == nil && math.Abs(first-second) < 1e-9 || strings.TrimSpace(a) == strings.TrimSpace(b)
}

// sameDate compares what a clock showed, to the second; fractions and zones are not Mekiki's to say.
func sameDate(a, b string) bool {
	seconds := func(text string) string { return strings.TrimSpace(text)[:min(19, len(strings.TrimSpace(text)))] }
	return seconds(a) == seconds(b)
}
