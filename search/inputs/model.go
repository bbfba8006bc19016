package inputs

import (
	"context"
	"fmt"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/internal/lru"
	"mekiki/search/contract"
)

// Engine is what searches need of a model; *embed.Engine is one. Where it cannot
// match, MatchPairs is not called: vectors and words rank alone.
type Engine interface {
	embed.Model
	embed.TextEmbedder
	embed.ImageEmbedder
	embed.Matcher
}

var _ Engine = (*embed.Engine)(nil)

// textEntries bounds the vectors of texts kept in memory.
const textEntries = 4096

// Model is an engine with what it has read lately. It is safe for concurrent use.
type Model struct {
	engine  Engine // nil without one
	decoder *pixels.Decoder
	vectors *lru.Cache[string, embed.Vector]
	tokens  *lru.Cache[Content, embed.ImageTokens]
}

// New makes a Model. It does not own the engine, which may be nil: then nothing can be read but what
// a library keeps. The decoder reads originals; tokenBytes bounds the image tokens kept in memory.
func New(engine Engine, decoder *pixels.Decoder, tokenBytes int64) *Model {
	return &Model{
		engine: engine, decoder: decoder,
		vectors: lru.New[string, embed.Vector](textEntries), tokens: lru.New[Content, embed.ImageTokens](tokenBytes),
	}
}

// NoMatcher is a warning.
const NoMatcher = "the model cannot match pictures with texts: vectors and words alone decide the order"

// CanMatch reports whether there is a model that can match.
func (m *Model) CanMatch() bool { return m.engine != nil && m.engine.Capabilities().Match }

// Space is that of the vectors that the model makes; false without a model.
func (m *Model) Space() (embed.Space, bool) {
	if m.engine == nil {
		return embed.Space{}, false
	}
	return m.engine.Space(), true
}

// CheckSpace refuses the space of a library that was made with another model.
func (m *Model) CheckSpace(library embed.Space) error {
	if m.engine == nil || m.engine.Space() == library {
		return nil
	}
	return &contract.Error{
		Code:    contract.CodeSpaceMismatch,
		Message: fmt.Sprintf("the library's vectors are of the model %v and the open model is %v", library, m.engine.Space()),
		Remedy:  "open the model that the library was indexed with, or index again with this one",
	}
}

// CheckRecords refuses records of which one is not there or is no image; 0 stands for none.
func CheckRecords(ctx context.Context, reader index.Reader, ids []index.ID) error {
	for _, id := range ids {
		if err := CheckRecord(ctx, reader, id); err != nil {
			return err
		}
	}
	return nil
}

// CheckRecord refuses a record that is not there or is no image.
func CheckRecord(ctx context.Context, reader index.Reader, id index.ID) error {
	if id == 0 {
		return nil
	}
	record, err := index.One(reader.Records(ctx, []index.ID{id}))
	if err != nil {
		return fmt.Errorf("read record %v: %w", id, err)
	}
	if record == nil {
		return &contract.Error{Code: contract.CodeRecordNotFound, Field: "record", Message: fmt.Sprintf("there is no record %v", id), Remedy: "it may have been removed; search again"}
	}
	if record.Kind != index.KindImage {
		return &contract.Error{Code: contract.CodeInvalidOption, Field: "record", Message: fmt.Sprintf("record %v is a text", id), Remedy: "give the record of an image"}
	}
	return nil
}
