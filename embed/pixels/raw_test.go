package pixels

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"

	"mekiki/embed/pixels/container"
)

// preview is a JPEG whose top left quarter is red.
func preview(t testing.TB, width, height int) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.RGBA{R: 20, G: 20, B: 200, A: 255}
			if x < width/2 && y < height/2 {
				c = color.RGBA{R: 220, G: 20, B: 20, A: 255}
			}
			m.Set(x, y, c)
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// rawTIFF is a RAW file that is a TIFF: a first directory with an orientation, and one
// of sensor data below it.
func rawTIFF(signature string, orientation uint16, photometric uint16, rest ...[]byte) []byte {
	order := binary.LittleEndian
	out := append([]byte(signature), 8, 0, 0, 0)
	entry := func(tag, kind uint16, value uint32) {
		out = order.AppendUint16(order.AppendUint16(out, tag), kind)
		out = order.AppendUint32(order.AppendUint32(out, 1), value)
	}
	out = order.AppendUint16(out, 2)
	entry(tagOrientation, 3, uint32(orientation))
	entry(tagSubDirectories, 4, 8+2+24+4)
	out = order.AppendUint32(out, 0)
	out = order.AppendUint16(out, 1)
	entry(tagPhotometric, 3, uint32(photometric))
	out = order.AppendUint32(out, 0)
	for _, part := range rest {
		out = append(out, part...)
	}
	return out
}

// TestRAW reads the largest preview of each kind of RAW file, held as the camera was.
func TestRAW(t *testing.T) {
	small, large := preview(t, 40, 24), preview(t, 160, 96)
	sensor := bytes.Repeat([]byte{0xFF, 0xDA, 0x13, 0xFF, 0xD8, 0xFF, 0x00, 0x37}, 4000) // looks like much
	lossless := append([]byte("\xFF\xD8\xFF\xC3\x00\x0B\x0C\x10\x00\x10\x00\x01\x01\x11\x00"), sensor...)
	cr3 := append([]byte("\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01crx isom"), "\x00\x00\x00\x40CMT1"...)
	cr3 = append(cr3, rawTIFF("II*\x00", 6, 1)...)
	cr2 := rawTIFF("II*\x00", 6, 1, small, sensor, large, lossless)
	files := map[string][]byte{
		"DNG, NEF, ARW": rawTIFF("II*\x00", 6, photometricCFA, small, sensor, large, lossless),
		"linear DNG":    rawTIFF("II*\x00", 6, photometricLinear, large, small),
		"ORF":           rawTIFF("IIRO", 6, 1, sensor, small, large),
		"RW2":           rawTIFF("IIU\x00", 6, 1, large, sensor, small),
		"RAF":           append(append([]byte("FUJIFILMCCD-RAW 0201"), make([]byte, 100)...), append(preview(t, 160, 96), sensor...)...),
		"CR3":           append(append(append(cr3, small...), sensor...), large...),
		"CR2":           append(append([]byte("II*\x00\x10\x00\x00\x00CR\x02\x00\x00\x00\x00\x00"), cr2...), large...),
	}
	for name, data := range files {
		got, err := Decode(t.Context(), data, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		width, height, at := 96, 160, image.Pt(90, 10) // turned to the right
		if name == "RAF" || name == "CR2" {            // without an orientation, or none at that place
			width, height, at = 160, 96, image.Pt(10, 10)
		}
		if got.Format != RAW || got.Width != width || got.Height != height {
			t.Errorf("%s: %s of %dx%d, want %dx%d", name, got.Format, got.Width, got.Height, width, height)
			continue
		}
		if red := got.Pix[3*(at.Y*got.Width+at.X)]; red < 150 {
			t.Errorf("%s: the corner is not where it should be: %d", name, red)
		}
	}
	if _, err := Decode(t.Context(), rawTIFF("II*\x00", 1, photometricCFA, sensor), Options{}); !errors.Is(err, ErrUnsupported) {
		t.Errorf("without a preview: %v", err)
	}
	plain, err := filepath.Glob("testdata/files/tiff_*.tif")
	if err != nil || len(plain) == 0 {
		t.Fatal(plain, err)
	}
	for _, name := range plain {
		if data, err := os.ReadFile(name); err != nil || container.IsRAW(data) {
			t.Errorf("%s is taken for a RAW file, %v", name, err)
		}
	}
}

// FuzzRAW: whatever the bytes are, looking for previews ends and does not panic.
func FuzzRAW(f *testing.F) {
	f.Add(rawTIFF("II*\x00", 6, photometricCFA, preview(f, 16, 16)))
	f.Add([]byte("\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01crx isomCMT1II*\x00"))
	f.Add(rawPreviewTIFF(preview(f, 8, 8), preview(f, 16, 16)))
	f.Add([]byte("FUJIFILMCCD-RAW\xFF\xD8\xFF\xDA\x00\x02\xFF"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		if container.IsRAW(data) {
			_, _ = container.InspectRAW(data)
		}
	})
}

// rawPreviewTIFF is a RAW file whose first directory names a JPEG, at the end of it,
// behind a thumbnail that it does not name.
func rawPreviewTIFF(thumbnail, large []byte) []byte {
	order := binary.LittleEndian
	const entries = 3
	at := uint32(8 + 2 + 12*entries + 4 + len(thumbnail))
	out := order.AppendUint16([]byte("II*\x00\x08\x00\x00\x00"), entries)
	for _, e := range [entries][2]uint32{{tagPreview, at}, {tagPreviewLength, uint32(len(large))}, {tagDNGVersion, 4}} {
		out = order.AppendUint16(order.AppendUint16(out, uint16(e[0])), 4)
		out = order.AppendUint32(order.AppendUint32(out, 1), e[1])
	}
	out = append(order.AppendUint32(out, 0), thumbnail...)
	return append(out, large...)
}

// TestRAWThatEndsEarly is read by what is left of it, and says so.
func TestRAWThatEndsEarly(t *testing.T) {
	small, large := preview(t, 40, 24), preview(t, 160, 96)
	named := rawPreviewTIFF(small, large)
	found := rawTIFF("IIRO", 1, 1, small, large)
	boxes := append([]byte("\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01crx isom"), 0, 0, 0, 0)
	binary.BigEndian.PutUint32(boxes[24:], uint32(8+len(small)+len(large)))
	boxes = append(append(append(boxes, "mdat"...), small...), large...)
	raf := append([]byte("FUJIFILMCCD-RAW 0201"), make([]byte, 100)...)
	binary.BigEndian.PutUint32(raf[84:], uint32(len(raf)+len(small)))
	binary.BigEndian.PutUint32(raf[88:], uint32(len(large)))
	raf = append(append(raf, small...), large...)
	for name, whole := range map[string][]byte{"named": named, "found": found, "CR3": boxes, "RAF": raf} {
		beforePreview, inPreview := len(whole)-len(large), len(whole)-30
		for length, want := range map[int]int{len(whole): 160, inPreview: 40, beforePreview: 40} {
			if name == "found" && length == beforePreview {
				continue // nothing says that there was more
			}
			got, err := Decode(t.Context(), whole[:length], Options{})
			if err != nil {
				t.Errorf("%s, %d of %d bytes: %v", name, length, len(whole), err)
				continue
			}
			if isCut := length < len(whole); got.Width != want || isCut != (got.Damage == cutRAW) {
				t.Errorf("%s, %d of %d bytes: %d wide, want %d, damage %q", name, length, len(whole), got.Width, want, got.Damage)
			}
		}
	}
	if _, err := Decode(t.Context(), rawPreviewTIFF(nil, large)[:200], Options{}); !errors.Is(err, ErrCorrupt) {
		t.Errorf("cut before its only preview: %v", err)
	}
}

// TestRAWTilesAreNoPreviews: the sensor's data of a DNG can be many JPEGs, each a piece
// of the picture and larger than the thumbnail.
func TestRAWTilesAreNoPreviews(t *testing.T) {
	order := binary.LittleEndian
	small, tile := preview(t, 40, 24), preview(t, 64, 64)
	for _, tag := range []uint16{tagTileOffsets, tagStripOffsets} {
		for _, pieces := range []int{1, 2, 5} {
			const first = 8 + 2 + 12*2 + 4
			list := uint32(first)
			tiles := list + 4*uint32(pieces) + uint32(len(small))
			out := order.AppendUint16([]byte("II*\x00\x08\x00\x00\x00"), 2)
			out = order.AppendUint32(order.AppendUint16(order.AppendUint16(out, tag), 4), uint32(pieces))
			if pieces == 1 {
				list = tiles
			}
			out = order.AppendUint32(out, list)
			out = order.AppendUint32(order.AppendUint16(order.AppendUint16(out, tagDNGVersion), 4), 1)
			out = order.AppendUint32(order.AppendUint32(out, 4), 0)
			for n := range uint32(pieces) {
				out = order.AppendUint32(out, tiles+n*uint32(len(tile)))
			}
			out = append(append(out, small...), bytes.Repeat(tile, pieces)...)
			want := 40
			if pieces == 1 {
				want = 64 // one piece is the picture
			}
			if got, err := inspectFile(out); err != nil || got.Width != want {
				t.Errorf("tag %d, %d pieces: %d wide, want %d, %v", tag, pieces, got.Width, want, err)
			}
		}
	}
}

// TestBeginsTellsByTheFirstBytes, where the picture is not among them.
func TestBeginsTellsByTheFirstBytes(t *testing.T) {
	whole := rawPreviewTIFF(nil, preview(t, 160, 96))
	for head, want := range map[string]bool{
		string(whole[:60]): true, "FUJIFILMCCD-RAW": true, "\xFF\xD8\xFF": true, "GIF89a": true,
		"": false, "%PDF-1.7": false, "\xFF\x0A\x00": true, "plain text": false,
	} {
		if got := Begins([]byte(head)); got != want {
			t.Errorf("%.20q: %v", head, got)
		}
	}
}
