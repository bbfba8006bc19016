package metadata

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDateInName(t *testing.T) {
	for name, want := range map[string]string{
		"IMG-20250108-WA0000.jpg":                      "2025-01-08 00:00:00",
		"20181229_131541.jpg":                          "2018-12-29 13:15:41",
		"20181229_131541(1).jpg":                       "2018-12-29 13:15:41",
		"PXL_20230415_123456789.jpg":                   "2023-04-15 12:34:56",
		"PXL_20230415_123456789.MP.jpg":                "2023-04-15 12:34:56",
		"MVIMG_20190102_030405.jpg":                    "2019-01-02 03:04:05",
		"VID_20190102_030405.jpg":                      "2019-01-02 03:04:05",
		"Screenshot_2023-04-15-12-34-56-789_com.x.jpg": "2023-04-15 12:34:56",
		"Screenshot 2023-04-15 at 12.34.56.png":        "2023-04-15 12:34:56",
		"Screenshot_20230415-123456_Chrome.jpg":        "2023-04-15 12:34:56",
		"2019-07-04 12.30.55.jpg":                      "2019-07-04 12:30:55",
		"WhatsApp Image 2023-04-15 at 1.34.56 PM.jpeg": "2023-04-15 13:34:56",
		"photo_2023-04-15_12-34-56.jpg":                "2023-04-15 12:34:56",
		"signal-2023-04-15-123456.jpg":                 "2023-04-15 12:34:56",
		"20230415123456.jpg":                           "2023-04-15 12:34:56",
		"Scan 1965-07-04 grandma.jpg":                  "1965-07-04 00:00:00",
		"IMG20230415123456.jpg":                        "2023-04-15 12:34:56",
		"2020-02-29.png":                               "2020-02-29 00:00:00",
		"20181229_991541.jpg":                          "2018-12-29 00:00:00",

		"IMG_1234.jpg": "", "20181301.jpg": "", "20190229.jpg": "", "12345678.jpg": "", "DSC01234.jpg": "",
		"123456789012345.jpg": "", "100_2550.JPG": "", "1546300800000.jpg": "", "19650704.jpg": "", "2019-13-04.jpg": "",
		"invoice 30211231.jpg": "", "1800-01-01.jpg": "", "PC291027.JPG": "", "3840x2160-2024.jpg": "", "2024.jpg": "",
		"2019-07-041.jpg": "", "0020181229.jpg": "", "": "", ".jpg": "",
	} {
		got := ""
		if found, ok := dateInName(name); ok {
			got = found.clock.Format(time.DateTime)
		}
		if got != want {
			t.Errorf("%s: %q, expected %q", name, got, want)
		}
	}
}

// TestNameIsTheLastResort: a date in the name counts if nothing else says one and it is
// not later than the file.
func TestNameIsTheLastResort(t *testing.T) {
	modified := time.Date(2025, 1, 8, 20, 0, 0, 0, time.UTC)
	m := Read(t.Context(), Source{Path: "/a/IMG-20250108-WA0000.jpg", Modified: modified})
	if m.Taken.Format(time.DateOnly) != "2025-01-08" || m.TakenSource != "name" || m.TakenOffset != nil {
		t.Errorf("%+v", m)
	}
	if m := Read(t.Context(), Source{Path: "IMG-20260108-WA0000.jpg", Modified: modified}); !m.Taken.IsZero() {
		t.Errorf("a picture of the future: %+v", m)
	}
}

func TestParseDate(t *testing.T) {
	for text, want := range map[string]string{
		"2024:03:01 01:30:00": "2024-03-01 01:30:00 ?", "2024-03-01T01:30:00": "2024-03-01 01:30:00 ?", "2024-03-01T01:30:00.25+09:00": "2024-03-01 01:30:00.25 9h0m0s",
		"2024-03-01T01:30Z": "2024-03-01 01:30:00 0s", "2024-03-01T01:30-03:30": "2024-03-01 01:30:00 -3h30m0s", "2024-03-01": "2024-03-01 00:00:00 ?",
		"2024-03": "2024-03-01 00:00:00 ?", "2024": "2024-01-01 00:00:00 ?", "20240301": "2024-03-01 00:00:00 ?", "20240301T013000+0900": "2024-03-01 01:30:00 9h0m0s",
		"2024/03/01 01:30:00": "2024-03-01 01:30:00 ?", "2024.03.01": "2024-03-01 00:00:00 ?", "2024:03:01 24:00:00": "2024-03-02 00:00:00 ?",
		"2024:03:01 01:30:60": "2024-03-01 01:31:00 ?", "2024:03:01   :  :  ": "2024-03-01 00:00:00 ?", "1965:00:00": "1965-01-01 00:00:00 ?",
		"2024-03-01T01:30:00.123456789123Z": "2024-03-01 01:30:00.123456789 0s", "2024:03:01 01:30:00 +09:00": "2024-03-01 01:30:00 9h0m0s",

		"": "", "0000:00:00 00:00:00": "", "    :  :     :  :  ": "", "nonsense": "", "2024:13:01": "", "2023-02-29": "", "2024:03:01 25:00:00": "",
		"2024:03:01 01:61:00": "", "1700-01-01": "", "99999-01-01": "", "2024-03-01Txx": "", "-2024": "", "2024:03:01 junk": "",
	} {
		got := ""
		if found, ok := parseDate(text); ok {
			got = found.clock.Format("2006-01-02 15:04:05.999999999 ")
			if found.offset == nil {
				got += "?"
			} else {
				got += fmt.Sprint(*found.offset)
			}
		}
		if got != want {
			t.Errorf("%q: %q, expected %q", text, got, want)
		}
	}
}

// TestSidecarsOf: the files of a folder that describe a picture.
func TestSidecarsOf(t *testing.T) {
	const long = "a picture with a very long name of sixty letters in its title.jpg"
	for _, test := range []struct {
		picture     string
		names, want []string
	}{
		{"a.jpg", []string{"b.jpg.xmp", "A.XMP", "a.jpg", "a.jpg.XMP", "ab.xmp", "b.xmp"}, []string{"a.jpg.XMP", "A.XMP"}},
		{"a.jpg", []string{"a.jpg.json", "b.jpg.json"}, []string{"a.jpg.json"}},
		{"a.jpg", []string{"a.json"}, []string{"a.json"}},
		{"a.jpg", []string{"a.jpg.supplemental-metadata.json"}, []string{"a.jpg.supplemental-metadata.json"}},
		{"a.jpg", []string{"a.jpg.supplemental-me.json"}, []string{"a.jpg.supplemental-me.json"}},
		{"a.jpg", []string{"a.jpg.s.json"}, []string{"a.jpg.s.json"}},
		{"a.jpg", []string{"a.jpg.other.json"}, nil},
		{"a(1).jpg", []string{"a.jpg(1).json", "a.jpg.json"}, []string{"a.jpg(1).json"}},
		{"a(1).jpg", []string{"a.jpg.supplemental-metadata(1).json", "a.jpg.supplemental-metadata.json"}, []string{"a.jpg.supplemental-metadata(1).json"}},
		{"a.jpg", []string{"a.jpg(1).json", "a.jpg.json"}, []string{"a.jpg.json"}},
		{"a(1).jpg", []string{"a(1).jpg.json"}, []string{"a(1).jpg.json"}},
		{"a(1).jpg", []string{"a.jpg.json"}, nil},
		{"a-edited.jpg", []string{"a.jpg.json"}, []string{"a.jpg.json"}},
		{"a-bearbeitet(2).jpg", []string{"a.jpg(2).json", "a.jpg.json"}, []string{"a.jpg(2).json"}},
		{"IMG_20210529_155539.jpg", []string{"IMG_20210529_155540.jpg.json", "IMG_20210529_155539.jpg.json"}, []string{"IMG_20210529_155539.jpg.json"}},
		{long, []string{long[:46] + ".json"}, []string{long[:46] + ".json"}},
		{long[:47] + ".jpg", []string{long[:46] + ".json"}, []string{long[:46] + ".json"}},
		{long[:47] + "(1).jpg", []string{long[:46] + ".json", long[:46] + "(1).json"}, []string{long[:46] + "(1).json"}},
		{"1234567890123456789012345678901234567890123.jpg", []string{"1234567890123456789012345678901234567890123.jp.json", "1234567890123456789012345678901234567890123.json"},
			[]string{"1234567890123456789012345678901234567890123.jp.json"}},
		{"a.jpg", []string{"metadata.json", "ab.jpg.json", "a.png.json"}, nil},
		{"a.xmp", []string{"a.xmp"}, nil},
		{"my-photo-edited.jpg", []string{"my-photo.jpg.json", "my.jpg.json"}, []string{"my-photo.jpg.json"}},
		{"a-name-with-36-letters-and-some-words-edited.jpg", []string{"a-name-with-36-letters-and-some-words.jpg.json"}, []string{"a-name-with-36-letters-and-some-words.jpg.json"}},
		{"a name of a picture that is longer than what fits.jpg", []string{"a name of a picture that is longer than what f.json"}, []string{"a name of a picture that is longer than what f.json"}},
	} {
		if diff := cmp.Diff(test.want, NewFinder(test.names).Of(test.picture)); diff != "" {
			t.Errorf("%s among %q: %s", test.picture, test.names, diff)
		}
	}
}

// BenchmarkFinder looks for the sidecars of each of 100,000 pictures whose names begin
// alike, in one folder.
func BenchmarkFinder(b *testing.B) {
	var pictures, names []string
	for i := range 100_000 {
		pictures = append(pictures, fmt.Sprintf("photo (%d).jpg", i))
		names = append(names, fmt.Sprintf("photo (%d).jpg.xmp", i), fmt.Sprintf("photo (%d).jpg.json", i))
	}
	for b.Loop() {
		finder := NewFinder(names)
		for _, picture := range pictures {
			if found := finder.Of(picture); len(found) != 2 {
				b.Fatalf("%s: %q", picture, found)
			}
		}
	}
}
