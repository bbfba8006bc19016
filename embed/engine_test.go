package embed_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"mekiki/embed"
	"mekiki/embed/blip2"
	"mekiki/embed/blip2/blip2test"
	"mekiki/embed/checkpoint"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/ort"
	"mekiki/embed/ort/orttest"
	"mekiki/embed/pixels"
	"mekiki/embed/priority"
	"mekiki/embed/runner"
	"mekiki/internal/hint"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// compile writes the tiny model with random weights into a new folder.
func compile(t testing.TB, captions bool, options blip2.CompileOptions) string {
	t.Helper()
	return compileRandom(t, blip2test.Tiny(), 7, captions, options)
}

// compileRandom writes a model with random weights into a new folder.
func compileRandom(t testing.TB, config modelconfig.Config, seed uint64, captions bool, options blip2.CompileOptions) string {
	t.Helper()
	weights, err := checkpoint.NewRandom(config, seed, captions)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "model")
	if _, err := blip2.Compile(t.Context(), weights, dir, options); err != nil {
		t.Fatal(err)
	}
	return dir
}

// families are those that the tests' models are of.
func families() []manifest.Family { return []manifest.Family{blip2.Family()} }

func openEngine(t testing.TB, options runner.Options) *embed.Engine {
	t.Helper()
	if options.Runtime == nil {
		options.Runtime = orttest.Open(t)
	}
	if options.ModelDir == "" {
		options.ModelDir = compile(t, true, blip2.CompileOptions{Precision: manifest.Float32})
	}
	options.Families = families()
	engine, err := embed.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return engine
}

// pictures returns different images of different sizes.
func pictures(t testing.TB, count int) []*pixels.Image {
	t.Helper()
	images := make([]*pixels.Image, count)
	for i := range images {
		image, err := pixels.New(20+7*i, 30+3*i)
		if err != nil {
			t.Fatal(err)
		}
		for j, bits := range checkpoint.RandomBits("picture", uint64(i), len(image.Pix)) {
			image.Pix[j] = byte(bits)
		}
		images[i] = image
	}
	return images
}

func imageTokens(t testing.TB, engine *embed.Engine, count int) []embed.ImageTokens {
	t.Helper()
	tokens, err := engine.ImageTokens(t.Context(), pictures(t, count))
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

// near compares floats that a different order of additions may change a little.
var near = cmp.Comparer(func(a, b float32) bool { return math.Abs(float64(a)-float64(b)) <= 1e-5 })

func length(vector []float32) float64 {
	sum := 0.0
	for _, value := range vector {
		sum += float64(value) * float64(value)
	}
	return math.Sqrt(sum)
}

func TestImages(t *testing.T) {
	engine := openEngine(t, runner.Options{})
	tokens := imageTokens(t, engine, 5)
	parts, err := engine.ImageParts(t.Context(), tokens)
	if err != nil {
		t.Fatal(err)
	}
	space := engine.Space()
	for i := range tokens {
		if err := errors.Join(tokens[i].Validate(), parts[i].Validate()); err != nil {
			t.Fatal(err)
		}
		if tokens[i].Rows != 17 || tokens[i].Columns != 24 || parts[i].Count != space.Parts || parts[i].Width != space.Width {
			t.Fatalf("image %d: tokens %dx%d, parts %dx%d", i, tokens[i].Rows, tokens[i].Columns, parts[i].Count, parts[i].Width)
		}
		for j := range parts[i].Count {
			if norm := length(parts[i].Row(j)); math.Abs(norm-1) > 1e-5 {
				t.Errorf("part %d of image %d has length %g", j, i, norm)
			}
		}
		single, err := engine.ImageTokens(t.Context(), pictures(t, 5)[i:i+1])
		if diff := cmp.Diff(tokens[i], single[0], near); err != nil || diff != "" {
			t.Errorf("image %d alone differs: %v\n%s", i, err, diff)
		}
		if i > 0 && cmp.Equal(parts[0], parts[i], near) {
			t.Errorf("images 0 and %d have the same parts", i)
		}
	}
}

func TestTexts(t *testing.T) {
	engine := openEngine(t, runner.Options{})
	texts := []string{"word10 word11", "word12", "", "word10 word11 word13 word14", "WORD10 word11", "no such thing"}
	vectors, err := engine.TextVectors(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	for i, vector := range vectors {
		if len(vector) != 12 || math.Abs(length(vector)-1) > 1e-5 {
			t.Errorf("%q: %d values of length %g", texts[i], len(vector), length(vector))
		}
		single, err := engine.TextVectors(t.Context(), texts[i:i+1])
		if diff := cmp.Diff(vector, single[0], near); err != nil || diff != "" {
			t.Errorf("%q alone differs: %v\n%s", texts[i], err, diff)
		}
	}
	if diff := cmp.Diff(vectors[0], vectors[4], near); diff != "" {
		t.Errorf("case matters: %s", diff)
	}
	if cmp.Equal(vectors[0], vectors[1], near) {
		t.Error("different texts have one vector")
	}
}

func TestTextInfo(t *testing.T) {
	engine := openEngine(t, runner.Options{})
	long := strings.Repeat("word10 ", 30)
	tests := map[string]embed.TextInfo{
		"":              {Tokens: 2},
		"word10 word11": {Tokens: 4},
		long:            {Tokens: 24, Truncated: true, Dropped: 8},
	}
	for text, want := range tests {
		if got := engine.TextInfo(text); got != want {
			t.Errorf("TextInfo(%q) = %+v, want %+v", text, got, want)
		}
	}
	if _, err := engine.TextVectors(t.Context(), []string{long}); err != nil {
		t.Errorf("a long text: %v", err)
	}
	short := openEngine(t, runner.Options{ModelDir: engine.ModelDir(), MaximumTokens: 3, CleanTexts: true})
	if got, want := short.TextInfo("word10. word11"), (embed.TextInfo{Tokens: 3, Truncated: true, Dropped: 1}); got != want {
		t.Errorf("TextInfo with cleaning = %+v, want %+v", got, want)
	}
}

func TestMatch(t *testing.T) {
	engine := openEngine(t, runner.Options{})
	tokens := imageTokens(t, engine, 3)
	texts := []string{"word10", "word11 word12 word13", "word14"}
	pairs, err := engine.MatchPairs(t.Context(), tokens, texts)
	if err != nil {
		t.Fatal(err)
	}
	for i := range tokens {
		one, err := engine.Match(t.Context(), tokens[i], texts)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(pairs[i], one[i], near); diff != "" {
			t.Errorf("Match and MatchPairs differ: %s", diff)
		}
		want := 1 / (1 + math.Exp(float64(one[0].Logits[0]-one[0].Logits[1])))
		if math.Abs(want-float64(one[0].Probability)) > 1e-6 || one[0].Logit() != one[0].Logits[1] {
			t.Errorf("match %+v, want probability %g", one[0], want)
		}
		if cmp.Equal(one[0], one[1], near) {
			t.Error("different texts match alike")
		}
	}
	same, err := engine.MatchPairs(t.Context(), tokens, texts[:1])
	if diff := cmp.Diff(pairs[0], same[0], near); err != nil || diff != "" || len(same) != 3 {
		t.Errorf("one text for all: %v\n%s", err, diff)
	}
	if _, err := engine.MatchPairs(t.Context(), tokens, texts[:2]); err == nil {
		t.Error("3 images and 2 texts were accepted")
	}
	tokens[1].Rows--
	if _, err := engine.MatchPairs(t.Context(), tokens, texts); err == nil {
		t.Error("tokens of another size were accepted")
	}
}

func TestRefusedImages(t *testing.T) {
	engine := openEngine(t, runner.Options{})
	for name, image := range map[string]*pixels.Image{
		"nil": nil, "empty": {}, "too few pixels": {Width: 9, Height: 9, Pix: make([]byte, 9)},
	} {
		if _, err := engine.ImageTokens(t.Context(), []*pixels.Image{image}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if tokens, err := engine.ImageTokens(t.Context(), nil); err != nil || len(tokens) != 0 {
		t.Errorf("no images: %v, %v", tokens, err)
	}
}

func TestConcurrentUse(t *testing.T) {
	engine := openEngine(t, runner.Options{Threads: 2})
	tokens := imageTokens(t, engine, 2)
	want, err := engine.Match(t.Context(), tokens[0], []string{"word10"})
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for worker := range 6 {
		group.Go(func() {
			ctx := t.Context()
			if worker%2 == 0 {
				ctx = priority.Background(ctx)
			}
			for range 10 {
				got, err := engine.Match(ctx, tokens[0], []string{"word10"})
				if diff := cmp.Diff(want, got, near); err != nil || diff != "" {
					t.Errorf("%v\n%s", err, diff)
					return
				}
				if _, err := engine.Captions(ctx, tokens[1], embed.CaptionOptions{MaximumLength: 5}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
}

func TestCancelling(t *testing.T) {
	engine := openEngine(t, runner.Options{Threads: 2})
	tokens := imageTokens(t, engine, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	texts := slices.Repeat([]string{"word10 word11"}, 1_000_000)
	if _, err := engine.Match(ctx, tokens[0], texts); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Match: %v, want the deadline", err)
	}
	for name, call := range map[string]func() error{
		"ImageTokens": func() error { _, err := engine.ImageTokens(ctx, pictures(t, 1)); return err },
		"ImageParts":  func() error { _, err := engine.ImageParts(ctx, tokens); return err },
		"TextVectors": func() error { _, err := engine.TextVectors(ctx, []string{"word10"}); return err },
		"Captions":    func() error { _, err := engine.Captions(ctx, tokens[0], embed.CaptionOptions{}); return err },
		"Warm":        func() error { return openEngine(t, runner.Options{ModelDir: engine.ModelDir()}).Warm(ctx) },
	} {
		if err := call(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s with an ended context: %v", name, err)
		}
	}
	if _, err := engine.Match(t.Context(), tokens[0], texts[:1]); err != nil {
		t.Errorf("after a cancelled call: %v", err)
	}
}

func TestClosedEngine(t *testing.T) {
	engine := openEngine(t, runner.Options{})
	tokens := imageTokens(t, engine, 1)
	if err := errors.Join(engine.Warm(t.Context()), engine.Close(), engine.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := engine.ImageParts(t.Context(), tokens); !errors.Is(err, runner.ErrClosed) {
		t.Errorf("ImageParts: %v, want ErrClosed", err)
	}
}

func TestModelFilesAreChecked(t *testing.T) {
	runtime := orttest.Open(t)
	sound := compile(t, true, blip2.CompileOptions{Precision: manifest.Float32})
	tests := []struct {
		name   string
		change func(dir string) error
		opens  bool // the fault shows only when the file is needed
	}{
		{"another file", func(dir string) error { return os.WriteFile(filepath.Join(dir, "extra.bin"), nil, 0o644) }, false},
		{"a folder", func(dir string) error { return os.Mkdir(filepath.Join(dir, "extra"), 0o755) }, false},
		{"a missing graph", func(dir string) error { return os.Remove(filepath.Join(dir, manifest.TextFile)) }, false},
		{"a longer graph", func(dir string) error { return appendByte(filepath.Join(dir, manifest.TextFile)) }, false},
		{"no manifest", func(dir string) error { return os.Remove(filepath.Join(dir, manifest.FileName)) }, false},
		{"a flipped bit in the vocabulary", func(dir string) error { return flip(filepath.Join(dir, manifest.VocabularyFile)) }, false},
		{"a flipped bit in a graph", func(dir string) error { return flip(filepath.Join(dir, manifest.TextFile)) }, true},
		{"a flipped bit in the weights", func(dir string) error { return flip(largest(dir)) }, true},
		{"a link", func(dir string) error {
			path := filepath.Join(dir, manifest.TextFile)
			return errors.Join(os.Rename(path, dir+".moved"), os.Symlink(dir+".moved", path))
		}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "model")
			if err := errors.Join(os.CopyFS(dir, os.DirFS(sound)), test.change(dir)); err != nil {
				t.Fatal(err)
			}
			engine, err := embed.Open(t.Context(), runner.Options{ModelDir: dir, Families: families(), Runtime: runtime})
			if test.opens {
				if err != nil {
					t.Fatal(err)
				}
				err = engine.Warm(t.Context())
			}
			if err == nil {
				t.Fatal("the model was accepted")
			}
			if hint.Of(err) == "" {
				t.Errorf("no hint: %v", err)
			}
			if engine != nil {
				_ = engine.Close()
			}
		})
	}
}

func appendByte(path string) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.Write([]byte{0})
	return errors.Join(err, file.Close())
}

func flip(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	content[len(content)/2] ^= 4
	return os.WriteFile(path, content, 0o644)
}

// largest is the file with most of the weights.
func largest(dir string) string {
	entries, _ := os.ReadDir(dir)
	var path string
	var size int64
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && info.Size() > size {
			path, size = filepath.Join(dir, entry.Name()), info.Size()
		}
	}
	return path
}

// TestInt8 holds the int8 model to the float32 one, and its results to themselves
// whatever else is computed with them.
func TestInt8(t *testing.T) {
	runtime := orttest.Open(t)
	exact := openEngine(t, runner.Options{Runtime: runtime})
	engine := openEngine(t, runner.Options{Runtime: runtime, ModelDir: compile(t, true, blip2.CompileOptions{Precision: manifest.Int8, Runtime: runtime})})
	if engine.Space() == exact.Space() {
		t.Error("int8 and fp32 share a space")
	}
	tokens := imageTokens(t, engine, 4)
	parts, err := engine.ImageParts(t.Context(), tokens)
	if err != nil {
		t.Fatal(err)
	}
	want, err := exact.ImageParts(t.Context(), imageTokens(t, exact, 4))
	if err != nil {
		t.Fatal(err)
	}
	for i := range parts {
		for j := range parts[i].Count {
			score, _ := embed.Parts{Count: 1, Width: parts[i].Width, Values: parts[i].Row(j)}.Similarity(want[i].Row(j))
			if score < 0.99 {
				t.Errorf("part %d of image %d has cosine %g with float32", j, i, score)
			}
		}
	}
	texts := []string{"word10 word11", "word12 word13", "word14", "word15 word16"}
	together, err := engine.MatchPairs(t.Context(), tokens, texts)
	if err != nil {
		t.Fatal(err)
	}
	shared, err := engine.Match(t.Context(), tokens[1], texts)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(together[1], shared[1], near); diff != "" {
		t.Errorf("several texts on one image: %s", diff)
	}
	vectors, err := engine.TextVectors(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	for i := range tokens {
		alone, err := engine.Match(t.Context(), tokens[i], texts[i:i+1])
		if diff := cmp.Diff(together[i], alone[0], near); err != nil || diff != "" {
			t.Errorf("pair %d alone differs: %v\n%s", i, err, diff)
		}
		vector, err := engine.TextVectors(t.Context(), texts[i:i+1])
		if diff := cmp.Diff(vectors[i], vector[0], near); err != nil || diff != "" {
			t.Errorf("text %d alone differs: %v\n%s", i, err, diff)
		}
	}
}

func TestCaptions(t *testing.T) {
	engine := openEngine(t, runner.Options{})
	tokens := imageTokens(t, engine, 3)
	for _, options := range []embed.CaptionOptions{
		{MaximumLength: 8}, {Method: embed.Beam, Count: 3, MaximumLength: 8}, {Method: embed.Nucleus, Count: 4, MaximumLength: 8, Seed: 1},
	} {
		all, err := engine.CaptionImages(t.Context(), tokens, options)
		if err != nil {
			t.Fatal(err)
		}
		for i := range tokens {
			alone, err := engine.Captions(t.Context(), tokens[i], options)
			approximately := cmp.Comparer(func(a, b float32) bool { return math.Abs(float64(a-b)) < 1e-4 })
			if diff := cmp.Diff(all[i], alone, approximately); err != nil || diff != "" {
				t.Errorf("%s: image %d alone differs: %v\n%s", options.Method, i, err, diff)
			}
			if len(alone) == 0 || len(alone) > max(1, options.Count) {
				t.Errorf("%s: %d captions, asked for %d", options.Method, len(alone), options.Count)
			}
			for _, caption := range alone {
				if caption.Tokens < 1 || caption.Tokens > 7 || !(caption.LogProbability < 0) {
					t.Errorf("%s: caption %+v", options.Method, caption)
				}
			}
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	runtime := orttest.Open(t)
	dir := compile(t, false, blip2.CompileOptions{Precision: manifest.Float32})
	for name, options := range map[string]runner.Options{
		"no folder":        {Families: families(), Runtime: runtime},
		"no families":      {ModelDir: dir, Runtime: runtime},
		"no runtime":       {ModelDir: dir, Families: families()},
		"negative threads": {ModelDir: dir, Families: families(), Runtime: runtime, Threads: -1},
		"two tokens":       {ModelDir: dir, Families: families(), Runtime: runtime, MaximumTokens: 2},
		"no model there":   {ModelDir: t.TempDir(), Families: families(), Runtime: runtime},
	} {
		if _, err := embed.Open(t.Context(), options); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	missing := openEngine(t, runner.Options{ModelDir: dir, Runtime: runtime, Provider: "no-such-provider"})
	if err := missing.Warm(t.Context()); !errors.Is(err, ort.ErrProvider) {
		t.Errorf("provider: %v", err)
	}
	if missing.Capabilities().Caption {
		t.Error("a model without a caption head has captions")
	}
	if _, err := missing.Captions(t.Context(), embed.ImageTokens{}, embed.CaptionOptions{}); !errors.Is(err, embed.ErrNoCaptions) {
		t.Errorf("Captions: %v, want ErrNoCaptions", err)
	}
}

// withoutMatching is a checkpoint that lacks the matching head.
type withoutMatching struct{ *checkpoint.Random }

func (w withoutMatching) Has(name string) bool {
	return !strings.HasPrefix(name, "itm_head.") && w.Random.Has(name)
}

// TestWithoutMatching wants a model without a matching head to embed and caption as the same model with one, and to say
// that it cannot match.
func TestWithoutMatching(t *testing.T) {
	weights, err := checkpoint.NewRandom(blip2test.Tiny(), 7, true)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "model")
	if _, err := blip2.Compile(t.Context(), withoutMatching{weights}, dir, blip2.CompileOptions{Precision: manifest.Float32}); err != nil {
		t.Fatal(err)
	}
	whole, engine := openEngine(t, runner.Options{}), openEngine(t, runner.Options{ModelDir: dir})
	if want := (embed.Capabilities{EmbedImages: true, EmbedTexts: true, Caption: true}); engine.Capabilities() != want {
		t.Errorf("it can %v", engine.Capabilities())
	}
	if err := engine.Warm(t.Context()); err != nil {
		t.Error(err)
	}
	for _, e := range []*embed.Engine{whole, engine} {
		_, err := e.MatchPairs(t.Context(), imageTokens(t, e, 1), []string{"word7"})
		if errors.Is(err, embed.ErrNoMatching) != (e == engine) {
			t.Errorf("MatchPairs: %v", err)
		}
	}
	results := func(e *embed.Engine) string {
		tokens := imageTokens(t, e, 2)
		parts, err := e.ImageParts(t.Context(), tokens)
		texts, textErr := e.TextVectors(t.Context(), []string{"word7 word9"})
		captions, captionErr := e.CaptionImages(t.Context(), tokens, embed.CaptionOptions{})
		if err := errors.Join(err, textErr, captionErr); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(parts, texts, captions)
	}
	if results(whole) != results(engine) {
		t.Error("vectors or captions differ from those of the model that matches")
	}
}

func TestSpace(t *testing.T) {
	engine := openEngine(t, runner.Options{})
	again := openEngine(t, runner.Options{ModelDir: engine.ModelDir()})
	if engine.Space() != again.Space() || engine.Space().Fingerprint == "" {
		t.Errorf("spaces %v and %v", engine.Space(), again.Space())
	}
	if got := fmt.Sprint(engine.Space()); !strings.HasSuffix(got, " 5x12") {
		t.Errorf("String() = %q", got)
	}
}
