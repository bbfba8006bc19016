package words

import "unicode"

// SaysSomething reports whether a character can be part of what is looked for: a
// letter, a digit, or a picture such as 🍕.
func SaysSomething(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.Is(unicode.So, r)
}
