package modelverbs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/embed/hub"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/models"
	"mekiki/embed/models/golden"
	"mekiki/internal/hint"
	"mekiki/internal/progress"
)

const verifyLong = `Read every file of a model again and compare it with the hash that was recorded
when the model was compiled; compare its download, if it still exists, with the
published hashes.

With --golden, also compute the values that the authors published for this
checkpoint, from the same images and texts, and show both. The images are
downloaded, or taken from the folder that --images names.`

// verifyOptions are the flags of models verify.
type verifyOptions struct {
	golden bool
	images string
	as     string
}

func newModelsVerifyCommand(app *cli.App) *cobra.Command {
	var options verifyOptions
	command := &cobra.Command{
		Use: "verify NAME", Short: "Check a model's files, and its numbers against published ones", Long: verifyLong,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, arguments []string) error {
			return runModelsVerify(command.Context(), app, options, arguments[0])
		},
	}
	flags := command.Flags()
	flags.BoolVar(&options.golden, "golden", false, "compare with published values")
	flags.StringVar(&options.images, "images", "", "folder with the images of the published values (default: download them)")
	flags.StringVar(&options.as, "as", "", "published checkpoint that the model was made from (default: the name in its manifest)")
	return command
}

// runModelsVerify checks hashes and, if asked to, values.
func runModelsVerify(ctx context.Context, app *cli.App, options verifyOptions, name string) error {
	model, err := findModel(ctx, app, name)
	if err != nil {
		return err
	}
	if err := model.Manifest.Verify(ctx, model.Dir); err != nil {
		return err
	}
	downloaded, err := verifyDownload(ctx, app, model.Name)
	if err != nil {
		return err
	}
	var comparisons []golden.Comparison
	if options.golden {
		if comparisons, err = compareGolden(ctx, app, options, model); err != nil {
			return err
		}
	}
	return printVerified(app, model, downloaded, comparisons)
}

// verifyDownload reads the files that a model was pulled as, if they are still there, and returns how many.
func verifyDownload(ctx context.Context, a *cli.App, name string) (int, error) {
	folder, err := a.DownloadsFolder()
	if err != nil {
		return 0, err
	}
	result, err := hub.ReadResult(filepath.Join(folder, name))
	if err != nil {
		return 0, nil // it was not pulled, or its download was deleted
	}
	if err := result.Verify(ctx); err != nil {
		return 0, hint.Wrap(fmt.Errorf("the download %s is damaged: %w", result.Dir, err), "mekiki pull "+strings.Join(result.Requested, " "))
	}
	return len(result.Files), nil
}

// compareGolden computes the published values with the model.
func compareGolden(ctx context.Context, a *cli.App, options verifyOptions, model models.Model) (_ []golden.Comparison, err error) {
	as := options.as
	if as == "" {
		as = model.Manifest.Name
	}
	cases, err := golden.Cases(as)
	if err != nil {
		return nil, err
	}
	images := options.images
	if images == "" {
		if images, err = goldenImages(ctx, a, cases); err != nil {
			return nil, err
		}
	}
	opened := *a
	opened.Model = model.Dir
	engine, err := opened.OpenEngine(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	return golden.Compare(ctx, engine, cases, images)
}

// goldenImages downloads the images of the cases into one folder.
func goldenImages(ctx context.Context, a *cli.App, cases []golden.Case) (string, error) {
	environment, err := hub.FromEnvironment()
	if err != nil {
		return "", err
	}
	addresses := map[string]bool{}
	var names []string
	for _, published := range cases {
		address := published.Path
		if published.Hub {
			address = environment.Endpoint + "/" + published.Path
		}
		if !addresses[address] {
			addresses[address] = true
			names = append(names, address)
		}
	}
	result, err := download(ctx, a, 1, nil, names)
	return result.Dir, err
}

// printVerified says what was found, and fails if a published value is missed.
func printVerified(a *cli.App, model models.Model, downloaded int, comparisons []golden.Comparison) error {
	tolerance, worst := goldenTolerance, 0.0
	if model.Manifest.Precision != manifest.Float32 || model.Manifest.Fast() {
		tolerance = goldenToleranceInt8
	}
	for _, comparison := range comparisons {
		worst = max(worst, comparison.Difference())
	}
	if a.AsJSON {
		if comparisons == nil {
			comparisons = []golden.Comparison{}
		}
		if err := a.PrintJSON(struct {
			modelSummary
			Files      int                 `json:"files"`
			Downloaded int                 `json:"downloaded_files"`
			Golden     []golden.Comparison `json:"golden"`
		}{summarize(model), len(model.Manifest.Files), downloaded, comparisons}); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(a.Out, "%s: %s, %s, all as compiled\n", model.Name, cli.Counted(len(model.Manifest.Files), "file", "files"), progress.Count(model.Bytes, progress.Bytes))
		if downloaded > 0 {
			fmt.Fprintf(a.Out, "%s, all as published\n", cli.Counted(downloaded, "downloaded file", "downloaded files"))
		}
		if err := printGolden(a, comparisons); err != nil {
			return err
		}
	}
	if worst > tolerance {
		return hint.Wrap(fmt.Errorf("the model differs from the published values by up to %.4f, more than %.4f", worst, tolerance),
			"compare with --precision fp32 and without --fast; if that differs too, please report it")
	}
	return nil
}

// printGolden shows published values beside ours.
func printGolden(a *cli.App, comparisons []golden.Comparison) error {
	table := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	source := ""
	for _, comparison := range comparisons {
		if heading := comparison.Source + comparison.Text; heading != source {
			source = heading
			fmt.Fprintf(table, "\n%s with %q (%s)\n\tpublished\tours\tdifference\n", comparison.Image, comparison.Text, comparison.Source)
		}
		fmt.Fprintf(table, "%s\t%.5f\t%.5f\t%.5f\n", comparison.Name, comparison.Published, comparison.Ours, comparison.Difference())
	}
	return table.Flush()
}

// findModel finds a model by name or folder.
func findModel(ctx context.Context, app *cli.App, name string) (models.Model, error) {
	options, err := app.ModelOptions(nil, app.Progress())
	if err != nil {
		return models.Model{}, err
	}
	return cli.FindModel(ctx, name, options)
}

// runModelsShow prints one manifest.
func runModelsShow(ctx context.Context, app *cli.App, name string) error {
	model, err := findModel(ctx, app, name)
	if err != nil {
		return err
	}
	if app.AsJSON {
		return app.PrintJSON(struct {
			Dir          string                `json:"dir"`
			Bytes        int64                 `json:"bytes"`
			Family       string                `json:"family"`
			Capabilities manifest.Capabilities `json:"capabilities"`
			Manifest     manifest.Manifest     `json:"manifest"`
			Shares       []manifest.Share      `json:"shares,omitempty"`
			Warnings     []string              `json:"warnings,omitempty"`
		}{model.Dir, model.Bytes, model.Manifest.FamilyName(), model.Manifest.Capabilities(), model.Manifest, shares(model.Manifest), model.Manifest.Warnings()})
	}
	return printModel(app, model)
}

// shares tells how an int8 model is computed; nothing where its family is not known.
func shares(model manifest.Manifest) []manifest.Share {
	family, err := model.FamilyOf(cli.Families())
	if err != nil {
		return nil
	}
	return family.Shares(model)
}

// printModel describes a model in a few lines.
func printModel(a *cli.App, model models.Model) error {
	described := model.Manifest
	vision, text := described.Config.Vision, described.Config.QFormer
	table := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	row := func(name, format string, values ...any) {
		fmt.Fprintf(table, "%s\t%s\n", name, fmt.Sprintf(format, values...))
	}
	row("name", "%s", model.Name)
	row("made from", "%s", described.Name)
	row("folder", "%s", model.Dir)
	row("size", "%s in %s", progress.Count(model.Bytes, progress.Bytes), cli.Counted(len(described.Files), "file", "files"))
	row("fingerprint", "%s", described.Fingerprint)
	row("precision", "%s", described.Precision)
	language := described.Config.Language
	if described.Config.Translates() {
		row("translates", "%s into %s", language.From, language.To)
	} else {
		row("vision encoder", "%d layers of width %d, %d heads, %d by %d pixels in patches of %d",
			vision.Layers, vision.HiddenSize, vision.Heads, vision.ImageSize, vision.ImageSize, vision.PatchSize)
		if described.Fast() {
			row("merges tokens", "%d in each layer, %d of %d are left", vision.Merged, vision.LayerTokens(vision.Layers), vision.Tokens())
		}
		row("q-former", "%d layers of width %d, %d heads, %d queries, %d words",
			text.Layers, text.HiddenSize, text.Heads, described.Config.QueryTokens, text.VocabularySize)
	}
	if language != nil {
		row("language model", "%s", describeLanguage(*language))
	} else {
		row("vectors", "%d of %d values for an image, 1 for a text", described.Config.QueryTokens, described.Config.ProjectionSize)
	}
	row("family", "%s", described.FamilyName())
	row("can", "%s", described.Capabilities())
	row("calibrated", "%t", len(described.Calibration) > 0 && json.Valid(described.Calibration))
	for _, share := range shares(described) {
		row("in "+share.Method, "%s of the %s (%.0f %%), %.0f %% of its multiply-adds",
			cli.Counted(share.Products, "product", "products"), share.Part, 100*share.ProductShare, 100*share.MultiplyAddShare)
	}
	if check := described.SelfCheck; check != nil {
		row("beside fp32", "%s", besideFloat(*check))
	}
	for _, warning := range described.Warnings() {
		row("warning", "%s", warning)
	}
	if len(described.Warnings()) > 0 {
		row("", "%s", cli.FloatAdvice)
	}
	return table.Flush()
}

// describeLanguage says what a language model is, in one line.
func describeLanguage(model modelconfig.Language) string {
	layers := fmt.Sprint(model.Layers)
	if model.DecoderLayers > 0 {
		layers += fmt.Sprintf("+%d", model.DecoderLayers)
	}
	return fmt.Sprintf("%s, %s layers of width %d, %d heads, %d words", model.Architecture, layers, model.HiddenSize, model.Heads, model.Words)
}

// besideFloat says what a quantized model loses and gains.
func besideFloat(check manifest.SelfCheck) string {
	if language := check.Language; language != nil {
		text := fmt.Sprintf("next-token distributions diverge by %.4f nats (worst %.3f), the likeliest token is the same in %.1f %% of places",
			language.Divergence, language.WorstDivergence, 100*language.Agreement)
		if check.MeanCosine == 0 { // a model that translates
			return text
		}
		return text + fmt.Sprintf(", cosine of what the Q-Former gives %.5f (worst %.5f); an image is read %.1f times as fast",
			check.MeanCosine, check.WorstCosine, check.Speedup())
	}
	text := fmt.Sprintf("cosine of parts %.5f (worst %.5f), of texts %.5f (worst %.5f), match logits within %.3f",
		check.MeanCosine, check.WorstCosine, check.TextMeanCosine, check.TextWorstCosine, check.MatchDifference)
	if check.MatchSpread > 0 {
		text += fmt.Sprintf(" of a spread of %.1f, probabilities within %.3f", check.MatchSpread, check.ProbabilityDifference)
	}
	if check.CaptionSpread > 0 {
		text += fmt.Sprintf(", log-probabilities of captions' tokens within %.3f of a spread of %.1f", check.CaptionDifference, check.CaptionSpread)
	}
	return text + fmt.Sprintf("; an image is read %.1f times as fast", check.Speedup())
}

// runModelsRemove deletes models; all names are tried.
func runModelsRemove(ctx context.Context, app *cli.App, names []string) error {
	options, err := app.ModelOptions(nil, app.Progress())
	if err != nil {
		return err
	}
	var problems []error
	for _, name := range names {
		if err := models.Remove(ctx, name, options); err != nil {
			problems = append(problems, err)
			continue
		}
		if !app.AsJSON {
			fmt.Fprintf(app.Out, "%s was removed\n", name)
		}
	}
	return errors.Join(problems...)
}
