package inputs

import (
	"context"
	"errors"
	"fmt"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/pictures"
	"mekiki/internal/hint"
	"mekiki/search/contract"
)

// Picture is a picture that a request is about.
type Picture struct {
	Image  *pixels.Image
	Record index.ID
	Crop   *contract.Rectangle
}

// Parts gives the vectors of the request's picture.
func (m *Model) Parts(ctx context.Context, snapshot index.Reader, source Picture) (embed.Parts, error) {
	if source.Record != 0 && source.Crop == nil {
		parts, err := index.One(snapshot.Parts(ctx, []index.ID{source.Record}))
		if err != nil {
			return embed.Parts{}, fmt.Errorf("read vectors of record %v: %w", source.Record, err)
		}
		if parts.Count > 0 {
			return parts, nil
		}
	}
	tokens, err := m.Tokens(ctx, snapshot, source)
	if err != nil {
		return embed.Parts{}, err
	}
	parts, err := m.engine.ImageParts(ctx, []embed.ImageTokens{tokens})
	if err != nil {
		return embed.Parts{}, fmt.Errorf("embed picture: %w", err)
	}
	if len(parts) != 1 {
		return embed.Parts{}, fmt.Errorf("embed picture: got %d answers for one picture", len(parts))
	}
	return parts[0], nil
}

// Tokens gives what ITM reads of the request's picture.
func (m *Model) Tokens(ctx context.Context, snapshot index.Reader, source Picture) (embed.ImageTokens, error) {
	if m.engine == nil {
		return embed.ImageTokens{}, noModel()
	}
	if source.Record != 0 && source.Crop == nil {
		return m.recordTokens(ctx, snapshot, source.Record)
	}
	picture, err := m.decodePicture(ctx, snapshot, source)
	if err != nil {
		return embed.ImageTokens{}, err
	}
	return m.readPicture(ctx, picture)
}

// noModel refuses a picture that nothing here can read.
func noModel() error {
	return &contract.Error{Code: contract.CodeUnavailable, Message: "no model is open", Remedy: "open a model to search with pictures"}
}

// readPicture runs the vision encoder on one picture.
func (m *Model) readPicture(ctx context.Context, picture *pixels.Image) (embed.ImageTokens, error) {
	if m.engine == nil {
		return embed.ImageTokens{}, noModel()
	}
	return pictures.Tokens(ctx, m.engine, picture)
}

// Content names what a model makes of a record's content. A record alone does
// not: its file can be edited, and another model can serve.
type Content struct {
	fingerprint string
	id          index.ID
	hash        index.Hash
}

// ContentOf names the content of a record.
func ContentOf(record *index.Record, space embed.Space) Content {
	return Content{fingerprint: space.Fingerprint, id: record.ID, hash: record.Hash}
}

// recordTokens gives what ITM reads of a record.
func (m *Model) recordTokens(ctx context.Context, snapshot index.Reader, id index.ID) (embed.ImageTokens, error) {
	record, err := index.One(snapshot.Records(ctx, []index.ID{id}))
	if err == nil && record == nil {
		err = index.ErrNotFound
	}
	if err != nil {
		return embed.ImageTokens{}, fmt.Errorf("read record %v: %w", id, err)
	}
	found, err := m.RecordsTokens(ctx, snapshot, []*index.Record{record})
	if err != nil {
		return embed.ImageTokens{}, err
	}
	return found[0].Tokens, found[0].Err
}

// RecordTokens are what ITM reads of one record, or why it cannot.
type RecordTokens struct {
	Tokens embed.ImageTokens
	Err    error
}

// RecordsTokens gives what ITM reads of records: from memory, from the library, or, where
// that does not keep them, from the original files.
func (m *Model) RecordsTokens(ctx context.Context, snapshot index.Reader, records []*index.Record) ([]RecordTokens, error) {
	space, _ := snapshot.Space()
	found := make([]RecordTokens, len(records))
	var missing []index.ID
	var places []int
	for i, record := range records {
		if tokens, ok := m.tokens.Get(ContentOf(record, space)); ok {
			found[i].Tokens = tokens
		} else {
			missing, places = append(missing, record.ID), append(places, i)
		}
	}
	if len(missing) == 0 {
		return found, nil
	}
	kept, err := snapshot.Tokens(ctx, missing)
	if err != nil {
		return nil, fmt.Errorf("read image tokens: %w", err)
	}
	for i, tokens := range kept {
		at := &found[places[i]]
		if at.Tokens = tokens; tokens.Rows == 0 {
			at.Tokens, at.Err = m.readOriginal(ctx, snapshot, missing[i])
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if at.Err == nil {
			m.tokens.Put(ContentOf(records[places[i]], space), at.Tokens, int64(4*len(at.Tokens.Values)))
		}
	}
	return found, nil
}

// readOriginal runs the vision encoder on the original of a record.
func (m *Model) readOriginal(ctx context.Context, snapshot index.Reader, id index.ID) (embed.ImageTokens, error) {
	picture, err := m.original(ctx, snapshot, id)
	if err != nil {
		return embed.ImageTokens{}, err
	}
	return m.readPicture(ctx, picture)
}

// decodePicture gives the pixels of the request's picture, cropped.
func (m *Model) decodePicture(ctx context.Context, snapshot index.Reader, source Picture) (*pixels.Image, error) {
	picture := source.Image
	if picture == nil {
		var err error
		if picture, err = m.original(ctx, snapshot, source.Record); err != nil {
			return nil, err
		}
	}
	if source.Crop == nil {
		return picture, nil
	}
	cropped, err := pixels.Crop(picture, source.Crop.Pixels(picture.Width, picture.Height))
	if err != nil {
		return nil, &contract.Error{Code: contract.CodeInvalidCrop, Field: "crop", Message: "the crop holds no pixel", Remedy: "select a larger part", Err: err}
	}
	return cropped, nil
}

// original decodes the file of a record.
func (m *Model) original(ctx context.Context, snapshot index.Reader, id index.ID) (*pixels.Image, error) {
	picture, err := pictures.Read(ctx, snapshot, m.decoder, id)
	described := &contract.Error{Message: fmt.Sprintf("the original of record %v cannot be decoded", id), Err: err}
	switch {
	case err == nil:
		return picture, nil
	case errors.Is(err, pictures.ErrNoOriginal):
		described.Code, described.Message = contract.CodeUnavailable, fmt.Sprintf("the original of record %v cannot be opened", id)
		described.Remedy = hint.Of(err)
	case errors.Is(err, pixels.ErrTooLarge):
		described.Code, described.Message = contract.CodeTooLarge, fmt.Sprintf("the original of record %v is too large", id)
	case errors.Is(err, pictures.ErrUndecodable):
		described.Code = contract.CodeImageUndecodable
	default:
		return nil, err
	}
	return nil, described
}
