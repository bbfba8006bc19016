package searchverbs

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/embed/builtin"
	"mekiki/index/local"
	"mekiki/internal/hint"
	"mekiki/internal/progress"
	"mekiki/search"
	"mekiki/search/evaluate"
	"mekiki/search/evaluate/datasets"
	"mekiki/search/evaluate/statistics"
)

const evalLong = `Measure how well searching works.

Given an annotation file and the folder of its pictures, eval indexes them into a
library of their own, asks for each picture by its captions, and for the captions
by the picture. Annotations are Karpathy's JSON (COCO, Flickr30k) or LAVIS's
lists. --builtin takes the gallery inside the program, asks by the captions of its
test half among all pictures, and adds queries by name, in free phrasing, near
misses, and queries without an answer.

--self takes the library as it is: each picture has to be found again by its own
caption, so nothing needs to be annotated.

--calibrate FILE fits the scoring model on the split val instead and writes it to
a file. With --self it needs no labels: the caption of a picture is true of it,
and not of its nearest neighbours. The result belongs to this
library and model, is kept in the library's folder, and ranks its searches from
the next start on. Half of the sample is held out and measured before and after.

--pointing measures the maps of "mekiki why" instead: how often the strongest cell
lies in a box of what the text names. It takes pictures whose truth.json has boxes,
as the gallery's has.

--vqa measures the answers of a second stage by the accuracy of the VQA benchmark
(of GQA by exact match), with --text-only beside answers from the questions alone.
--captions measures captions by CIDEr-D and BLEU, as the COCO evaluation has them.

ITC ranks by vectors alone; in ITC+ITM, ITM rereads the first --rerank and both
count (equally, if the model has no calibration); hybrid adds words; hybrid+ITM
is the default of searching. Recalls are percentages with 95 % bootstrap
intervals. See docs/evaluation.md.

Exit status: 0 measured; 1 failed; 2 wrong usage; 130 interrupted.`

// evalFlags are the flags of eval.
type evalFlags struct {
	builtin   bool
	self      bool
	pointing  bool
	splits    []string
	sample    int
	k         int
	calibrate string
	// calibration is a file to use in place of the model's own.
	calibration string
	answers     answersEval
}

// selfRerank is what ITM reads of each text unless told otherwise, to fit to a library: a
// large model takes a second for as many.
const selfRerank = 32

// ownFile stands for the library's own file where --calibrate names none.
const ownFile = "*"

// takeFile gives --calibrate the file that stands apart from it, as in --calibrate FILE:
// the argument that is too many, which is the last unless that is the folder of pictures.
func (f *evalFlags) takeFile(arguments []string) []string {
	if f.calibrate != ownFile || len(arguments)%2 == 0 {
		return arguments
	}
	at := len(arguments) - 1
	if info, err := os.Stat(arguments[at]); err == nil && info.IsDir() {
		at = 0
	}
	f.calibrate = arguments[at]
	return slices.Delete(slices.Clone(arguments), at, at+1)
}

// NewEvalCommand makes the verb "eval".
func NewEvalCommand(app *cli.App) *cobra.Command {
	var flags evalFlags
	command := &cobra.Command{
		Use:   "eval [ANNOTATIONS IMAGES]",
		Short: "Measure how well searching works",
		Long:  evalLong,
		Example: `  mekiki eval --builtin
  mekiki eval --self --sample 500
  mekiki eval dataset_coco.json coco/images --split test --json
  mekiki eval --builtin --pointing
  mekiki eval --builtin --calibrate calibration.json
  mekiki eval --self --calibrate
  mekiki eval --builtin --vqa --text-only
  mekiki eval --vqa questions.json annotations.json coco/val2014 --answers blip2-flan-t5-xl
  mekiki eval --builtin --captions itg`,
		Args: cobra.MaximumNArgs(3),
		RunE: func(command *cobra.Command, arguments []string) error {
			if flags.answers.wanted() {
				return flags.answers.run(command.Context(), app, arguments, flags)
			}
			arguments = flags.takeFile(arguments)
			if flags.self && flags.calibrate != "" && !command.Flags().Changed("rerank") {
				flags.k = selfRerank
			}
			return runEval(command.Context(), app, arguments, flags)
		},
	}
	command.Flags().BoolVar(&flags.builtin, "builtin", false, "evaluate on the gallery inside the program")
	command.Flags().BoolVar(&flags.self, "self", false, "check the library by its own captions")
	command.Flags().BoolVar(&flags.pointing, "pointing", false, "measure where maps point instead")
	command.Flags().StringSliceVar(&flags.splits, "split", nil, "splits whose captions are asked (default: test, where there is one)")
	command.Flags().IntVar(&flags.sample, "sample", 0, "pictures to ask about at most (default: all; with --self 200, and 400 to calibrate)")
	command.Flags().IntVar(&flags.k, "rerank", search.DefaultRerankCount, "candidates that ITM reads (with --self --calibrate 32)")
	command.Flags().StringVar(&flags.calibrate, "calibrate", "", "fit the scoring model instead and write it to a `file`: on the split val, or with --self on the library, whose folder has a place for it")
	command.Flags().Lookup("calibrate").NoOptDefVal = ownFile
	flags.answers.addFlags(command.Flags())
	command.Flags().StringVar(&flags.calibration, "calibration", "", "calibration file to use in place of the model's own")
	return command
}

// runEval measures what the flags and arguments name.
func runEval(ctx context.Context, a *cli.App, arguments []string, flags evalFlags) error {
	ways := len(arguments) / 2
	for _, way := range []bool{flags.builtin, flags.self} {
		if way {
			ways++
		}
	}
	if ways != 1 || len(arguments)%2 == 1 {
		return cli.UsageError("give an annotation file and a folder of pictures, or --builtin, or --self")
	}
	if flags.calibrate == ownFile && !flags.self {
		return cli.UsageError("--calibrate has no file to write: name one, or give --self to keep the result in the library")
	}
	if flags.pointing && (flags.self || flags.calibrate != "") {
		return cli.UsageError("--pointing goes with neither --self nor --calibrate")
	}
	if flags.sample < 0 || flags.k < 1 {
		return cli.UsageError("--sample %d or --rerank %d is out of range: give 0 or more, and 1 or more", flags.sample, flags.k)
	}
	reporter := a.Progress()
	options := evaluate.Options{
		Open: func(ctx context.Context, folder string) (evaluate.Library, error) {
			return local.Open(ctx, folder, local.Options{})
		},
		Splits: flags.splits, Sample: flags.sample, K: flags.k, Model: a.Model,
		Progress: func(doing string, done, total int) {
			reporter.Report(progress.State{Task: doing, Done: int64(done), Total: int64(total), Unit: progress.Steps})
		},
	}
	if flags.self && flags.calibrate != "" {
		return selfCalibrate(ctx, a, options, flags, reporter)
	}
	if flags.self {
		return selfCheck(ctx, a, options, flags, reporter)
	}
	source, err := evalSource(arguments, flags)
	if err != nil {
		return err
	}
	if flags.pointing {
		options.Splits = flags.askedSplits(source.Dataset)
		return evaluatePointing(ctx, a, source, options, reporter)
	}
	return evaluateSource(ctx, a, source, options, flags, reporter)
}

func selfCheck(ctx context.Context, a *cli.App, options evaluate.Options, flags evalFlags, reporter *progress.Reporter) error {
	return a.WithVectorsAndModel(ctx, func(library cli.Library, engine *cli.Session) (err error) {
		if options.Calibration, err = chosenCalibration(a, engine, flags); err != nil {
			return err
		}
		report, err := evaluate.SelfCheck(ctx, library, engine, options)
		reporter.Finish()
		if err != nil {
			return err
		}
		return printReport(a, report)
	})
}

func evaluateSource(ctx context.Context, a *cli.App, source evaluate.Source, options evaluate.Options, flags evalFlags, reporter *progress.Reporter) error {
	options.Splits = flags.askedSplits(source.Dataset)
	return a.WithEngine(ctx, func(engine *cli.Session) (err error) {
		if flags.calibrate != "" {
			calibration, err := evaluate.Calibrate(ctx, engine, source, evaluate.CalibrateOptions{Options: options})
			reporter.Finish()
			if err != nil {
				return err
			}
			return writeCalibration(flags.calibrate, calibration)
		}
		if options.Calibration, err = chosenCalibration(a, engine, flags); err != nil {
			return err
		}
		report, err := evaluate.Run(ctx, engine, source, options)
		reporter.Finish()
		if err != nil {
			return err
		}
		return printReport(a, report)
	})
}

// evalSource finds the pictures and annotations.
func evalSource(arguments []string, flags evalFlags) (evaluate.Source, error) {
	if flags.builtin {
		return gallerySource()
	}
	folder, name := filepath.Split(arguments[0])
	if folder == "" {
		folder = "."
	}
	dataset, err := datasets.ReadAnnotations(os.DirFS(folder), name)
	if err != nil {
		return evaluate.Source{}, hint.Wrap(err, "give Karpathy's JSON (dataset_coco.json, dataset_flickr30k.json) or a list of image and caption")
	}
	if dataset.Name == "" {
		dataset.Name = name
	}
	if err := dataset.CheckSplits(flags.splits...); err != nil {
		return evaluate.Source{}, cli.UsageError("--split: %s: %w", arguments[0], err)
	}
	sets, err := datasets.ReadQuerySets(os.DirFS(folder))
	if err != nil {
		return evaluate.Source{}, err
	}
	if splits := flags.askedSplits(dataset); len(flags.splits) > 0 || dataset.Splits()["train"] > 0 {
		dataset = dataset.Only(splits...) // training pictures are not what such sets are searched in
	}
	return evaluate.Source{Files: os.DirFS(arguments[1]), Dataset: dataset, Sets: sets}, nil
}

// askedSplits are the splits whose captions are asked: unless told otherwise
// test, or val to calibrate on, where there is one.
func (f evalFlags) askedSplits(dataset datasets.Dataset) []string {
	split := "test"
	if f.calibrate != "" {
		split = "val"
	}
	if len(f.splits) == 0 && dataset.Splits()[split] > 0 {
		return []string{split}
	}
	return f.splits
}

// readSource reads a folder laid out like the gallery.
func readSource(files fs.FS) (evaluate.Source, error) {
	dataset, err := datasets.ReadAnnotations(files, "annotations.json")
	if err != nil {
		return evaluate.Source{}, err
	}
	sets, err := datasets.ReadQuerySets(files)
	return evaluate.Source{Files: files, Dataset: dataset, Sets: sets}, err
}

// printReport writes a report as JSON or as a table.
func printReport(a *cli.App, report evaluate.Report) error {
	if a.AsJSON {
		return a.PrintJSON(report)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%s: %s", report.Dataset, cli.Counted(report.Images, "image", "images"))
	if report.Texts > 0 {
		fmt.Fprintf(&out, ", %s", cli.Counted(report.Texts, "text", "texts"))
	}
	fmt.Fprintf(&out, "; model %s %.12s; ITM reads %d\n\n", report.Model, report.Fingerprint, report.K)
	fmt.Fprintf(&out, "%-34s %-19s %-19s %-19s %s\n", "", "R@1", "R@5", "R@10", "MRR")
	for _, group := range []struct {
		name  string
		modes *evaluate.Modes
	}{
		{"text to image", report.TextToImage}, {"image to text", report.ImageToText}, {"by name", report.NameQueries},
		{"free phrasing", report.FreePhrasing}, {"partial queries", report.Partial}, {"by own caption", report.SelfCheck},
	} {
		if group.modes != nil {
			printModes(&out, group.name, *group.modes)
		}
	}
	printNearMisses(&out, report.NearMisses)
	printVerdicts(&out, report.Verdicts)
	if report.Approximate != nil {
		fmt.Fprintf(&out, "\nvector index against exact scan: recall@10 %.2f, recall@100 %.2f (%s)\n",
			report.Approximate.Recall10, report.Approximate.Recall100, cli.Counted(report.Approximate.Queries, "query", "queries"))
	}
	printLatency(&out, report.Latency)
	fmt.Fprintf(&out, "took %.1f s\n", report.Seconds)
	_, err := io.WriteString(a.Out, out.String())
	return err
}

func printModes(out io.Writer, name string, modes evaluate.Modes) {
	for _, row := range []struct {
		name   string
		recall *statistics.Recall
	}{{"ITC", modes.ITC}, {"ITC+ITM", modes.ITCITM}, {"hybrid", modes.Hybrid}, {"hybrid+ITM", modes.HybridITM}} {
		if r := row.recall; r != nil {
			cell := func(value float64, interval [2]float64) string {
				return fmt.Sprintf("%5.1f (%.1f-%.1f)", value, interval[0], interval[1])
			}
			fmt.Fprintf(out, "%-16s %-11s %5d %-19s %-19s %-19s %.3f\n", name, row.name, r.Queries,
				cell(r.R1, r.R1Interval), cell(r.R5, r.R5Interval), cell(r.R10, r.R10Interval), r.MRR)
		}
	}
}

func shareText(share evaluate.Share) string {
	return fmt.Sprintf("%.1f %% (%.1f-%.1f) of %d", share.Percent, share.Interval[0], share.Interval[1], share.Count)
}

func printNearMisses(out io.Writer, misses *evaluate.NearMisses) {
	if misses == nil {
		return
	}
	fmt.Fprintf(out, "\nright caption before a near miss: ITM %s; ITC %s\n", shareText(misses.ITM), shareText(misses.ITC))
	var edits []string
	for edit := range misses.Edits {
		edits = append(edits, edit)
	}
	sort.Strings(edits)
	for _, edit := range edits {
		fmt.Fprintf(out, "  %-12s %s\n", edit, shareText(misses.Edits[edit]))
	}
}

func printVerdicts(out io.Writer, verdicts *evaluate.Verdicts) {
	if verdicts == nil {
		return
	}
	fmt.Fprintf(out, "\n%-34s %-22s %-22s %-22s %s\n", "verdicts", "queries strong", "shown", "strong hits: P / R", "shown hits: P / R")
	row := func(kind string, set evaluate.VerdictSet) {
		share := func(s evaluate.Share) string {
			return fmt.Sprintf("%5.1f (%.1f-%.1f)", s.Percent, s.Interval[0], s.Interval[1])
		}
		rates := func(p *evaluate.PrecisionRecall) string {
			if p == nil {
				return ""
			}
			return fmt.Sprintf("%5.1f / %5.1f", p.Precision, p.Recall)
		}
		line := fmt.Sprintf("%-11s %-16s %5d %-22s %-22s %-22s %s", kind, set.Name, set.Strong.Count, share(set.Strong), share(set.Shown), rates(set.StrongHits), rates(set.ShownHits))
		fmt.Fprintln(out, strings.TrimRight(line, " "))
	}
	for _, set := range verdicts.Answered {
		row("answered", set)
	}
	for _, set := range verdicts.Unanswered {
		row("unanswered", set)
	}
}

func printLatency(out io.Writer, latency *evaluate.Latency) {
	if latency == nil {
		return
	}
	cell := func(p evaluate.Percentiles) string { return fmt.Sprintf("%.1f/%.1f", p.P50, p.P99) }
	fmt.Fprintf(out, "query without reranking, p50/p99 ms: total %s; embed %s; vectors %s; words %s; fuse %s (%s)\n",
		cell(latency.Total), cell(latency.Embed), cell(latency.Vector), cell(latency.Keyword), cell(latency.Fuse), cli.Counted(latency.Queries, "query", "queries"))
}

// gallerySource is the gallery inside the program.
func gallerySource() (evaluate.Source, error) { return readSource(builtin.Gallery()) }
