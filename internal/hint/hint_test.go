package hint

import (
	"errors"
	"fmt"
	"testing"
)

func TestOf(t *testing.T) {
	base := errors.New("no such file")
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"nil", nil, ""},
		{"plain", base, ""},
		{"direct", Wrap(base, "create it"), "create it"},
		{"wrapped", fmt.Errorf("open: %w", Wrap(base, "create it")), "create it"},
		{"outermost wins", Wrap(Wrap(base, "inner"), "outer"), "outer"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Of(test.err); got != test.want {
				t.Errorf("Of() = %q, want %q", got, test.want)
			}
		})
	}
	if Wrap(nil, "x") != nil {
		t.Error("Wrap(nil) is not nil")
	}
	if !errors.Is(Wrap(base, "x"), base) {
		t.Error("Wrap hides the wrapped error from errors.Is")
	}
}
