package metadata

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/andybalholm/brotli"
	"github.com/google/go-cmp/cmp"

	"mekiki/index"
)

// TestFiles: pictures that once were misread, or stopped the program.
func TestFiles(t *testing.T) {
	hours := func(hours int) *time.Duration { d := time.Duration(hours) * time.Hour; return &d }
	stars := func(stars int) *int { return &stars }
	at := func(text string) time.Time {
		parsed, err := time.Parse(time.DateTime, text)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	degree := func(degrees float64) *float64 { return &degrees }
	march := at("2024-03-01 01:30:00")
	for name, want := range map[string]index.Metadata{
		"gpsref-byte.jpg":               {},
		"c-exif-date-number.jpg":        {},
		"exif-date-undefined-1byte.jpg": {},
		"b-xmp-date-list.jpg":           {Taken: at("2011-01-01 00:00:00"), TakenSource: "xmp"},
		"digitized.jpg":                 {Taken: march, TakenSource: "exif"},
		"zero-then-create.jpg":          {Taken: march, TakenSource: "exif"},
		"xmp-nozone.jpg":                {Taken: march, TakenSource: "xmp"},
		"xmp-zone.jpg":                  {Taken: march, TakenOffset: hours(9), TakenSource: "xmp"},
		"iptc-utf8.jpg":                 {Keywords: []string{"dänemark"}, Place: "Zürich"},
		"interop-gps.jpg":               {Latitude: degree(48.8584), Longitude: degree(2.2945)},
		"face-mwg.jpg":                  {People: []string{"Zebediah Quux"}},
		"rating5.jpg":                   {Rating: stars(5)},
		"xmp-hier-only.jpg":             {Keywords: []string{"Places/Japan/Kyotozzz", "People/Aliceqq"}, People: []string{"Aliceqq"}},
		"sidecar-a.jpg":                 {Keywords: []string{"SidecarArt"}, Description: "sidecardescription zork", Rating: stars(4)},
		"IMG_3397.jpg": {Taken: at("2009-11-16 12:51:58"), TakenOffset: hours(0), TakenSource: "takeout",
			Description: "takeoutdescription plugh", Latitude: degree(30.6578), Longitude: degree(104.0739), People: []string{"Takeoutperson Frobnitz"}},
	} {
		got := readFile(t, filepath.Join("testdata/files", name))
		got.Camera, got.Orientation = "", 0
		if name == "IMG_3397.jpg" {
			want.People = got.People
		}
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b float64) bool { return a-b < 1e-6 && b-a < 1e-6 })); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// readFile reads a picture with the files beside it.
func readFile(t *testing.T, path string) index.Metadata {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	source := Source{Data: data, Path: path}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	for _, name := range NewFinder(names).Of(filepath.Base(path)) {
		data, err := os.ReadFile(filepath.Join(filepath.Dir(path), name))
		if err != nil {
			t.Fatal(err)
		}
		source.Sidecars = append(source.Sidecars, Sidecar{Name: name, Data: data})
	}
	return Read(t.Context(), source)
}

const sample = `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:q="http://ns.adobe.com/xap/1.0/" q:Label="Grün">
<dc:title><rdf:Alt><rdf:li xml:lang="de">Titel</rdf:li><rdf:li xml:lang="x-default">Title</rdf:li></rdf:Alt></dc:title>
<dc:subject><rdf:Bag><rdf:li>ein</rdf:li><rdf:li>zwei</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF>`

// TestXMPForms: packets as programs write them, whole or not quite.
func TestXMPForms(t *testing.T) {
	want := index.Metadata{Title: "Title", Keywords: []string{"ein", "zwei"}, Label: "Grün"}
	units := func(order binary.ByteOrder, text string) []byte {
		var data []byte
		for _, unit := range utf16.Encode([]rune(text)) {
			data = append(data, 0, 0)
			order.PutUint16(data[len(data)-2:], unit)
		}
		return data
	}
	wrapped := `<?xpacket begin="` + "\uFEFF" + `" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">` + sample + `</x:xmpmeta><?xpacket end="w"?>`
	for name, packet := range map[string][]byte{
		"no wrapper":         []byte(sample),
		"a wrapper":          []byte(wrapped),
		"a declaration":      []byte(`<?xml version="1.0" encoding="ISO-8859-15"?>` + wrapped),
		"padding":            []byte(wrapped + strings.Repeat("\x00", 50)),
		"control characters": []byte(strings.ReplaceAll(strings.ReplaceAll(wrapped, "Title", "Ti\x01tle"), "zwei", "zw\x0bei")),
		"a byte order mark":  []byte("\xEF\xBB\xBF" + wrapped),
		"UTF-16, big":        units(binary.BigEndian, wrapped),
		"UTF-16, little":     units(binary.LittleEndian, "\uFEFF"+sample),
		"Latin-1":            bytes.ReplaceAll([]byte(sample), []byte("ü"), []byte("\xFC")),
		"no declarations":    []byte(strings.NewReplacer(` xmlns:dc="http://purl.org/dc/elements/1.1/"`, "", ` xmlns:q="http://ns.adobe.com/xap/1.0/"`, "", "q:Label", "xmp:Label").Replace(sample)),
		"cut":                []byte(strings.TrimSuffix(sample, "</rdf:Description></rdf:RDF>")),
		"an entity":          []byte(strings.ReplaceAll(sample, "zwei", "zw&bogus;ei")),
	} {
		want := want
		if name == "an entity" {
			want.Keywords = []string{"ein", "zw&bogus;ei"}
		}
		if diff := cmp.Diff(want, Read(t.Context(), Source{Sidecars: []Sidecar{{"a.xmp", packet}}})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestCompressedBoxes reads the boxes of JPEG XL, as cjxl writes them unless it is told not to.
func TestCompressedBoxes(t *testing.T) {
	file := func(packet string) []byte {
		var compressed bytes.Buffer
		w := brotli.NewWriter(&compressed)
		if _, err := w.Write([]byte(packet)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		data := []byte("\x00\x00\x00\x0CJXL \r\n\x87\n")
		data = binary.BigEndian.AppendUint32(data, uint32(12+compressed.Len()))
		return append(append(data, "brobxml "...), compressed.Bytes()...)
	}
	want := index.Metadata{Title: "Title", Keywords: []string{"ein", "zwei"}, Label: "Grün"}
	if diff := cmp.Diff(want, Read(t.Context(), Source{Data: file(sample)})); diff != "" {
		t.Error(diff)
	}
	whole := file(sample)
	for length := range whole {
		Read(t.Context(), Source{Data: whole[:length]}) // must return
	}
	bomb := file(strings.Repeat(" ", 64<<20) + sample)
	if diff := cmp.Diff(index.Metadata{}, Read(t.Context(), Source{Data: bomb})); diff != "" {
		t.Errorf("%d bytes that become 64 MiB: %s", len(bomb), diff)
	}
	t.Logf("a bomb of %d bytes", len(bomb))
}

// TestExtendedXMP: a packet too long for one segment is put together from its pieces.
func TestExtendedXMP(t *testing.T) {
	file := []byte{0xFF, 0xD8}
	segment := func(data []byte) {
		file = append(file, 0xFF, 0xE1)
		file = binary.BigEndian.AppendUint16(file, uint16(len(data)+2))
		file = append(file, data...)
	}
	long := strings.Replace(sample, "<rdf:li>zwei", strings.Repeat("<rdf:li>ein</rdf:li>", 10_000)+"<rdf:li>zwei", 1)
	var pieces [][]byte
	for at := 0; at < len(long); at += 60_000 {
		piece := append([]byte(extendedHeader), bytes.Repeat([]byte("A"), 32)...)
		piece = binary.BigEndian.AppendUint32(piece, uint32(len(long)))
		piece = binary.BigEndian.AppendUint32(piece, uint32(at))
		pieces = append(pieces, append(piece, long[at:min(at+60_000, len(long))]...))
	}
	for i := range pieces {
		segment(pieces[len(pieces)-1-i])
	}
	want := index.Metadata{Title: "Title", Keywords: []string{"ein", "zwei"}, Label: "Grün"}
	if diff := cmp.Diff(want, Read(t.Context(), Source{Data: file})); diff != "" {
		t.Error(diff)
	}
}

func pngWith(chunks ...[]byte) []byte {
	file := []byte("\x89PNG\r\n\x1a\n")
	for _, chunk := range chunks {
		file = binary.BigEndian.AppendUint32(file, uint32(len(chunk)-4))
		file = append(file, chunk...)
		file = binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(chunk))
	}
	return file
}

// TestGeneration: what programs that make pictures write of how, is no description.
func TestGeneration(t *testing.T) {
	settings := "a cat in a hat\nNegative prompt: dog\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5"
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	_, _ = w.Write([]byte(settings))
	_ = w.Close()
	graph, err := json.Marshal(map[string]any{
		"3": map[string]any{"class_type": "KSampler", "inputs": map[string]any{"seed": 5, "steps": 20, "model": []any{"4", 0}}},
		"6": map[string]any{"class_type": "CLIPTextEncode", "inputs": map[string]any{"text": "a cat in a hat", "clip": []any{"4", 1}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	flat := strings.ReplaceAll(settings, "\n", " ")
	for name, test := range map[string]struct {
		file []byte
		want index.Metadata
	}{
		"tEXt":    {pngWith([]byte("tEXtparameters\x00" + settings)), index.Metadata{Generation: flat}},
		"zTXt":    {pngWith([]byte("zTXtparameters\x00\x00" + packed.String())), index.Metadata{Generation: flat}},
		"iTXt":    {pngWith([]byte("iTXtparameters\x00\x00\x00\x00\x00" + settings)), index.Metadata{Generation: flat}},
		"packed":  {pngWith([]byte("iTXtparameters\x00\x01\x00en\x00Name\x00" + packed.String())), index.Metadata{Generation: flat}},
		"ComfyUI": {pngWith([]byte("tEXtprompt\x00" + string(graph))), index.Metadata{Generation: "a cat in a hat seed: 5, steps: 20"}},
		"NovelAI": {pngWith([]byte("tEXtSoftware\x00NovelAI"), []byte("tEXtDescription\x00a cat"), []byte(`tEXtComment`+"\x00"+`{"steps": 28}`)), index.Metadata{Generation: `a cat {"steps": 28}`}},
		"text":    {pngWith([]byte("tEXtTitle\x00A cat"), []byte("iTXtDescription\x00\x00\x00\x00\x00Sie heißt Mimi"), []byte("tEXtAuthor\x00Zo\xEB")), index.Metadata{Title: "A cat", Description: "Sie heißt Mimi", Creator: "Zoë"}},
		"mail":    {pngWith([]byte("tEXtCreation Time\x00Mon, 11 Nov 2019 08:00:01 +0100")), index.Metadata{Taken: time.Date(2019, 11, 11, 8, 0, 1, 0, time.UTC), TakenOffset: offsetOf(time.Hour), TakenSource: "png"}},
	} {
		if diff := cmp.Diff(test.want, Read(t.Context(), Source{Data: test.file})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func offsetOf(d time.Duration) *time.Duration { return &d }

// TestSidecarsWin: what people said of a picture later goes before what is in its file.
func TestSidecarsWin(t *testing.T) {
	file := pngWith([]byte("iTXtXML:com.adobe.xmp\x00\x00\x00\x00\x00" + strings.ReplaceAll(sample, "Title", "Old title")))
	sidecar := `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:darktable="http://darktable.sf.net/" xmp:Rating="-1">
<darktable:colorlabels><rdf:Seq><rdf:li>2</rdf:li></rdf:Seq></darktable:colorlabels>
<lr:hierarchicalSubject xmlns:lr="http://ns.adobe.com/lightroom/1.0/"><rdf:Bag><rdf:li>darktable|format|png</rdf:li><rdf:li>drei|vier</rdf:li></rdf:Bag></lr:hierarchicalSubject>
<dc:title xmlns:dc="http://purl.org/dc/elements/1.1/">New title</dc:title></rdf:Description></rdf:RDF></x:xmpmeta>`
	rejected := -1
	want := index.Metadata{Title: "New title", Keywords: []string{"drei/vier", "ein", "zwei"}, Rating: &rejected, Label: "Grün"}
	if diff := cmp.Diff(want, Read(t.Context(), Source{Data: file, Sidecars: []Sidecar{{"a.png.xmp", []byte(sidecar)}}})); diff != "" {
		t.Error(diff)
	}
}

// TestTakeout: what Google Photos exports; values of another type cost only themselves.
func TestTakeout(t *testing.T) {
	for text, want := range map[string]index.Metadata{
		`{"title":"a.jpg","description":"By the sea","photoTakenTime":{"timestamp":"1546300800"},"geoData":{"latitude":0.0,"longitude":0.0},"geoDataExif":{"latitude":48.5,"longitude":2.25},"people":[{"name":"Anna"},{"name":"anna"},{"name":""}],"favorited":true}`: {
			Description: "By the sea", Taken: time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC), TakenOffset: offsetOf(0), TakenSource: "takeout",
			Latitude: pointer(48.5), Longitude: pointer(2.25), People: []string{"Anna"}, Keywords: []string{"favorite"}},
		`{"photoTakenTime":{"timestamp":-3600},"description":7,"people":"x","geoData":[]}`: {Taken: time.Date(1969, 12, 31, 23, 0, 0, 0, time.UTC), TakenOffset: offsetOf(0), TakenSource: "takeout"},
		`{"photoTakenTime":{"timestamp":"0"}}`:                                             {},
		`{"photoTakenTime":{"timestamp":"nonsense"}}`:                                      {},
		`{"description":"of another program"}`:                                             {},
		`{"photoTakenTime":` + strings.Repeat("[", 1000) + `}`:                             {},
		`{"photoTakenTime":{"timestamp":"1e400"},"description":`:                           {},
	} {
		if diff := cmp.Diff(want, Read(t.Context(), Source{Sidecars: []Sidecar{{"a.jpg.json", []byte(text)}}})); diff != "" {
			t.Errorf("%.60s: %s", text, diff)
		}
	}
}

func pointer[T any](value T) *T { return &value }

// TestZoneOfTheSatellites: GPS time says how far the camera's clock was ahead, where it
// can be that of the picture.
func TestZoneOfTheSatellites(t *testing.T) {
	gps := time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)
	for shift, want := range map[time.Duration]*time.Duration{
		9*time.Hour + 20*time.Second:     offsetOf(9 * time.Hour),
		-3*time.Hour - 30*time.Minute:    offsetOf(-3*time.Hour - 30*time.Minute),
		5*time.Hour + 40*time.Minute:     nil,
		20 * time.Hour:                   nil,
		365 * 24 * time.Hour:             nil,
		-10 * time.Second:                offsetOf(0),
		5*time.Hour + 45*time.Minute + 1: offsetOf(5*time.Hour + 45*time.Minute),
	} {
		if diff := cmp.Diff(want, zoneByGPS(gps.Add(shift), gps)); diff != "" {
			t.Errorf("%v: %s", shift, diff)
		}
	}
}

// TestValuesAreBounded: whatever a file holds, a record stays small.
func TestValuesAreBounded(t *testing.T) {
	var keywords, people strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&keywords, "<rdf:li>%06d%s</rdf:li>", i, strings.Repeat("k", 300))
	}
	for i := range 5_000 {
		fmt.Fprintf(&people, "<rdf:li>%d</rdf:li>", i)
	}
	packet := `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:i="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
<i:PersonInImage><rdf:Bag>` + people.String() + `</rdf:Bag></i:PersonInImage><dc:title>` + strings.Repeat("ü", 50_000) + `</dc:title>
<dc:subject><rdf:Bag>` + keywords.String() + `</rdf:Bag></dc:subject></rdf:Description></rdf:RDF>`
	m := Read(t.Context(), Source{Data: append([]byte("\xFF\xD8"), []byte{}...), Sidecars: []Sidecar{{"a.xmp", []byte(packet)}}})
	if len(m.Title) > maxShortText || len(m.People) != maxPeople || len(m.Keywords) > maxKeywords || len(m.Keywords) > 0 && len(m.Keywords[0]) > maxKeyword {
		t.Errorf("title of %d bytes, %d people, %d keywords", len(m.Title), len(m.People), len(m.Keywords))
	}
}

// TestEndedContext: after its context has ended nothing more is read.
func TestEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if diff := cmp.Diff(index.Metadata{}, Read(ctx, Source{Sidecars: []Sidecar{{"a.xmp", []byte(sample)}}})); diff != "" {
		t.Error(diff)
	}
}

// TestZoneOfTheSameClock: a program that writes a date into a sidecar without its zone
// does not take the zone away; one that moves the clock does.
func TestZoneOfTheSameClock(t *testing.T) {
	packet := func(property, date string) []byte {
		return []byte(`<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" ` +
			property + `="` + date + `"/></rdf:RDF>`)
	}
	file := pngWith(append([]byte("iTXtXML:com.adobe.xmp\x00\x00\x00\x00\x00"), packet("exif:DateTimeOriginal", "2026-05-15T13:19:37+08:00")...))
	for date, want := range map[string]*time.Duration{
		"2026:05:15 13:19:37.25": offsetOf(8 * time.Hour), "2026-05-15T15:19:37": nil, "2026-05-15T13:19:37+09:00": offsetOf(9 * time.Hour),
	} {
		m := Read(t.Context(), Source{Data: file, Sidecars: []Sidecar{{"a.xmp", packet("exif:DateTimeOriginal", date)}}})
		if diff := cmp.Diff(want, m.TakenOffset); diff != "" || m.TakenSource != "sidecar" {
			t.Errorf("%s: from %s, %s", date, m.TakenSource, diff)
		}
	}
}

// TestOddTypes: every tag with a value of every type and of several lengths is read
// without trouble, in both byte orders.
func TestOddTypes(t *testing.T) {
	tags := map[directory][]uint16{
		mainDirectory: {tagImageDescription, tagMake, tagModel, tagOrientation, tagModifyDate, tagArtist, tagXMP, tagRating, tagRatingPercent,
			tagCopyright, tagIPTC, tagResources, tagPhotoDirectory, tagGPSDirectory, tagXPTitle, tagXPKeywords},
		photoDirectory: {tagDateTimeOriginal, tagCreateDate, tagOffsetTime, tagOffsetTimeOriginal, tagUserComment, tagSubSecOriginal, tagLensModel},
		gpsDirectory:   {tagGPSLatitudeRef, tagGPSLatitude, tagGPSLongitudeRef, tagGPSLongitude, tagGPSTime, tagGPSDate},
	}
	tried := 0
	for kind, list := range tags {
		for _, tag := range list {
			for _, valueKind := range []uint16{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 129, 65535} {
				for _, count := range []uint32{0, 1, 2, 3, 20, 1 << 31} {
					for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
						tried++
						checkBounds(t, readOdd(t, order, kind, tag, valueKind, count))
					}
				}
			}
		}
	}
	t.Logf("%d variants", tried)
}

// readOdd reads a picture with a good date and a good position, and one tag besides.
func readOdd(t *testing.T, order binary.AppendByteOrder, kind directory, tag, valueKind uint16, count uint32) index.Metadata {
	t.Helper()
	file := []byte("II*\x00")
	if order.(binary.ByteOrder) == binary.BigEndian {
		file = []byte("MM\x00*")
	}
	entry := func(tag, kind uint16, count, value uint32) {
		file = order.AppendUint16(file, tag)
		file = order.AppendUint16(file, kind)
		file = order.AppendUint32(file, count)
		file = order.AppendUint32(file, value)
	}
	file = order.AppendUint32(file, 8)
	const photo, gps, values = 100, 200, 300
	pad := func(to int) { file = append(file, make([]byte, to-len(file))...) }
	odd := func(of directory) {
		if of == kind {
			entry(tag, valueKind, count, values)
		}
	}
	file = order.AppendUint16(file, 3)
	odd(mainDirectory)
	entry(tagPhotoDirectory, 4, 1, photo)
	entry(tagGPSDirectory, 4, 1, gps)
	pad(photo)
	file = order.AppendUint16(file, 2)
	odd(photoDirectory)
	entry(tagCreateDate, 2, 20, values+100)
	pad(gps)
	file = order.AppendUint16(file, 1)
	odd(gpsDirectory)
	pad(values)
	file = append(file, bytes.Repeat([]byte{0xFF, 0x00, 0x4E, 0x32}, 25)...)
	pad(values + 100)
	file = append(file, "2024:03:01 01:30:00\x00"...)
	file = append(file, make([]byte, 200)...)
	return Read(t.Context(), Source{Data: file})
}

// TestStrangeJPEGs: segments as some programs write them.
func TestStrangeJPEGs(t *testing.T) {
	segment := func(marker byte, text string) string {
		return "\xFF" + string([]byte{marker}) + string(binary.BigEndian.AppendUint16(nil, uint16(len(text)+2))) + text
	}
	block := func(keyword string) string {
		dataset := "\x1c\x02\x19\x00" + string([]byte{byte(len(keyword))}) + keyword
		return "8BIM\x04\x04\x00\x00\x00\x00\x00" + string([]byte{byte(len(dataset))}) + dataset + strings.Repeat("\x00", len(dataset)%2)
	}
	named := index.Metadata{Title: "Title", Keywords: []string{"ein", "zwei"}, Label: "Grün"}
	for name, test := range map[string]struct {
		file string
		want index.Metadata
	}{
		"no header":            {segment(0xE1, sample), named},
		"another header":       {segment(0xE1, "http://ns.adobe.com/xap/1.0/"+sample), named},
		"bytes between":        {segment(0xE0, "JFIF\x00") + "some bytes" + segment(0xE1, xmpHeader+sample), named},
		"filling":              {"\xFF\xFF\xFF" + segment(0xE1, xmpHeader+sample), named},
		"after a cut segment":  {"\xFF\xE1\xFF\xF0Exif", index.Metadata{}},
		"a comment":            {segment(0xFE, "by the sea\x00"), index.Metadata{Description: "by the sea"}},
		"a program's comment":  {segment(0xFE, "CREATOR: gd-jpeg v1.0"), index.Metadata{}},
		"two blocks of IPTC":   {segment(0xED, photoshop+block("dune")+block("older")), index.Metadata{Keywords: []string{"dune"}}},
		"a resource in pieces": {segment(0xED, photoshop+block("dune")[:9]) + segment(0xED, photoshop+block("dune")[9:]), index.Metadata{Keywords: []string{"dune"}}},
	} {
		if diff := cmp.Diff(test.want, Read(t.Context(), Source{Data: []byte("\xFF\xD8" + test.file)})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestDegreesOfXMP: the forms in which programs write degrees.
func TestDegreesOfXMP(t *testing.T) {
	for text, want := range map[string]float64{
		"48,51.504N": 48.8584, "48,51,30.24N": 48.8584, "48.8584": 48.8584, "-48.8584": -48.8584, "48,51.504S": -48.8584, "48/1 51/1 3024/100": 48.8584,
	} {
		if got, ok := xmpDegrees(text, "N", "S"); !ok || got-want > 1e-9 || want-got > 1e-9 {
			t.Errorf("%s: %v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "N", "a,b", "1,2,3,4", "1/0", "NaN", "48,51.504X"} {
		if got, ok := xmpDegrees(text, "N", "S"); ok {
			t.Errorf("%q is %v", text, got)
		}
	}
}

// TestHostileSizes: what is nested, repeated or long beyond reason is read as far as the
// bounds go, and what is beside it still counts.
func TestHostileSizes(t *testing.T) {
	open := `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:lr="http://ns.adobe.com/lightroom/1.0/">` +
		`<dc:title>Title</dc:title>`
	for name, rest := range map[string]string{
		"empty elements": strings.Repeat("<a/>", 2<<20), "nested": strings.Repeat("<a>", 2<<20), "comments": "<dc:rights>" + strings.Repeat("a<!---->", 1<<20),
		"levels":     "<lr:hierarchicalSubject>" + strings.Repeat("a|", 1<<20),
		"lists":      "<lr:hierarchicalSubject>" + strings.Repeat("<rdf:Bag><rdf:li>"+strings.Repeat("ab|", 1000)+"</rdf:li></rdf:Bag>", 2000),
		"attributes": "<dc:b " + strings.Repeat(`dc:c="d" `, 1<<19) + "/>", "one text": "<dc:rights>" + strings.Repeat("a", 8<<20),
	} {
		m := Read(t.Context(), Source{Data: pngWith([]byte("tEXtAuthor\x00"+strings.Repeat("z", 8<<20)), []byte("iTXtXML:com.adobe.xmp\x00\x00\x00\x00\x00"+open+rest))})
		checkBounds(t, m)
		if m.Title != "Title" {
			t.Errorf("%s: the title is %q", name, m.Title)
		}
	}
}
