package server

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/ingest"
	"mekiki/index/ingest/textrecord"
	"mekiki/index/local"
	"mekiki/index/metadata"
	"mekiki/search/inputs"
)

// colourEngine is a model that knows pictures by their mean colour and texts by their first letters.
type colourEngine struct {
	// refuse, if set, is asked before each picture is read.
	refuse func(*pixels.Image) error
}

var (
	_ ingest.Engine = colourEngine{}
	_ inputs.Engine = colourEngine{}
)

func (colourEngine) Space() embed.Space {
	return embed.Space{Fingerprint: "colour", Parts: 1, Width: 4}
}

func (e colourEngine) ImageTokens(ctx context.Context, images []*pixels.Image) ([]embed.ImageTokens, error) {
	all := make([]embed.ImageTokens, len(images))
	for n, picture := range images {
		if e.refuse != nil {
			if err := e.refuse(picture); err != nil {
				return nil, err
			}
		}
		sums := make([]float32, 3)
		for i, value := range picture.Pix {
			sums[i%3] += float32(value) / float32(len(picture.Pix))
		}
		all[n] = embed.ImageTokens{Rows: 1, Columns: 3, Values: sums}
	}
	return all, ctx.Err()
}

// colourVector is a direction of three numbers, and a fourth that is never nought.
func colourVector(values ...float32) []float32 {
	vector := append(append([]float32{}, values...), 0, 0, 0)[:4]
	vector[3] = 1
	sum := 0.0
	for _, value := range vector {
		sum += float64(value) * float64(value)
	}
	for i := range vector {
		vector[i] /= float32(math.Sqrt(sum))
	}
	return vector
}

func (colourEngine) ImageParts(ctx context.Context, tokens []embed.ImageTokens) ([]embed.Parts, error) {
	all := make([]embed.Parts, len(tokens))
	for i, token := range tokens {
		all[i] = embed.Parts{Count: 1, Width: 4, Values: colourVector(token.Values...)}
	}
	return all, ctx.Err()
}

func (colourEngine) TextVectors(ctx context.Context, texts []string) ([]embed.Vector, error) {
	all := make([]embed.Vector, len(texts))
	for i, text := range texts {
		all[i] = colourVector(float32(len(text)), float32(text[0]))
	}
	return all, ctx.Err()
}

func (colourEngine) TextInfo(text string) embed.TextInfo {
	return embed.TextInfo{Tokens: len(strings.Fields(text))}
}

func (colourEngine) MatchPairs(ctx context.Context, tokens []embed.ImageTokens, texts []string) ([]embed.Match, error) {
	all := make([]embed.Match, len(tokens))
	for i := range all {
		all[i] = embed.Match{Logits: [2]float32{-1, 1}, Probability: 0.88}
	}
	return all, ctx.Err()
}

func (colourEngine) Match(ctx context.Context, _ embed.ImageTokens, texts []string) ([]embed.Match, error) {
	return make([]embed.Match, len(texts)), ctx.Err()
}

// Locate finds everything in the lower right quarter.
func (colourEngine) Locate(ctx context.Context, _ embed.ImageTokens, text string, options embed.LocateOptions) (embed.Map, error) {
	if options.Progress != nil && options.Method == embed.MapOcclusion {
		options.Progress(8, 8)
	}
	return embed.Map{Rows: 2, Columns: 2, Values: []float32{0, 0.25, 0, 1}, Method: cmp.Or(options.Method, embed.MapAttention),
		Match: embed.Match{Logits: [2]float32{-1, 1}, Probability: 0.88}, Runs: len(text)}, ctx.Err()
}

func (colourEngine) Capabilities() embed.Capabilities {
	return embed.Capabilities{EmbedImages: true, EmbedTexts: true, Match: true}
}

func (colourEngine) CaptionImages(context.Context, []embed.ImageTokens, embed.CaptionOptions) ([][]embed.Caption, error) {
	return nil, errors.New("no captions")
}

// imageSide is the side in pixels that the engine of the tests reads.
const imageSide = 16

// fill indexes two pictures, which it writes into root, and a text, and says more of the pictures than their files do.
func fill(t testing.TB, library *local.Library, root string) {
	t.Helper()
	ctx := context.Background()
	changes := index.Batch{Failures: []index.Failure{
		{File: index.File{Path: "/pictures/broken.jpg"}, Reason: "image is damaged", Time: time.Now()},
		{File: index.File{Path: "/pictures/worse.jpg"}, Reason: "image is damaged"},
	}}
	latitude, longitude := 35.6, 139.7
	for i, caption := range []string{"two cats beside a pizza", "two dogs on a red sofa"} {
		path := filepath.Join(root, fmt.Sprintf("Picture %d.jpg", i+1))
		if err := os.WriteFile(path, jpegOf(20+i, 10), 0o600); err != nil {
			t.Fatal(err)
		}
		// One at a time, so that the first picture is the first record.
		if _, err := ingest.Run(ctx, library, colourEngine{}, ingest.Options{Paths: []string{path}, ImageSize: imageSide}); err != nil {
			t.Fatal(err)
		}
		id := index.ID(i + 1)
		changes.Tags = append(changes.Tags, index.TagChange{ID: id, Add: []string{"pet"}})
		changes.Captions = append(changes.Captions, index.CaptionChange{ID: id, Captions: []index.Caption{{Text: caption, Match: 0.9, Model: "m"}}})
		changes.Metadata = append(changes.Metadata, index.MetadataChange{ID: id, Version: metadata.Version, Metadata: index.Metadata{
			Taken: time.Date(2024, 5, 1+i, 0, 0, 0, 0, time.UTC), Camera: "Nikon Z 6", Latitude: &latitude, Longitude: &longitude,
		}})
	}
	if _, err := textrecord.Add(ctx, library, colourEngine{}, []textrecord.Text{{Text: "a cat", ID: "sku-1", Fields: map[string]string{"price": "3"}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := library.Write(ctx, changes); err != nil {
		t.Fatal(err)
	}
}

func parsedIDs(t testing.TB, texts ...string) (ids []index.ID) {
	t.Helper()
	for _, text := range texts {
		id, err := index.ParseID(text)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

func pictureOf(width, height int) image.Image {
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for x := range width {
		for y := range height {
			picture.Set(x, y, color.RGBA{uint8(x * 31), uint8(y * 17), 99, 255})
		}
	}
	return picture
}

func jpegOf(width, height int) []byte {
	var buffer bytes.Buffer
	if err := jpeg.Encode(&buffer, pictureOf(width, height), nil); err != nil {
		panic(err)
	}
	return buffer.Bytes()
}
