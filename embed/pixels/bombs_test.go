package pixels

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"runtime"
	"testing"

	"mekiki/embed/pixels/container"
)

// pngChunk returns a PNG chunk with its checksum.
func pngChunk(name string, data []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	out = append(append(out, name...), data...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

// pngFile returns a PNG that says it has the given size and kind.
func pngFile(width, height uint32, depth, kind, interlace byte, body []byte) []byte {
	header := binary.BigEndian.AppendUint32(nil, width)
	header = append(binary.BigEndian.AppendUint32(header, height), depth, kind, 0, 0, interlace)
	out := append([]byte(container.PNGSignature), pngChunk("IHDR", header)...)
	return append(append(out, pngChunk("IDAT", body)...), pngChunk("IEND", nil)...)
}

func deflated(count int) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	w.Write(make([]byte, count))
	w.Close()
	return out.Bytes()
}

// gifFile returns a GIF of one picture with next to no data.
func gifFile(screenWidth, screenHeight, left, top, width, height uint16) []byte {
	out := []byte("GIF89a")
	out = binary.LittleEndian.AppendUint16(out, screenWidth)
	out = binary.LittleEndian.AppendUint16(out, screenHeight)
	out = append(out, 0x80, 0, 0, 0, 0, 0, 255, 255, 255, 0x2C)
	for _, value := range []uint16{left, top, width, height} {
		out = binary.LittleEndian.AppendUint16(out, value)
	}
	return append(out, 0, 2, 1, 0x44, 0, 0x3B)
}

// tiffFile returns a little-endian TIFF with the given tags, sorted, all LONG.
func tiffFile(tags ...uint32) []byte {
	out := append([]byte("II*\x00"), 8, 0, 0, 0)
	out = binary.LittleEndian.AppendUint16(out, uint16(len(tags)/2))
	for i := 0; i < len(tags); i += 2 {
		out = binary.LittleEndian.AppendUint16(out, uint16(tags[i]))
		out = append(out, 4, 0, 1, 0, 0, 0)
		out = binary.LittleEndian.AppendUint32(out, tags[i+1])
	}
	return append(out, 0, 0, 0, 0)
}

// tiffList returns a TIFF one of whose tags says it has count values.
func tiffList(tag, kind uint16, count uint32) []byte {
	out := tiffFile(tagWidth, 8, tagLength, 8, tagBitsPerSample, 8, tagCompression, 1, tagPhotometric, 1, uint32(tag), 8)
	at := len(out) - 4 - 12
	binary.LittleEndian.PutUint16(out[at+2:], kind)
	binary.LittleEndian.PutUint32(out[at+4:], count)
	return append(out, make([]byte, 8*8)...)
}

func bmpFile(width, height int32, depth uint16) []byte {
	out := append([]byte("BM"), make([]byte, 8)...)
	out = binary.LittleEndian.AppendUint32(out, 54)
	out = binary.LittleEndian.AppendUint32(out, 40)
	out = binary.LittleEndian.AppendUint32(out, uint32(width))
	out = binary.LittleEndian.AppendUint32(out, uint32(height))
	out = binary.LittleEndian.AppendUint16(out, 1)
	out = binary.LittleEndian.AppendUint16(out, depth)
	return append(out, make([]byte, 64)...)
}

// jpegFile returns a JPEG with a frame header, a scan header and no scan.
func jpegFile(marker byte, width, height uint16, sampling byte) []byte {
	out := []byte{0xFF, 0xD8, 0xFF, marker, 0, 17, 8}
	out = binary.BigEndian.AppendUint16(out, height)
	out = binary.BigEndian.AppendUint16(out, width)
	out = append(out, 3, 1, sampling, 0, 2, 0x11, 0, 3, 0x11, 0)
	out = append(out, 0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0)
	return append(out, 0x12, 0x34, 0xFF, 0xD9)
}

// manyScans returns a progressive JPEG with the given number of scans.
func manyScans(count int) []byte {
	out := jpegFile(0xC2, 64, 64, 0x11)
	scan := []byte{0xFF, 0xDA, 0, 8, 1, 1, 0, 1, 5, 0, 0, 0}
	return append(out[:len(out)-2], bytes.Repeat(scan, count)...)
}

func webPFile(chunks ...chunk) []byte {
	out := []byte("RIFF\x00\x00\x00\x00WEBP")
	for _, c := range chunks {
		out = appendChunk(out, c)
	}
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}

func vp8x(flags byte, width, height int) chunk {
	width, height = width-1, height-1
	return chunk{"VP8X", []byte{flags, 0, 0, 0, byte(width), byte(width >> 8), byte(width >> 16),
		byte(height), byte(height >> 8), byte(height >> 16)}}
}

// vp8l is a lossless picture of one colour, which takes no data at all.
func vp8l(width, height uint32) chunk {
	return chunk{"VP8L", append(binary.LittleEndian.AppendUint32([]byte{0x2F}, width-1|(height-1)<<14), make([]byte, 20)...)}
}

func vp8(width, height uint16) chunk {
	data := []byte{0x10, 2, 0, 0x9D, 0x01, 0x2A}
	data = binary.LittleEndian.AppendUint16(data, width)
	data = binary.LittleEndian.AppendUint16(data, height)
	return chunk{"VP8 ", append(data, make([]byte, 24)...)}
}

// heifFile returns a real HEIC or AVIF file whose picture says it has another size.
func heifFile(t testing.TB, name string, width, height uint32) []byte {
	data := bytes.Clone(readFile(t, name))
	for at := 0; ; {
		next := bytes.Index(data[at:], []byte("ispe"))
		if next < 0 {
			return data
		}
		at += next + 4
		binary.BigEndian.PutUint32(data[at+4:], width)
		binary.BigEndian.PutUint32(data[at+8:], height)
	}
}

// jxlFile returns a JPEG XL picture of the given height and four thirds of its width,
// that ends after its header.
func jxlFile(height uint64) []byte {
	bits := uint64(0x0AFF) | 3<<17 | (height-1)<<19 | 3<<49 // 30 bits for the height, 4:3
	return append(binary.LittleEndian.AppendUint64(nil, bits), 0, 0, 0, 0)
}

// bombs are files that ask for far more memory than they are worth, each with
// the error that they must end with.
func bombs(t testing.TB) map[string]struct {
	data []byte
	want error
} {
	type bomb = struct {
		data []byte
		want error
	}
	return map[string]bomb{
		"gif of 34 bytes":         {gifFile(65535, 65535, 0, 0, 65535, 65535), ErrTooLarge},
		"gif frame beyond screen": {gifFile(1, 1, 0, 0, 65535, 65535), ErrTooLarge},
		"gif frame far away":      {gifFile(1, 1, 65535, 65535, 1, 1), ErrTooLarge},
		"gif screen, small frame": {gifFile(65535, 65535, 0, 0, 1, 1), ErrTooLarge},
		"gif within the limit":    {gifFile(9000, 9000, 0, 0, 9000, 9000), ErrCorrupt},
		"png of terabytes":        {pngFile(1<<31-1, 1<<31-1, 16, 6, 0, nil), ErrTooLarge},
		"png of 2^32 - 1":         {pngFile(1<<32-1, 1<<32-1, 16, 6, 0, nil), ErrCorrupt},
		"png overflowing":         {pngFile(1<<31-1, 1<<30, 8, 2, 1, nil), ErrTooLarge},
		"png wide":                {pngFile(1<<31-1, 1, 16, 6, 0, nil), ErrTooLarge},
		"png without data":        {pngFile(9000, 9000, 8, 2, 0, nil), ErrCorrupt},
		"png with little data":    {pngFile(9000, 9000, 16, 6, 1, deflated(1<<20)), ErrCorrupt},
		"bmp of gigabytes":        {bmpFile(1<<31-1, 1<<31-1, 32), ErrTooLarge},
		"bmp upside down":         {bmpFile(1<<30, -1<<31, 24), ErrTooLarge},
		"bmp within the limit":    {bmpFile(9000, 9000, 24), ErrCorrupt},
		"tiff of 2^32 - 1":        {tiffFile(tagWidth, 1<<32-1, tagLength, 1<<32-1), ErrCorrupt},
		"tiff of 2^31 - 1":        {tiffFile(tagWidth, 1<<31-1, tagLength, 1<<31-1), ErrTooLarge},
		"tiff within the limit":   {tiffFile(tagWidth, 9000, tagLength, 9000, tagBitsPerSample, 8, tagCompression, 1, tagPhotometric, 1), ErrCorrupt},
		"tiff huge tiles": {tiffFile(tagWidth, 8, tagLength, 8, tagBitsPerSample, 8, tagCompression, 8, tagPhotometric, 1,
			tagTileWidth, 1<<20, tagTileLength, 1<<20), ErrCorrupt},
		"tiff many strips":  {tiffList(273, 4, 1<<29), ErrCorrupt},
		"tiff long colours": {tiffList(320, 3, 1<<30), ErrCorrupt},
		"jpeg of 4 Gpixel":  {jpegFile(0xC0, 65535, 65535, 0x22), ErrTooLarge},
		"jpeg progressive":  {jpegFile(0xC2, 65535, 65535, 0x22), ErrTooLarge},
		"jpeg within":       {jpegFile(0xC0, 9000, 9000, 0x22), ErrCorrupt},
		"jpeg within, prog": {jpegFile(0xC2, 9000, 9000, 0x44), ErrCorrupt},
		"jpeg many scans":   {manyScans(2000), ErrCorrupt},
		"webp canvas":       {webPFile(vp8x(0, 1<<24, 1<<24), vp8(16, 16)), ErrCorrupt},
		"webp lossless":     {webPFile(vp8l(16384, 16384)), ErrTooLarge},
		"webp hidden":       {webPFile(vp8x(0, 16, 16), vp8l(16384, 16384)), ErrCorrupt},
		"webp alpha":        {webPFile(vp8x(webpAlpha, 16383, 16383), chunk{"ALPH", []byte{1}}, vp8(16383, 16383)), ErrTooLarge},
		"webp within":       {webPFile(vp8(9000, 9000)), ErrCorrupt},
		"heic of 2^32":      {heifFile(t, "heic_444.heic", 1<<32-1, 1<<32-1), ErrTooLarge},
		"avif of 2^32":      {heifFile(t, "avif_444.avif", 1<<32-1, 1<<32-1), ErrTooLarge},
		"avif of 3 Gpixel":  {heifFile(t, "avif_grid.avif", 60000, 50000), ErrTooLarge},
		"jxl of 2^30":       {jxlFile(1 << 30), ErrTooLarge},
		"jxl of 3 Gpixel":   {jxlFile(50000), ErrTooLarge},
		"heic of 3 Gpixel":  {heifFile(t, "heic_444.heic", 60000, 50000), ErrTooLarge},
	}
}

func TestBombsAreRejectedCheaply(t *testing.T) {
	decoder, err := NewDecoder(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	for name, bomb := range bombs(t) {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := decoder.Decode(context.Background(), bomb.data)
			runtime.ReadMemStats(&after)
			t.Logf("%v; %d KiB", err, (after.TotalAlloc-before.TotalAlloc)>>10)
			if !errors.Is(err, bomb.want) {
				t.Errorf("got %v, want %v", err, bomb.want)
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 32<<20 {
				t.Errorf("%d bytes of file took %d MiB", len(bomb.data), grown>>20)
			}
			if _, err := inspectFile(bomb.data); err != nil && !errors.Is(err, ErrCorrupt) {
				t.Errorf("inspecting: %v", err)
			}
		})
	}
}
