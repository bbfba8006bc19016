// Package terminalimage draws small pictures in terminals that can show them, by the
// kitty graphics protocol, iTerm2's inline images or sixels, all of which
// github.com/charmbracelet/x/ansi writes. What is its own is to know which of them a
// terminal understands.
package terminalimage

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/ansi/iterm2"
	"github.com/charmbracelet/x/ansi/kitty"
	"github.com/charmbracelet/x/ansi/sixel"
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
	var out bytes.Buffer
	var err error
	switch protocol {
	case Kitty:
		err = kitty.EncodeGraphics(&out, picture, &kitty.Options{
			Action: kitty.TransmitAndPut, Transmission: kitty.Direct, Format: kitty.PNG, Rows: rows, Chunk: true,
			Quiet: 2, // no answer
		})
	case ITerm:
		var content []byte
		content, err = encodePNG(picture)
		out.WriteString(ansi.ITerm2(iterm2.File{Inline: true, Height: iterm2.Cells(rows), Content: content}))
	case Sixel:
		var payload bytes.Buffer
		err = new(sixel.Encoder).Encode(&payload, picture)
		out.WriteString(ansi.SixelGraphics(0, 1, 0, payload.Bytes()))
	default:
		return nil
	}
	if err != nil {
		return fmt.Errorf("draw: %w", err)
	}
	out.WriteByte('\n')
	_, err = w.Write(out.Bytes())
	return err
}

// encodePNG gives a picture as a PNG in base64.
func encodePNG(picture image.Image) ([]byte, error) {
	var file bytes.Buffer
	if err := png.Encode(&file, picture); err != nil {
		return nil, err
	}
	return base64.StdEncoding.AppendEncode(nil, file.Bytes()), nil
}
