package cli

import (
	"os"
	"strings"
	"testing"
)

// TestIsTerminal: a terminal stays one behind [UntilDone], as the program's input is.
func TestIsTerminal(t *testing.T) {
	if IsTerminal(strings.NewReader("")) || IsTerminal(UntilDone(t.Context(), strings.NewReader(""))) || IsTerminal(nil) {
		t.Error("a text is a terminal")
	}
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no terminals here: ", err)
	}
	defer terminal.Close()
	if !IsTerminal(terminal) || !IsTerminal(UntilDone(t.Context(), terminal)) {
		t.Error("a terminal is none")
	}
}
