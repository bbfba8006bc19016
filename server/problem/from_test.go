package problem

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"

	"mekiki/index"
	"mekiki/internal/diskspace"
	"mekiki/internal/hint"
)

// TestFromUnavailable: a store or an engine that does not answer is not a mistake of the client, however it fails, and its
// address is nobody's business.
func TestFromUnavailable(t *testing.T) {
	for _, test := range []struct {
		cause  error
		status int
	}{
		{index.ErrUnavailable, http.StatusServiceUnavailable},
		{fmt.Errorf("%w: %w", index.ErrUnavailable, io.ErrUnexpectedEOF), http.StatusServiceUnavailable},
		{fmt.Errorf("%w: %w", index.ErrUnavailable, os.ErrDeadlineExceeded), http.StatusServiceUnavailable},
		{fmt.Errorf("%w: %w", index.ErrUnavailable, diskspace.ErrFull), http.StatusInsufficientStorage},
	} {
		got := From(fmt.Errorf("read tokens: %w", hint.Wrap(test.cause, "start the store at http://10.0.0.7:7070")))
		if got.Status != test.status || test.status == http.StatusServiceUnavailable && (got.RetryAfter == 0 || got.Hint != "") {
			t.Errorf("%v: %+v", test.cause, got)
		}
	}
}
