package translation

import (
	"slices"
	"strings"
	"unicode"

	"github.com/abadojack/whatlanggo"
)

// scripts are scripts that, where a text has a letter of them, leave one language that people ask in. Japanese stands before
// Chinese, whose characters it uses too.
var scripts = []struct {
	table    *unicode.RangeTable
	language string
}{
	{unicode.Hiragana, "ja"}, {unicode.Katakana, "ja"}, {unicode.Hangul, "ko"}, {unicode.Thai, "th"}, {unicode.Hebrew, "he"},
	{unicode.Greek, "el"}, {unicode.Armenian, "hy"}, {unicode.Georgian, "ka"},
}

// sharedScript is a script that several languages are written in.
type sharedScript struct {
	table *unicode.RangeTable
	// languages are in the order of how many people write them; letters are those that only the same one of them has.
	languages []string
	letters   []string
}

var shared = []sharedScript{
	{unicode.Han, []string{"zh", "ja"}, []string{"", ""}},
	{unicode.Cyrillic, []string{"ru", "uk", "sr", "bg"}, []string{"ыэё", "іїєґ", "ђјљњћџ", ""}},
	{unicode.Arabic, []string{"ar", "fa", "ur"}, []string{"ةىؤ", "پچژگ", "ٹڈڑے"}},
	{unicode.Devanagari, []string{"hi", "mr", "ne"}, []string{"", "ळ", ""}},
}

// byLetters puts the language first whose letters a text has.
func (s sharedScript) byLetters(text string) []string {
	list := slices.Clone(s.languages)
	for i, letters := range s.letters {
		if strings.ContainsAny(text, letters) {
			return append([]string{s.languages[i]}, slices.Delete(list, i, i+1)...)
		}
	}
	return list
}

// Detect says which languages a text may be in, the likeliest first, as base languages such as "ja"; none where the text is
// English, or too short to tell. A text in Chinese characters alone may be Chinese or Japanese.
func Detect(text string) []string {
	for _, script := range scripts {
		if has(text, script.table) {
			return []string{script.language}
		}
	}
	for _, script := range shared {
		if has(text, script.table) {
			return script.byLetters(text)
		}
	}
	// Of Latin letters a few words tell little: English is what they are unless the detector is sure.
	info := whatlanggo.Detect(text)
	language := info.Lang.Iso6391()
	if !info.IsReliable() || language == "" || language == English {
		return nil
	}
	return []string{language}
}

func has(text string, table *unicode.RangeTable) bool {
	for _, r := range text {
		if unicode.Is(table, r) {
			return true
		}
	}
	return false
}
