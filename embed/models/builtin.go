package models

import (
	"context"

	"mekiki/embed/builtin"
	"mekiki/embed/checkpoint"
)

// BuiltinName is the name by which users ask for the model inside the program.
const BuiltinName = "builtin"

// builtinSamples is how many of the gallery's drawings int8 is chosen by.
const builtinSamples = 8

// Builtin returns the small model that is part of the program, compiling it the
// first time; see Embedded.
func Builtin(ctx context.Context, options Options) (Model, error) {
	return Embedded(ctx, BuiltinName, builtin.Checkpoint(), options,
		func(ctx context.Context, source *checkpoint.Checkpoint) ([][]float32, [][]int64, error) {
			return gallerySamples(ctx, builtin.Gallery(), source, builtinSamples)
		})
}

// BuiltinCompiled returns the compiled small model of options.Precision, or an
// error while this machine has none.
func BuiltinCompiled(ctx context.Context, options Options) (Model, error) {
	model, err := embeddedModel(ctx, BuiltinName, builtin.Checkpoint(), &options)
	if err != nil {
		return Model{}, err
	}
	return model, model.Problem
}
