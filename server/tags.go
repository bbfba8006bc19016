package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/server/problem"
)

func (s *Server) changeTag(c echo.Context, clean func(field, tag string) (string, error), change func(context.Context, index.Writer, []index.ID, ...string) error) error {
	id, err := recordID(c)
	if err != nil {
		return err
	}
	tag, err := segment(c, "tag")
	if err != nil {
		return err
	}
	if tag, err = clean("tag", tag); err != nil {
		return err
	}
	if err := s.checkRecords(c.Request().Context(), "id", id); err != nil {
		return err
	}
	if err := change(c.Request().Context(), s.options.Library, []index.ID{id}, tag); err != nil {
		return fmt.Errorf("change tag: %w", err)
	}
	return s.sendRecord(c, http.StatusOK, id)
}

// checkRecords fails when one of the records is not there.
func (s *Server) checkRecords(ctx context.Context, field string, ids ...index.ID) error {
	return s.withReader(ctx, func(reader index.Reader) error {
		records, err := reader.Records(untilAnswered(ctx), ids)
		if err != nil {
			return err
		}
		for i, id := range ids {
			if records[i] == nil {
				p := problem.Newf(problem.NotFound, "there is no record %s", id)
				p.Errors = []problem.Field{{Field: field, Detail: p.Detail}}
				return p
			}
		}
		return nil
	})
}

// knownTag takes the blanks off the ends of a tag that is to be removed. Tags of all kinds come from files and older
// versions, and whatever is there can be removed.
func knownTag(field, tag string) (string, error) {
	if tag = strings.TrimSpace(tag); tag == "" {
		return "", problem.Invalid(field, "must be text of at least one character")
	}
	return tag, nil
}

// cleanTag takes the blanks off a tag's ends and refuses what the API document's schema Tag does: what is no text, what
// changes the direction of the writing around it, and the two names that an address cannot end with.
func cleanTag(field, tag string) (string, error) {
	given := tag
	tag = strings.TrimSpace(tag)
	switch {
	case tag == "" || !utf8.ValidString(tag):
		return "", problem.Invalid(field, "must be text of at least one character")
	case strings.ContainsFunc(given, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }):
		return "", problem.Invalid(field, "must not contain control characters or text direction marks")
	case tag == "." || tag == "..":
		return "", problem.Invalid(field, "must not be . or ..")
	}
	return tag, nil
}

func cleanTags(field string, tags []string) ([]string, error) { return eachTag(field, tags, cleanTag) }

func eachTag(field string, tags []string, check func(field, tag string) (string, error)) ([]string, error) {
	clean := make([]string, len(tags))
	for i, tag := range tags {
		var err error
		if clean[i], err = check(fmt.Sprintf("%s[%d]", field, i), tag); err != nil {
			return nil, err
		}
	}
	return clean, nil
}

// changeTags tags and untags many records in one commit.
func (s *Server) changeTags(c echo.Context) error {
	var asked struct {
		IDs    []string `json:"ids"`
		Add    []string `json:"add"`
		Remove []string `json:"remove"`
	}
	if err := s.readJSON(c, &asked); err != nil {
		return err
	}
	add, err := cleanTags("add", asked.Add)
	if err != nil {
		return err
	}
	remove, err := eachTag("remove", asked.Remove, knownTag)
	if err != nil {
		return err
	}
	ids := make([]index.ID, len(asked.IDs))
	batch := index.Batch{}
	for i, text := range asked.IDs {
		if ids[i], err = parseID(fmt.Sprintf("ids[%d]", i), text); err != nil {
			return err
		}
		batch.Tags = append(batch.Tags, index.TagChange{ID: ids[i], Add: add, Remove: remove})
	}
	if err := s.checkRecords(c.Request().Context(), "ids", ids...); err != nil {
		return err
	}
	if _, err := s.options.Library.Write(c.Request().Context(), batch); err != nil {
		return fmt.Errorf("change tags: %w", err)
	}
	return sendJSON(c, http.StatusOK, struct {
		Changed int `json:"changed"`
	}{len(ids)})
}
