package captionscore

import (
	"regexp"
	"strings"
)

// dropped are the words that do not count.
var dropped = map[string]bool{
	"''": true, "'": true, "``": true, "`": true, ".": true, "?": true, "!": true, ",": true, ":": true, "-": true, "--": true, "...": true, ";": true,
}

// brackets are written out, and count, in the evaluation's tokens.
var brackets = map[string]string{"(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-"}

// word is one token: an abbreviation with periods, a number, an ordinary word with what joins its parts, a run of
// periods or hyphens, or any other sign alone.
var word = regexp.MustCompile(`(?:\pL\.){2,}|\b(?:mr|mrs|ms|dr|prof|sr|jr|vs)\.|\.?\d+(?:[.,:/-]\d+)*(?:-?\pL+(?:-[\pL\d]+)*)?|[\pL\d_]+(?:[-'’/&.][\pL\d_]+)*|\.{2,}|-{2,}|[^\s]`)

// endings are split from the words that they end.
var endings = []string{"n't", "'s", "'re", "'ve", "'ll", "'m", "'d"}

// joined are words that are two.
var joined = map[string][2]string{
	"cannot": {"can", "not"}, "gonna": {"gon", "na"}, "gotta": {"got", "ta"}, "gimme": {"gim", "me"}, "lemme": {"lem", "me"}, "wanna": {"wan", "na"},
}

// Words are the words of a caption that count: in lower case, without punctuation, with contractions split ("do n't",
// "man 's") and brackets written out. They are those of the evaluation's tokenizer, Stanford's, but for its long list of
// abbreviations and special forms, of which captions have few.
func Words(caption string) []string {
	var words []string
	for _, token := range word.FindAllString(strings.ToLower(strings.ReplaceAll(caption, "’", "'")), -1) {
		for _, part := range split(token) {
			if name, ok := brackets[part]; ok {
				part = name
			}
			if !dropped[part] && part != `"` {
				words = append(words, part)
			}
		}
	}
	return words
}

// split takes a contraction apart.
func split(token string) []string {
	if pair, ok := joined[token]; ok {
		return pair[:]
	}
	for _, ending := range endings {
		if stem, ok := strings.CutSuffix(token, ending); ok && stem != "" {
			return append(split(stem), ending)
		}
	}
	return []string{token}
}
