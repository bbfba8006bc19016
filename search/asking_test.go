package search

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mekiki/embed"
	"mekiki/embed/answering"
	"mekiki/embed/decode"
	"mekiki/embed/modelconfig"
	"mekiki/index"
	"mekiki/search/ask"
	"mekiki/search/contract"
)

// worldAnswerer is the second stage of a world: asked "is there a thing?" it looks, and asked anything else it says
// how many things there are.
type worldAnswerer struct {
	*world
	each  time.Duration
	asked *int
}

func (worldAnswerer) AnswerModel() answering.Model {
	return answering.Model{Name: "world", Fingerprint: "answers", Vision: embed.Vision{ID: "world"}, Prompts: modelconfig.Prompts{Question: "{}"}}
}

func (worldAnswerer) States(_ context.Context, tokens []embed.ImageTokens) ([]answering.ImageStates, error) {
	return tokens, nil
}

func (worldAnswerer) Score(context.Context, answering.Prompt, []string) ([]float32, error) {
	return nil, errors.ErrUnsupported
}

func (a worldAnswerer) Generate(_ context.Context, prompts []answering.Prompt, _ decode.Options, _ func(int, string) error) ([][]answering.Generated, error) {
	results := make([][]answering.Generated, len(prompts))
	for i, prompt := range prompts {
		*a.asked++
		time.Sleep(a.each)
		things := a.things[index.ID(prompt.States.Values[0])]
		text := []string{"None", "One.", "two", "three", "four"}[len(things)]
		if thing, ok := strings.CutPrefix(prompt.Text, "is there a "); ok {
			text = "No"
			if slices.Contains(things, strings.TrimSuffix(thing, "?")) {
				text = "Yes."
			}
		}
		results[i] = []answering.Generated{{Text: " " + text, LogProbability: -0.1, Tokens: 2, Ended: true}}
	}
	return results, nil
}

type worldFirst struct{ worldEngine }

func (worldFirst) Vision() embed.Vision { return embed.Vision{ID: "world"} }

// newAskingSearcher gives a searcher that answers questions, and the number of answers that were made.
func newAskingSearcher(t *testing.T, w *world, each time.Duration) (*Searcher, *int) {
	t.Helper()
	asked := new(int)
	asker, err := ask.New(worldAnswerer{w, each, asked}, worldFirst{worldEngine{w}}, ask.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := asker.Close(); err != nil {
			t.Error(err)
		}
	})
	return newTestSearcher(t, w, Options{Asker: asker}), asked
}

func TestHitsAreAsked(t *testing.T) {
	w := populated(300)
	s, _ := newAskingSearcher(t, w, 0)
	plain := search(t, s, contract.Request{Text: "cat", Limit: 50})
	response := search(t, s, contract.Request{Text: `cat ask:"is there a pizza?"`, Limit: 50})
	if diff := cmp.Diff(hitIDs(plain), hitIDs(response)); diff != "" || plain.Total != response.Total || len(response.Filtered) > 0 {
		t.Errorf("a question without a condition changed the hits: %s", diff)
	}
	if response.Stage != contract.StageReranked || len(response.Asked) != 1 {
		t.Fatalf("stage %s, asked %+v", response.Stage, response.Asked)
	}
	counts := map[string]int{}
	for i, hit := range response.Hits {
		want := ""
		if i < DefaultAskCount {
			want = "No"
			if slices.Contains(w.things[hit.ID], "pizza") {
				want = "Yes."
			}
			counts[ask.Normal(want)]++
		}
		if hit.Answer != want || (want != "") != (hit.AnswerProbability > 0.9) || hit.Answers != nil {
			t.Errorf("hit %d answered %q (%v), want %q", i+1, hit.Answer, hit.AnswerProbability, want)
		}
	}
	asked := response.Asked[0]
	if asked.Answered != DefaultAskCount || asked.Model != "world" || asked.Condition != "" {
		t.Errorf("asked: %+v", asked)
	}
	for _, count := range asked.Answers {
		if counts[count.Value] != count.Count {
			t.Errorf("%d hits are counted as %s, want %d", count.Count, count.Value, counts[count.Value])
		}
	}
	if !strings.Contains(strings.Join(response.Warnings, "\n"), "only the best 20 of") || !slices.Equal(response.Understood.Asks, []string{`ask:"is there a pizza?"`}) {
		t.Errorf("warnings %q, understood %+v", response.Warnings, response.Understood)
	}
}

func TestAnswersFilter(t *testing.T) {
	w := populated(300)
	s, made := newAskingSearcher(t, w, 0)
	for text, want := range map[string]func(things []string) bool{
		`cat ask:"is there a pizza?"=yes`: func(things []string) bool { return slices.Contains(things, "pizza") },
		`cat ask:"is there a pizza?"!=no`: func(things []string) bool { return slices.Contains(things, "pizza") },
		`cat ask:"how many?"="two"`:       func(things []string) bool { return len(things) == 2 },
		`cat ask:"how many?"=2`:           func(things []string) bool { return len(things) == 2 },
		`cat ask:"how many?"!=2 ask:"is there a pizza?"=YES`: func(things []string) bool {
			return len(things) != 2 && slices.Contains(things, "pizza")
		},
	} {
		plain := search(t, s, contract.Request{Text: "cat", Limit: 100, AskCount: 100})
		response := search(t, s, contract.Request{Text: text, Limit: 100, AskCount: 100})
		var kept, left []index.ID
		for _, hit := range plain.Hits {
			if want(w.things[hit.ID]) {
				kept = append(kept, hit.ID)
			} else {
				left = append(left, hit.ID)
			}
		}
		if diff := cmp.Diff(kept, hitIDs(response)); diff != "" || len(kept) == 0 || response.Total != len(kept) || response.Next != 0 {
			t.Errorf("%s: total %d, next %d, %s", text, response.Total, response.Next, diff)
		}
		var filtered []index.ID
		for _, hit := range response.Filtered {
			filtered = append(filtered, hit.ID)
			if hit.Rank != 0 || hit.Answer == "" || !strings.HasPrefix(hit.Reason, "answered ") {
				t.Errorf("%s: left out with %+v", text, hit)
			}
		}
		if diff := cmp.Diff(left, filtered); diff != "" {
			t.Errorf("%s: left out %s", text, diff)
		}
		for i, hit := range response.Hits {
			if hit.Rank != i+1 || strings.Contains(text, " ask:") && hit.Answer == "" {
				t.Errorf("%s: hit %d: %+v", text, i+1, hit)
			}
		}
	}
	if *made > 2*100 {
		t.Errorf("%d answers were made to two questions about 100 pictures", *made)
	}
}

func TestPagesOfAskedHitsFitTogether(t *testing.T) {
	w := populated(300)
	s, _ := newAskingSearcher(t, w, 0)
	for _, text := range []string{`cat ask:"how many?"=two`, `cat ask:"how many?"`, `ask:"is there a cat?"=yes`, `kind:image ask:"is there a cat?"`} {
		whole := search(t, s, contract.Request{Text: text, Limit: 1000, AskCount: 60})
		var ids []index.ID
		var ranks []int
		request := contract.Request{Text: text, Limit: 7, AskCount: 60}
		for {
			page := search(t, s, request)
			for _, hit := range page.Hits {
				ids, ranks = append(ids, hit.ID), append(ranks, hit.Rank)
			}
			if page.Total != whole.Total {
				t.Fatalf("%s: total %d, then %d", text, whole.Total, page.Total)
			}
			if request.Cursor = page.Cursor; page.Cursor == "" {
				break
			}
		}
		if diff := cmp.Diff(hitIDs(whole), ids); diff != "" || len(ids) == 0 || !slices.IsSorted(ranks) {
			t.Errorf("%s: pages differ from the whole: %s", text, diff)
		}
	}
}

func TestListingsAreAsked(t *testing.T) {
	w := populated(60)
	s, _ := newAskingSearcher(t, w, 0)
	response := search(t, s, contract.Request{Text: `ask:"is there a cat?"=yes`, Limit: 50})
	if response.Stage != contract.StageFinal || response.Asked[0].Answered != 20 || len(response.Hits)+len(response.Filtered) != 20 || !response.TotalIsLowerBound {
		t.Fatalf("%s, %+v, %d hits, %d left out", response.Stage, response.Asked, len(response.Hits), len(response.Filtered))
	}
	for _, hit := range response.Hits {
		if !slices.Contains(w.things[hit.ID], "cat") || hit.Basis != contract.BasisFilter || hit.Answer != "Yes." {
			t.Errorf("%v: %v, %+v", hit.ID, w.things[hit.ID], hit)
		}
	}
}

func TestAnswersStreamIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := populated(300)
		s, _ := newAskingSearcher(t, w, 50*time.Millisecond)
		var stages []contract.Stage
		answered := 0
		for response, err := range s.Stream(t.Context(), contract.Request{Text: `cat ask:"is there a pizza?"=yes`, Limit: 20}) {
			if err != nil {
				t.Fatal(err)
			}
			if n := len(stages); n == 0 || stages[n-1] != response.Stage {
				stages = append(stages, response.Stage)
			}
			if response.Stage == contract.StageAsking && len(response.Asked) > 0 {
				if now := response.Asked[0].Answered; now < answered {
					t.Errorf("%d answers after %d", now, answered)
				} else {
					answered = now
				}
				if len(response.Hits)+len(response.Filtered) != 20 {
					t.Errorf("%d hits and %d left out", len(response.Hits), len(response.Filtered))
				}
			}
		}
		if want := []contract.Stage{contract.StageFirst, contract.StageAsking, contract.StageReranked}; !slices.Equal(stages, want) || answered == 0 {
			t.Errorf("stages %v, %d answers before the end", stages, answered)
		}
	})
}

func TestBudgetOfQuestions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := populated(300)
		s, _ := newAskingSearcher(t, w, 100*time.Millisecond)
		request := contract.Request{Text: `cat ask:"is there a pizza?"!=maybe ask:"how many?"`, Limit: 20, AskBudget: 500 * time.Millisecond}
		response := search(t, s, request)
		first, second := response.Asked[0], response.Asked[1]
		if first.Answered < 2 || first.Answered+first.Unasked != 20 || second.Unasked == 0 || response.Total != first.Answered {
			t.Errorf("%+v, %+v, total %d", first, second, response.Total)
		}
		if !strings.Contains(strings.Join(response.Warnings, "\n"), "the time of 500ms was up, and are no hits") {
			t.Errorf("warnings %q", response.Warnings)
		}
	})
}

func TestQuestionsThatCannotBeAsked(t *testing.T) {
	w := populated(30)
	asking, _ := newAskingSearcher(t, w, 0)
	without := newTestSearcher(t, w, Options{})
	for name, test := range map[string]struct {
		searcher *Searcher
		request  contract.Request
		code     contract.Code
	}{
		"no second stage":   {without, contract.Request{Text: `cat ask:"why?"=yes`}, contract.CodeUnavailable},
		"no second stage 2": {without, contract.Request{Text: "cat", Asks: []contract.Ask{{Question: "why?"}}}, contract.CodeUnavailable},
		"texts":             {asking, contract.Request{Text: `cat kind:text ask:"why?"`}, contract.CodeInvalidOption},
		"too many":          {asking, contract.Request{Text: `cat ask:a`, Asks: slices.Repeat([]contract.Ask{{Question: "why?"}}, 4)}, contract.CodeInvalidOption},
		"empty":             {asking, contract.Request{Text: `cat`, Asks: []contract.Ask{{}}}, contract.CodeInvalidOption},
		"template":          {asking, contract.Request{Text: `cat ask:a`, AskTemplate: "Answer:"}, contract.CodeInvalidOption},
		"count":             {asking, contract.Request{Text: `cat ask:a`, AskCount: -1}, contract.CodeInvalidOption},
		"budget":            {asking, contract.Request{Text: `cat ask:a`, AskBudget: time.Hour}, contract.CodeInvalidOption},
	} {
		_, err := test.searcher.Search(t.Context(), test.request)
		var known *contract.Error
		if !errors.As(err, &known) || known.Code != test.code || known.Remedy == "" {
			t.Errorf("%s: %+v", name, err)
		}
	}
	w.noTokens[1] = true // and its original cannot be read
	response := search(t, asking, contract.Request{Text: `ask:"how many?"!=0`, AskCount: 30})
	if response.Asked[0].Failed != 1 || slices.Contains(hitIDs(response), 1) || !strings.Contains(strings.Join(response.Warnings, "\n"), "1 picture could not be asked") {
		t.Errorf("%+v, %q", response.Asked, response.Warnings)
	}
}
