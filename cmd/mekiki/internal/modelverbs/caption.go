package modelverbs

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/embed"
	"mekiki/index/ingest/captioning"
	"mekiki/internal/hint"
)

const captionLong = `Describe images in words, with the Q-Former's own language head (ITG).

--by lm has the language model of a second stage write them (see --answers), both
has either: with --samples several, of which those are kept that image-text
matching accepts (CapFilt), the best first. --refresh writes the captions of all
images of the library anew; it takes no images, and what it has written stays when
it is stopped. Captions say their model and prompt.

--method greedy takes the likeliest word each time; beam (the default) keeps
several sentences side by side and takes the likeliest; nucleus draws from the
likeliest words, repeatably with --seed. Lengths are in tokens, including the
first and the last. With --json, each image is one line, each caption with its
log-probability.

The model must have a captioning head: the built-in one, blip2, blip2-coco and
blip2-vit-l have one; the files of Hugging Face do not.`

const captionExample = `  mekiki caption photo.jpg
  mekiki caption *.jpg --json
  mekiki caption photo.jpg --method nucleus --count 5 --seed 7
  mekiki caption photo.jpg --by both --samples 5 --count 3
  mekiki caption --refresh --by lm --answers blip2-flan-t5-xl`

// NewCaptionCommand makes the verb "caption".
func NewCaptionCommand(app *cli.App) *cobra.Command {
	var options embed.CaptionOptions
	var by captionFlags
	command := &cobra.Command{
		Use:     "caption [IMAGE...]",
		Short:   "Describe images in words",
		Long:    captionLong,
		Example: captionExample,
		Args:    cobra.ArbitraryArgs,
		RunE: func(command *cobra.Command, images []string) error {
			if err := by.check(images, options); err != nil {
				return err
			}
			if by.refresh {
				return by.runRefresh(command.Context(), app, options.Count)
			}
			if by.source != string(captioning.ITG) {
				return by.run(command.Context(), app, options.Count, images)
			}
			return runCaption(command.Context(), app, options, images)
		},
	}
	flags := command.Flags()
	by.addFlags(flags)
	flags.StringVar((*string)(&options.Method), "method", string(embed.Beam), "how words are chosen: greedy, beam or nucleus")
	flags.IntVarP(&options.Count, "count", "n", 1, "captions for each image")
	flags.IntVar(&options.Beams, "beams", 0, "sentences that beam keeps side by side (0: 3, or --count if more)")
	flags.IntVar(&options.MinimumLength, "min-length", 0, "smallest number of tokens of a caption")
	flags.IntVar(&options.MaximumLength, "max-length", 30, "largest number of tokens of a caption")
	flags.Float64Var(&options.LengthPenalty, "length-penalty", 1, "beam divides a log-probability by the length to this power; negative for no division")
	flags.Float64Var(&options.TopP, "top-p", 0.9, "total probability of the words that nucleus draws from")
	flags.Float64Var(&options.RepetitionPenalty, "repetition-penalty", 1, "how much less likely a used token becomes; 1 for none")
	flags.IntVar(&options.NoRepeat, "no-repeat", 0, "forbid a sequence of this many tokens to occur twice; 0 allows it")
	flags.Uint64Var(&options.Seed, "seed", 0, "seed that makes nucleus repeatable")
	return command
}

// addCleanFlag adds the flag that prepares texts as LAVIS does.
func addCleanFlag(flags *pflag.FlagSet, clean *bool) {
	flags.BoolVar(clean, "clean", false, "prepare texts as LAVIS does for evaluation: lower case, no punctuation, 35 tokens at most")
}

// openEngineReading opens the model with texts prepared as LAVIS does, or as they are.
func openEngineReading(ctx context.Context, a *cli.App, clean bool) (*cli.Session, error) {
	a.CleanTexts = clean
	return a.OpenEngine(ctx)
}

// Captioned is an image's captions, in JSON.
type Captioned struct {
	Image    string        `json:"image"`
	Captions []captionText `json:"captions"`
}

type captionText struct {
	Text           string  `json:"text"`
	LogProbability float32 `json:"log_probability"` // natural, sum over the tokens
	Tokens         int     `json:"tokens"`
}

func runCaption(ctx context.Context, app *cli.App, options embed.CaptionOptions, images []string) (err error) {
	if err := options.Validate(); err != nil {
		return cli.UsageError("%w", err)
	}
	engine, err := app.OpenEngine(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	if !engine.Capabilities().Caption {
		return hint.Wrap(fmt.Errorf("model %s: %w", engine.Name, embed.ErrNoCaptions), "use --model builtin, or pull blip2 or blip2-coco")
	}
	out := bufio.NewWriter(app.Out)
	var problems itemProblems
	for _, image := range images {
		result, err := captionImage(ctx, engine, image, options)
		if err != nil {
			if problems.fatal(ctx, err) {
				return err
			}
			continue
		}
		if err := printCaptions(app, out, result, len(images) > 1); err != nil {
			return err
		}
		if err := out.Flush(); err != nil { // one image at a time may be slow
			return err
		}
	}
	return problems.report(app)
}

// captionImage describes one image file.
func captionImage(ctx context.Context, s *cli.Session, image string, options embed.CaptionOptions) (Captioned, error) {
	tokens, err := imageTokens(ctx, s, image)
	if err != nil {
		return Captioned{}, err
	}
	captions, err := s.Captions(ctx, tokens, options)
	result := Captioned{Image: image, Captions: make([]captionText, len(captions))}
	for i, caption := range captions {
		result.Captions[i] = captionText(caption)
	}
	return result, err
}

// printCaptions writes one image's captions, with its name where there are several images.
func printCaptions(a *cli.App, out *bufio.Writer, result Captioned, named bool) error {
	if a.AsJSON {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(result)
	}
	for _, caption := range result.Captions {
		if named {
			fmt.Fprintf(out, "%s\t", cli.Printable(result.Image))
		}
		if _, err := fmt.Fprintf(out, "%s\n", cli.Printable(caption.Text)); err != nil {
			return err
		}
	}
	return nil
}
