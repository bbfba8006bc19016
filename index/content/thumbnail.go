package content

import (
	"context"
	"io"

	"mekiki/embed/pixels"
	"mekiki/index"
)

// Thumbnail makes a record's thumbnail, a JPEG, from the first of its files that [Open] opens.
func Thumbnail(ctx context.Context, decoder *pixels.Decoder, record *index.Record) ([]byte, error) {
	file, err := Open(record)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return ThumbnailOf(ctx, decoder, file)
}

// ThumbnailOf makes the thumbnail, a JPEG, of what a file holds.
func ThumbnailOf(ctx context.Context, decoder *pixels.Decoder, file io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(file, pixels.DefaultMaxBytes+1))
	if err != nil {
		return nil, err
	}
	image, release, err := decoder.Hold(ctx, data)
	if err != nil {
		return nil, err
	}
	defer release()
	return pixels.Thumbnail(image, index.ThumbnailSide, index.ThumbnailQuality)
}
