package checkpoint

import (
	"fmt"
	"strings"
)

// MismatchError says how a checkpoint differs from the architecture that its configuration describes.
type MismatchError struct {
	// Source is the folder or file.
	Source string
	// Missing, Extra and Misshapen name the tensors concerned; the entries of Misshapen give both shapes.
	Missing, Extra, Misshapen []string
	// Remedy says what to do.
	Remedy string
}

// Hint returns the remedy.
func (e *MismatchError) Hint() string { return e.Remedy }

// Error lists the tensors, at most eight of each sort.
func (e *MismatchError) Error() string {
	var parts []string
	for _, group := range []struct {
		word  string
		names []string
	}{{"missing", e.Missing}, {"misshapen", e.Misshapen}, {"unknown", e.Extra}} {
		if len(group.names) > 0 {
			parts = append(parts, fmt.Sprintf("%d %s: %s", len(group.names), group.word, abridge(group.names)))
		}
	}
	return fmt.Sprintf("%s does not hold the model that it describes: %s", e.Source, strings.Join(parts, "; "))
}

// abridge joins at most eight names.
func abridge(names []string) string {
	const most = 8
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
