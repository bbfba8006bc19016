package xmp

import (
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"mekiki/index"
	"mekiki/index/metadata"
	"mekiki/index/xmp/rdf"
)

var testTime = time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)

// everything is a value of every kind.
func everything() Statements {
	rating := 4
	return Statements{
		Tags: []string{"Places/Japan/Kyoto", "lantern", "a & b"}, People: []string{"Ada Lovelace"}, Rating: &rating, Title: "Temple <in> rain",
		Date: time.Date(1984, 7, 14, 18, 30, 0, 0, time.UTC), Favourite: true, Caption: "a temple in the rain", CaptionModel: "abc123",
	}
}

// merged merges statements into a sidecar, which may be "", and gives what is written.
func merged(t *testing.T, sidecar string, said Statements, kinds Kinds) (string, []Change) {
	t.Helper()
	document := rdf.New()
	if sidecar != "" {
		parsed, err := rdf.Parse([]byte(sidecar))
		if err != nil {
			t.Fatal(err)
		}
		document = parsed
	}
	changes, touched := Merge(document, said, kinds, testTime)
	data, err := document.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if !touched && sidecar != "" {
		return sidecar, changes
	}
	return string(data), changes
}

func readMetadata(t *testing.T, sidecar string) index.Metadata {
	t.Helper()
	return metadata.Read(t.Context(), metadata.Source{Sidecars: []metadata.Sidecar{{Name: "a.jpg.xmp", Data: []byte(sidecar)}}})
}

// TestMergeIsReadAgain: what is written is what the library's reader reads, and nothing is written twice.
func TestMergeIsReadAgain(t *testing.T) {
	said := everything()
	sidecar, changes := merged(t, "", said, Given|Captions)
	if len(changes) != 11 {
		t.Errorf("%d changes: %+v", len(changes), changes)
	}
	want := index.Metadata{
		Title: said.Title, Keywords: []string{"Places/Japan/Kyoto", "lantern", "a & b", "People/Ada Lovelace"}, People: said.People, Rating: said.Rating,
		Taken: said.Date, TakenSource: "sidecar",
	}
	got := readMetadata(t, sidecar)
	slices.Sort(got.Keywords)
	slices.Sort(want.Keywords)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s\n%s", diff, sidecar)
	}
	if again, changes := merged(t, sidecar, said, Given|Captions); again != sidecar || len(changes) > 0 {
		t.Errorf("written twice: %+v\n%s", changes, again)
	}
}

// TestMergeTakesBack: what is taken back in the library goes from the sidecar; what others wrote stays.
func TestMergeTakesBack(t *testing.T) {
	others := `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="2" xmp:CreatorTool="darktable">` +
		`<dc:subject><rdf:Bag><rdf:li>lantern</rdf:li><rdf:li>river</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>`
	said := everything()
	said.Rating = nil
	with, _ := merged(t, others, said, Given|Captions)
	back, changes := merged(t, with, Statements{}, Given|Captions)
	for _, change := range changes {
		if change.Property == "dc:subject" && (!slices.Equal(change.Remove, []string{"Kyoto", "a & b", "Ada Lovelace"}) || len(change.Add) > 0) {
			t.Errorf("%+v", change)
		}
	}
	m := readMetadata(t, back)
	if !slices.Equal(m.Keywords, []string{"lantern", "river"}) || m.Rating == nil || *m.Rating != 2 || m.Title != "" || len(m.People) > 0 || !m.Taken.IsZero() {
		t.Errorf("%+v\n%s", m, back)
	}
	if !strings.Contains(back, "darktable") || strings.Contains(back, "mekiki:") && strings.Contains(back, "<mekiki:") {
		t.Error(back)
	}
}

// TestMergeOfThreeSides: the side that has changed since the last time wins.
func TestMergeOfThreeSides(t *testing.T) {
	three, five := 3, 5
	written, _ := merged(t, "", Statements{Rating: &three, Tags: []string{"cat", "dog"}}, Given)
	theirs := strings.Replace(written, "<xmp:Rating>3", "<xmp:Rating>4", 1)
	theirs = strings.Replace(theirs, "<rdf:li>dog</rdf:li>", "", 1) // of dc:subject, which comes first
	kept, changes := merged(t, theirs, Statements{Rating: &three, Tags: []string{"cat", "dog"}}, Given)
	if kept != theirs || len(changes) != 1 || !changes[0].Kept || changes[0].After != "4" {
		t.Errorf("another program's change is lost: %+v\n%s", changes, kept)
	}
	mine, _ := merged(t, theirs, Statements{Rating: &five, Tags: []string{"cat", "dog", "owl"}}, Given)
	m := readMetadata(t, mine)
	if *m.Rating != 5 || !slices.Contains(m.Keywords, "owl") {
		t.Errorf("%+v", m)
	}
	unrated := 0
	none, _ := merged(t, mine, Statements{Rating: &unrated, Tags: []string{"cat"}}, Given)
	if m := readMetadata(t, none); m.Rating != nil || !slices.Equal(m.Keywords, []string{"cat"}) {
		t.Errorf("%+v", m)
	}
}

// TestCaptionsGiveWay: a model's caption is marked, is replaced by the next one, and never stands where a person wrote.
func TestCaptionsGiveWay(t *testing.T) {
	first, _ := merged(t, "", Statements{Caption: "a cat", CaptionModel: "one"}, Captions)
	if m := readMetadata(t, first); m.Description != "" || !strings.Contains(first, "a cat") {
		t.Errorf("the caption is read as somebody's words: %q\n%s", m.Description, first)
	}
	second, _ := merged(t, first, Statements{Caption: "two cats", CaptionModel: "two"}, Captions)
	if strings.Contains(second, "a cat<") || !strings.Contains(second, "two cats") {
		t.Error(second)
	}
	edited := strings.Replace(second, "two cats", "Tom and his brother", 1)
	if strings.Index(edited, "Tom") > strings.Index(edited, "<mekiki:") {
		t.Fatal("the wrong one was edited")
	}
	kept, _ := merged(t, edited, Statements{Caption: "three cats", CaptionModel: "two"}, Captions)
	if kept != edited || readMetadata(t, kept).Description != "Tom and his brother" {
		t.Error(kept)
	}
	person, _ := merged(t, second, Statements{Description: "Tom", Caption: "two cats", CaptionModel: "two"}, Given|Captions)
	if m := readMetadata(t, person); m.Description != "Tom" {
		t.Errorf("%q\n%s", m.Description, person)
	}
	again, _ := merged(t, person, Statements{Caption: "two cats", CaptionModel: "two"}, Given|Captions)
	if m := readMetadata(t, again); m.Description != "" || !strings.Contains(again, "two cats") {
		t.Errorf("%q\n%s", m.Description, again)
	}
	gone, _ := merged(t, again, Statements{}, Captions)
	if strings.Contains(gone, "two cats") {
		t.Error(gone)
	}
}

// TestMergeOfOneKind: kinds that are not asked for stay.
func TestMergeOfOneKind(t *testing.T) {
	all, _ := merged(t, "", everything(), Given)
	tags, _ := merged(t, all, Statements{}, Tags)
	if m := readMetadata(t, tags); !slices.Equal(m.Keywords, []string{"People/Ada Lovelace"}) || m.Rating == nil || m.Title == "" || len(m.People) != 1 {
		t.Errorf("%+v\n%s", m, tags)
	}
	people, _ := merged(t, all, Statements{}, People)
	if m := readMetadata(t, people); len(m.Keywords) != 3 || len(m.People) != 0 {
		t.Errorf("%+v\n%s", m, people)
	}
}

// TestFacesStay: faces with names are read as people, and stay with their places when people are written beside them.
func TestFacesStay(t *testing.T) {
	const regions = `<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag><rdf:li rdf:parseType="Resource"><mwg-rs:Name>Grace Hopper</mwg-rs:Name><mwg-rs:Type>Face</mwg-rs:Type>` +
		`<mwg-rs:Area stArea:x="0.25" stArea:y="0.5" stArea:w="0.1" stArea:h="0.2" stArea:unit="normalized"/></rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>`
	before := `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""` +
		` xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/" xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#">` + regions + `</rdf:Description></rdf:RDF></x:xmpmeta>`
	if people := readMetadata(t, before).People; !slices.Equal(people, []string{"Grace Hopper"}) {
		t.Errorf("before: %q", people)
	}
	said := everything()
	said.People = []string{"Ada Lovelace"}
	sidecar, _ := merged(t, before, said, People)
	if !strings.Contains(sidecar, regions) {
		t.Errorf("the faces are not as they were:\n%s", sidecar)
	}
	people := readMetadata(t, sidecar).People
	slices.Sort(people)
	if !slices.Equal(people, []string{"Ada Lovelace", "Grace Hopper"}) {
		t.Errorf("after: %q", people)
	}
}
