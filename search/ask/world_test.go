package ask_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"mekiki/embed"
	"mekiki/embed/answering"
	"mekiki/embed/decode"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/search/ask"
)

// scene is a small library with a first and a second stage for tests. The image tokens of a picture are
// its number, and the language model counts: asked "how many", it says the number of the picture.
type scene struct {
	index.Reader
	records map[index.ID]*index.Record
	// kept are the records whose tokens the library has; the originals of broken ones cannot be decoded.
	kept, broken map[index.ID]bool

	vision, ownVision string
	norm, ownNorm     *manifest.VisionNorm
	// each is how long one picture takes; hold, where there is one, is waited for.
	each time.Duration
	hold chan struct{}

	mutex     sync.Mutex
	prompts   []string // that were generated from
	images    int      // that were read
	fromLib   int      // tokens that were asked of the library
	failModel error
	longest   int // prompt that it reads, in bytes; 0 for any
	refused   int // prompts that were longer
}

func newScene(pictures int) *scene {
	s := &scene{records: map[index.ID]*index.Record{}, kept: map[index.ID]bool{}, broken: map[index.ID]bool{}, vision: "vit"}
	for i := range pictures {
		id := index.ID(i + 1)
		s.records[id] = &index.Record{ID: id, Kind: index.KindImage, Hash: index.Hash{byte(id)}, Sequence: 1}
		s.kept[id] = true
	}
	return s
}

func (s *scene) ids() []index.ID {
	ids := make([]index.ID, len(s.records))
	for i := range ids {
		ids[i] = index.ID(i + 1)
	}
	return ids
}

func tokensOf(number int) embed.ImageTokens {
	return embed.ImageTokens{Rows: 1, Columns: 1, Values: []float32{float32(number)}}
}

func (s *scene) Space() (embed.Space, bool) { return embed.Space{Fingerprint: "first"}, true }

func (s *scene) Records(_ context.Context, ids []index.ID) ([]*index.Record, error) {
	records := make([]*index.Record, len(ids))
	for i, id := range ids {
		records[i] = s.records[id]
	}
	return records, nil
}

func (s *scene) Tokens(_ context.Context, ids []index.ID) ([]embed.ImageTokens, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	tokens := make([]embed.ImageTokens, len(ids))
	for i, id := range ids {
		if s.fromLib++; s.kept[id] {
			tokens[i] = tokensOf(int(id))
		}
	}
	return tokens, nil
}

// OpenOriginal gives a picture whose red is the number of the record.
func (s *scene) OpenOriginal(_ context.Context, id index.ID) (io.ReadSeekCloser, error) {
	data := []byte("not a picture")
	if !s.broken[id] {
		data = numbered(byte(id))
	}
	return closer{bytes.NewReader(data)}, nil
}

type closer struct{ *bytes.Reader }

func (closer) Close() error { return nil }

// numbered is a PNG file of one colour.
func numbered(red byte) []byte {
	var out bytes.Buffer
	picture := image.NewRGBA(image.Rect(0, 0, 8, 8))
	draw.Draw(picture, picture.Bounds(), image.NewUniform(color.RGBA{R: red, A: 255}), image.Point{}, draw.Src)
	if err := png.Encode(&out, picture); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// firstStage and secondStage are the scene's models.
type firstStage struct{ *scene }

func (f firstStage) Space() embed.Space   { return embed.Space{Fingerprint: "first"} }
func (f firstStage) Vision() embed.Vision { return embed.Vision{ID: f.vision, Norm: f.norm} }
func (f firstStage) ImageTokens(_ context.Context, images []*pixels.Image) ([]embed.ImageTokens, error) {
	return f.read(images)
}

func (s *scene) read(images []*pixels.Image) ([]embed.ImageTokens, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	tokens := make([]embed.ImageTokens, len(images))
	for i, image := range images {
		s.images++
		tokens[i] = tokensOf(int(image.Pix[0]))
	}
	return tokens, nil
}

type secondStage struct{ *scene }

func (m secondStage) ImageTokens(_ context.Context, images []*pixels.Image) ([]embed.ImageTokens, error) {
	return m.read(images)
}

func (m secondStage) AnswerModel() answering.Model {
	return answering.Model{
		Name: "counter", Fingerprint: "second", Vision: embed.Vision{ID: "vit", Norm: m.ownNorm}, OwnVision: m.ownVision != "",
		Prompts: modelconfig.Prompts{Question: "Question: {} Short answer:", Dialogue: "Question: {} Answer:", Turn: "Question: {} Answer: {}."},
	}
}

func (m secondStage) States(_ context.Context, tokens []embed.ImageTokens) ([]answering.ImageStates, error) {
	return tokens, nil
}

func (m secondStage) Score(context.Context, answering.Prompt, []string) ([]float32, error) {
	return nil, errors.ErrUnsupported
}

func (m secondStage) Generate(ctx context.Context, prompts []answering.Prompt, _ decode.Options, written func(int, string) error) ([][]answering.Generated, error) {
	if m.hold != nil {
		select {
		case <-m.hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if m.each > 0 {
		time.Sleep(time.Duration(len(prompts)) * m.each)
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.failModel != nil {
		return nil, m.failModel
	}
	results := make([][]answering.Generated, len(prompts))
	for i, prompt := range prompts {
		if m.longest > 0 && len(prompt.Text) > m.longest {
			m.refused++
			return nil, answering.ErrPrompt
		}
		m.prompts = append(m.prompts, prompt.Text)
		text := " " + m.say(prompt)
		if written != nil {
			for _, piece := range strings.SplitAfter(text, " ") {
				if err := written(i, piece); err != nil {
					return nil, err
				}
			}
		}
		results[i] = []answering.Generated{{Text: text, LogProbability: float32(math.Log(0.5)), Tokens: 2, Ended: true}}
	}
	return results, ctx.Err()
}

func (s *scene) say(prompt answering.Prompt) string {
	number := int(prompt.States.Values[0])
	if strings.Contains(prompt.Text, "how many") {
		return fmt.Sprintf("There are %d.", number)
	}
	return []string{"yes", "no"}[number%2]
}

func newAsker(t *testing.T, s *scene, options ask.Options) *ask.Asker {
	t.Helper()
	asker, err := ask.New(secondStage{s}, firstStage{s}, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := asker.Close(); err != nil {
			t.Error(err)
		}
	})
	return asker
}
