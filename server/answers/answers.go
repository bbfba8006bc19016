// Package answers serves questions about one picture, alone or in a dialogue, whole or as a stream.
package answers

import (
	"context"
	"crypto/sha256"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"mekiki/embed/answering"
	"mekiki/embed/decode"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/search/ask"
	"mekiki/server/api"
	"mekiki/server/problem"
	"mekiki/server/transport"
)

// Asker answers questions about pictures with a second stage. *ask.Asker is one.
type Asker interface {
	Model() answering.Model
	Records(ctx context.Context, reader index.Reader, ids []index.ID) ([]ask.Picture, []error, error)
	Image(ctx context.Context, image *pixels.Image, hash index.Hash) (ask.Picture, error)
	Answer(ctx context.Context, picture ask.Picture, question ask.Question, written func(piece string) error) (ask.Answer, error)
}

// Room is what answering needs.
type Room struct {
	// Asker may be nil: then questions are refused.
	Asker    Asker
	Library  api.Library
	Bodies   api.Bodies
	Compute  api.Compute
	Pictures api.Pictures
	Now      func() time.Time
}

// Routes are the lines of this room in the table of routes.
func (r Room) Routes() []api.Route {
	return []api.Route{
		{Method: http.MethodPost, Path: "/api/v1/ask", Class: api.Search, Handler: r.ask},
		{Method: http.MethodPost, Path: "/api/v1/chat", Class: api.Search, Handler: r.chat},
		{Method: http.MethodPost, Path: "/api/v1/caption", Class: api.Search, Handler: r.caption},
	}
}

// askJSON is a question about one image: a record's, or the uploaded one.
type askJSON struct {
	Record   string `json:"record"`
	Question string `json:"question"`
	// Prompt is a template, instead of the model's own.
	Prompt string `json:"prompt"`

	Method      string  `json:"method"`
	Beams       int     `json:"beams"`
	MaxTokens   int     `json:"max_tokens"`
	Temperature float64 `json:"temperature"`
	TopP        float64 `json:"top_p"`
	Seed        uint64  `json:"seed"`
}

// question is what is asked, after history.
func (j askJSON) question(history []ask.Turn) (ask.Question, error) {
	question := ask.Question{Text: j.Question, Template: j.Prompt, History: history, Decode: decode.Options{
		Method: decode.Method(j.Method), Beams: j.Beams, MaximumTokens: j.MaxTokens,
		Temperature: j.Temperature, TopP: j.TopP, Seed: j.Seed,
	}}
	if err := question.Validate(); err != nil {
		return question, problem.New(problem.InvalidRequest, err.Error())
	}
	return question, nil
}

// chatJSON is a dialogue about one image, with its last question.
type chatJSON struct {
	askJSON
	History []ask.Turn `json:"history"`
}

// answerJSON is an answer as it is sent.
type answerJSON struct {
	Answer      string  `json:"answer"`
	Normal      string  `json:"normal"`
	Probability float64 `json:"answer_probability"`
	Ended       bool    `json:"ended"`
	Model       string  `json:"model"`
	TotalMS     int64   `json:"total_ms"`
}

// ask answers one question.
func (r Room) ask(c echo.Context) error {
	var asked askJSON
	return r.answerAsked(c, &asked, func() (askJSON, []ask.Turn) { return asked, nil })
}

// chat answers the last question of a dialogue.
func (r Room) chat(c echo.Context) error {
	var asked chatJSON
	return r.answerAsked(c, &asked, func() (askJSON, []ask.Turn) { return asked.askJSON, asked.History })
}

// answerAsked reads a request into target and answers what read then finds in it.
func (r Room) answerAsked(c echo.Context, target any, read func() (askJSON, []ask.Turn)) error {
	given, err := r.Bodies.ReadForm(c, target)
	if err != nil {
		return err
	}
	asked, history := read()
	from, err := api.ImageSource{Record: asked.Record}.Source(given)
	if err != nil {
		return err
	}
	if from.Record == 0 && from.Data == nil {
		return problem.New(problem.InvalidRequest, "give a record or an image to ask about")
	}
	question, err := asked.question(history)
	if err != nil {
		return err
	}
	if r.Asker == nil {
		return problem.New(problem.Unsupported, "this server answers no questions: it runs without an answering model")
	}
	return r.answer(c, from, question, answerForm{"answer", func(answer ask.Answer, milliseconds int64) any {
		return answerJSON{
			Answer: answer.Text, Normal: answer.Normal, Probability: answer.Probability, Ended: answer.Ended,
			Model: r.Asker.Model().Name, TotalMS: milliseconds,
		}
	}})
}

// answerForm is how an answer is sent: by which event of a stream, and in which form.
type answerForm struct {
	event string
	of    func(answer ask.Answer, milliseconds int64) any
}

// answer asks about a picture and sends what the model says.
func (r Room) answer(c echo.Context, from api.Source, question ask.Question, form answerForm) error {
	return r.Compute.Do(c, func(ctx context.Context) error {
		picture, err := r.askedPicture(ctx, from)
		if err != nil {
			return err
		}
		return r.sendAnswer(ctx, c, picture, question, form)
	})
}

// askedPicture reads the picture that a question is about.
func (r Room) askedPicture(ctx context.Context, from api.Source) (picture ask.Picture, err error) {
	if from.Data != nil {
		image, err := r.Pictures.Decode(ctx, from.Data)
		if err != nil {
			return picture, err
		}
		return r.Asker.Image(ctx, image, index.Hash(sha256.Sum256(from.Data)))
	}
	err = r.Library.Read(ctx, func(reader index.Reader) error {
		if _, err := api.ImageIn(ctx, reader, from.Record); err != nil {
			return err
		}
		pictures, problems, err := r.Asker.Records(ctx, reader, []index.ID{from.Record})
		if err != nil {
			return err
		}
		picture = pictures[0]
		return problems[0]
	})
	return picture, err
}

// sendAnswer asks and sends the answer, or, where events are wanted, each piece of it as it comes. An
// error before the first piece is the request's answer; a later one ends the stream with an event.
func (r Room) sendAnswer(ctx context.Context, c echo.Context, picture ask.Picture, question ask.Question, form answerForm) error {
	started := r.Now()
	finished := func(answer ask.Answer) any {
		return form.of(answer, int64(r.Now().Sub(started)/time.Millisecond))
	}
	if !api.WantsEvents(c) {
		answer, err := r.Asker.Answer(ctx, picture, question, nil)
		if err != nil {
			return err
		}
		return api.SendJSON(c, http.StatusOK, finished(answer))
	}
	var stream *transport.EventStream
	send := func(event string, value any) (err error) {
		if stream == nil {
			if stream, err = transport.StartEvents(c); err != nil {
				return err
			}
		}
		return stream.Send(event, value)
	}
	var written func(string) error
	if question.Decode.Method != decode.Beam { // whose text is known at its end
		written = func(piece string) error { return send("piece", pieceJSON{piece}) }
	}
	answer, err := r.Asker.Answer(ctx, picture, question, written)
	if err != nil {
		if stream == nil {
			return err
		}
		return api.EndStream(c, stream, err)
	}
	if written == nil {
		if err := send("piece", pieceJSON{answer.Text}); err != nil {
			return err
		}
	}
	if err := send(form.event, finished(answer)); err != nil {
		return err
	}
	return send("done", struct{}{})
}

// pieceJSON is a piece of an answer.
type pieceJSON struct {
	Text string `json:"text"`
}
