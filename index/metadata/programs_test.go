package metadata

import (
	"encoding/binary"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"mekiki/index"
)

// packetOf is a packet of XMP with some properties.
func packetOf(properties string) []byte {
	return []byte(`<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" ` +
		`xmlns:lr="http://ns.adobe.com/lightroom/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" ` +
		`xmlns:digiKam="http://www.digikam.org/ns/1.0/">` + properties + `</rdf:Description></rdf:RDF>`)
}

func bagOf(name string, items ...string) string {
	text := "<" + name + "><rdf:Bag>"
	for _, item := range items {
		text += "<rdf:li>" + item + "</rdf:li>"
	}
	return text + "</rdf:Bag></" + name + ">"
}

// TestProgramsOwnTags: what programs note of their doings is nobody's tag, in no form.
func TestProgramsOwnTags(t *testing.T) {
	for name, test := range map[string]struct {
		properties string
		want       []string
	}{
		"darktable, both lists": {bagOf("dc:subject", "darktable", "exported", "format", "föhr", "jpg", "unterwegs") +
			bagOf("lr:hierarchicalSubject", "darktable|exported", "darktable|format|jpg", "unterwegs|föhr"), []string{"unterwegs/föhr"}},
		"a tag of the same name":      {bagOf("dc:subject", "format") + bagOf("lr:hierarchicalSubject", "darktable|format|jpg", "book|format"), []string{"book/format"}},
		"darktable in the flat list":  {bagOf("dc:subject", "darktable|changed", "sea"), []string{"sea"}},
		"digiKam":                     {bagOf("digiKam:TagsList", "_Digikam_Internal_Tags_/Scanned for Faces", "Orte/Bayern"), []string{"Orte/Bayern"}},
		"a word without such a path":  {bagOf("dc:subject", "jpg", "exported"), []string{"jpg", "exported"}},
		"a person with a comma":       {bagOf("lr:hierarchicalSubject", "Clubs|Rowing, Henley"), []string{"Clubs/Rowing, Henley"}},
		"levels in a slash's list":    {bagOf("dc:subject", "Taken By/Rich") + bagOf("lr:hierarchicalSubject", "Taken By/Rich"), []string{"Taken By/Rich"}},
		"a year as a level and a tag": {bagOf("dc:subject", "2023") + bagOf("lr:hierarchicalSubject", "Travel|2023|Rome"), []string{"Travel/2023/Rome"}},
	} {
		m := Read(t.Context(), Source{Sidecars: []Sidecar{{"a.xmp", packetOf(test.properties)}}})
		if diff := cmp.Diff(test.want, m.Keywords); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestReferenceApart: the letter of the half of the globe, in a property of its own.
func TestReferenceApart(t *testing.T) {
	position := func(latitude, north, longitude, east string) string {
		return "<exif:GPSLatitude>" + latitude + "</exif:GPSLatitude><exif:GPSLatitudeRef>" + north + "</exif:GPSLatitudeRef>" +
			"<exif:GPSLongitude>" + longitude + "</exif:GPSLongitude><exif:GPSLongitudeRef>" + east + "</exif:GPSLongitudeRef>"
	}
	for properties, want := range map[string][2]float64{
		position("60.5", "N", "68", "W"):       {60.5, -68},
		position("54.8", "S", "68.25", "W"):    {-54.8, -68.25},
		position("-54.8", "S", "-68.25", "W"):  {-54.8, -68.25},
		position("54,48S", "S", "68,15W", "W"): {-54.8, -68.25},
		position("47.5", "North", "8.5", ""):   {47.5, 8.5},
	} {
		m := Read(t.Context(), Source{Sidecars: []Sidecar{{"a.xmp", packetOf(properties)}}})
		if m.Latitude == nil || max(*m.Latitude-want[0], want[0]-*m.Latitude, *m.Longitude-want[1], want[1]-*m.Longitude) > 1e-9 {
			t.Errorf("%s is %v, %v", properties, m.Latitude, m.Longitude)
		}
	}
}

// TestClockOfTheCamera: a sidecar that moved the camera's clock to UTC says the same
// moment; the clock that was there holds.
func TestClockOfTheCamera(t *testing.T) {
	date := func(text string) string { return "<photoshop:DateCreated>" + text + "</photoshop:DateCreated>" }
	file := pngWith(append([]byte("iTXtXML:com.adobe.xmp\x00\x00\x00\x00\x00"), packetOf(date("2023-11-20T10:00:00+08:00"))...))
	for sidecar, want := range map[string]index.Metadata{
		"2023-11-20T02:00:00Z":      {Taken: time.Date(2023, 11, 20, 10, 0, 0, 0, time.UTC), TakenOffset: offsetOf(8 * time.Hour), TakenSource: "xmp"},
		"2023-11-20T02:00:01Z":      {Taken: time.Date(2023, 11, 20, 2, 0, 1, 0, time.UTC), TakenOffset: offsetOf(0), TakenSource: "sidecar"},
		"2023-11-20T03:00:00+01:00": {Taken: time.Date(2023, 11, 20, 3, 0, 0, 0, time.UTC), TakenOffset: offsetOf(time.Hour), TakenSource: "sidecar"},
	} {
		m := Read(t.Context(), Source{Data: file, Sidecars: []Sidecar{{"a.xmp", packetOf(date(sidecar))}}})
		if diff := cmp.Diff(want, m); diff != "" {
			t.Errorf("%s: %s", sidecar, diff)
		}
	}
}

// TestGraphsInPlaceOfACamera: ComfyUI writes its graphs into a WebP's EXIF.
func TestGraphsInPlaceOfACamera(t *testing.T) {
	maker, model := `workflow:{"last_node_id":9,"nodes":[]}`, `prompt:{"3":{"inputs":{"seed":1102676403634909,"text":"an otter swims"}}}`
	for _, test := range []struct {
		maker, model string
		want         index.Metadata
	}{
		{maker, model, index.Metadata{Generation: "an otter swims seed: 1102676403634909"}},
		{maker, "", index.Metadata{Generation: `{"last_node_id":9,"nodes":[]}`}},
		{"Workflow: Studio", "X1", index.Metadata{Camera: "Workflow: Studio X1"}},
	} {
		file := []byte("II*\x00\x08\x00\x00\x00\x02\x00")
		at := uint32(8 + 2 + 2*12 + 4)
		for i, text := range []string{test.maker, test.model} {
			file = binary.LittleEndian.AppendUint16(file, tagMake+uint16(i))
			file = binary.LittleEndian.AppendUint16(file, 2)
			file = binary.LittleEndian.AppendUint32(file, max(uint32(len(text)), 5))
			file = binary.LittleEndian.AppendUint32(file, at)
			at += max(uint32(len(text)), 5)
		}
		file = append(file, 0, 0, 0, 0)
		for _, text := range []string{test.maker, test.model} {
			file = append(file, text...)
			file = append(file, make([]byte, max(5-len(text), 0))...)
		}
		if diff := cmp.Diff(test.want, Read(t.Context(), Source{Data: file})); diff != "" {
			t.Errorf("%s, %s: %s", test.maker, test.model, diff)
		}
	}
}

// TestCommentsInTheOtherOrder: programs write UTF-16 in another byte order than the file's.
func TestCommentsInTheOtherOrder(t *testing.T) {
	for _, text := range []string{"Подъезд podezd", "Подъезд", "a cat", "Ελλάδα και", "שלום לכולם", "東京タワーの写真です"} {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			for _, otherwise := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
				var data []byte
				for _, unit := range utf16.Encode([]rune(text)) {
					data = order.AppendUint16(data, unit)
				}
				isClear := text[0] < 0xE0 // Chinese characters differ in both bytes
				if got := decodeUTF16(data, guessUTF16(data, otherwise)); got != text && (isClear || order.String() == otherwise.String()) {
					t.Errorf("%s, %v in a file of %v: %q", text, order, otherwise, got)
				}
			}
		}
	}
}
