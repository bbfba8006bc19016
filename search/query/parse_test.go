package query

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mekiki/index"
)

// summary is the part of a Query that reads well in a table.
func summary(q Query) string {
	var b strings.Builder
	list := func(name string, clauses []Clause) {
		for _, clause := range clauses {
			b.WriteString(name + "[" + clause.Text + "]")
		}
	}
	list("", q.Clauses)
	list("phrase", q.Phrases)
	list("not", q.Unwanted)
	list("notphrase", q.UnwantedPhrases)
	for _, ask := range q.Asks {
		sign := "="
		if ask.Not {
			sign = "!="
		}
		if ask.Answer == "" {
			sign = ""
		}
		b.WriteString("ask[" + ask.Text + sign + ask.Answer + "]")
	}
	list("filter", q.Filters.Source)
	return b.String()
}

func TestParse(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", ""},
		{"   \t\n", ""},
		{"two cats", "[two cats]"},
		{"  two   cats ", "[two cats]"},
		{"two\u3000cats", "[two cats]"},
		{"a cat; a dog", "[a cat][a dog]"},
		{"a cat;;a dog;", "[a cat][a dog]"},
		{"a cat；a dog", "[a cat][a dog]"},
		{"a cat AND a dog", "[a cat][a dog]"},
		{"AND", "[AND]"},
		{"AND cat", "[AND cat]"},
		{"rock and roll", "[rock and roll]"},
		{"a red car, parked", "[a red car, parked]"},
		{"cat -dog", "[cat]not[dog]"},
		{"cat -dog bird", "[cat bird]not[dog]"},
		{"cat -(a red collar)", "[cat]not[a red collar]"},
		{`cat -(a \) b)`, "[cat]not[a ) b]"},
		{"cat -(a (small) dog)", "[cat]not[a (small) dog]"},
		{"cat (sleeping)", "[cat (sleeping)]"},
		{"black-and-white - stripes", "[black-and-white - stripes]"},
		{"--verbose", "[--verbose]"},
		{`\-5 degrees`, "[-5 degrees]"},
		{`"two cats"`, "[two cats]phrase[two cats]"},
		{`a "red  car" here`, "[a red car here]phrase[red car]"},
		{`“two cats”`, "[two cats]phrase[two cats]"},
		{`cat -"red collar"`, "[cat]notphrase[red collar]"},
		{`cats ask:"are they asleep?"`, "[cats]ask[are they asleep?]"},
		{`cats ask:"are they asleep?"=yes on a bed`, "[cats on a bed]ask[are they asleep?=yes]"},
		{`ASK:“how many?” != "more than two" cats`, "[cats]ask[how many?!=more than two]"},
		{`ask:asleep?=yes ask:colour!=red; dog`, "[dog]ask[asleep?=yes]ask[colour!=red]"},
		{`ask:「何匹?」＝二 猫`, "[猫]ask[何匹?=二]"},
		{`ask:"why?" tag:x`, "ask[why?]filter[tag:x]"},
		{`ask\:x`, "[ask:x]"},
		{`a 5" nail`, `[a 5" nail]`},
		{`"say \"hi\""`, `[say "hi"]phrase[say "hi"]`},
		{`"C:\photos"`, `[C:\photos]phrase[C:\photos]`},
		{"folder:Holiday cats", "[cats]filter[folder:Holiday]"},
		{`folder:"My Holiday" cats`, `[cats]filter[folder:"My Holiday"]`},
		{"FOLDER:x", "filter[FOLDER:x]"},
		{"folder：x", "filter[folder：x]"},
		{`folder\:x`, "[folder:x]"},
		{"note: a cat", "[note: a cat]"},
		{"at 12:30", "[at 12:30]"},
		{"after:2023 before:2024-05 cats", "[cats]filter[after:2023]filter[before:2024-05]"},
		{"near:35.01,135.77,10km", "filter[near:35.01,135.77,10km]"},
		{`near:"35.01, 135.77, 10"`, `filter[near:"35.01, 135.77, 10"]`},
		{"kind:images type:JPG tag:a tag:b", "filter[kind:images]filter[type:JPG]filter[tag:a]filter[tag:b]"},
		{"猫；「赤い 車」", "[猫][赤い 車]phrase[赤い 車]"},
		{"e\u0301te", "[e\u0301te]"},
		{"👩‍👩‍👧 family", "[👩‍👩‍👧 family]"},
		{`back\\slash`, `[back\slash]`},
		{`end\`, `[end\]`},
	}
	for _, test := range tests {
		got, err := Parse(test.text, Options{})
		if err != nil {
			t.Errorf("Parse(%q): %v", test.text, err)
			continue
		}
		if summary(got) != test.want {
			t.Errorf("Parse(%q) = %s, want %s", test.text, summary(got), test.want)
		}
	}
}

func TestParseFilters(t *testing.T) {
	got, err := Parse(`folder:a folder:"b c" camera:Z6 tag:x type:tif kind:text after:2024-02-29 before:2024-03-01T10:00+09:00 near:-1.5,2,3 person:Ada person:"Bo B" rating:4 rating:>=3 rating:1..2 rating:none rating:<0 taken:Unknown`, Options{})
	if err != nil {
		t.Fatal(err)
	}
	got.Filters.Source = nil
	want := Filters{Filter: index.Filter{
		Folders: []string{"a", "b c"}, Cameras: []string{"Z6"}, Tags: []string{"x"}, Formats: []string{"tiff"}, Kinds: []index.Kind{index.KindText},
		After: time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC), Before: time.Date(2024, 3, 1, 1, 0, 0, 0, time.UTC), BeforeZoned: true,
		People: []string{"Ada", "Bo B"}, Ratings: []index.RatingRange{{Least: 4, Most: 4}, {Least: 3, Most: 5}, {Least: 1, Most: 2}, {Unrated: true}, {Least: -1, Most: -1}}, Taken: new(bool),
		Near: &index.Near{Latitude: -1.5, Longitude: 2, Kilometres: 3},
	}}
	if diff := cmp.Diff(want, got.Filters); diff != "" {
		t.Error(diff)
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct {
		text           string
		code           Code
		offset, length int
		message        string
	}{
		{`two "cats`, CodeUnbalancedQuote, 4, 1, "this quote is never closed"},
		{`猫 -"x`, CodeUnbalancedQuote, 3, 1, "this quote is never closed"},
		{`folder:"x`, CodeUnbalancedQuote, 7, 1, "this quote is never closed"},
		{`cat -(dog`, CodeUnbalancedParenthesis, 5, 1, "this parenthesis is never closed"},
		{`""`, CodeInvalidQuery, 0, 2, "there is nothing between these quotes"},
		{`a -()`, CodeInvalidQuery, 3, 2, "there is nothing between these parentheses"},
		{`cat colour:red`, CodeUnknownFilter, 4, 7, "there is no filter colour:"},
		{`cat -tag:red`, CodeInvalidQuery, 4, 5, "the filter tag: cannot be unwanted"},
		{`cat ask: x`, CodeInvalidQuery, 4, 4, "the question of ask: is missing"},
		{`cat ask:=yes`, CodeInvalidQuery, 4, 4, "the question of ask: is missing"},
		{`ask:"why?"=`, CodeInvalidQuery, 0, 11, "the answer that ask: is to have is missing"},
		{`ask:"why?"!=; cat`, CodeInvalidQuery, 0, 12, "the answer that ask: is to have is missing"},
		{`ask:"why`, CodeUnbalancedQuote, 4, 1, "this quote is never closed"},
		{`cat -ask:"why?"`, CodeInvalidQuery, 4, 5, "a question cannot be unwanted"},
		{strings.Repeat("ask:a ", 5), CodeTooLarge, 24, 5, "the query has more questions than the limit of 4"},
		{`folder: x`, CodeInvalidFilterValue, 0, 7, "the filter folder: has no value"},
		{`folder:`, CodeInvalidFilterValue, 0, 7, "the filter folder: has no value"},
		{`after:2023-02-30`, CodeInvalidDate, 6, 10, `"2023-02-30" is a date that does not exist`},
		{`after:yesterday`, CodeInvalidDate, 6, 9, `"yesterday" is no date`},
		{`after:0000`, CodeInvalidDate, 6, 4, `"0000" is before the year 1`},
		{`after:2023 after:2024`, CodeInvalidFilterValue, 17, 4, "after: stands twice"},
		{`before:2023 after:2023`, CodeInvalidDate, 0, 11, "no date lies between after: and before:"},
		{`near:1,2`, CodeInvalidFilterValue, 5, 3, "near: takes three numbers with commas between them"},
		{`near:91,2,3`, CodeInvalidFilterValue, 5, 6, "a latitude lies between -90 and 90 degrees"},
		{`near:1,NaN,3`, CodeInvalidFilterValue, 5, 7, `"NaN" is no number`},
		{`near:1,181,3`, CodeInvalidFilterValue, 5, 7, "a longitude lies between -180 and 180 degrees"},
		{`near:1,2,0`, CodeInvalidFilterValue, 5, 5, "a distance lies above 0 and is at most 20040 kilometres, half way around the earth"},
		{`type:exe`, CodeInvalidFilterValue, 5, 3, `"exe" is no type of image`},
		{`kind:video`, CodeInvalidFilterValue, 5, 5, `"video" is no kind of record`},
		{"cat\x00dog", CodeControlCharacter, 3, 1, "the query contains the control character U+0000"},
		{"cat\x1b[31m", CodeControlCharacter, 3, 1, "the query contains the control character U+001B"},
		{"cat\xff", CodeControlCharacter, 3, 1, "the query contains bytes that are not UTF-8, or a replacement character"},
		{strings.Repeat("a;", 9), CodeTooLarge, 16, 1, "the query has more clauses, phrases and unwanted parts than the limit of 8"},
		{strings.Repeat("w ", 257), CodeTooLarge, 512, 1, "the query has more words than the limit of 256"},
		{strings.Repeat("word ", 10000), CodeTooLarge, 4096, 1, "the query has 10000 words in 50000 characters, more than the limit of 4096 characters"},
		{strings.Repeat("tag:a ", 33), CodeTooLarge, 192, 5, "the query has more filters than the limit of 32"},
	}
	for _, test := range tests {
		_, err := Parse(test.text, Options{})
		var got *Error
		if !errors.As(err, &got) {
			t.Errorf("Parse(%.40q): got %v, want an *Error", test.text, err)
			continue
		}
		if got.Code != test.code || got.Offset != test.offset || got.Length != test.length || got.Message != test.message {
			t.Errorf("Parse(%.40q):\n got %s %d+%d %s\nwant %s %d+%d %s", test.text,
				got.Code, got.Offset, got.Length, got.Message, test.code, test.offset, test.length, test.message)
		}
		if got.Remedy == "" {
			t.Errorf("Parse(%.40q) gives no remedy", test.text)
		}
	}
}

func TestUnknownFilterSuggestsTheNearest(t *testing.T) {
	_, err := Parse("foldr:x", Options{})
	if got := err.(*Error).Remedy; !strings.HasPrefix(got, "did you mean folder:? ") {
		t.Error(got)
	}
}

func TestPointer(t *testing.T) {
	tests := []struct {
		text           string
		offset, length int
		want           string
	}{
		{`two "cats`, 4, 1, "two \"cats\n    ^"},
		{"猫 colour:red", 2, 7, "猫 colour:red\n   ^^^^^^^"},
		{"abc", 3, 1, "abc\n   ^"},
		{"", 0, 1, "\n^"},
		{"a\x00b", 1, 1, "a\uFFFDb\n ^"},
	}
	for _, test := range tests {
		if got := Pointer(test.text, test.offset, test.length); strings.TrimRight(strings.SplitN(got, "\n", 2)[0], " ")+"\n"+strings.SplitN(got, "\n", 2)[1] != test.want {
			t.Errorf("Pointer(%q) = %q, want %q", test.text, got, test.want)
		}
	}
}

func TestEscape(t *testing.T) {
	for _, text := range []string{`-5`, `a "b" c`, `folder:x`, `x;y`, `(a) b)`, `AND`, `back\slash`, `a AND b`, `「猫」`} {
		got, err := Parse(Escape(text), Options{})
		if err != nil {
			t.Errorf("Parse(Escape(%q)): %v", text, err)
			continue
		}
		if got.Text() != text || len(got.Clauses) != 1 || len(got.Phrases)+len(got.Unwanted)+len(got.Filters.Source) != 0 {
			t.Errorf("Parse(Escape(%q)) = %s", text, summary(got))
		}
	}
}

// askClauses are the questions of a query.
func askClauses(q Query) (clauses []Clause) {
	for _, ask := range q.Asks {
		clauses = append(clauses, ask.Clause)
	}
	return clauses
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"two cats", `a "b c" -d -(e f) -"g"`, `folder:"x y" after:2024 before:2025-01-02 near:1,2,3 kind:text type:png camera:a tag:b`,
		`ask:"a?"!="b" ask:c=d ask:e`, `ask:`, `ask:"=`,
		`\"`, `"`, `-(`, "a;b AND c", "：", "tag：猫", "\x00", "\xff", `near:"`, "-", "--", `\`, "「猫」；犬",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := Parse(text, Options{})
		if err != nil {
			var known *Error
			if !errors.As(err, &known) {
				t.Fatalf("%q: error is no *Error: %v", text, err)
			}
			characters := len([]rune(known.Query))
			if known.Offset < 0 || known.Offset > characters || known.Length < 1 || known.Code == "" {
				t.Fatalf("%q: error points outside the text: %+v", text, known)
			}
			known.Pointer()
			return
		}
		characters := len([]rune(text))
		for _, list := range [][]Clause{got.Clauses, got.Phrases, got.Unwanted, got.UnwantedPhrases, got.Filters.Source, askClauses(got)} {
			for _, clause := range list {
				if strings.TrimSpace(clause.Text) == "" || clause.Offset < 0 || clause.Length < 1 || clause.Offset+clause.Length > characters {
					t.Fatalf("%q: bad clause %+v", text, clause)
				}
			}
		}
		// Escaped, every wanted text is read as plain words again.
		plain, err := Parse(Escape(got.Text()), Options{MaximumCharacters: 1 << 20})
		if err != nil {
			t.Fatalf("%q: escaped form %q: %v", text, Escape(got.Text()), err)
		}
		if plain.Text() != got.Text() || len(plain.Clauses) > 1 || len(plain.Filters.Source)+len(plain.Unwanted)+len(plain.Phrases) != 0 {
			t.Fatalf("%q: escaped form reads as %s", text, summary(plain))
		}
	})
}

// TestKeywordsAreDocumented: the page of the language has the table of keywords.
func TestKeywordsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/query-language.md")
	if err != nil {
		t.Fatal(err)
	}
	table := "| keyword | value | what it does |\n|---|---|---|\n"
	for _, one := range Keywords() {
		table += "| `" + one.Name + ":` | " + one.Value + " | " + one.Means + " |\n"
		if got, err := Parse(one.Example, Options{}); err != nil || got.Empty() {
			t.Errorf("the example %s: %v", one.Example, err)
		}
	}
	if !strings.Contains(string(page), table) {
		t.Errorf("docs/query-language.md has no\n%s", table)
	}
}
