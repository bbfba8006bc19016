package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/search/contract"
)

// testDemoAsk asks the built-in second stage, after the demo has indexed the gallery: hits, files, records, in a dialogue,
// and for captions.
func testDemoAsk(t *testing.T, flags []string) {
	global := flags[1:] // without the verb
	cache := global[slices.Index(global, "--cache")+1]
	libraries, err := filepath.Glob(filepath.Join(cache, "demo", "library-*"))
	if err != nil || len(libraries) != 1 {
		t.Fatalf("libraries %q, %v", libraries, err)
	}
	global = append(slices.Clone(global), "--library", libraries[0])
	verb := func(name string, arguments ...string) (int, string, string) {
		t.Helper()
		return runForTest(t, slices.Concat([]string{name}, global, arguments)...)
	}
	t.Run("hits", func(t *testing.T) { testAskedHits(t, flags) })
	picture := filepath.Join(cache, "demo", "gallery", "images", "fox-egg-0061.webp")
	t.Run("files", func(t *testing.T) {
		status, out, errors := verb("ask", picture, picture+".missing", "1", "is there a fox?", "--json")
		lines := strings.Split(strings.TrimSpace(out), "\n")
		if status != cli.ExitPartial || len(lines) != 2 || !strings.Contains(errors, ".missing is neither a file") {
			t.Fatalf("status %d: %s%s", status, out, errors)
		}
		for i, want := range []struct{ image, id string }{{picture, ""}, {"", "1"}} {
			var line struct {
				Image, ID, Answer, Model string
				Probability              float64 `json:"answer_probability"`
			}
			if err := json.Unmarshal([]byte(lines[i]), &line); err != nil || line.Image != want.image || line.ID != want.id || line.Answer == "" || !(line.Probability > 0 && line.Probability <= 1) || line.Model == "" {
				t.Errorf("line %d: %s, %v", i, lines[i], err)
			}
		}
	})
	t.Run("dialogue", func(t *testing.T) {
		var out, errors bytes.Buffer
		app := &cli.App{In: strings.NewReader("what animal is this?\nis it a pet?\n/new\n/quit\n"), Out: &out, Stderr: &errors}
		status := run(t.Context(), app, slices.Concat([]string{"chat"}, global, []string{picture}))
		if lines := strings.Split(strings.TrimSpace(out.String()), "\n"); status != cli.ExitOK || len(lines) != 2 || lines[0] == "" {
			t.Errorf("status %d: %q %s", status, &out, &errors)
		}
	})
	t.Run("questions", func(t *testing.T) {
		status, out, errors := verb("eval", "--builtin", "--vqa", "--text-only", "--sample", "40", "--method", "greedy", "--json")
		var report struct {
			Answers  struct{ All struct{ Count int } }
			TextOnly *struct{ All struct{ Count int } } `json:"text_only"`
		}
		if err := json.Unmarshal([]byte(out), &report); err != nil || status != cli.ExitOK || report.TextOnly == nil || report.Answers.All.Count != report.TextOnly.All.Count {
			t.Errorf("status %d, %v: %s%s", status, err, out, errors)
		}
	})
	t.Run("captions", func(t *testing.T) {
		status, out, errors := verb("caption", picture, "--by", "both", "--samples", "2", "--count", "2", "--json")
		var line struct {
			Captions []struct {
				Text, Model string
				Match       float64
			}
		}
		if err := json.Unmarshal([]byte(out), &line); err != nil || status != cli.ExitOK || len(line.Captions) == 0 {
			t.Fatalf("status %d, %v: %s%s", status, err, out, errors)
		}
		for _, caption := range line.Captions {
			if caption.Text == "" || caption.Model == "" || caption.Match < 0.5 {
				t.Errorf("kept: %+v", caption)
			}
		}
	})
}

// testAskedHits asks hits in the terminal, without a condition and with one.
func testAskedHits(t *testing.T, flags []string) {
	ask := func(arguments ...string) (answer contract.Response) {
		t.Helper()
		status, out, errors := runForTest(t, slices.Concat(flags, arguments, []string{"--json"})...)
		if err := json.Unmarshal([]byte(out), &answer); err != nil || status != cli.ExitOK && status != cli.ExitNothing {
			t.Fatalf("status %d, %v: %s%s", status, err, out, errors)
		}
		return answer
	}
	answer := ask("--query", "cats", "--ask", "how many cats are there?")
	if len(answer.Hits) == 0 || len(answer.Asked) != 1 || answer.Asked[0].Answered < len(answer.Hits) {
		t.Errorf("%d hits, asked %+v", len(answer.Hits), answer.Asked)
	}
	for _, hit := range answer.Hits {
		if hit.Answer == "" || !(hit.AnswerProbability > 0 && hit.AnswerProbability <= 1) {
			t.Errorf("hit %+v", hit)
		}
	}
	answer = ask("--query", `cats ask:"is there a cat?"=yes`)
	for _, hit := range answer.Hits {
		if hit.Answer != "yes" {
			t.Errorf("%q is a hit", hit.Answer)
		}
	}
	for _, hit := range answer.Filtered {
		if hit.Answer == "yes" || hit.Reason == "" {
			t.Errorf("left out: %q, %s", hit.Answer, hit.Reason)
		}
	}
	if len(answer.Hits)+len(answer.Filtered) == 0 {
		t.Errorf("nobody was asked: %+v", answer.Asked)
	}
}
