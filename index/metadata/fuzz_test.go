package metadata

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"mekiki/index"
)

// checkBounds fails where a record would not stay small, or would hold what cannot be.
func checkBounds(t *testing.T, m index.Metadata) {
	t.Helper()
	for _, text := range []string{m.Camera, m.Lens, m.Place, m.Title, m.Creator, m.Copyright, m.Label} {
		if len(text) > maxShortText {
			t.Errorf("a text of %d bytes", len(text))
		}
	}
	for _, text := range []string{m.Description, m.Generation} {
		if len(text) > maxLongText {
			t.Errorf("a long text of %d bytes", len(text))
		}
	}
	if len(m.Keywords) > maxKeywords || len(m.People) > maxPeople {
		t.Errorf("%d keywords and %d people", len(m.Keywords), len(m.People))
	}
	if m.Rating != nil && (*m.Rating < -1 || *m.Rating > 5 || *m.Rating == 0) {
		t.Errorf("a rating of %d", *m.Rating)
	}
	if (m.Latitude == nil) != (m.Longitude == nil) || m.Latitude != nil && !(*m.Latitude >= -90 && *m.Latitude <= 90 && *m.Longitude >= -180 && *m.Longitude <= 180) {
		t.Error("a position that is none")
	}
	if !m.Taken.IsZero() && (m.Taken.Year() < earliestYear || m.Taken.Year() > 9999 || m.TakenSource == "") {
		t.Errorf("taken in %v, by %q", m.Taken, m.TakenSource)
	}
	if m.TakenOffset != nil && m.TakenOffset.Abs() > maxOffset {
		t.Errorf("an offset of %v", m.TakenOffset)
	}
}

func seeds(f *testing.F) (files [][]byte) {
	f.Helper()
	for _, pattern := range []string{"testdata/files/*", "../../embed/pixels/testdata/files/*"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			if len(data) <= 32<<10 {
				files = append(files, data)
			}
		}
	}
	return files
}

// FuzzFiles reads whole files of which anything may have changed.
func FuzzFiles(f *testing.F) {
	for _, data := range seeds(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		first := Read(t.Context(), Source{Data: data, Path: "a.jpg"})
		checkBounds(t, first)
		if again := Read(t.Context(), Source{Data: data, Path: "a.jpg"}); !reflect.DeepEqual(first, again) {
			t.Error("read twice, it differs")
		}
	})
}

// FuzzFields changes one field of one block of metadata in a whole file: the type, the
// count or the value of an EXIF tag, the size of an IPTC dataset, a text of XMP.
func FuzzFields(f *testing.F) {
	for i := range seeds(f) {
		f.Add(uint16(i), uint16(0), uint8(0), uint32(7), []byte("x"))
	}
	files := seeds(f)
	f.Fuzz(func(t *testing.T, which, field uint16, part uint8, value uint32, text []byte) {
		data := bytes.Clone(files[int(which)%len(files)])
		mutate(data, field, part, value, text)
		checkBounds(t, Read(t.Context(), Source{Data: data}))
	})
}

// mutate changes a field in place.
func mutate(data []byte, field uint16, part uint8, value uint32, text []byte) {
	blocks := blocksOf(data)
	switch {
	case part%4 < 2 && len(blocks.exif) > 0:
		entries := entriesOf(blocks.exif[0].data)
		if len(entries) == 0 {
			return
		}
		order, entry := byteOrder(blocks.exif[0].data), entries[int(field)%len(entries)]
		switch part / 4 % 4 {
		case 0:
			order.PutUint16(entry[2:], uint16(value))
		case 1:
			order.PutUint32(entry[4:], value)
		case 2:
			order.PutUint32(entry[8:], value)
		case 3:
			order.PutUint16(entry, uint16(value))
		}
	case part%4 == 2 && len(blocks.iptc) > 0:
		overwrite(blocks.iptc[0], field, text)
	case len(blocks.xmp) > 0:
		overwrite(blocks.xmp[0], field, text)
	}
}

// overwrite writes a text into a block.
func overwrite(block []byte, at uint16, text []byte) {
	if len(block) > 0 {
		copy(block[int(at)%len(block):], text)
	}
}

func byteOrder(data []byte) binary.ByteOrder {
	if data[0] == 'M' {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// entriesOf gives the entries of the first directory and of those that it points to.
func entriesOf(data []byte) (entries [][]byte) {
	order := byteOrder(data)
	waiting := []uint32{order.Uint32(data[4:])}
	for len(waiting) > 0 && len(entries) < maxDirectoryTags {
		at := uint64(waiting[0])
		waiting = waiting[1:]
		if at+2 > uint64(len(data)) {
			continue
		}
		count := uint64(order.Uint16(data[at:]))
		for at += 2; count > 0 && at+12 <= uint64(len(data)); count, at = count-1, at+12 {
			entry := data[at : at+12]
			entries = append(entries, entry)
			if tag := order.Uint16(entry); tag == tagPhotoDirectory || tag == tagGPSDirectory {
				waiting = append(waiting, order.Uint32(entry[8:]))
			}
		}
	}
	return entries
}

// FuzzXMP reads packets by themselves.
func FuzzXMP(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("\xFF\xFE<\x00a\x00"))
	for _, data := range seeds(f) {
		for _, packet := range blocksOf(data).xmp {
			f.Add(bytes.Clone(packet))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		checkBounds(t, Read(t.Context(), Source{Sidecars: []Sidecar{{"a.xmp", data}}}))
	})
}

// FuzzTakeout reads JSON beside a picture.
func FuzzTakeout(f *testing.F) {
	f.Add([]byte(`{"photoTakenTime":{"timestamp":"1546300800"},"geoData":{"latitude":1,"longitude":2},"people":[{"name":"Anna"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		checkBounds(t, Read(t.Context(), Source{Sidecars: []Sidecar{{"a.json", data}}}))
	})
}

// FuzzIPTC reads blocks of datasets by themselves.
func FuzzIPTC(f *testing.F) {
	f.Add([]byte("\x1c\x01\x5a\x00\x03\x1b%G\x1c\x02\x19\x00\x04dune\x1c\x02\x37\x00\x0820240301"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var found statements
		found.iptc.read(data)
		for _, block := range iptcOfResources(data) {
			found.iptc.read(block)
		}
		checkBounds(t, found.merge())
	})
}

// FuzzNames looks for dates in names, and for what describes them.
func FuzzNames(f *testing.F) {
	f.Add("IMG-20250108-WA0000.jpg", "IMG-20250108-WA0000.jpg.supplemental-metadata(1).json")
	f.Add("2019-07-04 12.30.55.jpg", "a.xmp")
	f.Fuzz(func(t *testing.T, name, other string) {
		checkBounds(t, Read(t.Context(), Source{Path: name}))
		NewFinder([]string{other, name + ".xmp"}).Of(name)
		parseDate(other)
	})
}
