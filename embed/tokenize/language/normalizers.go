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

// normalizers are the steps of a normalizer, and how many times longer they can make
// a text.
type normalizers struct {
	steps  []normalizer
	growth int
}

// grow returns how many times longer a text can become where it could be that many
// times longer before and from bytes become to.
func grow(growth, from, to int) (int, error) {
	times := max(growth, 1) * max((to+from-1)/from, 1)
	if to > maximumGrowth || times > maximumGrowth {
		return 0, fmt.Errorf("a text can grow more than %d times", maximumGrowth)
	}
	return times, nil
}

// add appends the steps of a normalizer, those of a sequence in its order.
func (n *normalizers) add(file *normalizerFile) error {
	if file == nil {
		return nil
	}
	if len(n.steps) >= maximumStages {
		return fmt.Errorf("more than %d normalizers", maximumStages)
	}
	switch file.Type {
	case "Sequence":
		for i := range file.Normalizers {
			if err := n.add(&file.Normalizers[i]); err != nil {
				return err
			}
		}
	case "NFC":
		return n.step(nfc, 1, 1)
	case "Lowercase":
		return n.step(strings.ToLower, 1, 1)
	case "Prepend":
		if len(file.Prepend) > maximumGrowth {
			return errors.New("the normalizer Prepend puts too much before a text")
		}
		return n.step(prepend(file.Prepend), 1, 1)
	case "Strip":
		return n.step(strip(file.StripLeft, file.StripRight), 1, 1)
	case "Precompiled":
		return n.charsmap(file.Charsmap)
	case "Replace":
		return n.replace(file)
	default:
		return fmt.Errorf("the normalizer %q is not one of those that are known", file.Type)
	}
	return nil
}

// step appends a step that makes to bytes of from bytes.
func (n *normalizers) step(step normalizer, from, to int) error {
	var err error
	n.growth, err = grow(n.growth, from, to)
	n.steps = append(n.steps, step)
	return err
}

// charsmap appends the step that a SentencePiece model's table is, if there is one, as the tokenizers library applies it.
func (n *normalizers) charsmap(table []byte) error { return n.table(table, (*charsmap.Map).Apply) }

// table appends the step that a SentencePiece model's table is, if there is one, applied in this way.
func (n *normalizers) table(table []byte, apply func(m *charsmap.Map, text string) string) error {
	if len(table) == 0 {
		return nil
	}
	characters, err := charsmap.New(table)
	if err != nil {
		return fmt.Errorf("the normalizer Precompiled: %w", err)
	}
	return n.step(func(text string) string { return apply(characters, text) }, 1, characters.Longest())
}

// replace appends the step that replaces a string by another, or a regular expression
// that is one of those in use.
func (n *normalizers) replace(file *normalizerFile) error {
	content := file.Content
	switch pattern := file.Pattern; {
	case pattern == nil:
		return errors.New("the normalizer Replace has no pattern")
	case pattern.String != nil && *pattern.String != "":
		from := *pattern.String
		return n.step(func(text string) string { return strings.ReplaceAll(text, from, content) }, len(from), len(content))
	case pattern.Regex != nil && *pattern.Regex == " {2,}":
		return n.step(func(text string) string { return collapse(text, content) }, 2, len(content))
	}
	return errors.New("the normalizer Replace has a regular expression that is not one of those that are known")
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
