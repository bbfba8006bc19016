package blip2

import (
	"context"
	"errors"
	"os"

	"mekiki/embed/onnx"
)

// attempts are the limits on a product's error, one set after another until
// the model passes its check: first fast, then careful.
func attempts() []limits {
	return []limits{{good: 0.02, acceptable: 0.05}, {good: 0.01, acceptable: 0.02}, {good: 0.004, acceptable: 0.008}}
}

// writeInt8 writes an int8 model, choosing layer by layer. If the model fails
// its check under every set of limits, the last is kept: its manifest tells
// what it loses.
func writeInt8(ctx context.Context, source Source, dir string, options CompileOptions, manifest *Manifest) error {
	samples, err := newSamples(source.Config(), options)
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp(dir, "scratch-")
	if err != nil {
		return err
	}
	t := &tuner{runtime: options.Runtime, threads: options.Threads, scratch: scratch,
		source: newRecent(source), config: source.Config(), samples: samples, logger: options.Logger}
	all := attempts()
	for i, limits := range all {
		if err = t.attempt(ctx, dir, options, manifest, limits); err != nil {
			break
		}
		if manifest.SelfCheck.good() {
			break
		}
		options.Logger.Info("int8 loses too much, trying again with narrower limits", "attempt", i+1, "of", len(all),
			"worst_cosine", manifest.SelfCheck.WorstCosine, "text_worst_cosine", manifest.SelfCheck.TextWorstCosine)
	}
	return errors.Join(err, os.RemoveAll(scratch))
}

// attempt writes the whole int8 model under the given limits and checks it.
func (t *tuner) attempt(ctx context.Context, dir string, options CompileOptions, manifest *Manifest, limits limits) error {
	former := t.config.QFormer.Layers*8 + 4 // about as many products
	t.step = newSteps(options, t.config.Vision.Layers+former+2).next
	t.choices = nil
	data, err := onnx.CreateDataFile(dir, visionData)
	if err != nil {
		return err
	}
	weights := newStore(ctx, t.source, data, newPlan(methodFloat))
	run, err := t.tuneVision(ctx, dir, weights, limits)
	if err != nil {
		return closeData(data, err)
	}
	vision, err := finishGraphs(dir, weights, t.config, visionGraphs())
	if err != nil {
		return err
	}
	t.makeRoom()
	plan := newPlan(methodRows)
	for _, head := range []string{visionHead, textHead, matchHead} {
		plan.methods[head] = methodFloat // too small to gain, too near the result to lose
	}
	if err := t.tuneFormer(ctx, plan, run.exact, manifest.HasCaptionHead, limits); err != nil {
		return err
	}
	if data, err = onnx.CreateDataFile(dir, qformerData); err != nil {
		return err
	}
	files, err := finishGraphs(dir, newStore(ctx, t.source, data, plan), t.config, queryGraphs(manifest.HasCaptionHead))
	if err != nil {
		return err
	}
	t.makeRoom()
	check, err := t.check(ctx, dir, run)
	if err != nil {
		return err
	}
	manifest.Files, manifest.Quantization, manifest.SelfCheck = append(vision, files...), t.choices, &check
	return nil
}
