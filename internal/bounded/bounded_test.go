package bounded

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// TestRead: as long as it may be is read, a byte more is refused, and the error names the file.
func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings")
	if err := os.WriteFile(path, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{"settings": {Data: []byte("12345")}}
	for name, read := range map[string]func(most int64) ([]byte, error){
		"reader":         func(most int64) ([]byte, error) { return Read(strings.NewReader("12345"), most) },
		"file":           func(most int64) ([]byte, error) { return ReadFile(path, most) },
		"file in a tree": func(most int64) ([]byte, error) { return ReadFileIn(files, "settings", most) },
	} {
		if data, err := read(5); err != nil || string(data) != "12345" {
			t.Errorf("%s: %q, %v", name, data, err)
		}
		data, err := read(4)
		if data != nil || !errors.Is(err, ErrTooLong) || !strings.Contains(err.Error(), "larger than 4 bytes") {
			t.Errorf("%s: %q, %v", name, data, err)
		}
		if name != "reader" && !strings.Contains(err.Error(), "settings") {
			t.Errorf("%s: %v does not name it", name, err)
		}
	}
	if _, err := ReadFile(path+"s", 5); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}
