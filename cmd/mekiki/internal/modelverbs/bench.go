package modelverbs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/embed/bench"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/models"
	"mekiki/internal/diskspace"
	"mekiki/internal/hint"
	"mekiki/internal/progress"
)

const benchLong = `Measure how fast this machine reads images and texts.

With --model, measure that model; the built-in one in both precisions. Without,
make a model of the published size (ViT-g) from random weights, which runs as
fast as trained ones: that takes some minutes and temporarily 7 GB of disk and, in
fp32, 6 GB of memory. --precision measures one precision only.

Of a second stage it measures answers: their first token, each one after it, several
together.

For each stage it shows the median time of an item on the clock, the processor
time of all threads together, and items a second; then how fast the machine
multiplies bare matrices of the same shapes, and the share of that speed that the
model reaches.`

const benchExample = `  mekiki bench --model builtin
  mekiki bench --json > bench.json
  mekiki bench --image-size 364 --precision int8 --threads 4`

// benchOptions are the flags of bench.
type benchOptions struct {
	imageSize int
	least     time.Duration
	work      string
	// named says that --model, and bothPrecisions that not --precision, was given.
	named, bothPrecisions bool
}

// randomModelBytes is the disk space that a random model of the published size
// takes at most, with what compiling it needs.
const randomModelBytes = 7_500_000_000

// NewBenchCommand makes the verb "bench".
func NewBenchCommand(app *cli.App) *cobra.Command {
	var options benchOptions
	command := &cobra.Command{
		Use:     "bench",
		Short:   "Measure the speed of a model on this machine",
		Long:    benchLong,
		Example: benchExample,
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			options.named = command.Flags().Changed("model")
			options.bothPrecisions = !command.Flags().Changed("precision")
			return runBench(command.Context(), app, options)
		},
	}
	flags := command.Flags()
	flags.IntVar(&options.imageSize, "image-size", 224, "side of the random model's input in pixels, such as 224 or 364")
	flags.DurationVar(&options.least, "least", 3*time.Second, "shortest time to measure each stage")
	flags.StringVar(&options.work, "work", "", "folder for the random model while it is measured (default: the system's temporary folder)")
	return command
}

func runBench(ctx context.Context, app *cli.App, options benchOptions) (err error) {
	if options.least <= 0 {
		return cli.UsageError("--least must be above 0")
	}
	if options.imageSize < 14 || options.imageSize > 1400 || options.imageSize%14 != 0 {
		return cli.UsageError("--image-size %d: must be a multiple of 14 from 14 to 1400", options.imageSize)
	}
	runtime, err := app.OpenRuntime(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, runtime.Close()) }()
	reporter := app.Progress()
	defer reporter.Finish()
	compile, err := app.ModelOptions(runtime, reporter)
	if err != nil {
		return err
	}
	precisions := []manifest.Precision{compile.Precision}
	if options.bothPrecisions {
		precisions = []manifest.Precision{manifest.Float32, manifest.Int8}
	}
	measure := bench.Options{
		Families: cli.Families(), Runtime: runtime, Threads: app.Threads, Least: options.least, WorkDir: options.work,
		Config: modelconfig.PublishedConfig(options.imageSize), Precisions: precisions, Fast: compile.Fast,
	}
	if options.named {
		if measure.ModelDirs, err = benchModels(ctx, app.Model, compile, precisions); err != nil {
			return err
		}
	} else if err := enoughSpace(options.work); err != nil {
		return err
	}
	count := int64(0)
	measure.Progress = func(doing string) {
		count++
		reporter.Report(progress.State{Task: "bench", Done: count, Unit: progress.Steps, Detail: doing})
	}
	report, err := bench.Run(ctx, measure)
	reporter.Finish()
	if err != nil {
		return err
	}
	if app.AsJSON {
		return app.PrintJSON(report)
	}
	return printBench(app, report)
}

// benchModels returns the folders of the model that --model names: the built-in
// one in each precision.
func benchModels(ctx context.Context, name string, options models.Options, precisions []manifest.Precision) ([]string, error) {
	if name != models.BuiltinName {
		model, err := cli.FindModel(ctx, name, options)
		return []string{model.Dir}, err
	}
	var dirs []string
	for _, precision := range precisions {
		options.Precision = precision
		model, err := models.Builtin(ctx, options)
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, model.Dir)
	}
	return dirs, nil
}

// enoughSpace reports a folder that cannot hold a random model of the published size.
func enoughSpace(folder string) error {
	if folder == "" {
		folder = os.TempDir()
	}
	free, err := diskspace.Free(folder)
	if err != nil {
		return cli.UsageError("--work: %w", err)
	}
	if free >= randomModelBytes {
		return nil
	}
	return hint.Wrap(fmt.Errorf("%s has %s free, a model of the published size needs %s", folder,
		progress.Count(free, progress.Bytes), progress.Count(randomModelBytes, progress.Bytes)),
		"name another folder with --work, or measure a model that is there with --model")
}

// printBench writes a table for people.
func printBench(a *cli.App, report bench.Report) error {
	machine := report.Machine
	processor := machine.Processor
	if processor == "" {
		processor = machine.System
	}
	fmt.Fprintf(a.Out, "%s, %s, %s, ONNX Runtime %s\n", processor, cli.Counted(machine.Processors, "processor", "processors"), cli.Counted(report.Threads, "thread", "threads"), machine.Runtime)
	table := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, result := range report.Results {
		printBenchResult(table, result)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if ratio := report.Speedup; ratio != nil {
		_, err := fmt.Fprintf(a.Out, "\nint8 beside fp32: an image %.1f times as fast, a text %.1f, a match %.1f\n", ratio["image"], ratio["text"], ratio["matches"])
		return err
	}
	return nil
}

func printBenchResult(table *tabwriter.Writer, result bench.Result) {
	weights := ""
	if result.Compile > 0 {
		weights = fmt.Sprintf(", made in %s with %s of memory", progress.Duration(seconds(result.Compile)), progress.Count(result.CompilePeak, progress.Bytes))
	}
	fmt.Fprintf(table, "\n%s, %s, %d pixels: %s on disk%s, opened in %s, ran in %s of memory\n", cli.Printable(result.Name), result.Precision, result.ImageSize,
		progress.Count(result.ModelBytes, progress.Bytes), weights, milliseconds(result.Open), progress.Count(result.RunPeak, progress.Bytes))
	fmt.Fprintf(table, "time\tprocessor\ta second\t  stage\n")
	row := func(name string, figure *bench.Figure) {
		if figure != nil {
			fmt.Fprintf(table, "%s\t%s\t%.4g\t  %s\n", milliseconds(figure.Median), milliseconds(figure.Processor), figure.PerSecond, name)
		}
	}
	if result.Answers != nil {
		printAnswers(table, row, *result.Answers)
		return
	}
	row("image to vectors, from 1024x768 pixels", &result.Image)
	row("image to vectors, from the model's size", &result.Pixels)
	row("of that, the image transformer", &result.Parts)
	row("text to vector", &result.Text)
	row("each of 16 texts together", &result.Texts)
	row("image-text match", result.Match)
	row("each of 8 matches together, of 8 images", result.Matches)
	row("each of 8 matches together, of one image", result.OneImage)
	row("token of a greedy caption", result.Greedy)
	row("token of a caption with three beams", result.Beams)
	fmt.Fprintf(table, "\t%s\t\t  a second at rest, after all of this\n", milliseconds(result.Idle))
	fmt.Fprintf(table, "%s\t\t\t  a vision layer's bare products, %.0f giga-operations a second; an image reaches %.0f %% of that\n",
		milliseconds(result.Product.Seconds), result.Product.Giga, 100*result.Share)
}

// printAnswers writes the figures of a second stage.
func printAnswers(table *tabwriter.Writer, row func(name string, figure *bench.Figure), answers bench.Answers) {
	row("what the language model reads of an image, from image tokens", &answers.States)
	row("first token of an answer to a short question", &answers.First)
	row("each token after it", &answers.Token)
	row("each token after it, with five beams", &answers.BeamToken)
	row("each of 8 answers of 3 tokens together", &answers.Together)
	row("each of 4 given answers, compared", &answers.Choice)
	if answers.Token.Median > 0 {
		fmt.Fprintf(table, "\t\t\t  a token reads %s of weights: %.1f GB a second\n",
			progress.Count(answers.TokenBytes, progress.Bytes), float64(answers.TokenBytes)/answers.Token.Median/1e9)
	}
}

func seconds(number float64) time.Duration { return time.Duration(number * float64(time.Second)) }

func milliseconds(number float64) string { return fmt.Sprintf("%.4g ms", 1000*number) }
