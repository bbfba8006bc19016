package modelverbs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/embed/blip2"
	"mekiki/embed/checkpoint"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/models"
	"mekiki/internal/hint"
	"mekiki/internal/progress"
)

const importLong = `Import a checkpoint: compile it into a model that --model can name.

PATH is a Hugging Face folder (config.json with model.safetensors, whole or in
shards), a folder with LAVIS .pth files, or the .pth files themselves: a whole
checkpoint, or a stage-1 checkpoint and its vision file. LAVIS files have no
vocabulary: that of bert-base-uncased, which is in the program, is used if it has
the checkpoint's size; another is read from vocab.txt beside them or --vocabulary.

A second stage (BLIP-2 or InstructBLIP with OPT, Flan-T5 or a language model of
Llama's shape) becomes a model that answers questions, for --answers. LAVIS's form
of it is a .pth file, eva_vit_g.pth, and the folder of the language model.

A translation model of Marian (OPUS-MT) becomes one that puts queries into English.

The source is only read, tensor by tensor, and can be deleted afterwards.`

const importExample = `  mekiki import ~/models/blip2-itm-vit-g
  mekiki import blip2_pretrained.pth eva_vit_g.pth --name blip2
  mekiki import ~/models/tuned --precision fp32
  mekiki import ~/models/blip2-itm-vit-g --fast --name blip2-fast
  mekiki import ~/models/blip2-flan-t5-xl
  mekiki import blip2_pretrained_flant5xl.pth eva_vit_g.pth ~/models/flan-t5-xl`

// importOptions are the flags of import, which pull has too.
type importOptions struct {
	name       string
	vocabulary string
	imageSize  int
	allowExtra bool
}

func (o *importOptions) addFlags(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVar(&o.name, "name", "", "name of the model (default: that of the source)")
	flags.StringVar(&o.vocabulary, "vocabulary", "", "vocab.txt of a checkpoint that has none and is not of BERT's size")
	flags.IntVar(&o.imageSize, "image-size", 0, "side of the input in pixels (default: that of the checkpoint)")
	flags.BoolVar(&o.allowExtra, "allow-extra", false, "ignore unknown tensors")
}

// NewImportCommand makes the verb "import".
func NewImportCommand(app *cli.App) *cobra.Command {
	var options importOptions
	command := &cobra.Command{
		Use:     "import PATH...",
		Short:   "Compile a checkpoint into a model",
		Long:    importLong,
		Example: importExample,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(command *cobra.Command, paths []string) error {
			model, err := runImport(command.Context(), app, options, paths)
			if err != nil {
				return err
			}
			return printImported(app, model)
		},
	}
	options.addFlags(command)
	return command
}

// imported is a model just compiled.
type imported struct {
	models.Model
	Seconds float64
}

// runImport opens a checkpoint and compiles it.
func runImport(ctx context.Context, app *cli.App, options importOptions, paths []string) (_ imported, err error) {
	started := time.Now()
	source, err := checkpoint.Open(ctx, checkpoint.Options{
		Paths: paths, VocabularyPath: options.vocabulary, ImageSize: options.imageSize, AllowExtra: options.allowExtra, Logger: app.Log(),
	})
	if err != nil {
		return imported{}, err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	if _, ok := source.Vocabulary(); !ok && source.Config().QFormerReadsText() {
		return imported{}, hint.Wrap(fmt.Errorf("import %s: there is no vocab.txt", strings.Join(paths, " ")),
			"put the checkpoint's vocab.txt beside the files, or name it with --vocabulary")
	}
	name := options.name
	if name == "" {
		name = source.Config().Name
	}
	if err := models.ValidateName(name); err != nil {
		return imported{}, hint.Wrap(cli.UsageError("%w", err), "choose a name with --name")
	}
	if name == models.BuiltinName {
		return imported{}, cli.UsageError("%q is the name of the model inside the program; choose another with --name", name)
	}
	if err := keepForm(app, name, source.Config()); err != nil {
		return imported{}, err
	}
	model, err := compile(ctx, app, source, name)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = hint.Wrap(err, "run the same command again; compiling starts anew, the download is kept")
	}
	return imported{model, time.Since(started).Seconds()}, err
}

// keepForm refuses to put a model of one precision in the place of one of another, and one that merges tokens in the place of one
// that does not, or the other way round: both can be kept under names of their own.
func keepForm(a *cli.App, name string, config modelconfig.Config) error {
	options, err := modelOptions(a, a.Progress(), config)
	if err != nil {
		return err
	}
	earlier, err := models.Find(name, options)
	made := earlier.Manifest
	if err != nil || made.Precision == options.Precision && made.Fast() == options.Fast {
		return nil // there is none, or it is damaged and may be replaced
	}
	form := string(options.Precision)
	if options.Fast {
		form += "-fast"
	}
	return hint.Wrap(cli.UsageError("there already is a model %s, in %s", name, made.Form()),
		fmt.Sprintf("keep both with --name %s-%s, or remove that one first with mekiki models remove %s", name, form, name))
}

// modelOptions are the flags' options for a model of these sizes, with the precision that a second stage has if none is given.
func modelOptions(a *cli.App, reporter *progress.Reporter, config modelconfig.Config) (models.Options, error) {
	language := config.Language != nil
	options, err := a.ModelOptions(nil, reporter)
	options.Fast = options.Fast && !config.Translates()
	switch {
	case err != nil:
	case language && !config.Translates() && !a.PrecisionGiven():
		options.Precision = manifest.Int4
	case !language && options.Precision == manifest.Int4:
		err = cli.UsageError("--precision %s is for second stages and translators, which have a language model: give %s, %s or %s", manifest.Int4, manifest.Int8, manifest.Half, manifest.Float32)
	case config.Translates() && options.Precision == manifest.Half:
		err = cli.UsageError("--precision %s is not for models that translate: give %s, %s or %s", manifest.Half, manifest.Int8, manifest.Int4, manifest.Float32)
	}
	return options, err
}

// compile makes a model in the precision that the flags ask for. ONNX Runtime is needed to choose int8 layers only.
func compile(ctx context.Context, a *cli.App, source blip2.Source, name string) (_ models.Model, err error) {
	reporter := a.Progress()
	defer reporter.Finish()
	options, err := modelOptions(a, reporter, source.Config())
	if err != nil {
		return models.Model{}, err
	}
	if options.Precision.Sampled() {
		runtime, err := a.OpenRuntime(ctx)
		if err != nil {
			return models.Model{}, err
		}
		defer func() { err = errors.Join(err, runtime.Close()) }()
		options.Runtime = runtime
	}
	return models.Compile(ctx, source, name, options, blip2.CompileOptions{})
}

// printImported says what an import made.
func printImported(a *cli.App, model imported) error {
	if a.AsJSON {
		return a.PrintJSON(struct {
			modelSummary
			Seconds  float64  `json:"seconds"`
			Warnings []string `json:"warnings,omitempty"`
		}{summarize(model.Model), model.Seconds, model.Manifest.Warnings()})
	}
	fmt.Fprintf(a.Out, "%s is ready: %s, %s, in %s\n", model.Name, model.Manifest.Form(),
		progress.Count(model.Bytes, progress.Bytes), progress.Duration(time.Duration(model.Seconds*float64(time.Second))))
	if check := model.Manifest.SelfCheck; check != nil {
		fmt.Fprintf(a.Out, "beside fp32: %s\n", besideFloat(*check))
	}
	for _, warning := range model.Manifest.Warnings() {
		fmt.Fprintf(a.Out, "warning: %s; %s\n", warning, cli.FloatAdvice)
	}
	if model.Manifest.Capabilities().Translate {
		_, err := fmt.Fprintf(a.Out, "queries in its language are translated from now on; try it with: mekiki translate --with %s TEXT\n", model.Name)
		return err
	}
	if model.Manifest.Capabilities().Answer {
		_, err := fmt.Fprintf(a.Out, "ask it with --answers %s, as in: mekiki ask PICTURE \"what is this?\" --answers %s\n", model.Name, model.Name)
		return err
	}
	if !model.Manifest.Capabilities().Caption {
		fmt.Fprintln(a.Out, "this checkpoint has no captioning head; pull blip2 or blip2-coco for captions")
	}
	_, err := fmt.Fprintf(a.Out, "use it with --model %s\n", model.Name)
	return err
}
