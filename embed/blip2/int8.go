package blip2

import (
	"context"
	"errors"
	"os"
	"slices"

	"mekiki/embed/onnx"
)

// writeInt8 writes an int8 model, choosing product by product. If the model fails its check, the part that is to blame, and
// in it the products that lose most, are chosen again with narrower limits, until the model passes or all of the part is
// in float32: its manifest tells what it loses.
func writeInt8(ctx context.Context, source Source, dir string, options CompileOptions, manifest *Manifest) error {
	samples, err := newSamples(source.Config(), options)
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp(dir, "scratch-")
	if err != nil {
		return err
	}
	t := &tuner{runtime: options.Runtime, threads: options.Threads, scratch: scratch, source: newRecent(source),
		config: source.Config(), samples: samples, logger: options.Logger, captions: manifest.HasCaptionHead,
		vision: newChoices(), former: newChoices()}
	former := t.config.QFormer.Layers*8 + 4 // about as many products
	t.step = newSteps(options, t.config.Vision.Layers+former+2).next
	err = t.write(ctx, dir, manifest)
	return errors.Join(err, os.RemoveAll(scratch))
}

// write writes both parts of the model, and again what its check blames.
func (t *tuner) write(ctx context.Context, dir string, manifest *Manifest) error {
	run, vision, err := t.writeVision(ctx, dir)
	if err != nil {
		return err
	}
	former, err := t.writeQueryFormer(ctx, dir, run)
	if err != nil {
		return err
	}
	for {
		check, err := t.check(ctx, dir, run)
		if err != nil {
			return err
		}
		manifest.SelfCheck = &check
		if check.good() {
			break
		}
		blamed, err := t.blame(ctx, dir, run)
		if err != nil {
			return err
		}
		again := blamed.narrow(t)
		t.logger.Info("int8 loses too much, choosing again what is to blame", "loss", check.loss(),
			"vision_products", again.vision, "query_transformer_products", again.former)
		if again.vision > 0 {
			if run, vision, err = t.writeVision(ctx, dir); err != nil {
				return err
			}
		}
		if again.former > 0 {
			if former, err = t.writeQueryFormer(ctx, dir, run); err != nil {
				return err
			}
		}
		if again == (narrowed{}) {
			break
		}
	}
	manifest.Files, manifest.Quantization = slices.Concat(vision, former), slices.Concat(t.vision.list(), t.former.list())
	return nil
}

// writeVision writes the vision encoder, choosing what is not settled.
func (t *tuner) writeVision(ctx context.Context, dir string) (visionRun, []File, error) {
	data, err := onnx.CreateDataFile(dir, visionData)
	if err != nil {
		return visionRun{}, nil, err
	}
	weights := newStore(ctx, t.source, data, newPlan(methodFloat))
	run, err := t.tuneVision(ctx, dir, weights)
	if err != nil {
		return visionRun{}, nil, closeData(data, err)
	}
	files, err := finishGraphs(dir, weights, t.config, visionGraphs())
	t.makeRoom()
	return run, files, err
}

// writeQueryFormer writes the Q-Former and the heads, choosing what is not settled.
func (t *tuner) writeQueryFormer(ctx context.Context, dir string, run visionRun) ([]File, error) {
	plan := newPlan(methodRows)
	for _, head := range []string{visionHead, textHead, matchHead} {
		plan.methods[head] = methodFloat // too small to gain, too near the result to lose
	}
	if err := t.tuneFormer(ctx, plan, run.exact); err != nil {
		return nil, err
	}
	data, err := onnx.CreateDataFile(dir, qformerData)
	if err != nil {
		return nil, err
	}
	files, err := finishGraphs(dir, newStore(ctx, t.source, data, plan), t.config, queryGraphs(t.captions))
	t.makeRoom()
	return files, err
}
