package architecture

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// maximumLines is the most that a package may hold, tests aside: one that grows beyond it does several jobs, of which each
// wants a folder with a name that says it.
const maximumLines = 3000

// TestPackagesAreSmall counts the lines of each package's files, tests aside.
func TestPackagesAreSmall(t *testing.T) {
	lines := map[string]int{}
	for _, file := range sources(t) {
		if file.test {
			continue
		}
		data, err := os.ReadFile(filepath.Join("../..", filepath.FromSlash(file.folder), file.name))
		if err != nil {
			t.Fatal(err)
		}
		lines[file.folder] += bytes.Count(data, []byte("\n"))
	}
	for _, problem := range tooLarge(lines) {
		t.Error(problem)
	}
}

// tooLarge names the packages with too many lines.
func tooLarge(lines map[string]int) (problems []string) {
	for folder, count := range lines {
		if count > maximumLines {
			problems = append(problems, fmt.Sprintf("%s has %d lines, more than %d: give one of its jobs a folder of its own", folder, count, maximumLines))
		}
	}
	slices.Sort(problems)
	return problems
}

func TestLargePackagesAreNoticed(t *testing.T) {
	if found := tooLarge(map[string]int{"small": maximumLines, "large": maximumLines + 1}); len(found) != 1 {
		t.Errorf("found %q", found)
	}
}
