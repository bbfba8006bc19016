package wordpiece

import "strings"

// maximumWords is the number of words that CleanCaption and CleanQuestion
// keep, LAVIS's default.
const maximumWords = 50

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
