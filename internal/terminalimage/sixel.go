package terminalimage

import (
	"bytes"
	"fmt"
	"image"
	"io"
)

// levels is the number of levels of each colour: 6 x 6 x 6 colours are within
// the 256 that sixel terminals have.
const levels = 6

// bayer spreads the rounding of colours over 4 x 4 pixels.
func bayer(x, y int) int {
	return [16]int{0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5}[y%4*4+x%4]
}

// drawSixel writes six rows of pixels at a time, one pass for each colour.
func drawSixel(w io.Writer, picture image.Image) error {
	bounds := picture.Bounds()
	colours := quantize(picture)
	var out bytes.Buffer
	fmt.Fprintf(&out, "\x1bPq\"1;1;%d;%d", bounds.Dx(), bounds.Dy())
	for colour := range levels * levels * levels {
		percent := func(level int) int { return level * 100 / (levels - 1) }
		fmt.Fprintf(&out, "#%d;2;%d;%d;%d", colour, percent(colour/levels/levels), percent(colour/levels%levels), percent(colour%levels))
	}
	for top := 0; top < bounds.Dy(); top += 6 {
		band := colours[top*bounds.Dx() : min(top+6, bounds.Dy())*bounds.Dx()]
		writeBand(&out, band, bounds.Dx())
	}
	out.WriteString("\x1b\\\n")
	_, err := w.Write(out.Bytes())
	return err
}

// quantize gives each pixel its colour's number, row after row.
func quantize(picture image.Image) []uint8 {
	bounds := picture.Bounds()
	colours := make([]uint8, 0, bounds.Dx()*bounds.Dy())
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			r, g, b, _ := picture.At(bounds.Min.X+x, bounds.Min.Y+y).RGBA()
			level := func(value uint32) int {
				return (int(value>>8)*(levels-1)*16 + bayer(x, y)*255) / (255 * 16)
			}
			colours = append(colours, uint8((level(r)*levels+level(g))*levels+level(b)))
		}
	}
	return colours
}

// writeBand writes up to six rows of pixels.
func writeBand(out *bytes.Buffer, band []uint8, width int) {
	var used [levels * levels * levels]bool
	for _, colour := range band {
		used[colour] = true
	}
	first := true
	for colour, there := range used {
		if !there {
			continue
		}
		if !first {
			out.WriteByte('$') // back to the start of the band
		}
		first = false
		fmt.Fprintf(out, "#%d", colour)
		run, last := 0, byte(0)
		for x := range width {
			var bits byte
			for row := 0; row*width < len(band); row++ {
				if band[row*width+x] == uint8(colour) {
					bits |= 1 << row
				}
			}
			if bits != last && run > 0 {
				writeRun(out, last, run)
				run = 0
			}
			last = bits
			run++
		}
		if last != 0 {
			writeRun(out, last, run)
		}
	}
	out.WriteByte('-')
}

func writeRun(out *bytes.Buffer, bits byte, run int) {
	if run > 3 {
		fmt.Fprintf(out, "!%d%c", run, 63+bits)
		return
	}
	for range run {
		out.WriteByte(63 + bits)
	}
}
