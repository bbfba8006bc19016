package terminalimage

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func noisy(width, height int) image.Image {
	random := rand.New(rand.NewPCG(1, 1))
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range picture.Pix {
		picture.Pix[i] = byte(random.Uint32())
	}
	return picture
}

func TestDetect(t *testing.T) {
	for _, test := range []struct {
		environment map[string]string
		want        Protocol
	}{
		{map[string]string{"TERM": "xterm-256color"}, None},
		{map[string]string{"TERM": "xterm-kitty"}, Kitty},
		{map[string]string{"TERM": "xterm-kitty", "TMUX": "x"}, None},
		{map[string]string{"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, ITerm},
		{map[string]string{"TERM": "foot"}, Sixel},
		{map[string]string{}, None},
	} {
		if got := Detect(func(name string) string { return test.environment[name] }); got != test.want {
			t.Errorf("%v: got %s, want %s", test.environment, got, test.want)
		}
	}
}

func TestKittyCarriesThePicture(t *testing.T) {
	var out bytes.Buffer
	if err := Draw(&out, Kitty, noisy(64, 48), 5); err != nil {
		t.Fatal(err)
	}
	var encoded strings.Builder
	chunks := regexp.MustCompile("\x1b_G([^;]*);([^\x1b]*)\x1b\\\\").FindAllStringSubmatch(out.String(), -1)
	for i, chunk := range chunks {
		if len(chunk[2]) > kittyChunk || strings.Contains(chunk[1], "m=1") != (i < len(chunks)-1) {
			t.Errorf("chunk %d of %d: %q with %d bytes", i, len(chunks), chunk[1], len(chunk[2]))
		}
		encoded.WriteString(chunk[2])
	}
	data, err := base64.StdEncoding.DecodeString(encoded.String())
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil || picture.Bounds().Dx() != 64 {
		t.Errorf("got %v, %v", picture, err)
	}
}

// decodeSixel paints what drawSixel wrote.
func decodeSixel(t *testing.T, text string, width, height int) []uint8 {
	t.Helper()
	body := text[strings.Index(text, "q")+1 : strings.Index(text, "\x1b\\")]
	painted := make([]uint8, width*height)
	colour, x, top := 0, 0, 0
	number := func(i int) (int, int) {
		end := i
		for end < len(body) && body[end] >= '0' && body[end] <= '9' {
			end++
		}
		value, _ := strconv.Atoi(body[i:end])
		return value, end
	}
	for i := 0; i < len(body); {
		switch c := body[i]; {
		case c == '"':
			for i++; i < len(body) && strings.IndexByte("0123456789;", body[i]) >= 0; i++ {
			}
			continue
		case c == '#':
			colour, i = number(i + 1)
			for i < len(body) && body[i] == ';' {
				_, i = number(i + 1)
			}
			continue
		case c == '$':
			x = 0
		case c == '-':
			x, top = 0, top+6
		default:
			run := 1
			if c == '!' {
				run, i = number(i + 1)
			}
			bits := body[i] - 63
			for range run {
				for row := range 6 {
					if bits>>row&1 == 1 {
						painted[(top+row)*width+x] = uint8(colour)
					}
				}
				x++
			}
		}
		i++
	}
	return painted
}

func TestSixelPaintsEveryPixel(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {7, 6}, {13, 20}} {
		picture := noisy(size[0], size[1])
		var out bytes.Buffer
		if err := Draw(&out, Sixel, picture, 3); err != nil {
			t.Fatal(err)
		}
		if got := decodeSixel(t, out.String(), size[0], size[1]); !bytes.Equal(got, quantize(picture)) {
			t.Errorf("%v: other pixels than were to be drawn", size)
		}
	}
}

func TestQuantizeKeepsExtremes(t *testing.T) {
	for shade, want := range map[color.Color]uint8{color.Black: 0, color.White: 215} {
		picture := image.NewUniform(shade)
		bounded := image.NewRGBA(image.Rect(0, 0, 4, 4))
		for i := range 16 {
			bounded.Set(i%4, i/4, picture.C)
		}
		for _, got := range quantize(bounded) {
			if got != want {
				t.Errorf("%v becomes %d", shade, got)
			}
		}
	}
}

func TestITermAndErrors(t *testing.T) {
	var out bytes.Buffer
	if err := Draw(&out, ITerm, noisy(4, 4), 2); err != nil || !strings.HasPrefix(out.String(), "\x1b]1337;File=inline=1;height=2") {
		t.Errorf("got %q, %v", out.String(), err)
	}
	if Draw(&out, Kitty, image.NewRGBA(image.Rectangle{}), 2) == nil {
		t.Error("an empty picture is drawn")
	}
	if _, err := Parse("braille"); err == nil {
		t.Error("an unknown protocol is read")
	}
}
