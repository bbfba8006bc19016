// Package testsize says how large the tests are whose size can be chosen.
package testsize

import (
	"os"
	"strconv"
	"testing"
)

// Of is the number in an environment variable, or usual where it is not set.
func Of(tb testing.TB, variable string, usual int) int {
	tb.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return usual
	}
	number, err := strconv.Atoi(text)
	if err != nil || number < 1 {
		tb.Fatalf("%s=%q is not a number above zero", variable, text)
	}
	return number
}
