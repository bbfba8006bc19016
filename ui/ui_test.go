package ui

import (
	"encoding/json"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// words reads the names that a table of the page's words has.
func words(t *testing.T, language string) map[string]bool {
	t.Helper()
	files, err := Files()
	if err != nil {
		t.Fatal(err)
	}
	text, err := fs.ReadFile(files, "js/locales/"+language+".js")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, match := range regexp.MustCompile("(?:^|[ ,])(\\w+): (?:\"|`|\\(\\{)").FindAllStringSubmatch(string(text), -1) {
		names[match[1]] = true
	}
	return names
}

// TestLanguagesSayTheSame: each language has every word, and Japanese the kinds of problems too, which the server names
// in English.
func TestLanguagesSayTheSame(t *testing.T) {
	english, japanese := words(t, "en"), words(t, "ja")
	if len(english) < 150 {
		t.Fatalf("only %d words were found", len(english))
	}
	for name := range english {
		if !japanese[name] {
			t.Errorf("Japanese lacks %s", name)
		}
	}
	data, err := os.ReadFile("../server/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Problems []struct{ Code string } `json:"x-problems"`
	}
	if err := json.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	if len(document.Problems) < 30 {
		t.Fatalf("the API document has %d problems", len(document.Problems))
	}
	codes := map[string]bool{}
	for _, problem := range document.Problems {
		codes["problem_"+problem.Code] = true
		if !japanese["problem_"+problem.Code] {
			t.Errorf("Japanese lacks the problem %s", problem.Code)
		}
	}
	for name := range japanese {
		if !english[name] && !codes[name] {
			t.Errorf("only Japanese has %s", name)
		}
	}
}

// TestWordsAreThere: every word that the page asks for by name exists.
func TestWordsAreThere(t *testing.T) {
	english := words(t, "en")
	files, err := Files()
	if err != nil {
		t.Fatal(err)
	}
	scripts, err := fs.Glob(files, "js/*.js")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, script := range scripts {
		text, err := fs.ReadFile(files, script)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`\bt\("(\w+)"`).FindAllStringSubmatch(string(text), -1) {
			found++
			if !english[match[1]] && !strings.HasSuffix(script, "i18n.js") {
				t.Errorf("%s asks for the word %s, which there is not", script, match[1])
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d words are asked for", found)
	}
}
