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

// TestLostNodesAreAskedAgain: what nodes have said of others that were killed, or had no processor for a while.
func TestLostNodesAreAskedAgain(t *testing.T) {
	for message, want := range map[string]bool{
		`object 1: 10.0.0.1:7002: connect: Post "http://10.0.0.1:7002/replicas/indices/A/shards/B:commit?request_id=n": net/http: timeout awaiting response headers`: true,
		`object 1: cannot achieve consistency level "QUORUM": cannot reach enough replicas`:                                                                          true,
		`"10.0.0.1:7002": connect: dial tcp 10.0.0.1:7002: connect: connection refused`:                                                                              true,
		`query: failed to find leader after retries: leader not found`:                                                                                               true,
		`object 1: rpc error: code = Internal desc = class name A_g1 already exists`:                                                                                 true,
		`class name A_g1 already exists`:                                                  false,
		`vector search: read error`:                                                       true,
		`invalid property 'f_kind' on class 'A': not a string`:                            false,
		`new node has a vector with length 8. Existing nodes have vectors with length 16`: false,
	} {
		if got := transient(&statusError{status: 422, message: message}); got != want {
			t.Errorf("%s: asked again %t, expected %t", message, got, want)
		}
	}
}
