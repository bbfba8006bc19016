package bring

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Item is what another program says of one picture.
type Item struct {
	// Path is where that program has the picture, slash-separated; "" when it does not say. With Stem, the path lacks its
	// extension.
	Path string
	Stem bool
	// Name is the file's name, and Bytes its size; "" and 0 where they are not known.
	Name  string
	Bytes int64
	// Sum is a hash of the file's content.
	Sum Sum
	// File is where the picture itself lies on this machine, so that its hash can be found out; "" where it does not.
	File string
	// Tags may have levels, between slashes.
	Tags, Albums, People []string
	// Rating is from 1 to 5; nil where there is none.
	Rating             *int
	Favourite          bool
	Title, Description string
	// Date is what the camera's clock showed; zero where the program does not say, or only repeats the file.
	Date time.Time
}

// Sum is a hash in lower-case hexadecimal; the zero value is none.
type Sum struct {
	Kind SumKind
	Hex  string
}

// SumKind says how a hash was made.
type SumKind uint8

// The kinds of hashes.
const (
	SHA256 SumKind = iota + 1
	SHA1
	DigiKam // the MD5 of the first and the last 100 KiB, one after the other
)

// Problem is something in a source that could not be read. It costs only itself.
type Problem struct {
	Where  string `json:"where"`
	Reason string `json:"reason"`
}

// Sink takes what a source says, one picture after the other. It is the same goroutine that calls them.
type Sink struct {
	Item    func(Item) error
	Problem func(Problem)
}

// Text cuts a text of a source to a length in bytes and leaves out what is no text.
func Text(text string, limit int) string {
	text = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || r == utf8.RuneError {
			return -1
		}
		return r
	}, text[:min(len(text), 4*limit)]))
	for len(text) > limit {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return text
}

// clean bounds an item.
func (i Item) clean() Item {
	words := func(list []string) (kept []string) {
		for _, word := range list {
			if word = strings.Join(strings.Fields(Text(word, MaximumWord)), " "); word != "" && len(kept) < MaximumValues {
				kept = append(kept, word)
			}
		}
		return kept
	}
	i.Tags, i.Albums, i.People = words(i.Tags), words(i.Albums), words(i.People)
	i.Title, i.Description = strings.Join(strings.Fields(Text(i.Title, MaximumTitle)), " "), Text(i.Description, MaximumDescription)
	if i.Rating != nil && (*i.Rating < 1 || *i.Rating > 5) {
		i.Rating = nil
	}
	if year := i.Date.Year(); year < 1826 || year > 9999 {
		i.Date = time.Time{}
	}
	return i
}

// says reports whether there is anything to take over.
func (i Item) says() bool {
	return len(i.Tags)+len(i.Albums)+len(i.People) > 0 || i.Rating != nil || i.Favourite || i.Title != "" || i.Description != "" || !i.Date.IsZero()
}

// Leaves leaves out tags that are the beginning of a longer one: programs give a picture each level of its tags.
func Leaves(tags []string) (kept []string) {
	above := map[string]bool{}
	for _, tag := range tags {
		for at := len(tag) - 1; at > 0; at-- {
			if tag[at] == '/' {
				above[strings.ToLower(tag[:at])] = true
			}
		}
	}
	for _, tag := range tags {
		if !above[strings.ToLower(tag)] {
			kept = append(kept, tag)
		}
	}
	return kept
}
