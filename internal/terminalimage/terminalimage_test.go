package terminalimage

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi/kitty"
	"github.com/charmbracelet/x/ansi/sixel"
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
		if len(chunk[2]) > kitty.MaxChunkSize || strings.Contains(chunk[1], "m=1") != (i < len(chunks)-1) {
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

// TestSixelIsThePicture reads what was drawn: sixels have 256 colours in steps of one in
// a hundred.
func TestSixelIsThePicture(t *testing.T) {
	picture := image.NewRGBA(image.Rect(0, 0, 20, 13))
	for i := range 20 * 13 {
		picture.Set(i%20, i/20, color.RGBA{byte(i % 4 * 85), byte(i / 20 * 20), 255, 255})
	}
	var out bytes.Buffer
	if err := Draw(&out, Sixel, picture, 3); err != nil {
		t.Fatal(err)
	}
	_, body, found := strings.Cut(strings.TrimSuffix(out.String(), "\x1b\\\n"), "q")
	if !found || !strings.HasPrefix(out.String(), "\x1bP") || !strings.HasSuffix(out.String(), "\x1b\\\n") {
		t.Fatalf("no sixel: %.20q", out.String())
	}
	drawn, err := new(sixel.Decoder).Decode(strings.NewReader(body))
	if err != nil || drawn.Bounds() != picture.Bounds() {
		t.Fatalf("read as %v, %v", drawn, err)
	}
	for i := range 20 * 13 {
		r, g, b, _ := drawn.At(i%20, i/20).RGBA()
		wantR, wantG, wantB, _ := picture.At(i%20, i/20).RGBA()
		for _, pair := range [][2]uint32{{r, wantR}, {g, wantG}, {b, wantB}} {
			if max(pair[0], pair[1])-min(pair[0], pair[1]) > 65535/100 {
				t.Fatalf("pixel %d is %d, %d, %d, want %d, %d, %d", i, r, g, b, wantR, wantG, wantB)
			}
		}
	}
}

func TestITermAndErrors(t *testing.T) {
	var out bytes.Buffer
	if err := Draw(&out, ITerm, noisy(4, 4), 2); err != nil || !strings.HasPrefix(out.String(), "\x1b]1337;File=height=2;inline=1:") {
		t.Errorf("got %q, %v", out.String(), err)
	}
	if Draw(&out, Kitty, image.NewRGBA(image.Rectangle{}), 2) == nil {
		t.Error("an empty picture is drawn")
	}
	if _, err := Parse("braille"); err == nil {
		t.Error("an unknown protocol is read")
	}
}
