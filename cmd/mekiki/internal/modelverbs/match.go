package modelverbs

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/embed"
)

const matchLong = `Judge whether an image and each of some texts belong together: the two logits of
image-text matching (ITM: no match, match), their softmax probability of a match,
and the similarity (ITC: the largest cosine of the image's parts with the text's
vector). These are the model's own numbers; ranking by ITM uses the match logit
plus the similarity. "mekiki lookup" turns them into calibrated probabilities.`

const matchExample = `  mekiki match photo.jpg "a dog on a beach" "a cat on a sofa"
  mekiki match photo.jpg --texts labels.txt --json`

// matchOptions are the flags of match.
type matchOptions struct {
	file  string
	clean bool
}

// NewMatchCommand makes the verb "match".
func NewMatchCommand(app *cli.App) *cobra.Command {
	var options matchOptions
	command := &cobra.Command{
		Use:     "match IMAGE [TEXT...]",
		Short:   "Judge whether an image and texts belong together",
		Long:    matchLong,
		Example: matchExample,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(command *cobra.Command, arguments []string) error {
			return runMatch(command.Context(), app, options, arguments[0], arguments[1:])
		},
	}
	command.Flags().StringVar(&options.file, "texts", "", "file with one text a line, or -")
	addCleanFlag(command.Flags(), &options.clean)
	return command
}

// Judged is one text beside the image, in JSON.
type Judged struct {
	Text        string     `json:"text"`
	Logits      [2]float32 `json:"itm_logits"`      // no match, match
	Probability float32    `json:"itm_probability"` // softmax of the logits, of a match
	Similarity  float32    `json:"itc"`             // largest cosine
	Part        int        `json:"itc_part"`        // the part of the image that has it
	Truncated   bool       `json:"truncated,omitempty"`
}

func runMatch(ctx context.Context, app *cli.App, options matchOptions, image string, texts []string) (err error) {
	texts, err = gatherTexts(app, texts, options.file)
	if err != nil {
		return err
	}
	if len(texts) == 0 {
		return cli.UsageError("give texts, or a file of them with --texts")
	}
	engine, err := openEngineReading(ctx, app, options.clean)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	results, err := judge(ctx, engine, image, texts)
	if err != nil {
		return err
	}
	if app.AsJSON {
		return app.PrintJSON(struct {
			Image   string   `json:"image"`
			Model   string   `json:"model"`
			Matches []Judged `json:"matches"`
		}{image, engine.Name, results})
	}
	table := tabwriter.NewWriter(app.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "PROBABILITY\tMATCH\tNO MATCH\tSIMILARITY\t  TEXT")
	for _, result := range results {
		fmt.Fprintf(table, "%.4f\t%.4f\t%.4f\t%.4f\t  %s\n", result.Probability, result.Logits[1], result.Logits[0], result.Similarity, cli.Printable(result.Text))
	}
	return table.Flush()
}

// judge matches one image file with texts.
func judge(ctx context.Context, s *cli.Session, image string, texts []string) ([]Judged, error) {
	tokens, err := imageTokens(ctx, s, image)
	if err != nil {
		return nil, err
	}
	parts, err := s.ImageParts(ctx, []embed.ImageTokens{tokens})
	if err != nil {
		return nil, err
	}
	vectors, err := s.TextVectors(ctx, texts)
	if err != nil {
		return nil, err
	}
	matches, err := s.Match(ctx, tokens, texts)
	if err != nil {
		return nil, err
	}
	results := make([]Judged, len(texts))
	for i, text := range texts {
		similarity, part := parts[0].Similarity(vectors[i])
		results[i] = Judged{
			Text: text, Logits: matches[i].Logits, Probability: matches[i].Probability,
			Similarity: similarity, Part: part, Truncated: s.TextInfo(text).Truncated,
		}
	}
	return results, nil
}
