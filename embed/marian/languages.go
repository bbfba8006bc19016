package marian

import "golang.org/x/text/language"

// Base is the base language of a name that a checkpoint has for one, "ja" for "ja", "jpn", "jap" or "ja_JP"; the name itself
// where it is none that is known, such as that of a group of languages.
func Base(name string) string {
	if name == "jap" { // as OPUS-MT calls Japanese
		return "ja"
	}
	tag, err := language.Parse(name)
	if err != nil {
		return name
	}
	base, _ := tag.Base()
	return base.String()
}
