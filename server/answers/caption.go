package answers

import (
	"cmp"

	"github.com/labstack/echo/v4"

	"mekiki/embed/decode"
	"mekiki/search/ask"
	"mekiki/server/api"
	"mekiki/server/problem"
)

// captionJSON asks for a caption of one image: a record's, or the uploaded one.
type captionJSON struct {
	Record string `json:"record"`
	// Prompt is what the model goes on with; its own where there is none.
	Prompt *string `json:"prompt"`

	Method      string  `json:"method"`
	Beams       int     `json:"beams"`
	MinTokens   *int    `json:"min_tokens"`
	MaxTokens   int     `json:"max_tokens"`
	Temperature float64 `json:"temperature"`
	TopP        float64 `json:"top_p"`
	Seed        uint64  `json:"seed"`
}

// writtenJSON is a caption as it is sent.
type writtenJSON struct {
	Caption     string  `json:"caption"`
	Probability float64 `json:"caption_probability"`
	Ended       bool    `json:"ended"`
	Model       string  `json:"model"`
	TotalMS     int64   `json:"total_ms"`
}

// caption writes a caption, which nobody keeps.
func (r Room) caption(c echo.Context) error {
	var asked captionJSON
	given, err := r.Bodies.ReadForm(c, &asked)
	if err != nil {
		return err
	}
	from, err := api.ImageSource{Record: asked.Record}.Source(given)
	if err != nil {
		return err
	}
	if from.Record == 0 && from.Data == nil {
		return problem.New(problem.InvalidRequest, "give a record or an image to describe")
	}
	if r.Asker == nil {
		return problem.New(problem.Unsupported, "this server writes no captions on demand: it runs without an answering model")
	}
	question := asked.question(r.Asker)
	if err := question.Validate(); err != nil {
		return problem.New(problem.InvalidRequest, err.Error())
	}
	return r.answer(c, from, question, answerForm{"caption", func(answer ask.Answer, milliseconds int64) any {
		return writtenJSON{answer.Text, answer.Probability, answer.Ended, r.Asker.Model().Name, milliseconds}
	}})
}

// question is what the model goes on with, and how. What was not asked for is as captions of the library are written.
func (j captionJSON) question(asker Asker) ask.Question {
	question := ask.Caption(asker.Model().Prompts, j.Prompt)
	how := &question.Decode
	how.MaximumTokens = cmp.Or(j.MaxTokens, how.MaximumTokens)
	if how.MinimumTokens = min(how.MinimumTokens, how.MaximumTokens); j.MinTokens != nil {
		how.MinimumTokens = min(*j.MinTokens, how.MaximumTokens)
	}
	how.Temperature, how.TopP, how.Seed = j.Temperature, j.TopP, j.Seed
	if method := decode.Method(j.Method); method != "" && method != how.Method {
		how.Method, how.Beams, how.LengthPenalty = method, 0, nil
	}
	how.Beams = cmp.Or(j.Beams, how.Beams)
	return question
}
