package pixels

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"testing"
)

// TestPNGWithDamagedExtras: a wrong checksum of a chunk that the picture does not need
// costs nothing; one of its pixels does.
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
	header := len(pngSignature) + 25
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
	for cut := range len(whole) {
		_ = pngWithoutDamagedExtras(whole[:cut])
	}
}
