package renditions_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mekiki/index"
	"mekiki/index/renditions"
)

func TestLastUsed(t *testing.T) {
	folder := t.TempDir()
	first, second := index.Hash{1}, index.Hash{2}
	early, late := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, used := range map[string]time.Time{
		first.String() + ".1600": early, first.String() + ".tiles": late, second.String() + ".1600": early, "notes.txt": late, strings.Repeat("x", 64) + ".1600": late,
	} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, used, used); err != nil {
			t.Fatal(err)
		}
	}
	used := renditions.LastUsed(folder)
	if len(used) != 2 || !used[first].Equal(late) || !used[second].Equal(early) {
		t.Errorf("got %v", used)
	}
}
