package askverbs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/embed"
	"mekiki/embed/answering"
	"mekiki/embed/decode"
	"mekiki/embed/modelconfig"
	"mekiki/embed/pixels"
	"mekiki/search/ask"
)

// stage is a second stage for tests: it says how red a picture is, and how long its prompt.
type stage struct {
	prompts []string
	// begun is called before an answer's second word, with the context of the answer.
	begun func(ctx context.Context)
}

func (s *stage) AnswerModel() answering.Model {
	return answering.Model{Name: "red", Vision: embed.Vision{ID: "eye"}, OwnVision: true, Prompts: modelconfig.Prompts{
		Question: "Q: {} Short A:", Dialogue: "Q: {} A:", Turn: "Q: {} A: {}.",
	}}
}

func (s *stage) ImageTokens(_ context.Context, images []*pixels.Image) ([]embed.ImageTokens, error) {
	tokens := make([]embed.ImageTokens, len(images))
	for i, image := range images {
		tokens[i] = embed.ImageTokens{Rows: 1, Columns: 1, Values: []float32{float32(image.Pix[0])}}
	}
	return tokens, nil
}

func (s *stage) States(_ context.Context, tokens []embed.ImageTokens) ([]answering.ImageStates, error) {
	return tokens, nil
}

func (s *stage) Score(context.Context, answering.Prompt, []string) ([]float32, error) {
	return nil, errors.ErrUnsupported
}

func (s *stage) Generate(ctx context.Context, prompts []answering.Prompt, _ decode.Options, written func(int, string) error) ([][]answering.Generated, error) {
	results := make([][]answering.Generated, len(prompts))
	for i, prompt := range prompts {
		s.prompts = append(s.prompts, prompt.Text)
		words := []string{" red", fmt.Sprintf(" %.0f\n", prompt.States.Values[0])}
		for k, word := range words {
			if k == 1 && s.begun != nil {
				s.begun(ctx)
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if written != nil {
				if err := written(i, word); err != nil {
					return nil, err
				}
			}
		}
		results[i] = []answering.Generated{{Text: strings.Join(words, ""), Tokens: 2, Ended: true}}
	}
	return results, nil
}

// folder is a folder of pictures of one colour, of a broken one, and of what is no picture.
func folder(t *testing.T, reds ...int) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, data []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, red := range reds {
		picture := image.NewRGBA(image.Rect(0, 0, 4, 4))
		for i := range 16 {
			picture.Set(i%4, i/4, color.RGBA{R: uint8(red), A: 255})
		}
		var out bytes.Buffer
		if err := png.Encode(&out, picture); err != nil {
			t.Fatal(err)
		}
		write(fmt.Sprintf("%03d.png", red), out.Bytes())
	}
	write("broken.png", []byte("not a picture"))
	write("notes.txt", []byte("no picture either"))
	write(".hidden.png", []byte("hidden"))
	return dir
}

// fixture is a program whose second stage is stage.
type fixture struct {
	app         *cli.App
	model       *stage
	out, errors bytes.Buffer
	questions   questions
}

func newFixture(t *testing.T, input string) *fixture {
	t.Helper()
	f := &fixture{model: &stage{}}
	f.app = &cli.App{In: strings.NewReader(input), Out: &f.out, Stderr: &f.errors, Quiet: true, Interrupts: new(cli.Interrupts)}
	asker, err := ask.New(f.model, nil, ask.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f.questions = questions{app: f.app, asker: asker, text: "how red?"}
	return f
}

func (f *fixture) ask(t *testing.T, arguments ...string) int {
	t.Helper()
	targets, problems, err := findTargets(t.Context(), arguments)
	if err != nil {
		t.Fatal(err)
	}
	f.questions.problems, f.questions.named = problems, len(targets) > 1
	return cli.Finish(t.Context(), &f.errors, f.app.AsJSON, f.questions.askAll(t.Context(), targets))
}

func TestAskOnePicture(t *testing.T) {
	dir := folder(t, 7)
	f := newFixture(t, "")
	if status := f.ask(t, filepath.Join(dir, "007.png")); status != cli.ExitOK || f.out.String() != "red 7 \n" {
		t.Errorf("status %d, %q, %s", status, &f.out, &f.errors)
	}
	if want := "Q: how red? Short A:"; f.model.prompts[0] != want {
		t.Errorf("prompt %q, want %q", f.model.prompts[0], want)
	}
}

func TestAskAFolder(t *testing.T) {
	reds := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
	dir := folder(t, reds...)
	f := newFixture(t, "")
	status := f.ask(t, dir, filepath.Join(dir, "missing.png"))
	want := ""
	for _, red := range reds {
		want += fmt.Sprintf("%s\tred %d\n", filepath.Join(dir, fmt.Sprintf("%03d.png", red)), red)
	}
	if status != cli.ExitPartial || f.out.String() != want {
		t.Errorf("status %d, %q", status, &f.out)
	}
	for _, said := range []string{"broken.png", "missing.png is neither a file"} {
		if strings.Count(f.errors.String(), said) != 1 {
			t.Errorf("%q is not said once in %s", said, &f.errors)
		}
	}
	if strings.Contains(f.errors.String(), "hidden") || strings.Contains(f.errors.String(), "notes") {
		t.Errorf("errors: %s", &f.errors)
	}
}

func TestAskInJSON(t *testing.T) {
	dir := folder(t, 7)
	f := newFixture(t, "")
	f.app.AsJSON = true
	path := filepath.Join(dir, "007.png")
	want := fmt.Sprintf(`{"image":%q,"question":"how red?","answer":"red 7","answer_probability":1,"ended":true,"model":"red"}`+"\n", path)
	if status := f.ask(t, path); status != cli.ExitOK || f.out.String() != want {
		t.Errorf("status %d, %s", status, &f.out)
	}
}

func (f *fixture) chat(t *testing.T, path string) int {
	t.Helper()
	c := &chat{questions: f.questions}
	if err := c.show(t.Context(), target{name: path}); err != nil {
		t.Fatal(err)
	}
	return cli.Finish(t.Context(), &f.errors, false, c.run(t.Context()))
}

func TestChatRemembers(t *testing.T) {
	dir := folder(t, 7, 8)
	second := filepath.Join(dir, "008.png")
	f := newFixture(t, "what is it?\n\n why? \n/new\nwho?\n/picture "+second+"\nwhat?\n/help\n/quit\nnever?\n")
	if status := f.chat(t, filepath.Join(dir, "007.png")); status != cli.ExitOK || f.out.String() != "red 7 \nred 7 \nred 7 \nred 8 \n" {
		t.Errorf("status %d, %q, %s", status, &f.out, &f.errors)
	}
	want := []string{"Q: what is it? A:", "Q: what is it? A: red 7. Q: why? A:", "Q: who? A:", "Q: what? A:"}
	if strings.Join(f.model.prompts, "\n") != strings.Join(want, "\n") {
		t.Errorf("prompts %q", f.model.prompts)
	}
	if !strings.Contains(f.errors.String(), "/picture FILE") {
		t.Errorf("no help: %s", &f.errors)
	}
}

func TestChatGoesOnAfterMistakes(t *testing.T) {
	dir := folder(t, 7)
	long := strings.Repeat("why ", maximumLine)
	f := newFixture(t, "/nonsense\n/picture\n/picture "+filepath.Join(dir, "broken.png")+"\n/picture 12\n/picture "+dir+"\n"+long+"\nwhat?\n")
	if status := f.chat(t, filepath.Join(dir, "007.png")); status != cli.ExitPartial || f.out.String() != "red 7 \n" {
		t.Errorf("status %d, %q", status, &f.out)
	}
	if count := strings.Count(f.errors.String(), "mekiki: "); count != 6 {
		t.Errorf("%d mistakes are told of: %s", count, &f.errors)
	}
}

// TestCtrlCStopsTheAnswer: it is forgotten, and the dialogue goes on.
func TestCtrlCStopsTheAnswer(t *testing.T) {
	dir := folder(t, 7)
	f := newFixture(t, "what is it?\nand why?\n")
	f.model.begun = func(context.Context) {
		if len(f.model.prompts) == 1 && !f.app.Interrupts.Interrupt() {
			t.Error("the answer does not take the interrupt")
		}
	}
	if status := f.chat(t, filepath.Join(dir, "007.png")); status != cli.ExitOK || f.out.String() != "red …\nred 7 \n" {
		t.Errorf("status %d, %q, %s", status, &f.out, &f.errors)
	}
	if want := "Q: and why? A:"; f.model.prompts[1] != want {
		t.Errorf("prompt %q, want %q", f.model.prompts[1], want)
	}
	if f.app.Interrupts.Interrupt() {
		t.Error("an answer that is over takes interrupts")
	}
}

// TestInterruptedChatEnds: the whole program is stopped while an answer is written.
func TestInterruptedChatEnds(t *testing.T) {
	dir := folder(t, 7)
	f := newFixture(t, "what is it?\nand why?\n")
	ctx, stop := context.WithCancel(t.Context())
	f.model.begun = func(context.Context) { stop() }
	c := &chat{questions: f.questions}
	if err := c.show(ctx, target{name: filepath.Join(dir, "007.png")}); err != nil {
		t.Fatal(err)
	}
	if status := cli.Finish(ctx, &f.errors, false, c.run(ctx)); status != cli.ExitInterrupted || len(f.model.prompts) != 1 {
		t.Errorf("status %d after %q", status, f.model.prompts)
	}
}
