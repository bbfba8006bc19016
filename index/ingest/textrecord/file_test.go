package textrecord

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadCSVColumns(t *testing.T) {
	tests := []struct {
		name, file string
		want       []entry
		problem    string
	}{
		{"text and id", "id,text,colour\n7,a shoe,red\n", []entry{{text: "a shoe", id: "7", fields: map[string]string{"colour": "red"}}}, ""},
		{"external id before id", "id,external_id,text\n1,sku,a shoe\n", []entry{{text: "a shoe", id: "sku", fields: map[string]string{"id": "1"}}}, ""},
		{"one column of any name", "label\na cat\n", []entry{{text: "a cat"}}, ""},
		{"no text", "id,name\n1,a cat\n", nil, `no column "text": id, name`},
		{"a row too short", "id,text\n1,a cat\n2\n", []entry{{text: "a cat", id: "1"}}, "line 3 has 1 columns and the header 2"},
		{"UTF-16", "\xff\xfet\x00e\x00x\x00t\x00\n\x00a\x00\n\x00", nil, "the header is not UTF-8 text"},
		{"UTF-16 without a mark", "t\x00e\x00x\x00t\x00\n\x00a\x00\n\x00", nil, "the header is not UTF-8 text"},
		{"zeros in a row", "text\na\x00\n", nil, `line 2, column "text" is not UTF-8 text`},
		{"semicolons", "Text;id\nrot;1\n", nil, "no comma"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []entry
			err := readCSV(strings.NewReader(test.file), func(_ int, entry entry) error { got = append(got, entry); return nil })
			if (err != nil) != (test.problem != "") || err != nil && !strings.Contains(err.Error(), test.problem) {
				t.Fatalf("error %v, want %q", err, test.problem)
			}
			if difference := cmp.Diff(test.want, got, cmp.AllowUnexported(entry{})); difference != "" {
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

func TestRowsAreBounded(t *testing.T) {
	endless := io.MultiReader(strings.NewReader("text,id\na shoe,1\n\"never closed"), strings.NewReader(strings.Repeat("x", maximumRow+1<<20)))
	read := 0
	err := readCSV(endless, func(int, entry) error { read++; return nil })
	if err == nil || !strings.Contains(err.Error(), "a row is longer") || read != 1 {
		t.Errorf("%d rows, %v", read, err)
	}
	many := strings.NewReader("text,id\n" + strings.Repeat(strings.Repeat("x", 1<<20)+",1\n", 40))
	read = 0
	if err := readCSV(many, func(int, entry) error { read++; return nil }); err != nil || read != 40 {
		t.Errorf("%d rows, %v", read, err)
	}
}

// FuzzTexts reads files of texts in every form. What an object of JSON says is read
// the same when it is written again.
func FuzzTexts(f *testing.F) {
	f.Add([]byte("id,text,colour\n7,a shoe,red\n"))
	f.Add([]byte("\uFEFFtext\n\"a \"\"cat\"\"\"\n"))
	f.Add([]byte(`{"text": "a", "id": 7, "external_id": "sku-7", "tags": ["x"], "price": 1e3, "size": {"a": [1, null]}}`))
	f.Add([]byte("\"a line\"\n\n{\"text\": null}\n"))
	f.Add([]byte("\xff\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = readCSV(bytes.NewReader(data), func(_ int, entry entry) error { entry.hash(); return nil })
		_ = readLines(bytes.NewReader(data), func(_ int, line []byte) error {
			entry, err := parseObject(line)
			if err != nil {
				return nil
			}
			object := map[string]any{"text": entry.text, "external_id": entry.id, "tags": entry.tags}
			for name, value := range entry.fields {
				object[name] = value
			}
			written, err := json.Marshal(object)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := parseObject(written); err != nil || again.hash() != entry.hash() {
				t.Errorf("%s was read, %s written: %+v, %+v, %v", line, written, entry, again, err)
			}
			return nil
		})
	})
}
