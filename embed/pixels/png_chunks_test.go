package pixels

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"testing"

	"mekiki/embed/pixels/container"
)

// TestPNGWithDamagedExtras: a wrong checksum of a chunk that the picture does not need
// costs nothing, nor does a file that stops behind the pixels; damage to them does.
func TestPNGWithDamagedExtras(t *testing.T) {
	palette := color.Palette{color.NRGBA{R: 200, A: 255}, color.NRGBA{B: 90, A: 0}}
	picture := image.NewPaletted(image.Rect(0, 0, 40, 30), palette)
	for i := range picture.Pix {
		picture.Pix[i] = byte(i / 7 % 2)
	}
	var file bytes.Buffer
	if err := png.Encode(&file, picture); err != nil {
		t.Fatal(err)
	}
	whole := file.Bytes()
	header := len(container.PNGSignature) + 25
	with := func(kind string, damage bool) []byte {
		chunk := append([]byte(kind), "II*\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
		sum := crc32.ChecksumIEEE(chunk)
		if damage {
			sum ^= 1
		}
		data := binary.BigEndian.AppendUint32(bytes.Clone(whole[:header]), uint32(len(chunk)-4))
		data = binary.BigEndian.AppendUint32(append(data, chunk...), sum)
		return append(data, whole[header:]...)
	}
	decoder, err := NewDecoder(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	want, err := decoder.Decode(t.Context(), whole)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"eXIf", "tEXt", "zzZz"} {
		for _, damage := range []bool{false, true} {
			got, err := decoder.Decode(t.Context(), with(kind, damage))
			if err != nil || !bytes.Equal(got.Pix, want.Pix) {
				t.Errorf("%s, damaged %v: %v", kind, damage, err)
			}
		}
	}
	damaged := with("eXIf", true)
	damaged[bytes.Index(damaged, []byte("tRNS"))+4] ^= 1
	if _, err := decoder.Decode(t.Context(), damaged); err == nil {
		t.Error("a picture with other transparency than was written is decoded")
	}
	end := len(whole) - len(pngEnd)
	if string(whole[end:]) != pngEnd {
		t.Fatalf("the file ends with %q", whole[end:])
	}
	for cut := range len(whole) {
		got, err := decoder.Decode(t.Context(), whole[:cut])
		if isWhole := cut >= end; isWhole != (err == nil) || isWhole && !bytes.Equal(got.Pix, want.Pix) {
			t.Errorf("without its last %d bytes: %v", len(whole)-cut, err)
		}
	}
	frame := append(bytes.Clone(whole[:end]), "\x00\x00\x10\x00fdATthe beginning of a second frame"...)
	for _, data := range [][]byte{frame, frame[:end+10], append(bytes.Clone(whole), "PK\x03\x04 and more"...)} {
		got, err := decoder.Decode(t.Context(), data)
		if err != nil || !bytes.Equal(got.Pix, want.Pix) {
			t.Errorf("with %d bytes behind the pixels: %v", len(data)-end, err)
		}
	}
}
