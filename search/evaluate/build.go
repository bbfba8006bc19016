package evaluate

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"time"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/internal/bounded"
	"mekiki/internal/hint"
	"mekiki/search/evaluate/datasets"
)

// Engine is what evaluation needs of a model; *embed.Engine is one. Figures of what
// it cannot do are left out.
type Engine interface {
	embed.Model
	embed.TextEmbedder
	embed.ImageEmbedder
	embed.Matcher
	embed.Captioner
}

// Library is a library that is evaluated, and closed in the end.
type Library interface {
	index.Library
	Close() error
}

// Names says what the files of an evaluation library are called. Names tell a
// search what a picture is, so captions are evaluated without them.
type Names string

// The ways of naming.
const (
	// NamesNeutral are numbers.
	NamesNeutral Names = "neutral"
	// NamesOwn are the dataset's.
	NamesOwn Names = "own"
)

// target is a library to build, and what its files are to be called.
type target struct {
	library index.Library
	names   Names
	// texts are put in as text records beside the images.
	texts []string
}

// placed is a picture of the dataset with its record.
type placed struct {
	image datasets.Image
	id    index.ID
}

// build puts a dataset into empty libraries and gives the record of each
// image, which is the same in all. Pictures with the same bytes share one.
func build(ctx context.Context, targets []target, engine Engine, files fs.FS, dataset datasets.Dataset, progress func(done, total int)) ([]placed, error) {
	for _, target := range targets {
		if err := target.library.AddSpace(ctx, engine.Space()); err != nil {
			return nil, fmt.Errorf("prepare library: %w", err)
		}
	}
	var result []placed
	for start := 0; start < len(dataset.Images); start += buildBatch {
		part := dataset.Images[start:min(start+buildBatch, len(dataset.Images))]
		puts, err := describe(ctx, engine, files, part)
		if err != nil {
			return nil, err
		}
		for number, target := range targets {
			for i, image := range part {
				target.names.setNames(&puts[i].Record, image.Path, start+i)
			}
			written, err := target.library.Write(ctx, index.Batch{Puts: puts})
			if err != nil {
				return nil, fmt.Errorf("write library: %w", err)
			}
			for i, image := range part {
				if number == 0 {
					result = append(result, placed{image: image, id: written.IDs[i]})
				} else if result[start+i].id != written.IDs[i] {
					return nil, fmt.Errorf("write library: %s has another record than before", image.Path)
				}
			}
		}
		if progress != nil {
			progress(len(result), len(dataset.Images))
		}
	}
	for _, target := range targets {
		if err := buildTexts(ctx, target.library, engine, target.texts); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// path names the file of a picture.
func (n Names) path(own string, number int) string {
	folder := filepath.Join(string(filepath.Separator), "evaluation")
	if n == NamesOwn {
		return filepath.Join(folder, filepath.FromSlash(own))
	}
	return filepath.Join(folder, strconv.Itoa(number)+path.Ext(own))
}

// describe reads, embeds and captions pictures.
func describe(ctx context.Context, engine Engine, files fs.FS, images []datasets.Image) ([]index.Put, error) {
	pictures := make([]*pixels.Image, len(images))
	puts := make([]index.Put, len(images))
	for i, image := range images {
		data, err := readPicture(files, image.Path)
		if err != nil {
			return nil, err
		}
		if pictures[i], err = pixels.Decode(ctx, data, pixels.Options{}); err != nil {
			return nil, fmt.Errorf("decode %s: %w", image.Path, err)
		}
		puts[i].Record = index.Record{
			Kind: index.KindImage, Hash: sha256.Sum256(data), Files: []index.File{{Bytes: int64(len(data)), Modified: time.Unix(0, 0)}},
			Format: string(pictures[i].Format), Width: pictures[i].Width, Height: pictures[i].Height, Bytes: int64(len(data)),
		}
	}
	tokens, err := engine.ImageTokens(ctx, pictures)
	if err != nil {
		return nil, fmt.Errorf("read pictures: %w", err)
	}
	parts, err := engine.ImageParts(ctx, tokens)
	if err != nil {
		return nil, fmt.Errorf("embed pictures: %w", err)
	}
	for i := range puts {
		packed, err := embed.Pack(tokens[i], embed.PackInt8)
		if err != nil {
			return nil, fmt.Errorf("pack %s: %w", images[i].Path, err)
		}
		puts[i].Vectors = index.Vectors{Space: engine.Space(), Parts: parts[i], Tokens: packed}
	}
	if !engine.Capabilities().Caption {
		return puts, nil
	}
	captions, err := engine.CaptionImages(ctx, tokens, embed.CaptionOptions{})
	if err != nil {
		return nil, fmt.Errorf("caption pictures: %w", err)
	}
	for i := range puts {
		if len(captions[i]) > 0 {
			puts[i].Record.Captions = []index.Caption{{Text: captions[i][0].Text, Match: -1, Model: engine.Space().Fingerprint}}
		}
	}
	return puts, nil
}

func readPicture(files fs.FS, name string) ([]byte, error) {
	data, err := bounded.ReadFileIn(files, name, maximumPictureBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, hint.Wrap(fmt.Errorf("open picture: %w", err), "the paths of the annotations begin in the folder of pictures that is given")
	}
	if err != nil {
		return nil, fmt.Errorf("read picture: %w", err)
	}
	return data, nil
}

// buildTexts puts text records in.
func buildTexts(ctx context.Context, library index.Library, engine Engine, texts []string) error {
	const batch = 256
	for start := 0; start < len(texts); start += batch {
		part := texts[start:min(start+batch, len(texts))]
		vectors, err := engine.TextVectors(ctx, part)
		if err != nil {
			return fmt.Errorf("embed texts: %w", err)
		}
		puts := make([]index.Put, len(part))
		for i, text := range part {
			puts[i].Record = index.Record{Kind: index.KindText, Hash: sha256.Sum256([]byte(text)), Text: text, Bytes: int64(len(text))}
			puts[i].Vectors = index.Vectors{Space: engine.Space(), Parts: embed.Parts{Count: 1, Width: len(vectors[i]), Values: vectors[i]}}
		}
		if _, err := library.Write(ctx, index.Batch{Puts: puts}); err != nil {
			return fmt.Errorf("write texts: %w", err)
		}
	}
	return nil
}
