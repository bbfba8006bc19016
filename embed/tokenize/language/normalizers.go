package language

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"mekiki/embed/tokenize/charsmap"
)

// normalizer is one step of what happens to a text before it is split.
type normalizer func(text string) string

// normalizerFile is a normalizer in a tokenizer.json.
type normalizerFile struct {
	Type        string           `json:"type"`
	Normalizers []normalizerFile `json:"normalizers"`
	Prepend     string           `json:"prepend"`
	Pattern     *patternFile     `json:"pattern"`
	Content     string           `json:"content"`
	StripLeft   bool             `json:"strip_left"`
	StripRight  bool             `json:"strip_right"`
	Charsmap    []byte           `json:"precompiled_charsmap"`
}

// patternFile is a string or a regular expression in a tokenizer.json.
type patternFile struct {
	String *string `json:"String"`
	Regex  *string `json:"Regex"`
}

// newNormalizers returns the steps of a normalizer, those of a sequence in its
// order.
func newNormalizers(file *normalizerFile, steps []normalizer) ([]normalizer, error) {
	if file == nil {
		return steps, nil
	}
	if len(steps) >= maximumStages {
		return nil, fmt.Errorf("more than %d normalizers", maximumStages)
	}
	switch file.Type {
	case "Sequence":
		for i := range file.Normalizers {
			var err error
			if steps, err = newNormalizers(&file.Normalizers[i], steps); err != nil {
				return nil, err
			}
		}
		return steps, nil
	case "Lowercase":
		return append(steps, strings.ToLower), nil
	case "Prepend":
		return append(steps, prepend(file.Prepend)), nil
	case "Strip":
		return append(steps, strip(file.StripLeft, file.StripRight)), nil
	case "NFC":
		return append(steps, nfc), nil
	case "Precompiled":
		return appendCharsmap(steps, file.Charsmap)
	case "Replace":
		step, err := replace(file)
		return append(steps, step), err
	}
	return nil, fmt.Errorf("the normalizer %q is not one of those that are known", file.Type)
}

// charsmap returns the table of the first Precompiled of a normalizer, or nil.
func (f *normalizerFile) charsmap(depth int) []byte {
	if f == nil || depth > maximumStages {
		return nil
	}
	if f.Type == "Precompiled" {
		return f.Charsmap
	}
	for i := range f.Normalizers {
		if table := f.Normalizers[i].charsmap(depth + 1); table != nil {
			return table
		}
	}
	return nil
}

// appendCharsmap appends the step that a SentencePiece model's table is, if there is
// one.
func appendCharsmap(steps []normalizer, table []byte) ([]normalizer, error) {
	if len(table) == 0 {
		return steps, nil
	}
	characters, err := charsmap.New(table)
	if err != nil {
		return nil, fmt.Errorf("the normalizer Precompiled: %w", err)
	}
	return append(steps, characters.Apply), nil
}

func prepend(prefix string) normalizer {
	return func(text string) string {
		if text == "" {
			return ""
		}
		return prefix + text
	}
}

func strip(left, right bool) normalizer {
	return func(text string) string {
		if left {
			text = strings.TrimLeftFunc(text, unicode.IsSpace)
		}
		if right {
			text = strings.TrimRightFunc(text, unicode.IsSpace)
		}
		return text
	}
}

// replace returns the step that replaces a string by another, or a regular
// expression that is one of those in use.
func replace(file *normalizerFile) (normalizer, error) {
	content := file.Content
	switch pattern := file.Pattern; {
	case pattern == nil:
		return nil, errors.New("the normalizer Replace has no pattern")
	case pattern.String != nil && *pattern.String != "":
		from := *pattern.String
		return func(text string) string { return strings.ReplaceAll(text, from, content) }, nil
	case pattern.Regex != nil && *pattern.Regex == " {2,}":
		return func(text string) string { return collapse(text, content) }, nil
	}
	return nil, errors.New("the normalizer Replace has a regular expression that is not one of those that are known")
}

// collapse replaces every run of two and more spaces.
func collapse(text, by string) string {
	if !strings.Contains(text, "  ") {
		return text
	}
	var out strings.Builder
	for text != "" {
		at := strings.Index(text, "  ")
		if at < 0 {
			break
		}
		out.WriteString(text[:at])
		out.WriteString(by)
		text = strings.TrimLeft(text[at:], " ")
	}
	out.WriteString(text)
	return out.String()
}
