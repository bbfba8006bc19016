//go:build !builtin_assets

package models

import (
	"context"
	"fmt"
)

// BuiltinName is the name by which users ask for the model inside the program.
const BuiltinName = "builtin"

// Builtin reports that this build carries no model.
func Builtin(context.Context, Options) (Model, error) {
	return Model{}, fmt.Errorf("%w: %s: this build carries none", ErrNotFound, BuiltinName)
}
