package tokenize

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// CleanCaption prepares a caption as LAVIS's BlipCaptionProcessor.pre_caption
// does, which is what the published BLIP-2 checkpoints were trained and
// evaluated with: lower case, each of .!"()*#:;~ a space, runs of white space
// one space, at most 50 words. Hugging Face's processor does none of this.
func CleanCaption(text string) string {
	text = strings.Map(func(r rune) rune {
		if isCaptionPunctuation(r) {
			return ' '
		}
		return r
	}, lower(text))
	text = collapseSpaces(text)
	text = strings.TrimRight(text, "\n")
	return firstWords(strings.Trim(text, " "))
}

// CleanQuestion prepares a question as LAVIS's BlipQuestionProcessor does:
// lower case, each of .!"()*#:;~ removed, at most 50 words. A question mark
// stays.
func CleanQuestion(text string) string {
	text = strings.Map(func(r rune) rune {
		if isCaptionPunctuation(r) {
			return -1
		}
		return r
	}, lower(text))
	return firstWords(strings.TrimRight(text, " "))
}

// isCaptionPunctuation reports whether LAVIS removes r from captions.
func isCaptionPunctuation(r rune) bool { return strings.ContainsRune(`.!"()*#:;~`, r) }

// collapseSpaces makes every run of two or more white space characters one
// space; a single one stays what it is.
func collapseSpaces(text string) string {
	var out strings.Builder
	out.Grow(len(text))
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		end := i + size
		if isPythonSpace(r) {
			for end < len(text) {
				next, width := utf8.DecodeRuneInString(text[end:])
				if !isPythonSpace(next) {
					break
				}
				end += width
			}
		}
		if end > i+size {
			out.WriteByte(' ')
		} else {
			out.WriteString(text[i:end])
		}
		i = end
	}
	return out.String()
}

// isPythonSpace reports whether \s of Python's re matches r: white space, and
// the four ASCII separators that Unicode leaves out.
func isPythonSpace(r rune) bool {
	return unicode.IsSpace(r) || r >= 0x1C && r <= 0x1F
}

// firstWords keeps the first maximumWords words between single spaces.
func firstWords(text string) string {
	end := 0
	for range maximumWords {
		space := strings.IndexByte(text[end:], ' ')
		if space < 0 {
			return text
		}
		end += space + 1
	}
	return text[:end-1]
}
