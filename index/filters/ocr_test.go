package filters

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"mekiki/index"
	"mekiki/index/keyword"
)

func TestWordsInPictures(t *testing.T) {
	record := &index.Record{ID: 1, Kind: index.KindImage, OCR: &index.OCR{Model: "m", Lines: []index.OCRLine{
		{Text: "NO"}, {Text: "---"}, {Text: "PARKING"}, {Text: "KA 7731-XY"}, {Text: "Café Łódź €12"}, {Text: "出口 Ｅxit"},
	}}}
	for value, want := range map[string]bool{
		"no parking": true, "noparking": false, "parking no": false, "o park": true, "king KA": true, "kingKA": false,
		"7731": true, "ka-7731-xy": true, "KA7731XY": true, "731 x": true, "7731 YX": false, "cafe": true, "lodz €12": true, "$12": false,
		"出口": true, "出口 exit": true, "口ex": true, "12": true, "21": false, "no parking ka 7731 xy café": true,
	} {
		m := Compile(index.Filter{OCR: []string{value}, Hidden: index.ChoiceInclude, Trash: index.ChoiceInclude})
		if m.Matches(record) != want {
			t.Errorf("text:%q passes: %v", value, !want)
		}
	}
	for name, r := range map[string]*index.Record{"not read": {}, "without words": {OCR: &index.OCR{Model: "m"}}} {
		if Compile(index.Filter{OCR: []string{"no"}}).Matches(r) {
			t.Errorf("a picture %s passes", name)
		}
	}
	if Compile(index.Filter{OCR: []string{"-"}}).Matches(record) {
		t.Error("a picture says punctuation")
	}
	if field, _ := Named("text"); field.Set(&index.Filter{}, " .-! ", Reading{}) == nil {
		t.Error("punctuation is looked for")
	}
	several := Compile(index.Filter{OCR: []string{"zeppelin", "7731"}})
	if !several.Matches(record) || several.Matches(&index.Record{OCR: &index.OCR{Model: "m", Lines: []index.OCRLine{{Text: "7732"}}}}) {
		t.Error("either of two texts is to be there")
	}
}

func BenchmarkWordsInPictures(b *testing.B) {
	record := &index.Record{OCR: &index.OCR{Model: "m"}}
	for range 10 {
		record.OCR.Lines = append(record.OCR.Lines, index.OCRLine{Text: "Departures: Platform 9, KA-7731"})
	}
	m := Compile(index.Filter{OCR: []string{"platform 10"}})
	b.SetBytes(int64(len(strings.Join(record.OCR.Texts(), " "))))
	for b.Loop() {
		m.Matches(record)
	}
}

// TestOCRPlaces: what the filter finds is marked, over lines and without what does not count.
func TestOCRPlaces(t *testing.T) {
	read := &index.OCR{Model: "m", Lines: []index.OCRLine{{Text: "NO"}, {Text: "Parking, Łódź: KA-77-XY"}, {Text: "e\u0301t 77"}}}
	for text, want := range map[string][][]keyword.Place{
		"no park": {{{Offset: 0, Length: 2}}, {{Offset: 0, Length: 4}}, nil},
		"a77":     {nil, {{Offset: 16, Length: 1}, {Offset: 18, Length: 2}}, nil},
		"77":      {nil, {{Offset: 18, Length: 2}}, {{Offset: 4, Length: 2}}},
		"lodz":    {nil, {{Offset: 9, Length: 4}}, nil},
		"et":      {nil, nil, {{Offset: 0, Length: 3}}},
		"zeppel":  {nil, nil, nil},
		"-":       {nil, nil, nil},
	} {
		if got := OCRPlaces(read, []string{text}); !reflect.DeepEqual(got, want) {
			t.Errorf("%q stands at %v, want %v", text, got, want)
		}
	}
	if OCRPlaces(nil, []string{"a"}) != nil || OCRPlaces(read, nil) != nil {
		t.Error("nothing has places")
	}
}

// FuzzOCRPlaces: what passes the filter is marked, what does not is not, and places lie within their lines.
func FuzzOCRPlaces(f *testing.F) {
	f.Add("NO\nPARKING 7731", "no p")
	f.Add("\u1e9e\u0301 ŒÆ\nﬁ", "ssoe")
	f.Fuzz(func(t *testing.T, picture, text string) {
		read := &index.OCR{Model: "m"}
		for line := range strings.SplitSeq(picture, "\n") {
			read.Lines = append(read.Lines, index.OCRLine{Text: line})
		}
		for number, places := range OCRPlaces(read, []string{text}) {
			end := 0
			for _, place := range places {
				if place.Offset < end || place.Length < 1 {
					t.Errorf("places %v", places)
				}
				end = place.Offset + place.Length
			}
			if end > utf8.RuneCountInString(read.Lines[number].Text) {
				t.Errorf("%v in %q", places, read.Lines[number].Text)
			}
		}
		Compile(index.Filter{OCR: []string{text}}).Matches(&index.Record{OCR: read})
	})
}
