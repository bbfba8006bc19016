package records

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/index/ingest/textrecord"
	"mekiki/server/api"
	"mekiki/server/problem"
	"mekiki/server/wire"
)

type textJSON struct {
	Text       string            `json:"text"`
	ExternalID string            `json:"external_id"`
	Tags       []string          `json:"tags"`
	Fields     map[string]string `json:"fields"`
}

// addTexts adds the caller's own texts in one commit. One whose external id is
// known takes the place of the one that had it.
func (r Room) addTexts(c echo.Context) error {
	if r.AddTexts == nil {
		return problem.New(problem.Unsupported, "this server does not accept texts")
	}
	var asked struct {
		Texts []textJSON `json:"texts"`
	}
	if err := r.Bodies.ReadJSON(c, &asked); err != nil {
		return err
	}
	texts := make([]textrecord.Text, len(asked.Texts))
	for i, text := range asked.Texts {
		var err error
		if texts[i], err = text.check(fmt.Sprintf("texts[%d]", i)); err != nil {
			return err
		}
	}
	return r.Compute.Do(c, func(ctx context.Context) error {
		ids, err := r.AddTexts(ctx, texts)
		if err != nil {
			return fmt.Errorf("add texts: %w", err)
		}
		return r.Library.Read(c.Request().Context(), func(reader index.Reader) error {
			answer := struct {
				Records []wire.Record `json:"records"`
			}{make([]wire.Record, 0, len(ids))}
			records, err := reader.Records(ctx, ids)
			if err != nil {
				return err
			}
			for _, record := range records {
				if record != nil {
					answer.Records = append(answer.Records, wire.Listed(record))
				}
			}
			return api.SendJSON(c, http.StatusOK, answer)
		})
	})
}

// check turns a text as it arrived into one to add.
func (j textJSON) check(field string) (textrecord.Text, error) {
	text := strings.TrimSpace(j.Text)
	if text == "" || !utf8.ValidString(text) {
		return textrecord.Text{}, problem.Invalid(field+".text", "must be text of at least one character")
	}
	tags, err := wire.CleanTags(field+".tags", j.Tags)
	return textrecord.Text{Text: text, ID: j.ExternalID, Tags: tags, Fields: j.Fields}, err
}
