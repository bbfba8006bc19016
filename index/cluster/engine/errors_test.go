package engine

import (
	"errors"
	"fmt"
	"testing"

	"mekiki/index"
)

// TestDownIsUnavailable: an engine that does not answer is not taken for a fault of this program.
func TestDownIsUnavailable(t *testing.T) {
	if err := fmt.Errorf("search: %w", ErrDown); !errors.Is(err, index.ErrUnavailable) || !errors.Is(err, ErrDown) {
		t.Error(err)
	}
}
