// Package pictures reads the originals of a library's records as pictures, and pictures as image tokens: the one
// place where searches, questions and captions do so.
//
//	picture, err := pictures.Read(ctx, reader, decoder, id)
//	tokens, err := pictures.Tokens(ctx, engine, picture)
package pictures

import (
	"context"
	"errors"
	"fmt"
	"io"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/internal/hint"
)

var (
	// ErrNoOriginal means that the original of a record is not where the library knows it.
	ErrNoOriginal = errors.New("the original cannot be opened")
	// ErrUndecodable means that an original is larger than the decoder takes or no picture that it reads.
	ErrUndecodable = errors.New("the original cannot be decoded")
)

// Encoder makes image tokens of pictures, in their order; *embed.Engine is one.
type Encoder interface {
	ImageTokens(ctx context.Context, images []*pixels.Image) ([]embed.ImageTokens, error)
}

// Read decodes the original of a record; the decoder's limits bound what is read of it. An error is that of ctx,
// [ErrNoOriginal], [ErrUndecodable], which wraps the decoder's, or that of reading the file.
func Read(ctx context.Context, reader index.Reader, decoder *pixels.Decoder, id index.ID) (*pixels.Image, error) {
	picture, release, err := Hold(ctx, reader, decoder, id)
	if err != nil {
		return nil, err
	}
	release()
	return picture, nil
}

// Hold is Read, but the memory of the picture stays taken from the decoder's until release is called, which has to be
// done once when there is no error.
func Hold(ctx context.Context, reader index.Reader, decoder *pixels.Decoder, id index.ID) (picture *pixels.Image, release func(), err error) {
	file, err := reader.OpenOriginal(ctx, id)
	if ctx.Err() != nil {
		if err == nil {
			err = file.Close()
		}
		return nil, nil, errors.Join(ctx.Err(), err)
	}
	if err != nil {
		return nil, nil, hint.Wrap(fmt.Errorf("record %v: %w: %w", id, ErrNoOriginal, err), "index its folder again if the file was moved")
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, decoder.MaximumBytes()+1)) // of one byte more, the decoder says that it is too large
	if err != nil {
		return nil, nil, fmt.Errorf("read original of record %v: %w", id, err)
	}
	picture, release, err = decoder.Hold(ctx, data)
	if ctx.Err() != nil {
		if err == nil {
			release()
		}
		return nil, nil, ctx.Err()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("record %v: %w: %w", id, ErrUndecodable, err)
	}
	return picture, release, nil
}

// Tokens runs the vision encoder on one picture.
func Tokens(ctx context.Context, encoder Encoder, picture *pixels.Image) (embed.ImageTokens, error) {
	tokens, err := encoder.ImageTokens(ctx, []*pixels.Image{picture})
	if err != nil {
		return embed.ImageTokens{}, fmt.Errorf("read picture: %w", err)
	}
	if len(tokens) != 1 {
		return embed.ImageTokens{}, fmt.Errorf("read picture: got the tokens of %d pictures for one", len(tokens))
	}
	return tokens[0], nil
}
