package server

import (
	"context"
	"testing"

	"mekiki/search/translation"
	"mekiki/server/problem"
)

// colourWords translates the names of colours out of Japanese.
type colourWords map[string]string

func (w colourWords) Languages() (from, to string) { return "ja", "en" }
func (w colourWords) Fingerprint() string          { return "colours" }
func (w colourWords) Close() error                 { return nil }

func (w colourWords) Translate(_ context.Context, texts []string) ([]string, error) {
	results := make([]string, len(texts))
	for i, text := range texts {
		results[i] = w[text]
	}
	return results, nil
}

func (w colourWords) TranslateQueries(ctx context.Context, texts []string) ([]string, error) {
	return w.Translate(ctx, texts)
}

func newInterpreter() *translation.Interpreter {
	return translation.New(map[translation.Pair]translation.Opener{
		{From: "ja", To: "en"}: func(context.Context) (translation.Closer, error) {
			return colourWords{"赤": "red", "青": "blue"}, nil
		},
	})
}

func TestTranslations(t *testing.T) {
	f := start(t)
	got := f.json("POST", "/api/v1/translations", `{"from":"ja","to":"en","texts":["赤","青"]}`)
	f.expect(got, 200, "")
	if texts := got.at(t, "texts").([]any); len(texts) != 2 || texts[0] != "red" || texts[1] != "blue" {
		t.Errorf("%v", texts)
	}
	f.expect(f.json("POST", "/api/v1/translations", `{"from":"ko","to":"en","texts":["a"]}`), 404, problem.NotFound)
	none := start(t, func(o *Options) { o.Interpreter = nil })
	if pairs := none.get("/api/v1/translations").at(t, "pairs").([]any); len(pairs) != 0 {
		t.Errorf("without an interpreter there are %v", pairs)
	}
	none.expect(none.json("POST", "/api/v1/translations", `{"from":"ja","to":"en","texts":["赤"]}`), 404, problem.NotFound)
}
