package ingest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadCSVColumns(t *testing.T) {
	tests := []struct {
		name, file string
		want       []textEntry
		problem    string
	}{
		{"text and id", "id,text,colour\n7,a shoe,red\n", []textEntry{{text: "a shoe", id: "7", fields: map[string]string{"colour": "red"}}}, ""},
		{"external id before id", "id,external_id,text\n1,sku,a shoe\n", []textEntry{{text: "a shoe", id: "sku", fields: map[string]string{"id": "1"}}}, ""},
		{"one column of any name", "label\na cat\n", []textEntry{{text: "a cat"}}, ""},
		{"no text", "id,name\n1,a cat\n", nil, `no column "text": id, name`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []textEntry
			err := readCSV(strings.NewReader(test.file), func(entry textEntry) error { got = append(got, entry); return nil })
			if (err != nil) != (test.problem != "") || err != nil && !strings.Contains(err.Error(), test.problem) {
				t.Fatalf("error %v, want %q", err, test.problem)
			}
			if difference := cmp.Diff(test.want, got, cmp.AllowUnexported(textEntry{})); difference != "" {
				t.Error(difference)
			}
		})
	}
}

func TestParseObjectIdentity(t *testing.T) {
	for line, want := range map[string]string{
		`{"text": "a", "id": 7}`:                         "7",
		`{"text": "a", "external_id": "sku"}`:            "sku",
		`{"text": "a", "id": 7, "external_id": "sku-7"}`: "sku-7",
	} {
		entry, err := parseObject([]byte(line))
		if err != nil || entry.id != want {
			t.Errorf("%s: %q, %v", line, entry.id, err)
		}
	}
}
