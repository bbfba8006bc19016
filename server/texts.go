package server

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"mekiki/embed"
	"mekiki/index"
)

type textJSON struct {
	Text       string            `json:"text"`
	ExternalID string            `json:"external_id"`
	Tags       []string          `json:"tags"`
	Fields     map[string]string `json:"fields"`
}

// textBatch is how many texts are embedded between two looks at the clock.
const textBatch = 32

// addTexts adds the caller's own texts in one commit. One that is there already,
// with the same external id, keeps its record.
func (s *Server) addTexts(c echo.Context) error {
	if s.options.Texts == nil {
		return newProblem(CodeUnavailable, "no model is at hand to read texts with")
	}
	var asked struct {
		Texts []textJSON `json:"texts"`
	}
	if err := s.readJSON(c, &asked); err != nil {
		return err
	}
	for i := range asked.Texts {
		field := fmt.Sprintf("texts[%d]", i)
		text := strings.TrimSpace(asked.Texts[i].Text)
		if text == "" || !utf8.ValidString(text) {
			return invalid(field+".text", "must be text of at least one character")
		}
		asked.Texts[i].Text = text
		tags, err := cleanTags(field+".tags", asked.Texts[i].Tags)
		if err != nil {
			return err
		}
		asked.Texts[i].Tags = tags
	}
	return s.compute(c, func(ctx context.Context) error {
		ids, err := s.putTexts(ctx, asked.Texts)
		if err != nil {
			return err
		}
		return s.withSnapshot(func(snapshot Snapshot) error {
			answer := struct {
				Records []recordJSON `json:"records"`
			}{make([]recordJSON, 0, len(ids))}
			for _, id := range ids {
				if record, found := snapshot.Record(id); found {
					answer.Records = append(answer.Records, showRecord(record))
				}
			}
			return sendJSON(c, http.StatusOK, answer)
		})
	})
}

func (s *Server) putTexts(ctx context.Context, texts []textJSON) ([]index.ID, error) {
	vectors, err := s.embedTexts(ctx, texts)
	if err != nil {
		return nil, err
	}
	space := s.options.Texts.Space()
	var batch index.Batch
	for i, text := range texts {
		batch.Puts = append(batch.Puts, index.Put{
			Record: index.Record{
				Kind: index.KindText, Hash: textHash(text), Text: text.Text, ExternalID: text.ExternalID,
				Tags: text.Tags, Fields: text.Fields, Bytes: int64(len(text.Text)), Added: time.Now(),
			},
			Vectors: index.Vectors{Space: space, Parts: embed.Parts{Count: 1, Width: space.Width, Values: vectors[i]}},
		})
	}
	result, err := s.options.Library.Write(ctx, batch)
	if err != nil {
		return nil, fmt.Errorf("add texts: %w", err)
	}
	return result.IDs, nil
}

func (s *Server) embedTexts(ctx context.Context, texts []textJSON) ([]embed.Vector, error) {
	vectors := make([]embed.Vector, 0, len(texts))
	for start := 0; start < len(texts); start += textBatch {
		var words []string
		for _, text := range texts[start:min(start+textBatch, len(texts))] {
			words = append(words, text.Text)
		}
		some, err := s.options.Texts.TextVectors(ctx, words)
		if err != nil {
			return nil, fmt.Errorf("embed texts: %w", err)
		}
		vectors = append(vectors, some...)
	}
	return vectors, nil
}

// textHash identifies a text with its external id.
func textHash(text textJSON) index.Hash {
	return sha256.Sum256([]byte(text.ExternalID + "\x00" + text.Text))
}
