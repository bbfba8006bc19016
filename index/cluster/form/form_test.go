package form

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/indextest"
)

func TestRecordsComeBackAsTheyWere(t *testing.T) {
	record := Record{Record: indextest.Image(t, 7, indextest.Small).Record, Spaces: map[int]Vectors{3: {Vectors: "ab12", Tokens: "cd", Count: 32}}}
	stars, offset := 4, 9*time.Hour
	record.ID, record.PerceptualHash = 1<<53-1, 1<<64-1
	record.Files[0].Path, record.Files[0].Name = "/photos/\xff\xfe.jpg", "caf\xe9.jpg"
	record.Metadata.TakenOffset, record.Given = &offset, &index.Given{Rating: &stars, People: []string{"Ada <&> \"Bo\""}}
	data, err := record.Encode()
	indextest.Must(t, err)
	back, err := Decode(data)
	indextest.Must(t, err)
	if diff := cmp.Diff(&record, back, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("it is another record:\n%s", diff)
	}
	for _, damaged := range []string{"", "{}", "[]", `{"Version":1}`, `{"Version":9}`, string(data[:len(data)/2]), strings.Replace(string(data), `"Hash":"`, `"Hash":"zz`, 1)} {
		if _, err := Decode([]byte(damaged)); !errors.Is(err, index.ErrDamaged) && !errors.Is(err, index.ErrVersion) {
			t.Errorf("%.40q: %v", damaged, err)
		}
	}
}

func TestNamesOfObjectsAreInOrderOfIDs(t *testing.T) {
	ids := []index.ID{1, 2, 255, 256, 1 << 20, 1<<53 - 1}
	var uuids, keys []string
	for _, id := range ids {
		uuids, keys = append(uuids, UUID(id)), append(keys, RecordKey(id))
		if back := ID(UUID(id)); back != id {
			t.Errorf("%d is %d", id, back)
		}
	}
	if !slices.IsSorted(uuids) || !slices.IsSorted(keys) {
		t.Errorf("out of order: %v %v", uuids, keys)
	}
	for _, other := range []string{"", "x", strings.Repeat("g", 36), "00000000-0000-0001-8000-000000000002", "00000000-0000-0000-0000-000000000000"} {
		if id := ID(other); id != 0 {
			t.Errorf("%q is %d", other, id)
		}
	}
	if hash := (index.Hash{1}); VectorKey(embed.Space{Fingerprint: "model-a"}, hash, "s") == VectorKey(embed.Space{Fingerprint: "model-b"}, hash, "s") {
		t.Error("vectors of two models have one key")
	}
}
