package vqa

import (
	"strings"
	"unicode/utf8"
)

// removed is the punctuation that an answer loses; periods are seen to apart.
const removed = ";/[]\"{}()=+\\_-><@`,?!"

// numbers are the words that become digits.
var numbers = map[string]string{
	"none": "0", "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
	"seven": "7", "eight": "8", "nine": "9", "ten": "10",
}

// contracted are the words that get their apostrophes back where they lack one of them.
const contracted = `ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't
he'd he'd've he's how'd how'll how's isn't it'd it'd've it'll ma'am mightn't mightn't've might've mustn't must've needn't
not've o'clock oughtn't 'ow's'at shan't she'd've should've shouldn't shouldn't've somebody'd've somebody'll somebody's
someone'd someone'd've someone'll someone's something'd something'd've something'll that's there'd there'd've there're
there's they'd they'd've they'll they're they've 'twas wasn't we'd've we've weren't what'll what're what's what've when's
where'd where's where've who'd who'd've who'll who's who've why'll why're why's won't would've wouldn't wouldn't've y'all
y'all'll y'all'd've you'd you'll you're you've`

// contractions gives the full form of each contraction that lacks one apostrophe.
var contractions = func() map[string]string {
	forms := map[string]string{"somebody'd": "somebodyd"} // as the benchmark has it
	for _, word := range strings.Fields(contracted) {
		for i := range word {
			if word[i] == '\'' {
				forms[word[:i]+word[i+1:]] = word
			}
		}
	}
	return forms
}()

// Normalize gives the form in which answers are compared and counted: lower case, without
// punctuation and articles, number words as digits, contractions with their apostrophes.
func Normalize(answer string) string {
	answer = strings.TrimSpace(strings.NewReplacer("\n", " ", "\t", " ").Replace(answer))
	words := strings.Fields(strings.ToLower(withoutPunctuation(answer)))
	kept := words[:0]
	for _, word := range words {
		if digits, ok := numbers[word]; ok {
			word = digits
		}
		if word == "a" || word == "an" || word == "the" {
			continue
		}
		if full, ok := contractions[word]; ok {
			word = full
		}
		kept = append(kept, word)
	}
	return strings.Join(kept, " ")
}

// withoutPunctuation takes a sign out where it touches a space anywhere in the text, or where
// the text has a number with a comma; elsewhere a space takes its place. Periods go unless a digit
// follows them.
func withoutPunctuation(text string) string {
	grouped := hasGroupedDigits(text)
	out := text
	for _, sign := range removed {
		with := " "
		if grouped || strings.Contains(text, string(sign)+" ") || strings.Contains(text, " "+string(sign)) {
			with = ""
		}
		out = strings.ReplaceAll(out, string(sign), with)
	}
	var b strings.Builder
	for i := 0; i < len(out); i++ {
		if out[i] == '.' && (i+1 == len(out) || !isDigit(out[i+1])) {
			continue
		}
		b.WriteByte(out[i])
	}
	return b.String()
}

// hasGroupedDigits reports whether a comma stands between two digits.
func hasGroupedDigits(text string) bool {
	for i := 1; i+1 < len(text); i++ {
		if text[i] == ',' && isDigit(text[i-1]) && isDigit(text[i+1]) {
			return true
		}
	}
	return false
}

func isDigit(b byte) bool { return b < utf8.RuneSelf && '0' <= b && b <= '9' }
