package search

import (
	"context"
	"errors"
	"strings"
	"testing"

	"mekiki/embed/translate"
	"mekiki/search/contract"
	"mekiki/search/translation"
)

// dictionary translates Japanese word by word.
type dictionary map[string]string

func (d dictionary) Languages() (from, to string) { return "ja", "en" }
func (d dictionary) Fingerprint() string          { return "dictionary" }
func (d dictionary) Close() error                 { return nil }
func (d dictionary) Translate(_ context.Context, texts []string) ([]string, error) {
	results := make([]string, len(texts))
	for i, text := range texts {
		switch {
		case strings.Contains(text, "長"):
			return nil, translate.ErrTooLong
		case strings.Contains(text, "壊"):
			return nil, errors.New("the graph failed")
		}
		results[i] = d[text]
	}
	return results, nil
}

func (d dictionary) TranslateQueries(ctx context.Context, texts []string) ([]string, error) {
	return d.Translate(ctx, texts)
}

func interpreting(d dictionary) *translation.Interpreter {
	return translation.New(map[translation.Pair]translation.Opener{
		{From: "ja", To: "en"}: func(context.Context) (translation.Closer, error) { return d, nil },
	})
}

// TestTranslatedQueries looks for words in another language: what is meant is found, as is what is written so.
func TestTranslatedQueries(t *testing.T) {
	w := populated(60)
	written := w.add("旅行/猫カフェ.jpg", "boat")
	s := newTestSearcher(t, w, Options{Interpreter: interpreting(dictionary{"ネコ": "cat", "ネコ と イヌ": "cat and dog", "イヌ": "dog", "猫カフェ": "cat", "ナニカ": ""})})
	english := search(t, s, contract.Request{Text: "cat", Limit: 50})
	for text, want := range map[string]contract.Translated{
		"ネコ":                        {From: "ja", To: "en", Text: "cat", Query: "cat"},
		"ネコ -イヌ folder:set1":        {From: "ja", To: "en", Text: "cat, dog", Query: "cat -(dog) folder:set1"},
		"ネコ; イヌ":                    {From: "ja", To: "en", Text: "cat, dog", Query: "cat; dog"},
		"ネコ と イヌ -\"nothing here\"": {From: "ja", To: "en", Text: "cat and dog", Query: "cat and dog -\"nothing here\""},
		"ナニカ":                       {From: "ja", To: "en", Text: "ナニカ", Query: "ナニカ"},
	} {
		response := search(t, s, contract.Request{Text: text, Limit: 50})
		if response.Translated == nil || *response.Translated != want {
			t.Errorf("%q: %+v, want %+v", text, response.Translated, want)
			continue
		}
		again := search(t, s, contract.Request{Text: response.Translated.Query, Limit: 50, Language: "en"})
		if again.Total != response.Total && text != "ナニカ" {
			t.Errorf("%q: %d hits, and %q %d", text, response.Total, again.Query, again.Total)
		}
	}
	if found := search(t, s, contract.Request{Text: "ネコ", Limit: 50}); found.Total != english.Total {
		t.Errorf("%d hits, in English %d", found.Total, english.Total)
	}
	if found := search(t, s, contract.Request{Text: "猫カフェ", Language: "ja", Show: contract.ShowAll, Limit: 100}); found.Hits[0].ID != written.ID && !hasHit(found, written.ID.String()) {
		t.Errorf("what is written so is not among the %d hits", found.Total)
	}
	if taken := search(t, s, contract.Request{Text: "ネコ", Language: "en"}); taken.Translated != nil {
		t.Errorf("taken for English, it is translated: %+v", taken.Translated)
	}
	if plain := search(t, s, contract.Request{Text: "cat"}); plain.Translated != nil {
		t.Errorf("English is translated: %+v", plain.Translated)
	}
}

func hasHit(response contract.Response, id string) bool {
	for _, hit := range response.Hits {
		if hit.ID.String() == id {
			return true
		}
	}
	return false
}

// TestUntranslatedQueries are searched as they are, and the answer says so.
func TestUntranslatedQueries(t *testing.T) {
	s := newTestSearcher(t, populated(60), Options{Interpreter: interpreting(dictionary{})})
	for text, want := range map[string]string{
		"고양이":   "mekiki pull opus-mt-ko-en",
		"長いネコ":  "too many",
		"壊れたネコ": "could not be translated",
	} {
		response := search(t, s, contract.Request{Text: text})
		if all := strings.Join(response.Warnings, "\n"); !strings.Contains(all, want) || response.Translated != nil {
			t.Errorf("%q: %q, %+v", text, all, response.Translated)
		}
	}
	if _, ok := noticed(search(t, s, contract.Request{Text: "고양이"}), contract.NoticeNoTranslator); !ok {
		t.Error("no notice says that a translator is missing")
	}
}
