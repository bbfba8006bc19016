package models

import (
	"context"

	"mekiki/embed/blip2"
	"mekiki/embed/builtin"
	"mekiki/embed/checkpoint"
	"mekiki/embed/manifest"
)

// BuiltinName is the name by which users ask for the model inside the program.
const BuiltinName = "builtin"

// Builtin returns the small model that is part of the program, compiling it the
// first time; see Embedded.
func Builtin(ctx context.Context, options Options) (Model, error) {
	return Embedded(ctx, BuiltinName, builtin.Checkpoint(), options,
		func(ctx context.Context, source *checkpoint.Checkpoint) ([][]float32, [][]int64, error) {
			return gallerySamples(ctx, builtin.Gallery(), source, builtinSamples)
		})
}

// BuiltinChecksum is the hash of the small model's checkpoint, whatever it is compiled to; it is the end of such models'
// names, cut short.
func BuiltinChecksum(ctx context.Context, sums *Sums) (string, error) {
	return sums.of(ctx, BuiltinName, builtin.Checkpoint())
}

// builtinAnswersName is the beginning of the names of models of the second stage inside the program.
const builtinAnswersName = "builtin-answers"

// BuiltinAnswers returns the second stage that is part of the program, compiling it
// the first time. It reads the image tokens of Builtin, whose vision encoder it
// shares.
func BuiltinAnswers(ctx context.Context, options Options) (Model, error) {
	options.Precision = withLanguage(options.Precision)
	options.Fast = false // it has no vision encoder to be merged in, and reads the tokens of either form
	second := embedded{label: builtinAnswersName, files: builtin.Answers(), vision: builtin.Checkpoint(), visionLabel: BuiltinName,
		prepare: func(ctx context.Context, source *checkpoint.Checkpoint, compile *blip2.CompileOptions) (err error) {
			compile.SharedVision = true
			if options.Precision.Sampled() {
				compile.Samples, compile.Continuations, err = gallerySamples(ctx, builtin.Gallery(), source, builtinSamples)
			}
			return err
		}}
	return compileEmbedded(ctx, second, options)
}

// withLanguage is the precision of the program's own second stage, or of a translator, beside a first stage of this one.
func withLanguage(precision manifest.Precision) manifest.Precision {
	if precision == manifest.Half {
		return manifest.Float32
	}
	return precision
}

// BuiltinCompiled returns the compiled small model of options.Precision, or an
// error while this machine has none.
func BuiltinCompiled(ctx context.Context, options Options) (Model, error) {
	model, err := embedded{label: BuiltinName, files: builtin.Checkpoint()}.model(ctx, &options)
	if err != nil {
		return Model{}, err
	}
	return model, model.Problem
}
