package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/embed/priority"
	"mekiki/index/ingest/report"
	"mekiki/index/local"
)

// counting is an Engine that depends on the mean colour of an image, and
// counts what it is asked for.
type counting struct {
	space  embed.Space
	images atomic.Int64
	texts  atomic.Int64
	// refuse fails on images of this width.
	refuse int
	// onImage is called for each image.
	onImage func()
	// matchless says that it cannot match, so that its captions are not judged.
	matchless bool
}

func newCounting(name string) *counting {
	return &counting{space: embed.Space{Fingerprint: name, Parts: 2, Width: 4}}
}

var errRefused = errors.New("refused")

// errForeground says that indexing would keep searches waiting.
var errForeground = errors.New("work is not marked as background")

func (c *counting) Space() embed.Space { return c.space }

func (c *counting) ImageTokens(ctx context.Context, images []*pixels.Image) ([]embed.ImageTokens, error) {
	if !priority.IsBackground(ctx) {
		return nil, errForeground
	}
	var all []embed.ImageTokens
	for _, picture := range images {
		if c.refuse > 0 && picture.Width == c.refuse {
			return nil, errRefused
		}
		c.images.Add(1)
		if c.onImage != nil {
			c.onImage()
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var sums [3]float64
		for i, value := range picture.Pix {
			sums[i%3] += float64(value) + 1
		}
		tokens := embed.ImageTokens{Rows: 1, Columns: 3, Values: make([]float32, 3)}
		for i := range sums {
			tokens.Values[i] = float32(sums[i] / float64(len(picture.Pix)))
		}
		all = append(all, tokens)
	}
	return all, nil
}

func (c *counting) vector(values ...float32) []float32 {
	vector := make([]float32, c.space.Width)
	copy(vector, values)
	vector[3] = 1
	var sum float64
	for _, value := range vector {
		sum += float64(value) * float64(value)
	}
	for i := range vector {
		vector[i] /= float32(math.Sqrt(sum))
	}
	return vector
}

func (c *counting) ImageParts(_ context.Context, tokens []embed.ImageTokens) ([]embed.Parts, error) {
	var all []embed.Parts
	for _, t := range tokens {
		parts := embed.Parts{Count: 2, Width: 4}
		parts.Values = append(parts.Values, c.vector(t.Values...)...)
		parts.Values = append(parts.Values, c.vector(t.Values[2], t.Values[1], t.Values[0])...)
		all = append(all, parts)
	}
	return all, nil
}

func (c *counting) TextVectors(_ context.Context, texts []string) ([]embed.Vector, error) {
	var all []embed.Vector
	for _, text := range texts {
		c.texts.Add(1)
		all = append(all, c.vector(float32(len(text)), float32(text[0])))
	}
	return all, nil
}

func (c *counting) MatchPairs(_ context.Context, _ []embed.ImageTokens, texts []string) ([]embed.Match, error) {
	if c.matchless {
		return nil, embed.ErrNoMatching
	}
	matches := make([]embed.Match, len(texts))
	for i, text := range texts {
		matches[i].Probability = float32(len(text)%10) / 10
	}
	return matches, nil
}

func (c *counting) Capabilities() embed.Capabilities {
	return embed.Capabilities{EmbedImages: true, EmbedTexts: true, Match: !c.matchless, Caption: true}
}

func (c *counting) TextInfo(text string) embed.TextInfo { return embed.TextInfo{Tokens: len(text)} }

func (c *counting) CaptionImages(_ context.Context, tokens []embed.ImageTokens, options embed.CaptionOptions) ([][]embed.Caption, error) {
	all := make([][]embed.Caption, len(tokens))
	for i := range tokens {
		for n := range options.Count {
			all[i] = append(all[i], embed.Caption{Text: fmt.Sprintf("a picture%*s", n+1, "!")})
		}
	}
	return all, nil
}

// testImage gives the bytes of a JPEG that differs from seed to seed.
func testImage(tb testing.TB, seed uint64, width, height int) []byte {
	tb.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	base := color.RGBA{R: uint8(random.Uint32()), G: uint8(random.Uint32()), B: uint8(random.Uint32()), A: 255}
	for y := range height {
		for x := range width {
			c := base
			c.R += uint8(x * int(seed%7))
			c.G += uint8(y)
			picture.Set(x, y, c)
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, picture, nil); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func testPNG(tb testing.TB, width, height int) []byte {
	tb.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func write(tb testing.TB, data []byte, elements ...string) string {
	tb.Helper()
	name := filepath.Join(elements...)
	must(tb, os.MkdirAll(filepath.Dir(name), 0o755))
	must(tb, os.WriteFile(name, data, 0o644))
	return name
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func openLibrary(tb testing.TB, folder string) *local.Library {
	tb.Helper()
	library, err := local.Open(context.Background(), folder, local.Options{})
	must(tb, err)
	tb.Cleanup(func() { must(tb, library.Close()) })
	return library
}

func mustRun(tb testing.TB, library *local.Library, engine Engine, options Options) report.Summary {
	tb.Helper()
	summary, err := Run(context.Background(), library, engine, options)
	must(tb, err)
	summary.Duration, summary.Failures, summary.PassedOver, summary.Older, summary.ModelShare = 0, nil, nil, 0, 0
	return summary
}
