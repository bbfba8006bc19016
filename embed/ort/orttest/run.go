package orttest

import (
	"testing"

	"mekiki/embed/ort"
)

// Run runs a session on inputs by name, and returns the outputs by name. Outputs that into names are written there.
func Run(t testing.TB, session *ort.Session, inputs, into map[string]ort.Tensor) map[string]ort.Tensor {
	t.Helper()
	var given, taken []ort.Tensor
	for _, input := range session.Inputs() {
		tensor, ok := inputs[input.Name]
		if !ok {
			t.Fatalf("nothing is given for %v", input)
		}
		given = append(given, tensor)
	}
	for _, output := range session.Outputs() {
		taken = append(taken, into[output.Name])
	}
	if err := session.RunInto(t.Context(), given, taken); err != nil {
		t.Fatal(err)
	}
	results := map[string]ort.Tensor{}
	for i, output := range session.Outputs() {
		results[output.Name] = taken[i]
	}
	return results
}
