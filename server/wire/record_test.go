package wire

import (
	"encoding/json"
	"testing"
	"time"

	"mekiki/index"
)

// TestMetadataOfRecords: zones, people, ratings and the like are sent, and what is not
// known is left out.
func TestMetadataOfRecords(t *testing.T) {
	rating, offset := 4, 5*time.Hour+45*time.Minute
	for want, metadata := range map[string]index.Metadata{
		`{}`: {},
		`{"taken":"2024-03-01T01:30:00Z","taken_offset":"+05:45","taken_source":"xmp","people":["Anna"],"rating":4,"label":"Red","generation":"a cat"}`: {
			Taken: time.Date(2024, 3, 1, 1, 30, 0, 0, time.UTC), TakenOffset: &offset, TakenSource: "xmp",
			People: []string{"Anna"}, Rating: &rating, Label: "Red", Generation: "a cat"},
	} {
		if got, err := json.Marshal(metadataOf(metadata)); err != nil || string(got) != want {
			t.Errorf("%s, %v; expected %s", got, err, want)
		}
	}
}
