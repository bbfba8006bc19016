package server

import (
	"context"
	"errors"
	"math"
	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/ingest"
	"mekiki/index/local"
	"mekiki/internal/vfs"
	"mekiki/search"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// colourEngine is a model that knows pictures by their mean colour and texts by their first letters.
type colourEngine struct {
	// refuse, if set, is asked before each picture is read.
	refuse func(*pixels.Image) error
}

var (
	_ ingest.Engine = colourEngine{}
	_ search.Engine = colourEngine{}
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

func (colourEngine) HasCaptions() bool { return false }

func (colourEngine) CaptionImages(context.Context, []embed.ImageTokens, embed.CaptionOptions) ([][]embed.Caption, error) {
	return nil, errors.New("no captions")
}

// realServer is a server over a real library in memory, with two pictures below its root and one text.
type realServer struct {
	*fixture
	index   *local.Library
	failing atomic.Pointer[func(int64, vfs.Operation) error]
}

// startReal runs a server over a real library until the test ends. Tests of what the server and the library do together
// belong here.
func startReal(t testing.TB, engine colourEngine, edit ...func(*Options)) *realServer {
	t.Helper()
	ctx := t.Context()
	real := &realServer{}
	files := &vfs.Faulty{Base: vfs.NewMemory(), Fail: func(number int64, operation vfs.Operation) error {
		if fail := real.failing.Load(); fail != nil && *fail != nil {
			return (*fail)(number, operation)
		}
		return nil
	}}
	library, err := local.Open(ctx, "/library", local.Options{FileSystem: files})
	if err != nil {
		t.Fatal(err)
	}
	// Registered before the server's own clean-up, and so run after it.
	t.Cleanup(func() {
		if err := library.Close(); err != nil {
			t.Error(err)
		}
	})
	root := t.TempDir()
	for i, name := range []string{"one.jpg", "two.jpg"} {
		if err := os.WriteFile(filepath.Join(root, name), jpegOf(20+i, 10), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ingest.Run(ctx, library, engine, ingest.Options{Paths: []string{root}, ImageSize: 16}); err != nil {
		t.Fatal(err)
	}
	if _, err := ingest.AddTexts(ctx, library, engine, []ingest.Text{{Text: "a cat", ID: "sku-1"}}); err != nil {
		t.Fatal(err)
	}
	searcher, err := search.New(search.FromIndex(library), engine, search.Options{})
	if err != nil {
		t.Fatal(err)
	}
	real.index = library
	real.fixture = start(t, append([]func(*Options){func(o *Options) {
		o.Searcher, o.Library, o.Ingester, o.Roots = searcher, LibraryOf(library), IngesterOf(library, engine, 16), []string{root}
	}}, edit...)...)
	return real
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

// disk makes operations on the library's disk fail; nil lets all pass again.
func (r *realServer) disk(fail func(number int64, operation vfs.Operation) error) {
	r.failing.Store(&fail)
}
