// Package bench measures a model on this machine: how long an image, a text, a
// match and a caption take, what memory that needs, and what share of the machine's
// speed at bare matrix products is reached.
//
// Without a model it makes one of the published size from random weights, whose
// speed is that of trained ones.
package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"mekiki/embed"
	"mekiki/embed/blip2"
	"mekiki/embed/checkpoint"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/ort"
	"mekiki/embed/runner"
	"mekiki/internal/usage"
)

// Options says what to measure.
type Options struct {
	// Runtime runs the model.
	Runtime *ort.Runtime
	// Families are the architectures that the program knows; BLIP-2 alone when empty.
	Families []manifest.Family
	// ModelDirs are compiled models to measure. When empty, models of random
	// weights are compiled into WorkDir, measured and removed.
	ModelDirs []string
	// Config is the size of the random models; ViT-g's at 224 pixels when zero.
	Config modelconfig.Config
	// Precisions of the random models; float32 and int8 when empty.
	Precisions []manifest.Precision
	// Fast merges tokens in the vision encoders of the random models.
	Fast bool
	// WorkDir is where random models are compiled; the system's temporary folder
	// when empty. The published size needs 5 GB in float32 and 2 GB in int8.
	WorkDir string
	// Threads of one run; 0 means one per usable processor.
	Threads int
	// Least is how long each figure is measured at least; 0 means 3 seconds.
	Least time.Duration
	// Progress is told what is being measured; it may be nil.
	Progress func(doing string)
}

func (o Options) withDefaults() Options {
	if o.Config.Vision.HiddenSize == 0 {
		o.Config = modelconfig.PublishedConfig(224)
	}
	if len(o.Families) == 0 {
		o.Families = []manifest.Family{blip2.Family()}
	}
	if len(o.Precisions) == 0 {
		o.Precisions = []manifest.Precision{manifest.Float32, manifest.Int8}
	}
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	if o.Least == 0 {
		o.Least = 3 * time.Second
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	return o
}

// Report is what Run found.
type Report struct {
	Machine Machine  `json:"machine"`
	Threads int      `json:"threads"`
	Random  bool     `json:"random"` // the weights are random
	Results []Result `json:"results"`
	// Speedup is how many times faster int8 is than float32, by figure, where
	// both were measured.
	Speedup map[string]float64 `json:"speedup,omitempty"`
}

// Result is one model's figures: of a second stage Answers, and none of images, texts and captions.
type Result struct {
	Name      string             `json:"name"`
	Precision manifest.Precision `json:"precision"`
	// Fast says that the vision encoder merges tokens.
	Fast      bool `json:"fast,omitempty"`
	ImageSize int  `json:"image_size"` // side of the square input in pixels
	// Compile is how long making the model took, and CompilePeak the most memory
	// that the process then held; random models only.
	Compile     float64 `json:"compile_seconds,omitempty"`
	CompilePeak int64   `json:"compile_peak_bytes,omitempty"`
	ModelBytes  int64   `json:"model_bytes"` // of all its files
	// Open is how long verifying and opening every graph took.
	Open float64 `json:"open_seconds"`
	// Image is one image of 1024x768 pixels through resizing, the vision encoder
	// and the image transformer.
	Image Figure `json:"image"`
	// Pixels is the same of an image that has the size which the model reads.
	Pixels Figure `json:"image_of_model_size"`
	// Parts is the image transformer alone.
	Parts Figure `json:"parts"`
	// Text is one text of 12 tokens; Texts is each of 16 together.
	Text  Figure `json:"text"`
	Texts Figure `json:"texts"`
	// Match is one pair of 12 tokens; Matches is each of 8 together, of one text
	// and 8 images; OneImage is each of 8 together, of 8 texts and one image;
	// absent when the model does not match.
	Match    *Figure `json:"match,omitempty"`
	Matches  *Figure `json:"matches,omitempty"`
	OneImage *Figure `json:"matches_of_one_image,omitempty"`
	// Greedy is one token of a greedy caption of 20, and Beams of one with three
	// beams; absent when the model writes no captions.
	Greedy *Figure `json:"caption_token_greedy,omitempty"`
	Beams  *Figure `json:"caption_token_beams,omitempty"`
	// Answers are the figures of a second stage.
	Answers *Answers `json:"answers,omitempty"`
	// Idle is the processor time that the process uses in a second at rest, after all of this.
	Idle float64 `json:"idle_processor_seconds"`
	// RunPeak is the most memory that the process held while running.
	RunPeak int64 `json:"run_peak_bytes"`
	// Product is the speed of the vision encoder's matrix products alone, and
	// Share the part of Image's time that they would take at that speed.
	Product ProductSpeed `json:"product"`
	Share   float64      `json:"share_of_product_speed"`
}

// Run measures. It stops at the end of ctx.
func Run(ctx context.Context, options Options) (Report, error) {
	options = options.withDefaults()
	if options.Runtime == nil {
		return Report{}, errors.New("bench: no runtime")
	}
	report := Report{Machine: thisMachine(options.Runtime), Threads: options.Threads, Random: len(options.ModelDirs) == 0}
	add := func(result Result, err error) error {
		if err == nil {
			report.Results = append(report.Results, result)
		}
		return wrap(err)
	}
	for _, dir := range options.ModelDirs {
		if err := add(options.measure(ctx, dir, Result{})); err != nil {
			return report, err
		}
	}
	if report.Random {
		for _, precision := range options.Precisions {
			if err := add(options.random(ctx, precision)); err != nil {
				return report, err
			}
		}
	}
	report.Speedup = speedup(report.Results)
	return report, nil
}

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("bench: %w", err)
}

// random compiles a model of random weights, measures and removes it.
func (o Options) random(ctx context.Context, precision manifest.Precision) (Result, error) {
	weights, err := checkpoint.NewRandom(o.Config, 1, true)
	if err != nil {
		return Result{}, err
	}
	work, err := os.MkdirTemp(o.WorkDir, "mekiki-bench-*")
	if err != nil {
		return Result{}, err
	}
	defer os.RemoveAll(work)
	o.Progress(fmt.Sprintf("compile random weights of %s in %s", o.Config.Name, precision))
	dir := filepath.Join(work, "model")
	resetPeak()
	started := time.Now()
	_, err = blip2.Compile(ctx, weights, dir, blip2.CompileOptions{
		Precision: precision, Fast: o.Fast, Runtime: o.Runtime, Threads: o.Threads,
		Progress: func(step blip2.Step) { o.Progress(fmt.Sprintf("compile in %s: %s", precision, step.Doing)) },
	})
	if err != nil {
		return Result{}, err
	}
	return o.measure(ctx, dir, Result{Compile: time.Since(started).Seconds(), CompilePeak: peak()})
}

// measure fills in the figures of the model in dir.
func (o Options) measure(ctx context.Context, dir string, result Result) (Result, error) {
	described, err := manifest.Read(dir)
	if err != nil {
		return result, err
	}
	if described.Capabilities().Answer {
		return o.measureAnswers(ctx, dir, result)
	}
	runtime.GC()
	resetPeak()
	engine, err := embed.Open(ctx, runner.Options{ModelDir: dir, Families: o.Families, Runtime: o.Runtime, Threads: o.Threads})
	if err != nil {
		return result, err
	}
	defer engine.Close()
	model := engine.Manifest()
	result.describe(model)
	o.Progress(fmt.Sprintf("open %s in %s", result.Name, result.Precision))
	started := time.Now()
	if err := engine.Warm(ctx); err != nil {
		return result, err
	}
	result.Open = time.Since(started).Seconds()
	if err := o.figures(ctx, engine, &result); err != nil {
		return result, err
	}
	result.RunPeak = peak()
	used := usage.ProcessorTime()
	time.Sleep(rest)
	result.Idle = (usage.ProcessorTime() - used).Seconds() / rest.Seconds()
	o.Progress("bare matrix products in " + string(result.Precision))
	if result.Product, err = measureProducts(ctx, o, model); err != nil {
		return result, err
	}
	if result.Image.Median > 0 {
		result.Share = result.Product.Seconds * float64(model.Config.Vision.Layers) / result.Image.Median
	}
	return result, nil
}

// describe says which model was measured.
func (r *Result) describe(model manifest.Manifest) {
	r.Name, r.Precision, r.Fast, r.ImageSize = model.Name, model.Precision, model.Fast(), model.Config.Vision.ImageSize
	for _, file := range model.Files {
		r.ModelBytes += file.Size
	}
}

// speedup compares int8 with float32, figure by figure.
func speedup(results []Result) map[string]float64 {
	var exact, quick *Result
	for i := range results {
		switch results[i].Precision {
		case manifest.Float32:
			exact = &results[i]
		case manifest.Int8:
			quick = &results[i]
		}
	}
	if exact == nil || quick == nil {
		return nil
	}
	ratios := map[string]float64{}
	compare := func(name string, exact, quick *Figure) {
		if exact != nil && quick != nil && quick.Median > 0 {
			ratios[name] = exact.Median / quick.Median
		}
	}
	compare("image", &exact.Image, &quick.Image)
	compare("image_of_model_size", &exact.Pixels, &quick.Pixels)
	compare("parts", &exact.Parts, &quick.Parts)
	compare("text", &exact.Text, &quick.Text)
	compare("texts", &exact.Texts, &quick.Texts)
	compare("match", exact.Match, quick.Match)
	compare("matches", exact.Matches, quick.Matches)
	compare("matches_of_one_image", exact.OneImage, quick.OneImage)
	compare("caption_token_greedy", exact.Greedy, quick.Greedy)
	compare("caption_token_beams", exact.Beams, quick.Beams)
	return ratios
}
