package digikam

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"mekiki/index/bring"
)

// TestRealDatabase reads what digiKam 7.9 wrote itself when it looked through seven pictures whose XMP had tags, people, ratings,
// titles and descriptions: testdata has it as sqlite3 dumps it, with another folder.
func TestRealDatabase(t *testing.T) {
	dump, err := os.ReadFile(filepath.Join("testdata", "digikam-7.9.sql"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := items(t.Context(), database(t, string(dump)))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"bathtub-0413", "bathtub-frog-cup-of-coffee-0617", "bathtub-red-book-0291", "bathtub-tower-lollipop-lion-0138",
		"battery-elephant-monkey-0164", "battery-hammer-drum-coconut-globe-0542", "battery-orange-book-drum-0378"}
	var want []bring.Item
	for i, name := range names {
		rating, n := (i+1)%5+1, i+1
		want = append(want, bring.Item{
			Path: "/home/ada/Pictures/trip/" + name + ".jpg", Name: name + ".jpg", Tags: []string{"Places/Alps"}, People: []string{fmt.Sprint("Anna ", n)},
			Rating: &rating, Title: fmt.Sprint("Title ", n), Description: fmt.Sprint("A caption of number ", n),
			Date: time.Date(2021, 3, n, 10, 0, 0, 0, time.UTC),
		})
	}
	for i := range got {
		if got[i].Sum.Kind != bring.DigiKam || len(got[i].Sum.Hex) != 32 || got[i].Bytes < 10_000 {
			t.Errorf("%s: %d bytes, hash %+v", got[i].Name, got[i].Bytes, got[i].Sum)
		}
		got[i].Sum, got[i].Bytes = bring.Sum{}, 0
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
