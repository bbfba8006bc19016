package language

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"mekiki/embed/tokenize/split"
)

// piece is a part of a text that is being split into words.
type piece struct {
	text  string
	first bool // it begins the whole text
}

// splitter passes on the parts of a piece, in order.
type splitter func(p piece, yield func(piece))

// splitterFile is a pre-tokenizer in a tokenizer.json.
type splitterFile struct {
	Type             string         `json:"type"`
	Pretokenizers    []splitterFile `json:"pretokenizers"`
	AddPrefixSpace   *bool          `json:"add_prefix_space"`
	UseRegex         *bool          `json:"use_regex"`
	IndividualDigits bool           `json:"individual_digits"`
	Replacement      string         `json:"replacement"`
	PrependScheme    string         `json:"prepend_scheme"`
	Split            *bool          `json:"split"`
	Pattern          *patternFile   `json:"pattern"`
	Behavior         string         `json:"behavior"`
	Invert           bool           `json:"invert"`
}

// splitters are the steps of a pre-tokenizer.
type splitters struct {
	steps []splitter
	bytes bool // the last turns words into the letters of bytes
}

// add appends the steps of a pre-tokenizer, those of a sequence in its order.
func (s *splitters) add(file *splitterFile) error {
	switch {
	case file == nil:
		return nil
	case len(s.steps) >= maximumStages:
		return fmt.Errorf("more than %d pre-tokenizers", maximumStages)
	case s.bytes && file.Type != "Sequence":
		return fmt.Errorf("the pre-tokenizer %q follows ByteLevel, which must be the last", file.Type)
	}
	switch file.Type {
	case "Sequence":
		for i := range file.Pretokenizers {
			if err := s.add(&file.Pretokenizers[i]); err != nil {
				return err
			}
		}
		return nil
	case "ByteLevel":
		s.byteLevel(valueOr(file.AddPrefixSpace, true), valueOr(file.UseRegex, true))
		return nil
	case "WhitespaceSplit":
		s.steps = append(s.steps, splitWhitespace)
		return nil
	case "Metaspace":
		return s.metaspace(file)
	case "Digits":
		s.steps = append(s.steps, splitDigits(file.IndividualDigits))
		return nil
	case "Split":
		return s.pattern(file)
	}
	return fmt.Errorf("the pre-tokenizer %q is not one of those that are known", file.Type)
}

// byteLevel adds GPT-2's splitting.
func (s *splitters) byteLevel(prefix, expression bool) {
	s.bytes = true
	if prefix {
		s.steps = append(s.steps, func(p piece, yield func(piece)) {
			if !strings.HasPrefix(p.text, " ") {
				p.text = " " + p.text
			}
			yield(p)
		})
	}
	if expression {
		s.steps = append(s.steps, splitBy(split.GPT2))
	}
}

// pattern adds splitting by a regular expression.
func (s *splitters) pattern(file *splitterFile) error {
	if file.Pattern == nil || file.Pattern.Regex == nil {
		return errors.New("the pre-tokenizer Split has no regular expression")
	}
	pattern, ok := split.Named(*file.Pattern.Regex)
	if !ok || file.Invert && file.Behavior != "Removed" || !file.Invert && file.Behavior != "Isolated" {
		return fmt.Errorf("the pre-tokenizer Split has the regular expression %q, %s, which is not one of those that are known",
			*file.Pattern.Regex, file.Behavior)
	}
	s.steps = append(s.steps, splitBy(pattern))
	return nil
}

// metaspace adds SentencePiece's splitting.
func (s *splitters) metaspace(file *splitterFile) error {
	scheme := file.PrependScheme
	if scheme == "" {
		scheme = "always"
	}
	if !valueOr(file.AddPrefixSpace, true) {
		scheme = "never"
	}
	if scheme != "always" && scheme != "first" && scheme != "never" {
		return fmt.Errorf("the pre-tokenizer Metaspace has the scheme %q", scheme)
	}
	space := file.Replacement
	if len([]rune(space)) != 1 {
		return fmt.Errorf("the pre-tokenizer Metaspace replaces spaces by %q, which is not one character", space)
	}
	s.steps = append(s.steps, metaspace(space, scheme, valueOr(file.Split, true)))
	return nil
}

// metaspace returns the step that replaces spaces by the character space, puts one
// before a piece that has none, and splits before each.
func metaspace(space, scheme string, splits bool) splitter {
	return func(p piece, yield func(piece)) {
		text := strings.ReplaceAll(p.text, " ", space)
		if !strings.HasPrefix(text, space) && (scheme == "always" || scheme == "first" && p.first) {
			text = space + text
		}
		for splits && text != "" {
			next := strings.Index(text[1:], space)
			if next < 0 {
				break
			}
			yield(piece{text[:next+1], p.first})
			p.first = false
			text = text[next+1:]
		}
		yield(piece{text, p.first})
	}
}

// splitBy splits at the words of a pattern.
func splitBy(pattern split.Pattern) splitter {
	return func(p piece, yield func(piece)) {
		for p.text != "" {
			length := pattern(p.text)
			yield(piece{p.text[:length], p.first})
			p = piece{p.text[length:], false}
		}
	}
}

// splitWhitespace splits at white space, which goes.
func splitWhitespace(p piece, yield func(piece)) {
	for p.text != "" {
		text := strings.TrimLeftFunc(p.text, unicode.IsSpace)
		p.first = p.first && len(text) == len(p.text)
		end := strings.IndexFunc(text, unicode.IsSpace)
		if end < 0 {
			end = len(text)
		}
		if end > 0 {
			yield(piece{text[:end], p.first})
		}
		p = piece{text[end:], false}
	}
}

// splitDigits sets numbers apart, each digit or each run.
func splitDigits(individual bool) splitter {
	return func(p piece, yield func(piece)) {
		begin, inNumber := 0, false
		for at, r := range p.text {
			digit := split.IsDigit(r)
			if at > begin && (digit != inNumber || digit && individual) {
				yield(piece{p.text[begin:at], p.first && begin == 0})
				begin = at
			}
			inNumber = digit
		}
		yield(piece{p.text[begin:], p.first && begin == 0})
	}
}

func valueOr(value *bool, otherwise bool) bool {
	if value == nil {
		return otherwise
	}
	return *value
}
