package server

import (
	"context"
	"crypto/sha256"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"mekiki/embed/decode"
	"mekiki/index"
	"mekiki/search/ask"
	"mekiki/server/problem"
	"mekiki/server/transport"
)

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
func (s *Server) ask(c echo.Context) error {
	var asked askJSON
	return s.answerAsked(c, &asked, func() (askJSON, []ask.Turn) { return asked, nil })
}

// chat answers the last question of a dialogue.
func (s *Server) chat(c echo.Context) error {
	var asked chatJSON
	return s.answerAsked(c, &asked, func() (askJSON, []ask.Turn) { return asked.askJSON, asked.History })
}

// answerAsked reads a request into target and answers what read then finds in it.
func (s *Server) answerAsked(c echo.Context, target any, read func() (askJSON, []ask.Turn)) error {
	given, err := s.readRequest(c, target)
	if err != nil {
		return err
	}
	asked, history := read()
	from, err := sourceJSON{Record: asked.Record}.source(given)
	if err != nil {
		return err
	}
	if from.record == 0 && from.data == nil {
		return problem.New(problem.InvalidRequest, "give a record or an image to ask about")
	}
	question, err := asked.question(history)
	if err != nil {
		return err
	}
	if s.options.Asker == nil {
		return problem.New(problem.Unsupported, "this server answers no questions: it runs without an answering model")
	}
	return s.compute(c, func(ctx context.Context) error {
		picture, err := s.askedPicture(ctx, from)
		if err != nil {
			return err
		}
		return s.sendAnswer(ctx, c, picture, question)
	})
}

// askedPicture reads the picture that a question is about.
func (s *Server) askedPicture(ctx context.Context, from source) (picture ask.Picture, err error) {
	if from.data != nil {
		image, err := s.picture(ctx, from.data)
		if err != nil {
			return picture, err
		}
		return s.options.Asker.Image(ctx, image, index.Hash(sha256.Sum256(from.data)))
	}
	err = s.withReader(ctx, func(reader index.Reader) error {
		if _, err := imageRecord(ctx, reader, from.record); err != nil {
			return err
		}
		pictures, problems, err := s.options.Asker.Records(ctx, reader, []index.ID{from.record})
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
func (s *Server) sendAnswer(ctx context.Context, c echo.Context, picture ask.Picture, question ask.Question) error {
	started := s.options.Now()
	finished := func(answer ask.Answer) answerJSON {
		return answerJSON{
			Answer: answer.Text, Normal: answer.Normal, Probability: answer.Probability, Ended: answer.Ended,
			Model: s.options.Asker.Model().Name, TotalMS: int64(s.options.Now().Sub(started) / time.Millisecond),
		}
	}
	if !wants(c.Request(), "text/event-stream") {
		answer, err := s.options.Asker.Answer(ctx, picture, question, nil)
		if err != nil {
			return err
		}
		return sendJSON(c, http.StatusOK, finished(answer))
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
	answer, err := s.options.Asker.Answer(ctx, picture, question, written)
	if err != nil {
		if stream == nil {
			return err
		}
		return endStream(c, stream, err)
	}
	if written == nil {
		if err := send("piece", pieceJSON{answer.Text}); err != nil {
			return err
		}
	}
	if err := send("answer", finished(answer)); err != nil {
		return err
	}
	return send("done", struct{}{})
}

// pieceJSON is a piece of an answer.
type pieceJSON struct {
	Text string `json:"text"`
}
