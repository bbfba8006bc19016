package takeout

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"mekiki/index/bring"
)

func write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

const pictureJSON = `{"title": "IMG_1.jpg", "description": "Rain", "photoTakenTime": {"timestamp": "1563129000"}, "people": [{"name": "Ada"}], "favorited": true}`

func items(ctx context.Context, folder string) (found []bring.Item, problems []bring.Problem, err error) {
	err = Source(folder)(ctx, bring.Sink{
		Item:    func(item bring.Item) error { found = append(found, item); return nil },
		Problem: func(problem bring.Problem) { problems = append(problems, problem) },
	})
	return found, problems, err
}

func TestSource(t *testing.T) {
	folder := t.TempDir()
	album, year := filepath.Join(folder, "Takeout/Google Photos/Rome 2019"), filepath.Join(folder, "Takeout/Google Photos/Photos from 2019")
	write(t, filepath.Join(album, "IMG_1.jpg"), "picture")
	write(t, filepath.Join(album, "IMG_1.jpg.supplemental-metadata.json"), pictureJSON)
	write(t, filepath.Join(album, "metadata.json"), `{"title": "Rome, at last", "description": "", "access": "protected", "date": {"timestamp": "0"}}`)
	write(t, filepath.Join(year, "IMG_2.jpg"), "other")
	write(t, filepath.Join(year, "IMG_2.jpg.json"), `{"title": "IMG_2.jpg", "photoTakenTime": {"timestamp": "1563129000"}}`)
	write(t, filepath.Join(year, "Metadaten.json"), `{"title": "Fotos von 2019", "access": "", "date": {}}`)
	write(t, filepath.Join(folder, "Takeout/archive_browser.html"), "")
	got, problems, err := items(t.Context(), folder)
	if err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	want := []bring.Item{
		{Path: filepath.ToSlash(filepath.Join(year, "IMG_2.jpg")), Name: "IMG_2.jpg", Bytes: 5, File: filepath.Join(year, "IMG_2.jpg")},
		{
			Path: filepath.ToSlash(filepath.Join(album, "IMG_1.jpg")), Name: "IMG_1.jpg", Bytes: 7, File: filepath.Join(album, "IMG_1.jpg"),
			Albums: []string{"Rome, at last"}, People: []string{"Ada"}, Description: "Rain", Favourite: true,
		},
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// FuzzAlbum: JSON about an album that is damaged says nothing.
func FuzzAlbum(f *testing.F) {
	f.Add([]byte(`{"title": "Rome", "access": ""}`))
	f.Add([]byte(`{"albumData": {"title": "Rome"}}`))
	f.Add([]byte(`{"title": 3, "date": []}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if title := albumTitle(data); len(title) > bring.MaximumWord {
			t.Errorf("%d bytes", len(title))
		}
	})
}
