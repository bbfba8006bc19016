package split

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

func words(pattern Pattern, text string) (list []string) {
	for text != "" {
		n := pattern(text)
		list = append(list, text[:n])
		text = text[n:]
	}
	return list
}

func ExampleGPT2() {
	fmt.Printf("%q\n", words(GPT2, "it's 12 cats,  no?\n\n"))
	// Output: ["it" "'s" " 12" " cats" "," " " " no" "?" "\n\n"]
}

func ExampleLlama3() {
	fmt.Printf("%q\n", words(Llama3, "it'S 12345 cats\n  \n no"))
	// Output: ["it" "'S" " " "123" "45" " cats" "\n  \n" " no"]
}

// reference splits by package regexp, which lacks (?!\S): a run of white space that
// something follows gives its last character back.
func reference(expression string, text string) (list []string) {
	space := `[\t-\r \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]`
	expression = strings.NewReplacer(`|\s+(?!\S)|\s+`, `|(`+space+`+)`, `[^\s\p{L}`, `[^`+space[1:len(space)-1]+`\p{L}`,
		`\s*`, space+`*`, `(?i:'s`, `(?i:'[sſ]`).Replace(expression)
	compiled := regexp.MustCompile(`^(?:` + expression + `)`)
	for text != "" {
		match := compiled.FindStringSubmatchIndex(text)
		end := match[1]
		if match[2] >= 0 && end < len(text) {
			characters := []rune(text[:end])
			if len(characters) > 1 {
				end -= len(string(characters[len(characters)-1]))
			}
		}
		list = append(list, text[:end])
		text = text[end:]
	}
	return list
}

// isNewer reports whether a letter or number is newer than Go's tables.
func isNewer(r rune) bool {
	return unicode.Is(letterTable, r) != unicode.IsLetter(r) || unicode.Is(numberTable, r) != unicode.IsNumber(r)
}

func FuzzPatterns(f *testing.F) {
	for _, text := range []string{
		"it's 12 cats,  no?\n\n", "  \n  x", "'ſ 'RE 'll'", "a1b22c333d4444", "\u00a0\u3000 é\u0301 字",
		"!!\n\n", " !\r\n", "\t\tx", " \u2028 1", "''s", "\r\r\n \n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "")
		if text == "" || strings.ContainsFunc(text, isNewer) {
			return
		}
		for _, expression := range []string{GPT2Expression, Llama3Expression, Qwen2Expression} {
			pattern, ok := Named(expression)
			if !ok {
				t.Fatalf("%q has no pattern", expression)
			}
			if got, want := words(pattern, text), reference(expression, text); !slices.Equal(got, want) {
				t.Errorf("%s of %+q:\n got %+q\nwant %+q", expression, text, got, want)
			}
		}
	})
}

func TestDigits(t *testing.T) {
	for r, want := range map[rune]bool{'0': true, '9': true, 'a': false, '½': true, 'Ⅷ': true, '٣': true, '.': false} {
		if IsDigit(r) != want {
			t.Errorf("%q: got %v", r, !want)
		}
	}
}
