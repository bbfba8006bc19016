package prepared

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/ingest/textrecord"
)

// Puts are what indexing would make of the pictures, by the hash of their file, for the model that has a space. They lack
// what the files say about themselves, thumbnails and image tokens.
func (c *Collection) Puts(space embed.Space) map[index.Hash]index.Put {
	puts := make(map[index.Hash]index.Put, len(c.Pictures))
	for _, own := range c.Pictures {
		captions := slices.Clone(own.Captions)
		for i := range captions {
			captions[i].Model = space.Fingerprint
		}
		puts[own.Hash] = index.Put{
			Record: index.Record{
				Kind: index.KindImage, Hash: own.Hash, Format: own.Format, Width: own.Width, Height: own.Height,
				Bytes: own.Bytes, PerceptualHash: own.PerceptualHash, Captions: captions,
			},
			Vectors: index.Vectors{Space: space, Parts: own.Vectors},
		}
	}
	return puts
}

// Embedder gives texts the vectors that they have in the collection, and asks another one for those of other texts.
func (c *Collection) Embedder(other textrecord.Engine) textrecord.Engine {
	known := make(map[string]embed.Vector, len(c.Texts))
	for _, own := range c.Texts {
		known[own.Text] = own.Vector
	}
	return embedder{other, known}
}

type embedder struct {
	textrecord.Engine
	known map[string]embed.Vector
}

// TextVectors implements [textrecord.Engine].
func (e embedder) TextVectors(ctx context.Context, texts []string) ([]embed.Vector, error) {
	vectors := make([]embed.Vector, len(texts))
	var others []string
	var places []int
	for i, text := range texts {
		if vectors[i] = e.known[text]; vectors[i] == nil {
			others, places = append(others, text), append(places, i)
		}
	}
	if len(others) == 0 {
		return vectors, nil
	}
	made, err := e.Engine.TextVectors(ctx, others)
	if err != nil {
		return nil, err
	}
	for i, at := range places {
		vectors[at] = made[i]
	}
	return vectors, nil
}

// Of makes a collection of what a library has of pictures and texts, in order of hash and text.
func Of(ctx context.Context, reader index.Reader, checkpoint string) (*Collection, error) {
	space, _ := reader.Space()
	c := &Collection{Checkpoint: checkpoint, Parts: space.Parts, Width: space.Width}
	for record, err := range reader.All(ctx) {
		if err != nil {
			return nil, err
		}
		parts, err := index.One(reader.Parts(ctx, []index.ID{record.ID}))
		if err != nil {
			return nil, err
		}
		if record.Kind == index.KindText {
			c.Texts = append(c.Texts, Text{record.Text, parts.Values})
			continue
		}
		c.Pictures = append(c.Pictures, Picture{
			Hash: record.Hash, Format: record.Format, Width: record.Width, Height: record.Height, Bytes: record.Bytes,
			PerceptualHash: record.PerceptualHash, Captions: record.Captions, Vectors: parts,
		})
	}
	slices.SortFunc(c.Pictures, func(a, b Picture) int { return bytes.Compare(a.Hash[:], b.Hash[:]) })
	slices.SortFunc(c.Texts, func(a, b Text) int { return strings.Compare(a.Text, b.Text) })
	return c, nil
}
