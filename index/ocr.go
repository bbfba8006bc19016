package index

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// OCR is what a picture says: the lines of words in it, as optical character recognition read them.
type OCR struct {
	// Model names the models that read them; it is never "".
	Model string
	// Lines are from top to bottom; there are none in a picture without words.
	Lines []OCRLine
}

// OCRLine is a line of words in a picture.
type OCRLine struct {
	// Text is what it says: valid UTF-8 in one line, not "".
	Text string
	// Corners are those of its box, from where its text begins above on, clockwise.
	Corners [4]Pixel
	// Score is how sure the model is of the characters on average, 0 to 1.
	Score float32
}

// Pixel is a place in a picture of the size that its record says: to the right and down from its upper left corner.
type Pixel struct{ X, Y int }

// OCRChange replaces what is known of the words in a record's picture; nil forgets it, so that it is read again.
type OCRChange struct {
	ID  ID
	OCR *OCR
}

// Texts gives the text of each line, from top to bottom; none for nil.
func (o *OCR) Texts() []string {
	if o == nil {
		return nil
	}
	texts := make([]string, len(o.Lines))
	for i, line := range o.Lines {
		texts[i] = line.Text
	}
	return texts
}

// Clone gives a copy that shares nothing; nil of nil.
func (o *OCR) Clone() *OCR {
	if o == nil {
		return nil
	}
	return &OCR{Model: o.Model, Lines: slices.Clone(o.Lines)}
}

// Check reports why the words in a picture cannot be kept: they are more than the limits, or no lines of text. Nil is fine.
func (o *OCR) Check() error {
	if o == nil {
		return nil
	}
	if o.Model == "" || len(o.Model) > MaximumName {
		return fmt.Errorf("the words in a picture name no model, or one of more than %d bytes", MaximumName)
	}
	if len(o.Lines) > MaximumOCRLines {
		return fmt.Errorf("a picture has %d lines of words, more than %d", len(o.Lines), MaximumOCRLines)
	}
	bytes := 0
	for i, line := range o.Lines {
		bytes += len(line.Text)
		switch {
		case line.Text == "" || !utf8.ValidString(line.Text) || strings.ContainsAny(line.Text, "\n\r\x00"):
			return fmt.Errorf("line %d of the words in a picture is no line of text", i)
		case !(line.Score >= 0 && line.Score <= 1):
			return fmt.Errorf("line %d of the words in a picture has the score %v", i, line.Score)
		case bytes > MaximumOCRBytes:
			return fmt.Errorf("the words in a picture are longer than %d bytes", MaximumOCRBytes)
		}
		for _, corner := range line.Corners {
			if corner.X < 0 || corner.Y < 0 || corner.X > math.MaxInt32 || corner.Y > math.MaxInt32 {
				return fmt.Errorf("line %d of the words in a picture lies outside of it", i)
			}
		}
	}
	return nil
}

// Bounded gives as many of the lines, from the first on, as the limits allow.
func (o OCR) Bounded() OCR {
	lines, bytes := o.Lines[:min(len(o.Lines), MaximumOCRLines)], 0
	for i, line := range lines {
		if bytes += len(line.Text); bytes > MaximumOCRBytes {
			lines = lines[:i]
			break
		}
	}
	o.Lines = lines
	return o
}
