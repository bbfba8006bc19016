package ask_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mekiki/embed/answering"
	"mekiki/embed/decode"
	"mekiki/embed/manifest"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/search/ask"
)

// collect asks and gives the answers in the order in which they came.
func collect(t *testing.T, asker *ask.Asker, s *scene, ids []index.ID, question ask.Question, budget time.Duration) ([]ask.Answer, ask.Outcome) {
	t.Helper()
	var answers []ask.Answer
	outcome, err := asker.Ask(t.Context(), s, ids, question, budget, func(a ask.Answer) error {
		answers = append(answers, a)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return answers, outcome
}

func TestAnswersComeInTheOrderOfTheQuestion(t *testing.T) {
	s := newScene(20)
	asker := newAsker(t, s, ask.Options{Batch: 3})
	ids := s.ids()
	slices.Reverse(ids)
	answers, outcome := collect(t, asker, s, ids, ask.Question{Text: "how many?"}, 0)
	if outcome.Answered != 20 || len(outcome.Unasked)+len(outcome.Failures) != 0 {
		t.Fatalf("%+v", outcome)
	}
	for i, answer := range answers {
		if answer.ID != ids[i] {
			t.Fatalf("answer %d is of record %v", i, answer.ID)
		}
	}
	want := ask.Answer{ID: 7, Text: "There are 7.", Normal: "there are 7", Probability: 0.5, Tokens: 2, Ended: true}
	if diff := cmp.Diff(want, answers[13], floats); diff != "" {
		t.Error(diff)
	}
	if s.images > 0 {
		t.Errorf("%d originals were read, although the library has the tokens", s.images)
	}
	if s.prompts[0] != "Question: how many? Short answer:" {
		t.Errorf("prompt %q", s.prompts[0])
	}
}

var floats = cmp.Comparer(func(a, b float64) bool { return a-b < 1e-6 && b-a < 1e-6 })

func TestAnswersAreKept(t *testing.T) {
	s := newScene(5)
	asker := newAsker(t, s, ask.Options{})
	collect(t, asker, s, s.ids(), ask.Question{Text: "asleep?"}, 0)
	collect(t, asker, s, s.ids(), ask.Question{Text: " asleep? "}, 0)
	if len(s.prompts) != 5 || s.fromLib != 5 {
		t.Errorf("%d answers were made of %d tokens", len(s.prompts), s.fromLib)
	}
	// Other decoding, another question and another content are other answers.
	collect(t, asker, s, s.ids()[:1], ask.Question{Text: "asleep?", Decode: decode.Options{Method: decode.Beam}}, 0)
	collect(t, asker, s, s.ids()[:1], ask.Question{Text: "awake?"}, 0)
	s.records[1].Hash = index.Hash{200}
	collect(t, asker, s, s.ids()[:1], ask.Question{Text: "asleep?"}, 0)
	if len(s.prompts) != 8 || s.fromLib != 6 {
		t.Errorf("%d answers were made of %d tokens", len(s.prompts), s.fromLib)
	}
}

func TestBrokenPicturesCostOnlyThemselves(t *testing.T) {
	s := newScene(4)
	s.kept, s.broken[2] = map[index.ID]bool{}, true
	s.records[5] = &index.Record{ID: 5, Kind: index.KindText}
	asker := newAsker(t, s, ask.Options{})
	answers, outcome := collect(t, asker, s, []index.ID{1, 2, 3, 5, 99}, ask.Question{Text: "how many?"}, 0)
	if len(answers) != 2 || answers[1].Text != "There are 3." {
		t.Errorf("%+v", answers)
	}
	var failed []index.ID
	for _, failure := range outcome.Failures {
		failed = append(failed, failure.ID)
		if failure.Err == nil {
			t.Errorf("no reason for %v", failure.ID)
		}
	}
	if !slices.Equal(failed, []index.ID{2, 5, 99}) {
		t.Errorf("failed: %v", failed)
	}
}

func TestOwnVisionReadsOriginals(t *testing.T) {
	s := newScene(2)
	s.vision, s.ownVision = "another", "vit"
	answers, _ := collect(t, newAsker(t, s, ask.Options{}), s, s.ids(), ask.Question{Text: "how many?"}, 0)
	if s.fromLib != 0 || s.images != 2 || answers[1].Text != "There are 2." {
		t.Errorf("%d tokens of the library, %d originals, %+v", s.fromLib, s.images, answers)
	}
	s.ownVision = ""
	if _, err := ask.New(secondStage{s}, firstStage{s}, ask.Options{}); !errors.Is(err, ask.ErrNoVision) {
		t.Errorf("without a vision encoder: %v", err)
	}
}

// TestTokensOfAnotherNorm wants the library's tokens to serve a second stage whose vision encoder ends with another norm.
func TestTokensOfAnotherNorm(t *testing.T) {
	s := newScene(2)
	s.vision, s.norm = "another", &manifest.VisionNorm{Tower: "t", Weight: manifest.Floats{1}, Bias: manifest.Floats{0}}
	s.ownNorm = &manifest.VisionNorm{Tower: "t", Weight: manifest.Floats{2}, Bias: manifest.Floats{5}}
	answers, _ := collect(t, newAsker(t, s, ask.Options{}), s, s.ids(), ask.Question{Text: "how many?"}, 0)
	if s.fromLib != 2 || s.images != 0 || answers[0].Text != "There are 7." || answers[1].Text != "There are 9." {
		t.Errorf("%d tokens of the library, %d originals, %+v", s.fromLib, s.images, answers)
	}
}

func TestBudgetSaysWhatWasNotAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(20)
		s.each = 100 * time.Millisecond
		asker := newAsker(t, s, ask.Options{Batch: 4})
		begun := time.Now()
		answers, outcome := collect(t, asker, s, s.ids(), ask.Question{Text: "asleep?"}, time.Second)
		// The first picture loads the model, and the budget begins after it.
		if len(answers) != 11 || len(outcome.Unasked) != 9 || outcome.Unasked[0] != 12 {
			t.Errorf("%d answers, unasked %v", len(answers), outcome.Unasked)
		}
		if took := time.Since(begun); took > 1100*time.Millisecond {
			t.Errorf("took %v", took)
		}
		// What is known costs nothing of the next budget.
		answers, outcome = collect(t, asker, s, s.ids(), ask.Question{Text: "asleep?"}, time.Second)
		if len(answers) != 20 || outcome.Unasked != nil {
			t.Errorf("%d answers the second time, unasked %v", len(answers), outcome.Unasked)
		}
	})
}

func TestQuestionsSideBySideShareTheirWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(6)
		s.hold = make(chan struct{})
		asker := newAsker(t, s, ask.Options{Batch: 6})
		var group sync.WaitGroup
		for range 5 {
			group.Go(func() {
				answers, _ := collect(t, asker, s, s.ids(), ask.Question{Text: "how many?"}, 0)
				if len(answers) != 6 || answers[5].Text != "There are 6." {
					t.Errorf("%+v", answers)
				}
			})
		}
		synctest.Wait()
		close(s.hold)
		group.Wait()
		if len(s.prompts) != 6 {
			t.Errorf("the model was asked %d times", len(s.prompts))
		}
	})
}

// TestStoppedQuestionLeavesOthersTheirAnswers: the one who makes an answer that another waits for goes away.
func TestStoppedQuestionLeavesOthersTheirAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(3)
		s.hold = make(chan struct{})
		asker := newAsker(t, s, ask.Options{})
		ctx, stop := context.WithCancel(t.Context())
		stopped := make(chan error, 1)
		go func() {
			_, err := asker.Ask(ctx, s, s.ids(), ask.Question{Text: "how many?"}, 0, func(ask.Answer) error { return nil })
			stopped <- err
		}()
		synctest.Wait()
		done := make(chan []ask.Answer, 1)
		go func() {
			answers, _ := collect(t, asker, s, s.ids(), ask.Question{Text: "how many?"}, 0)
			done <- answers
		}()
		synctest.Wait()
		stop()
		if err := <-stopped; !errors.Is(err, context.Canceled) {
			t.Errorf("stopped: %v", err)
		}
		synctest.Wait()
		close(s.hold)
		if answers := <-done; len(answers) != 3 || answers[2].Text != "There are 3." {
			t.Errorf("%+v", answers)
		}
	})
}

func TestFailingModelIsNoAnswer(t *testing.T) {
	s := newScene(2)
	s.failModel = errors.New("out of memory")
	asker := newAsker(t, s, ask.Options{})
	_, err := asker.Ask(t.Context(), s, s.ids(), ask.Question{Text: "how many?"}, 0, func(ask.Answer) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "out of memory") {
		t.Errorf("%v", err)
	}
	s.failModel = nil
	if answers, _ := collect(t, asker, s, s.ids(), ask.Question{Text: "how many?"}, 0); len(answers) != 2 {
		t.Errorf("after a failure: %+v", answers)
	}
}

func TestErrorOfTheReaderEndsTheQuestion(t *testing.T) {
	s := newScene(9)
	asker := newAsker(t, s, ask.Options{Batch: 2})
	enough := errors.New("enough")
	count := 0
	_, err := asker.Ask(t.Context(), s, s.ids(), ask.Question{Text: "how many?"}, 0, func(ask.Answer) error {
		if count++; count == 3 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || count != 3 {
		t.Errorf("%v after %d", err, count)
	}
}

func TestOnePictureIsAnsweredPieceByPiece(t *testing.T) {
	s := newScene(1)
	asker := newAsker(t, s, ask.Options{})
	image, err := pixels.Decode(t.Context(), numbered(9), pixels.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, hash := range []index.Hash{{1, 2}, {}} {
		picture, err := asker.Image(t.Context(), image, hash)
		if err != nil {
			t.Fatal(err)
		}
		question := ask.Question{Text: "and how many?", History: []ask.Turn{{Question: "what is this?", Answer: "cats."}}}
		var pieces []string
		answer, err := asker.Answer(t.Context(), picture, question, func(piece string) error {
			pieces = append(pieces, piece)
			return nil
		})
		if err != nil || answer.Text != "There are 9." || len(pieces) != 3 || strings.Join(pieces, "") != answer.Text {
			t.Errorf("%+v in pieces %q, %v", answer, pieces, err)
		}
		again, err := asker.Answer(t.Context(), picture, question, nil)
		if err != nil || again != answer {
			t.Errorf("again: %+v, %v", again, err)
		}
	}
	want := "Question: what is this? Answer: cats. Question: and how many? Answer:"
	if len(s.prompts) != 2 || s.prompts[0] != want {
		t.Errorf("%q", s.prompts)
	}
	if other, err := asker.Image(t.Context(), image, index.Hash{}); err != nil {
		t.Error(err)
	} else if _, err := asker.Answer(t.Context(), other, ask.Question{Text: "asleep?"}, nil); err != nil || s.images != 3 {
		t.Errorf("%d pictures were read, %v", s.images, err)
	}
}

func TestQuestionsAboutSeveralPicturesTogether(t *testing.T) {
	s := newScene(3)
	asker := newAsker(t, s, ask.Options{})
	pictures, _, err := asker.Records(t.Context(), s, s.ids())
	if err != nil {
		t.Fatal(err)
	}
	answers, err := asker.Answers(t.Context(), pictures, ask.Question{Text: "how many?"}, ask.Question{Text: "asleep?"}, ask.Question{Text: "and how many?"})
	if err != nil || answers[0].Text != "There are 1." || answers[1].Text != "yes" || answers[2].Text != "There are 3." {
		t.Errorf("%+v, %v", answers, err)
	}
	if _, err := asker.Answers(t.Context(), pictures, ask.Question{Text: "a?"}, ask.Question{Text: "b?"}); err == nil {
		t.Error("two questions about three pictures are asked")
	}
}

// TestLongDialoguesForgetTheirBeginning: what the model has no room for is left out, the oldest first.
func TestLongDialoguesForgetTheirBeginning(t *testing.T) {
	s := newScene(1)
	s.longest = 60
	asker := newAsker(t, s, ask.Options{})
	pictures, _, err := asker.Records(t.Context(), s, s.ids())
	if err != nil {
		t.Fatal(err)
	}
	question := ask.Question{Text: "how many?", History: []ask.Turn{{Question: "what is this?", Answer: "cats"}, {Question: "why?", Answer: "no"}}}
	if _, err := asker.Answer(t.Context(), pictures[0], question, nil); err != nil {
		t.Fatal(err)
	}
	if want := []string{"Question: why? Answer: no. Question: how many? Answer:"}; !slices.Equal(s.prompts, want) {
		t.Errorf("prompts %q, want %q", s.prompts, want)
	}
	s.longest, question.Text = 10, "and how many dogs?"
	if _, err := asker.Answer(t.Context(), pictures[0], question, nil); !errors.Is(err, answering.ErrPrompt) {
		t.Errorf("a question that alone is too long: %v", err)
	}
}

// TestLongAnswersDoNotEndDialogues: a model may answer at more length than is read again, and a dialogue may be longer.
func TestLongAnswersDoNotEndDialogues(t *testing.T) {
	s := newScene(1)
	s.longest = 1
	asker := newAsker(t, s, ask.Options{})
	pictures, _, err := asker.Records(t.Context(), s, s.ids())
	if err != nil {
		t.Fatal(err)
	}
	long := ask.Turn{Question: "what is this?", Answer: strings.Repeat("é", 3000) + "."}
	question := ask.Question{Text: "how many?", History: slices.Repeat([]ask.Turn{long}, 10_000)}
	if _, err := asker.Answer(t.Context(), pictures[0], question, nil); !errors.Is(err, answering.ErrPrompt) {
		t.Errorf("a model without room: %v", err)
	}
	if s.refused != 33 {
		t.Errorf("the model was asked %d times, for 32 turns and none", s.refused)
	}
	s.longest, question.History = 0, question.History[:1]
	if _, err := asker.Answer(t.Context(), pictures[0], question, nil); err != nil {
		t.Fatal(err)
	}
	if want := "Question: what is this? Answer: " + strings.Repeat("é", 1000) + ". Question: how many? Answer:"; s.prompts[0] != want {
		t.Errorf("prompt %q", s.prompts[0])
	}
}

func TestQuestionsAreChecked(t *testing.T) {
	for name, question := range map[string]ask.Question{
		"empty":         {Text: " \n"},
		"long":          {Text: strings.Repeat("why ", 300)},
		"no slot":       {Text: "why?", Template: "Answer:"},
		"two slots":     {Text: "why?", Template: "{} {}"},
		"long history":  {Text: "why?", History: []ask.Turn{{Question: strings.Repeat("a", 1001), Answer: "a cat"}}},
		"bare history":  {Bare: true, History: []ask.Turn{{Question: "what?", Answer: "a cat"}}},
		"bare template": {Bare: true, Template: "{}"},
		"long template": {Text: "why?", Template: "{}" + strings.Repeat("a", 1001)},
	} {
		if question.Validate() == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
	s := newScene(1)
	collect(t, newAsker(t, s, ask.Options{}), s, s.ids(), ask.Question{Text: "a {} b\nc?", Template: "Q: {} A:"}, 0)
	collect(t, newAsker(t, s, ask.Options{}), s, s.ids(), ask.Question{Text: "a cat?", Dialogue: true}, 0)
	collect(t, newAsker(t, s, ask.Options{}), s, s.ids(), ask.Question{Text: "a photo of ", Bare: true}, 0)
	collect(t, newAsker(t, s, ask.Options{}), s, s.ids(), ask.Question{Bare: true}, 0)
	want := []string{"Q: a {} b c? A:", "Question: a cat? Answer:", "a photo of ", ""}
	if diff := cmp.Diff(want, s.prompts); diff != "" {
		t.Error(diff)
	}
}

func TestCounts(t *testing.T) {
	var answers []ask.Answer
	for _, text := range []string{"Yes.", "no", "yes", "two", "2", "the", "yes!"} {
		answers = append(answers, ask.Answer{Normal: ask.Normal(text)})
	}
	want := []ask.Count{{"yes", 3}, {"2", 2}, {"no", 1}, {"the", 1}}
	if diff := cmp.Diff(want, ask.Counts(answers)); diff != "" {
		t.Error(diff)
	}
}
