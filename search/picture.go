package search

import (
	"context"
	"fmt"
	"io"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/search/contract"
)

// maximumOriginalBytes bounds an original that is read again.
const maximumOriginalBytes = 512 << 20

// pictureSource is a picture that a request is about.
type pictureSource struct {
	image  *pixels.Image
	record index.ID
	crop   *contract.Rectangle
}

// pictureParts gives the vectors of the request's picture.
func (s *Searcher) pictureParts(ctx context.Context, snapshot index.Reader, source pictureSource) (embed.Parts, error) {
	if source.record != 0 && source.crop == nil {
		parts, err := index.One(snapshot.Parts(ctx, []index.ID{source.record}))
		if err != nil {
			return embed.Parts{}, fmt.Errorf("read vectors of record %v: %w", source.record, err)
		}
		if parts.Count > 0 {
			return parts, nil
		}
	}
	tokens, err := s.pictureTokens(ctx, snapshot, source)
	if err != nil {
		return embed.Parts{}, err
	}
	parts, err := s.engine.ImageParts(ctx, []embed.ImageTokens{tokens})
	if err != nil {
		return embed.Parts{}, fmt.Errorf("embed picture: %w", err)
	}
	if len(parts) != 1 {
		return embed.Parts{}, fmt.Errorf("embed picture: got %d answers for one picture", len(parts))
	}
	return parts[0], nil
}

// pictureTokens gives what ITM reads of the request's picture.
func (s *Searcher) pictureTokens(ctx context.Context, snapshot index.Reader, source pictureSource) (embed.ImageTokens, error) {
	if s.engine == nil {
		return embed.ImageTokens{}, &contract.Error{Code: contract.CodeUnavailable, Message: "no model is open", Remedy: "open a model to search with pictures"}
	}
	if source.record != 0 && source.crop == nil {
		return s.recordTokens(ctx, snapshot, source.record)
	}
	picture, err := s.decodePicture(ctx, snapshot, source)
	if err != nil {
		return embed.ImageTokens{}, err
	}
	return s.readPicture(ctx, picture)
}

// readPicture runs the vision encoder on one picture.
func (s *Searcher) readPicture(ctx context.Context, picture *pixels.Image) (embed.ImageTokens, error) {
	tokens, err := s.engine.ImageTokens(ctx, []*pixels.Image{picture})
	if err != nil {
		return embed.ImageTokens{}, fmt.Errorf("read picture: %w", err)
	}
	if len(tokens) != 1 {
		return embed.ImageTokens{}, fmt.Errorf("read picture: got %d answers for one picture", len(tokens))
	}
	return tokens[0], nil
}

// contentKey names what a model makes of a record's content. A record alone does
// not: its file can be edited, and another model can serve.
type contentKey struct {
	fingerprint string
	id          index.ID
	hash        index.Hash
}

// contentOf names the content of a record.
func contentOf(record *index.Record, space embed.Space) contentKey {
	return contentKey{fingerprint: space.Fingerprint, id: record.ID, hash: record.Hash}
}

// recordTokens gives what ITM reads of a record.
func (s *Searcher) recordTokens(ctx context.Context, snapshot index.Reader, id index.ID) (embed.ImageTokens, error) {
	record, err := index.One(snapshot.Records(ctx, []index.ID{id}))
	if err == nil && record == nil {
		err = index.ErrNotFound
	}
	if err != nil {
		return embed.ImageTokens{}, fmt.Errorf("read record %v: %w", id, err)
	}
	found, err := s.tokensOf(ctx, snapshot, []*index.Record{record})
	if err != nil {
		return embed.ImageTokens{}, err
	}
	return found[0].tokens, found[0].err
}

// recordTokens are what ITM reads of one record, or why it cannot.
type recordTokens struct {
	tokens embed.ImageTokens
	err    error
}

// tokensOf gives what ITM reads of records: from memory, from the library, or, where
// that does not keep them, from the original files.
func (s *Searcher) tokensOf(ctx context.Context, snapshot index.Reader, records []*index.Record) ([]recordTokens, error) {
	space, _ := snapshot.Space()
	found := make([]recordTokens, len(records))
	var missing []index.ID
	var places []int
	for i, record := range records {
		if tokens, ok := s.tokens.Get(contentOf(record, space)); ok {
			found[i].tokens = tokens
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
		if at.tokens = tokens; tokens.Rows == 0 {
			at.tokens, at.err = s.readOriginal(ctx, snapshot, missing[i])
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if at.err == nil {
			s.tokens.Put(contentOf(records[places[i]], space), at.tokens, int64(4*len(at.tokens.Values)))
		}
	}
	return found, nil
}

// readOriginal runs the vision encoder on the original of a record.
func (s *Searcher) readOriginal(ctx context.Context, snapshot index.Reader, id index.ID) (embed.ImageTokens, error) {
	picture, err := s.original(ctx, snapshot, id)
	if err != nil {
		return embed.ImageTokens{}, err
	}
	return s.readPicture(ctx, picture)
}

// decodePicture gives the pixels of the request's picture, cropped.
func (s *Searcher) decodePicture(ctx context.Context, snapshot index.Reader, source pictureSource) (*pixels.Image, error) {
	picture := source.image
	if picture == nil {
		var err error
		if picture, err = s.original(ctx, snapshot, source.record); err != nil {
			return nil, err
		}
	}
	if source.crop == nil {
		return picture, nil
	}
	cropped, err := pixels.Crop(picture, source.crop.Pixels(picture.Width, picture.Height))
	if err != nil {
		return nil, &contract.Error{Code: contract.CodeInvalidCrop, Field: "crop", Message: "the crop holds no pixel", Remedy: "select a larger part", Err: err}
	}
	return cropped, nil
}

// original decodes the file of a record.
func (s *Searcher) original(ctx context.Context, snapshot index.Reader, id index.ID) (*pixels.Image, error) {
	file, err := snapshot.OpenOriginal(ctx, id)
	if err != nil {
		return nil, &contract.Error{
			Code: contract.CodeUnavailable, Message: fmt.Sprintf("the original of record %v cannot be opened", id),
			Remedy: "index its folder again if the file was moved", Err: err,
		}
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maximumOriginalBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read original of record %v: %w", id, err)
	}
	if len(data) > maximumOriginalBytes {
		return nil, &contract.Error{Code: contract.CodeTooLarge, Message: fmt.Sprintf("the original of record %v is too large", id)}
	}
	picture, err := s.options.Decoder.Decode(ctx, data)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &contract.Error{Code: contract.CodeImageUndecodable, Message: fmt.Sprintf("the original of record %v cannot be decoded", id), Err: err}
	}
	return picture, nil
}
