package evaluate

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index/local"
	"mekiki/search"
	"mekiki/search/evaluate/datasets"
)

// colourEngine is a model of a world of plain colours: a picture is its colour,
// and a text is the colour it names first. A blind one matches the wrong way
// round.
type colourEngine struct{ blind bool }

func colourVector(word string) []float32 {
	hash := fnv.New64a()
	hash.Write([]byte(word))
	random := rand.New(rand.NewPCG(hash.Sum64(), 9))
	vector := make([]float32, 16)
	sum := 0.0
	for i := range vector {
		vector[i] = float32(random.NormFloat64())
		sum += float64(vector[i]) * float64(vector[i])
	}
	for i := range vector {
		vector[i] /= float32(math.Sqrt(sum))
	}
	return vector
}

func colourNames() []string { return []string{"red", "green", "blue", "white", "black", "yellow"} }

func colourOf(text string) string {
	for _, word := range strings.Fields(text) {
		if slices.Contains(colourNames(), word) {
			return word
		}
	}
	return text
}

func (colourEngine) Space() embed.Space {
	return embed.Space{Fingerprint: "colours", Parts: 1, Width: 16}
}
func (colourEngine) TextInfo(string) embed.TextInfo {
	return embed.TextInfo{Tokens: 3}
}

func (colourEngine) TextVectors(_ context.Context, texts []string) ([]embed.Vector, error) {
	var vectors []embed.Vector
	for _, text := range texts {
		vectors = append(vectors, colourVector(colourOf(text)))
	}
	return vectors, nil
}

func (colourEngine) ImageTokens(_ context.Context, images []*pixels.Image) ([]embed.ImageTokens, error) {
	var tokens []embed.ImageTokens
	for _, image := range images {
		tokens = append(tokens, embed.ImageTokens{Rows: 1, Columns: 3, Values: []float32{float32(image.Pix[0]), float32(image.Pix[1]), float32(image.Pix[2])}})
	}
	return tokens, nil
}

func nameOf(tokens embed.ImageTokens) string {
	for i, shade := range shades() {
		r, g, b, _ := shade.RGBA()
		distance := math.Abs(float64(tokens.Values[0])-float64(r>>8)) + math.Abs(float64(tokens.Values[1])-float64(g>>8)) + math.Abs(float64(tokens.Values[2])-float64(b>>8))
		if distance < 30 {
			return colourNames()[i]
		}
	}
	return "none"
}

func (colourEngine) ImageParts(_ context.Context, tokens []embed.ImageTokens) ([]embed.Parts, error) {
	var parts []embed.Parts
	for _, token := range tokens {
		parts = append(parts, embed.Parts{Count: 1, Width: 16, Values: colourVector(nameOf(token))})
	}
	return parts, nil
}

func (e colourEngine) MatchPairs(_ context.Context, tokens []embed.ImageTokens, texts []string) ([]embed.Match, error) {
	var matches []embed.Match
	for i, token := range tokens {
		logit := float32(-5)
		if colourOf(texts[i]) == nameOf(token) {
			logit = 5
			if e.blind {
				logit = -9
			}
		}
		matches = append(matches, embed.Match{Logits: [2]float32{-logit, logit}, Probability: 0.5})
	}
	return matches, nil
}

func (colourEngine) Capabilities() embed.Capabilities {
	return embed.Capabilities{EmbedImages: true, EmbedTexts: true, Match: true, Caption: true}
}

func (colourEngine) CaptionImages(_ context.Context, tokens []embed.ImageTokens, _ embed.CaptionOptions) ([][]embed.Caption, error) {
	var captions [][]embed.Caption
	for _, token := range tokens {
		captions = append(captions, []embed.Caption{{Text: "a " + nameOf(token) + " square"}})
	}
	return captions, nil
}

func shades() []color.Color {
	return []color.Color{
		color.RGBA{255, 0, 0, 255}, color.RGBA{0, 255, 0, 255}, color.RGBA{0, 0, 255, 255},
		color.White, color.Black, color.RGBA{255, 255, 0, 255},
	}
}

// colourSource is pictures of each colour, of two splits.
func colourSource(t *testing.T) Source {
	t.Helper()
	files := fstest.MapFS{}
	source := Source{Files: files, Dataset: datasets.Dataset{Name: "colours"}}
	for i, shade := range shades() {
		picture := image.NewRGBA(image.Rect(0, 0, 8+i, 8))
		for p := range picture.Bounds().Dx() * 8 {
			picture.Set(p%picture.Bounds().Dx(), p/picture.Bounds().Dx(), shade)
		}
		var data bytes.Buffer
		if err := png.Encode(&data, picture); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("images/holiday-%04d.png", i)
		files[name] = &fstest.MapFile{Data: data.Bytes()}
		colour, split := colourNames()[i], []string{"val", "test"}[i%2]
		source.Dataset.Images = append(source.Dataset.Images, datasets.Image{Path: name, Split: split, Captions: []string{"something " + colour, colour + " all over"}})
		source.Sets.FreePhrasing = append(source.Sets.FreePhrasing, datasets.Query{Query: "please " + colour, Images: []string{name}, Split: split})
		source.Sets.NearMisses = append(source.Sets.NearMisses, datasets.NearMiss{Image: name, Right: colour + " paint", Wrong: "orange paint", Edit: "colour", Split: split})
	}
	source.Sets.NoMatch = []datasets.Query{{Query: "quarterly report", Split: "test"}, {Query: "quarterly tax", Split: "val"}}
	return source
}

// colourSearcher searches a new library of a source, with file names.
func colourSearcher(t *testing.T, source Source) *search.Searcher {
	t.Helper()
	library, err := local.Open(t.Context(), t.TempDir(), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = library.Close() })
	if _, err := build(t.Context(), []target{{library: library, names: NamesOwn}}, colourEngine{}, source.Files, source.Dataset, nil); err != nil {
		t.Fatal(err)
	}
	searcher, err := search.New(library, colourEngine{}, search.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return searcher
}
