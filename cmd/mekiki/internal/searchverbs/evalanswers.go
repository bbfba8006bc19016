package searchverbs

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/embed"
	"mekiki/embed/builtin"
	"mekiki/embed/decode"
	"mekiki/embed/pixels"
	"mekiki/internal/hint"
	"mekiki/internal/progress"
	"mekiki/search/ask"
	"mekiki/search/evaluate"
	"mekiki/search/evaluate/datasets"
)

// answersEval is the flags of eval for answers and captions.
type answersEval struct {
	vqa      bool
	textOnly bool
	lemmas   bool
	asTyped  bool
	template string
	decode   decode.Options
	penalty  float64
	captions string
}

func (f *answersEval) addFlags(flags *pflag.FlagSet) {
	flags.BoolVar(&f.vqa, "vqa", false, "measure answers to questions: of VQAv2 and OK-VQA (QUESTIONS ANNOTATIONS IMAGES), GQA (QUESTIONS IMAGES), or with --builtin the gallery's")
	flags.BoolVar(&f.textOnly, "text-only", false, "with --vqa, ask without the pictures too, for comparison")
	flags.BoolVar(&f.lemmas, "lemmas", false, "with --vqa, compare answers by the dictionary forms of their words, as OK-VQA's figures are published")
	flags.BoolVar(&f.asTyped, "as-typed", false, "with --vqa, leave questions as they are: else in lower case and without most punctuation, as published")
	flags.StringVar(&f.template, "prompt", "", `with --vqa, text around the question, which {} stands for (default: the model's own)`)
	published := evaluate.PublishedDecoding()
	flags.StringVar((*string)(&f.decode.Method), "method", string(published.Method), "with --vqa, how words are chosen: greedy or beam")
	flags.IntVar(&f.decode.Beams, "beams", published.Beams, "with --vqa, sentences that beam keeps side by side")
	flags.IntVar(&f.decode.MaximumTokens, "max-tokens", published.MaximumTokens, "with --vqa, largest number of tokens of an answer")
	flags.Float64Var(&f.penalty, "length-penalty", *published.LengthPenalty, "with --vqa, power of the length by which beam divides; published: -1 for Flan-T5, 0 for OPT")
	flags.StringVar(&f.captions, "captions", "", "measure captions instead: itg (of the Q-Former) or lm (of the second stage)")
}

// wanted reports whether answers or captions are measured, and not searching.
func (f *answersEval) wanted() bool { return f.vqa || f.captions != "" }

// run measures answers or captions.
func (f *answersEval) run(ctx context.Context, a *cli.App, arguments []string, flags evalFlags) error {
	switch {
	case f.vqa && f.captions != "":
		return cli.UsageError("--vqa and --captions are two measurements: give one")
	case flags.self || flags.calibrate != "":
		return cli.UsageError("--vqa and --captions go with neither --self nor --calibrate")
	case flags.sample < 0:
		return cli.UsageError("--sample %d is out of range: give 0 or more", flags.sample)
	case f.captions != "":
		return f.runCaptions(ctx, a, arguments, flags)
	}
	return f.runVQA(ctx, a, arguments, flags)
}

func (f *answersEval) runVQA(ctx context.Context, a *cli.App, arguments []string, flags evalFlags) error {
	options := evaluate.VQAOptions{
		Decode: f.decode, Template: f.template, AsTyped: f.asTyped, TextOnly: f.textOnly, Lemmas: f.lemmas, Splits: flags.splits, Sample: flags.sample,
	}
	options.Decode.MinimumTokens = 1
	if f.decode.Method == decode.Beam {
		options.Decode.LengthPenalty = &f.penalty
	} else {
		options.Decode.Beams = 0
	}
	if err := options.Decode.Validate(); err != nil {
		return cli.UsageError("%w", err)
	}
	set, images, err := f.questions(arguments, flags.builtin)
	if err != nil {
		return err
	}
	if flags.builtin && len(flags.splits) == 0 {
		options.Splits = []string{"test"}
	}
	reporter := a.Progress()
	options.Progress = reportSteps(reporter)
	return withAsker(ctx, a, func(asker *ask.Asker, _ *cli.Session) error {
		report, err := evaluate.VQA(ctx, asker, set, images, options)
		reporter.Finish()
		if err != nil {
			return err
		}
		return printVQA(a, report)
	})
}

func reportSteps(reporter *progress.Reporter) func(doing string, done, total int) {
	return func(doing string, done, total int) {
		reporter.Report(progress.State{Task: doing, Done: int64(done), Total: int64(total), Unit: progress.Steps})
	}
}

// questions reads the questions that arguments name.
func (f *answersEval) questions(arguments []string, gallery bool) (datasets.Questions, fs.FS, error) {
	if gallery {
		if len(arguments) > 0 {
			return datasets.Questions{}, nil, cli.UsageError("--builtin takes no files")
		}
		images, err := fs.Sub(builtin.Gallery(), "images")
		if err != nil {
			return datasets.Questions{}, nil, err
		}
		file, err := builtin.Gallery().Open("questions.json")
		if err != nil {
			return datasets.Questions{}, nil, err
		}
		defer file.Close()
		set, err := datasets.ReadVQA(file, nil, images)
		set.Name = "built-in gallery"
		return set, images, err
	}
	if len(arguments) < 2 || len(arguments) > 3 {
		return datasets.Questions{}, nil, hint.Wrap(cli.UsageError("--vqa needs QUESTIONS ANNOTATIONS IMAGES, or QUESTIONS IMAGES, or --builtin"),
			"mekiki eval --vqa v2_OpenEnded_mscoco_val2014_questions.json v2_mscoco_val2014_annotations.json coco/val2014")
	}
	images := os.DirFS(arguments[len(arguments)-1])
	set, err := readQuestions(arguments[:len(arguments)-1], images)
	if err != nil {
		return set, nil, hint.Wrap(err, "give questions and annotations in the layout of VQAv2 or OK-VQA, or questions in that of GQA, and the folder of their pictures")
	}
	if set.Name == "" {
		set.Name = filepath.Base(arguments[0])
	}
	return set, images, nil
}

func readQuestions(names []string, images fs.FS) (datasets.Questions, error) {
	questions, err := os.Open(names[0])
	if err != nil {
		return datasets.Questions{}, err
	}
	defer questions.Close()
	if len(names) == 1 {
		set, err := datasets.ReadGQA(questions, images)
		if err == nil {
			return set, nil
		}
		if _, seekErr := questions.Seek(0, io.SeekStart); seekErr != nil {
			return set, err
		}
		if both, bothErr := datasets.ReadVQA(questions, nil, images); bothErr == nil {
			return both, nil
		}
		return set, fmt.Errorf("%s: %w", names[0], err)
	}
	annotations, err := os.Open(names[1])
	if err != nil {
		return datasets.Questions{}, err
	}
	defer annotations.Close()
	set, err := datasets.ReadVQA(questions, annotations, images)
	if err != nil {
		err = fmt.Errorf("%s, %s: %w", names[0], names[1], err)
	}
	return set, err
}

// withAsker opens the second stage, and the first one where it has to read the pictures.
func withAsker(ctx context.Context, a *cli.App, do func(asker *ask.Asker, first *cli.Session) error) error {
	return a.WithEngine(ctx, func(first *cli.Session) error {
		return a.WithAnswering(ctx, first, nil, func(asker *ask.Asker) error { return do(asker, first) })
	})
}

// runCaptions measures captions.
func (f *answersEval) runCaptions(ctx context.Context, a *cli.App, arguments []string, flags evalFlags) error {
	if f.captions != "itg" && f.captions != "lm" {
		return cli.UsageError("--captions %q: give itg or lm", f.captions)
	}
	if flags.builtin != (len(arguments) == 0) || len(arguments)%2 == 1 {
		return cli.UsageError("give an annotation file and a folder of pictures, or --builtin")
	}
	source, err := evalSource(arguments, flags)
	if err != nil {
		return err
	}
	reporter := a.Progress()
	options := evaluate.Options{Splits: flags.askedSplits(source.Dataset), Sample: flags.sample, Model: a.Model, Progress: reportSteps(reporter)}
	measure := func(describe evaluate.Describer, model string) error {
		options.Model = model
		report, err := evaluate.Captions(ctx, describe, source, options)
		reporter.Finish()
		if err != nil {
			return err
		}
		return printCaptionReport(a, report)
	}
	if f.captions == "lm" {
		return withAsker(ctx, a, func(asker *ask.Asker, _ *cli.Session) error {
			return measure(languageDescriber(asker), asker.Model().Name)
		})
	}
	return a.WithEngine(ctx, func(engine *cli.Session) error {
		if !engine.Capabilities().Caption {
			return hint.Wrap(fmt.Errorf("model %s: %w", engine.Name, embed.ErrNoCaptions), "use --model builtin, or pull blip2 or blip2-coco")
		}
		return measure(groundedDescriber(engine), engine.Name)
	})
}

// groundedDescriber describes pictures with the Q-Former's language head.
func groundedDescriber(engine *cli.Session) evaluate.Describer {
	return func(ctx context.Context, pictures []*pixels.Image) ([]string, error) {
		tokens, err := engine.ImageTokens(ctx, pictures)
		if err != nil {
			return nil, err
		}
		written, err := engine.CaptionImages(ctx, tokens, embed.CaptionOptions{Method: embed.Beam, Beams: 3, MinimumLength: 8, MaximumLength: 30})
		if err != nil {
			return nil, err
		}
		captions := make([]string, len(written))
		for i, some := range written {
			if len(some) > 0 {
				captions[i] = some[0].Text
			}
		}
		return captions, nil
	}
}

// languageDescriber describes pictures with the second stage.
func languageDescriber(asker *ask.Asker) evaluate.Describer {
	question := ask.Caption(asker.Model().Prompts, nil)
	return func(ctx context.Context, pictures []*pixels.Image) ([]string, error) {
		read := make([]ask.Picture, len(pictures))
		for i, picture := range pictures {
			var err error
			if read[i], err = asker.Image(ctx, picture, [32]byte{}); err != nil {
				return nil, err
			}
		}
		answers, err := asker.Answers(ctx, read, question)
		if err != nil {
			return nil, err
		}
		captions := make([]string, len(answers))
		for i, answer := range answers {
			captions[i] = answer.Text
		}
		return captions, nil
	}
}

// printVQA writes a report as JSON or as a table.
func printVQA(a *cli.App, report evaluate.VQAReport) error {
	if a.AsJSON {
		return a.PrintJSON(report)
	}
	var out strings.Builder
	metric := "VQA accuracy"
	switch report.Metric {
	case "exact":
		metric = "exact match"
	case "vqa_lemmas":
		metric = "VQA accuracy of dictionary forms"
	}
	fmt.Fprintf(&out, "%s: %s in %s; model %s %.12s\n\n", report.Dataset, cli.Counted(report.Answers.All.Count, "question", "questions"),
		cli.Counted(report.Images, "picture", "pictures"), report.Model, report.Fingerprint)
	blind := report.TextOnly
	title := ""
	if blind != nil {
		title = "from the question alone"
	}
	fmt.Fprintf(&out, "%-28s %-30s %s\n", metric+", %", "from the picture", title)
	row := func(name string, share evaluate.Share, other *evaluate.Share) {
		line := fmt.Sprintf("%-28s %-30s", name, shareText(share))
		if other != nil {
			line += " " + shareText(*other)
		}
		fmt.Fprintln(&out, strings.TrimRight(line, " "))
	}
	group := func(title string, shares func(evaluate.VQAAccuracy) map[string]evaluate.Share) {
		own := shares(report.Answers)
		if len(own) == 0 || len(own) > mostGroups {
			return
		}
		for _, name := range sortedNames(own) {
			var other *evaluate.Share
			if blind != nil {
				share := shares(*blind)[name]
				other = &share
			}
			row("  "+title+name, own[name], other)
		}
	}
	one := func(name string, share func(evaluate.VQAAccuracy) *evaluate.Share) {
		if own := share(report.Answers); own != nil {
			var other *evaluate.Share
			if blind != nil {
				other = share(*blind)
			}
			row(name, *own, other)
		}
	}
	one("all", func(v evaluate.VQAAccuracy) *evaluate.Share { return &v.All })
	group("", func(v evaluate.VQAAccuracy) map[string]evaluate.Share { return v.AnswerTypes })
	group("about: ", func(v evaluate.VQAAccuracy) map[string]evaluate.Share { return v.QuestionTypes })
	group("wording: ", func(v evaluate.VQAAccuracy) map[string]evaluate.Share { return v.Forms })
	one("held-out facts", func(v evaluate.VQAAccuracy) *evaluate.Share { return v.HeldOutFacts })
	for _, unreadable := range report.Unreadable {
		fmt.Fprintf(&out, "not read: %s\n", cli.Printable(unreadable))
	}
	fmt.Fprintf(&out, "took %.1f s\n", report.Seconds)
	if _, err := io.WriteString(a.Out, out.String()); err != nil {
		return err
	}
	if len(report.Unreadable) > 0 {
		return cli.WithStatus(cli.ExitPartial, nil)
	}
	return nil
}

func sortedNames(shares map[string]evaluate.Share) []string {
	names := make([]string, 0, len(shares))
	for name := range shares {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func printCaptionReport(a *cli.App, report evaluate.CaptionReport) error {
	if a.AsJSON {
		return a.PrintJSON(report)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%s: captions of %s; model %s\n\n", report.Dataset, cli.Counted(report.Images, "picture", "pictures"), report.Model)
	fmt.Fprintf(&out, "CIDEr-D %.1f (%.1f-%.1f), BLEU-1 to 4: %.1f %.1f %.1f %.1f\n", report.CIDErD, report.CIDErDInterval[0], report.CIDErDInterval[1],
		report.BLEU[0], report.BLEU[1], report.BLEU[2], report.BLEU[3])
	for _, unreadable := range report.Unreadable {
		fmt.Fprintf(&out, "  not read, left out: %s\n", cli.Printable(unreadable))
	}
	for _, example := range report.Examples {
		fmt.Fprintf(&out, "  %s\n    written: %s\n    people:  %s\n", cli.Printable(example.Image), cli.Printable(example.Caption), cli.Printable(example.Reference))
	}
	fmt.Fprintf(&out, "took %.1f s\n", report.Seconds)
	_, err := io.WriteString(a.Out, out.String())
	return err
}
