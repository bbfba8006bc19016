package keyword

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mekiki/index/keyword/checksums"
)

// closedIndex is the folder of a closed index.
func closedIndex(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "keyword")
	x, err := Create(folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(x.Apply(t.Context(), 1, testDocuments(), nil), x.Close()); err != nil {
		t.Fatal(err)
	}
	return folder
}

// TestDamageIsNoticed flips bits of a closed index, one at a time: opening it fails,
// and so does opening what a crash left, where bleve wrote a checksum.
func TestDamageIsNoticed(t *testing.T) {
	folder := closedIndex(t)
	names, err := checksums.Files(folder)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(names, checksums.IsSegment) {
		t.Fatalf("no segment among %v", names)
	}
	random := rand.New(rand.NewPCG(6, 6))
	for _, name := range names {
		path := filepath.Join(folder, name)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for range 40 {
			damaged := slices.Clone(data)
			damaged[random.IntN(len(data))] ^= 1 << random.IntN(8)
			if err := os.WriteFile(path, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(folder); !errors.Is(err, ErrUnusable) {
				t.Fatalf("%s: %v", name, err)
			}
			if err := checksums.VerifySegments(folder); checksums.IsSegment(name) && err == nil {
				t.Fatalf("%s: not noticed after a crash", name)
			}
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	whole, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := whole.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestChecksumsAreNotTrusted damages the list itself.
func TestChecksumsAreNotTrusted(t *testing.T) {
	for name, damage := range map[string]func(string) string{
		"shorter": func(list string) string { return list[:strings.Index(list, "\n")+1] },
		"outside": func(list string) string { return list + "0 00000000 ../keyword.sums\n" },
		"other":   func(list string) string { return strings.Replace(list, " ", " 1", 1) },
		"empty":   func(string) string { return "" },
	} {
		t.Run(name, func(t *testing.T) {
			folder := closedIndex(t)
			list, err := os.ReadFile(checksums.Name(folder))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(checksums.Name(folder), []byte(damage(string(list))), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(folder); !errors.Is(err, ErrUnusable) {
				t.Error(fmt.Errorf("opened: %w", err))
			}
		})
	}
}
