package engine

import (
	"errors"
	"fmt"
	"testing"

	"mekiki/index"
)

// TestRefusalsAreUnavailable: an engine that does not answer, or refuses, is not taken for a fault
// of this program.
func TestRefusalsAreUnavailable(t *testing.T) {
	refused := &statusError{status: 401, message: "no key"}
	for err, is := range map[error]error{
		ErrDown: ErrDown, ErrVersion: ErrVersion, refused: ErrRights, &statusError{status: 404}: ErrAbsent,
		&statusError{status: 500, message: "no space left on device"}: index.ErrUnavailable,
	} {
		if wrapped := fmt.Errorf("search: %w", err); !errors.Is(wrapped, index.ErrUnavailable) || !errors.Is(wrapped, is) {
			t.Error(wrapped)
		}
	}
	if errors.Is(refused, ErrAbsent) || errors.Is(&statusError{status: 404}, ErrRights) {
		t.Error("one refusal is taken for another")
	}
}
