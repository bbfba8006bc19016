package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"mekiki/embed"
	"mekiki/embed/answering"
	"mekiki/embed/decode"
	"mekiki/embed/modelconfig"
	"mekiki/embed/pixels"
	"mekiki/search/ask"
	"mekiki/search/contract"
	"mekiki/server/problem"
)

// colourAnswerer says the amount of red that it sees, and what it was asked.
type colourAnswerer struct{ fail func(piece int) error }

func (colourAnswerer) AnswerModel() answering.Model {
	return answering.Model{Name: "colours", Fingerprint: "c", OwnVision: true, Prompts: modelconfig.Prompts{
		Question: "Question: {} Short answer:", Dialogue: "Question: {} Answer:", Turn: "Question: {} Answer: {}.",
	}}
}

func (colourAnswerer) ImageTokens(ctx context.Context, images []*pixels.Image) ([]embed.ImageTokens, error) {
	return colourEngine{}.ImageTokens(ctx, images)
}

func (colourAnswerer) States(ctx context.Context, tokens []embed.ImageTokens) ([]answering.ImageStates, error) {
	return tokens, ctx.Err()
}

func (a colourAnswerer) Generate(ctx context.Context, prompts []answering.Prompt, _ decode.Options, written func(int, string) error) ([][]answering.Generated, error) {
	results := make([][]answering.Generated, len(prompts))
	for i, prompt := range prompts {
		text := ""
		for number, piece := range []string{fmt.Sprintf("%.0f", 100*prompt.States.Values[0]), " to: ", prompt.Text} {
			if a.fail != nil {
				if err := a.fail(number); err != nil {
					return nil, err
				}
			}
			text += piece
			if written != nil {
				if err := written(i, piece); err != nil {
					return nil, err
				}
			}
		}
		results[i] = []answering.Generated{{Text: text, LogProbability: -1, Tokens: 3, Ended: true}}
	}
	return results, ctx.Err()
}

func (colourAnswerer) Score(context.Context, answering.Prompt, []string) ([]float32, error) {
	return nil, errors.New("no scores")
}

func newAsker(t testing.TB) *ask.Asker { return askerOf(t, colourAnswerer{}) }

func askerOf(t testing.TB, answerer answering.Answerer) *ask.Asker {
	t.Helper()
	asker, err := ask.New(answerer, nil, ask.Options{AnswerEntries: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := asker.Close(); err != nil {
			t.Error(err)
		}
	})
	return asker
}

const question = `{"record":"1","question":"which colour?"}`

func TestAsk(t *testing.T) {
	f := start(t)
	got := f.expect(f.json(http.MethodPost, "/api/v1/ask", question), http.StatusOK, "")
	if !strings.HasSuffix(got.text(t, "answer"), "to: Question: which colour? Short answer:") || got.text(t, "model") != "colours" {
		t.Errorf("%s", got.body)
	}
	if probability := got.text(t, "answer_probability"); !strings.HasPrefix(probability, "0.367") {
		t.Errorf("probability %s is not exp(-1)", probability)
	}
	got = f.form("/api/v1/ask", map[string]string{"image": string(jpegOf(9, 9)), "request": `{"question":"which colour?","prompt":"{} Say:"}`})
	if !strings.HasSuffix(got.text(t, "answer"), "to: which colour? Say:") {
		t.Errorf("an upload: %s", got.body)
	}
}

func (f *fixture) chatEvents(body string) []event {
	f.Helper()
	return f.events(f.request(http.MethodPost, "/api/v1/chat", strings.NewReader(body), header("Content-Type", "application/json")))
}

func TestChat(t *testing.T) {
	f := start(t)
	got := f.chatEvents(`{"record":"2","history":[{"question":"what is it?","answer":"a dog"}],"question":"why?"}`)
	if names(got) != "piece piece piece answer done" {
		t.Fatalf("events %v", got)
	}
	if !strings.Contains(got[3].data, "Question: what is it? Answer: a dog. Question: why? Answer:") {
		t.Errorf("the prompt is not the dialogue: %s", got[3].data)
	}
	got = f.chatEvents(`{"record":"2","question":"why?","method":"beam"}`)
	if names(got) != "piece answer done" {
		t.Errorf("beams: events %v", got)
	}
}

func TestAskProblems(t *testing.T) {
	f := start(t)
	for _, wrong := range []struct {
		body   string
		status int
		code   problem.Code
	}{
		{`{"record":"1"}`, 400, problem.InvalidRequest},
		{`{"question":"why?"}`, 400, problem.InvalidRequest},
		{`{"record":"99","question":"why?"}`, 404, problem.NotFound},
		{`{"record":"3","question":"why?"}`, 404, problem.NotFound}, // a text
		{`{"record":"1","question":"  "}`, 400, problem.InvalidRequest},
		{`{"record":"1","question":"why?","max_tokens":513}`, 400, problem.InvalidRequest},
	} {
		f.expect(f.json(http.MethodPost, "/api/v1/ask", wrong.body), wrong.status, wrong.code)
	}
	if err := os.Remove(f.root + "/Picture 1.jpg"); err != nil {
		t.Fatal(err)
	}
	f.expect(f.json(http.MethodPost, "/api/v1/ask", question), 503, problem.Unavailable) // as a search with a part of it
	without := start(t, func(options *Options) { options.Asker = nil })
	without.expect(without.json(http.MethodPost, "/api/v1/ask", question), http.StatusNotImplemented, problem.Unsupported)
}

// An error on the way ends a stream with an event, and answers a request whose stream has not begun.
func TestAnswerFails(t *testing.T) {
	failing := func(number int) *fixture {
		answerer := colourAnswerer{fail: func(piece int) error {
			if piece == number {
				return errors.New("the model broke")
			}
			return nil
		}}
		return start(t, func(options *Options) { options.Asker = askerOf(t, answerer) })
	}
	f := failing(0)
	f.expect(f.json(http.MethodPost, "/api/v1/chat", question, header("Accept", "text/event-stream")), http.StatusInternalServerError, problem.Internal)
	if got := failing(1).chatEvents(question); names(got) != "piece problem" {
		t.Errorf("events %v", got)
	}
}

// TestTemperaturesThatNobodyCanUse: what the second stage does not take is refused by the document, not by a failure.
func TestTemperaturesThatNobodyCanUse(t *testing.T) {
	f := start(t)
	for _, path := range []string{"/api/v1/ask", "/api/v1/chat"} {
		for _, temperature := range []string{"5e-324", "0.009", "0", "11"} {
			f.expect(f.json("POST", path, `{"record":"1","question":"which colour?","method":"nucleus","temperature":`+temperature+`}`), 400, problem.InvalidRequest)
		}
	}
}

// TestPromptsThatAreTooLong: what a model cannot read for its length is the caller's to shorten.
func TestPromptsThatAreTooLong(t *testing.T) {
	tooLong := askerOf(t, colourAnswerer{fail: func(int) error { return fmt.Errorf("answer: %w: 1024 positions", answering.ErrPrompt) }})
	f := start(t, func(o *Options) { o.Asker = tooLong })
	for _, path := range []string{"/api/v1/ask", "/api/v1/chat"} {
		f.expect(f.json("POST", path, question), 413, problem.Code(contract.CodeTooLarge))
	}
}

// TestCaptionOnDemand: a caption goes on from the prompt that was given, and nothing is kept of it.
func TestCaptionOnDemand(t *testing.T) {
	f := start(t)
	before := f.get("/api/v1/records/1")
	written := f.expect(f.json("POST", "/api/v1/caption", `{"record":"1","prompt":"a painting of","max_tokens":5}`), http.StatusOK, "")
	if !strings.HasSuffix(written.text(t, "caption"), "to: a painting of") || written.text(t, "model") != "colours" || written.text(t, "ended") != "true" {
		t.Errorf("%s", written.body)
	}
	if own := f.expect(f.json("POST", "/api/v1/caption", `{"record":"1"}`), http.StatusOK, ""); !strings.HasSuffix(own.text(t, "caption"), "to:") {
		t.Errorf("%s", own.body)
	}
	stream := f.json("POST", "/api/v1/caption", `{"record":"1","prompt":"x","method":"greedy"}`, header("Accept", "text/event-stream"))
	if text := string(stream.body); !strings.Contains(text, "event: piece") || !strings.Contains(text, "event: caption") || !strings.Contains(text, "event: done") {
		t.Errorf("%s", stream.body)
	}
	if after := f.get("/api/v1/records/1"); string(after.body) != string(before.body) {
		t.Errorf("the record was changed: %s", after.body)
	}
	for body, code := range map[string]problem.Code{
		`{}`: problem.InvalidRequest, `{"record":"99"}`: problem.NotFound, `{"record":"1","method":"verse"}`: problem.InvalidRequest, `{"record":"1","question":"x"}`: problem.InvalidRequest,
	} {
		if got := f.json("POST", "/api/v1/caption", body); got.text(t, "code") != string(code) {
			t.Errorf("%s: %s", body, got.body)
		}
	}
	none := start(t, func(o *Options) { o.Asker = nil })
	none.expect(none.json("POST", "/api/v1/caption", `{"record":"1"}`), http.StatusNotImplemented, problem.Unsupported)
}
