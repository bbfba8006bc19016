package answering_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"mekiki/embed/answering"
	"mekiki/embed/blip2/blip2test"
	"mekiki/embed/decode"
	"mekiki/embed/runner"
)

// TestAnswersWithoutAnImage: a text that no image comes before is gone on with by the language model alone, whatever is
// asked beside it.
func TestAnswersWithoutAnImage(t *testing.T) {
	for _, reference := range blip2test.ReadLanguageReferences(t, "../blip2/testdata/language") {
		t.Run(reference.Name, func(t *testing.T) {
			s := openSecondStage(t, reference, runner.Options{})
			options := decode.Options{MaximumTokens: 6}
			seeing := s.prompts[0]
			if seeing.Text == "|" {
				seeing.Text += "4 5"
			}
			blind := answering.Prompt{Text: seeing.Text}
			together, err := s.Generate(t.Context(), []answering.Prompt{seeing, blind, seeing, blind}, options, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, prompt := range []answering.Prompt{seeing, blind} {
				alone, err := s.Generate(t.Context(), []answering.Prompt{prompt}, options, nil)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(alone[0][0].Text, together[i][0].Text); diff != "" {
					t.Errorf("prompt %d is answered otherwise beside others: %s", i, diff)
				}
				if diff := cmp.Diff(together[i][0].Text, together[i+2][0].Text); diff != "" {
					t.Errorf("prompt %d is answered otherwise the second time: %s", i, diff)
				}
			}
			if cmp.Equal(together[0][0].LogProbability, together[1][0].LogProbability) {
				t.Error("the image makes no difference")
			}
			if _, err := s.Generate(t.Context(), []answering.Prompt{{Text: "|"}}, options, nil); err == nil {
				t.Error("neither an image nor a text is taken")
			}
		})
	}
}
