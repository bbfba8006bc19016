// Package testpictures makes files for tests of indexing: any number of good
// pictures in every format that is read, and the bad ones that folders hold.
package testpictures

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// Good gives the picture of a number: its file name and content, which differ
// from those of every other number. Samples is the folder with the sample
// files of package pixels, of which the formats that are only read, WebP and
// HEIC, are varied.
func Good(number uint64, samples string) (name string, data []byte, err error) {
	random := rand.New(rand.NewPCG(number, 1))
	format := formatOf(number)
	name = fmt.Sprintf("picture-%06d.%s", number, format)
	switch format {
	case "webp":
		data, err = varied(samples, "webp_lossy_67x45.webp", number, appendRIFFChunk)
	case "heic":
		data, err = varied(samples, "heic_420.heic", number, appendBox)
	default:
		data, err = encode(draw(random, number), format, random)
		if format == "png" && err == nil {
			data = insertPNGText(data, fmt.Sprintf("picture %d", number))
		}
	}
	if err != nil {
		return "", nil, fmt.Errorf("make %s: %w", name, err)
	}
	return name, data, nil
}

// formatOf mixes formats as folders do: mostly JPEG.
func formatOf(number uint64) string {
	switch at := number % 100; {
	case at < 14:
		return "png"
	case at < 20:
		return "webp"
	case at < 25:
		return "gif"
	case at < 28:
		return "bmp"
	case at < 31:
		return "tiff"
	case at < 32:
		return "heic"
	}
	return "jpg"
}

// draw paints rectangles and discs on a ground of one colour; one picture in
// 200 is as large as a photograph.
func draw(random *rand.Rand, number uint64) *image.RGBA {
	width, height := 96+random.IntN(320), 96+random.IntN(320)
	if number%200 == 199 {
		width, height = 4000, 3000
	}
	canvas := image.NewRGBA(image.Rect(0, 0, width, height))
	fill(canvas, canvas.Rect, randomColour(random), false)
	for range 3 + random.IntN(5) {
		x, y := random.IntN(width), random.IntN(height)
		box := image.Rect(x, y, x+10+random.IntN(width/2), y+10+random.IntN(height/2)).Intersect(canvas.Rect)
		fill(canvas, box, randomColour(random), random.IntN(2) == 0)
	}
	return canvas
}

func randomColour(random *rand.Rand) color.RGBA {
	return color.RGBA{R: uint8(random.Uint32()), G: uint8(random.Uint32()), B: uint8(random.Uint32()), A: 255}
}

// fill paints a box, or the ellipse in it.
func fill(canvas *image.RGBA, box image.Rectangle, ink color.RGBA, round bool) {
	centreX, centreY := float64(box.Min.X+box.Max.X)/2, float64(box.Min.Y+box.Max.Y)/2
	radiusX, radiusY := max(1, float64(box.Dx())/2), max(1, float64(box.Dy())/2)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			dx, dy := (float64(x)-centreX)/radiusX, (float64(y)-centreY)/radiusY
			if !round || dx*dx+dy*dy <= 1 {
				canvas.SetRGBA(x, y, ink)
			}
		}
	}
}

func encode(canvas *image.RGBA, format string, random *rand.Rand) ([]byte, error) {
	var out bytes.Buffer
	var err error
	switch format {
	case "png":
		err = png.Encode(&out, canvas)
	case "gif":
		err = gif.Encode(&out, canvas, &gif.Options{NumColors: 64})
	case "bmp":
		err = bmp.Encode(&out, canvas)
	case "tiff":
		err = tiff.Encode(&out, canvas, &tiff.Options{Compression: tiff.Deflate})
	default:
		err = jpeg.Encode(&out, canvas, &jpeg.Options{Quality: 60 + random.IntN(35)})
	}
	return out.Bytes(), err
}

func varied(samples, name string, number uint64, vary func([]byte, []byte) []byte) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(samples, name))
	if err != nil {
		return nil, err
	}
	return vary(data, binary.BigEndian.AppendUint64(nil, number)), nil
}

// appendRIFFChunk adds a chunk that decoders skip.
func appendRIFFChunk(data, note []byte) []byte {
	data = append(data, "nOTE"...)
	data = binary.LittleEndian.AppendUint32(data, uint32(len(note)))
	data = append(data, note...)
	binary.LittleEndian.PutUint32(data[4:], uint32(len(data)-8))
	return data
}

// appendBox adds a box that decoders skip.
func appendBox(data, note []byte) []byte {
	data = binary.BigEndian.AppendUint32(data, uint32(8+len(note)))
	return append(append(data, "free"...), note...)
}

// insertPNGText adds a comment after the header.
func insertPNGText(data []byte, text string) []byte {
	const afterHeader = 8 + 25
	return append(append(bytes.Clone(data[:afterHeader]), pngChunk("tEXt", append([]byte("Comment\x00"), text...))...), data[afterHeader:]...)
}

func pngChunk(name string, data []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	out = append(append(out, name...), data...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}
