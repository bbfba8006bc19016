// Package terminalimage draws small pictures in terminals that can show them,
// by the kitty graphics protocol, iTerm2's inline images or sixels.
package terminalimage

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
	"io"
	"strings"
)

// Protocol is a way of drawing.
type Protocol string

// The protocols. None draws nothing.
const (
	None  Protocol = "none"
	Kitty Protocol = "kitty"
	ITerm Protocol = "iterm"
	Sixel Protocol = "sixel"
)

// Parse reads the name of a protocol.
func Parse(name string) (Protocol, error) {
	switch protocol := Protocol(strings.ToLower(name)); protocol {
	case None, Kitty, ITerm, Sixel:
		return protocol, nil
	}
	return None, fmt.Errorf("%q draws no pictures: use auto, kitty, iterm, sixel or none", name)
}

// Detect tells from the environment what the terminal says it can do. Inside
// tmux and screen it answers None, since they swallow what they do not know.
func Detect(getenv func(string) string) Protocol {
	term, program := getenv("TERM"), getenv("TERM_PROGRAM")
	switch {
	case getenv("TMUX") != "" || strings.HasPrefix(term, "screen") || strings.HasPrefix(term, "tmux"):
		return None
	case term == "xterm-kitty" || getenv("KITTY_WINDOW_ID") != "" || term == "xterm-ghostty" || program == "ghostty":
		return Kitty
	case program == "iTerm.app" || program == "WezTerm":
		return ITerm
	case strings.HasPrefix(term, "foot") || strings.HasPrefix(term, "mlterm") || strings.HasPrefix(term, "contour") || strings.Contains(term, "sixel"):
		return Sixel
	}
	return None
}

// Draw writes a picture followed by a line break. rows is its height in lines
// of text, which kitty and iTerm2 scale to; a sixel has the picture's own
// pixels, so that it should be small.
func Draw(w io.Writer, protocol Protocol, picture image.Image, rows int) error {
	if picture.Bounds().Empty() || rows < 1 {
		return fmt.Errorf("draw: a picture of %v in %d rows", picture.Bounds(), rows)
	}
	switch protocol {
	case Kitty:
		return drawKitty(w, picture, rows)
	case ITerm:
		return drawITerm(w, picture, rows)
	case Sixel:
		return drawSixel(w, picture)
	}
	return nil
}

// kittyChunk is the most base64 that one escape of kitty's may carry.
const kittyChunk = 4096

func drawKitty(w io.Writer, picture image.Image, rows int) error {
	encoded, err := encodePNG(picture)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	for first := true; first || len(encoded) > 0; first = false {
		chunk := encoded[:min(kittyChunk, len(encoded))]
		encoded = encoded[len(chunk):]
		more := 0
		if len(encoded) > 0 {
			more = 1
		}
		if first { // a: transmit and show; f: PNG; q: no answer
			fmt.Fprintf(&out, "\x1b_Ga=T,f=100,q=2,r=%d,m=%d;%s\x1b\\", rows, more, chunk)
		} else {
			fmt.Fprintf(&out, "\x1b_Gm=%d;%s\x1b\\", more, chunk)
		}
	}
	out.WriteByte('\n')
	_, err = w.Write(out.Bytes())
	return err
}

func drawITerm(w io.Writer, picture image.Image, rows int) error {
	encoded, err := encodePNG(picture)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\x1b]1337;File=inline=1;height=%d;preserveAspectRatio=1:%s\a\n", rows, encoded)
	return err
}

func encodePNG(picture image.Image) (string, error) {
	var file bytes.Buffer
	if err := png.Encode(&file, picture); err != nil {
		return "", fmt.Errorf("draw: %w", err)
	}
	return base64.StdEncoding.EncodeToString(file.Bytes()), nil
}
