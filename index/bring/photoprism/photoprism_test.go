package photoprism

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"mekiki/index/bring"
)

// The files are as PhotoPrism writes them, by the yaml tags of its entities.
const (
	photoFile = `TakenAt: 2019-07-14T18:30:00Z
TakenAtLocal: 2019-07-14T20:30:00Z
TakenSrc: manual
UID: pqbemz8276mhtobh
Type: image
Title: Bridge
TitleSrc: manual
Caption: In the rain
CaptionSrc: batch
OriginalName: IMG_1
Favorite: true
TimeZone: Europe/Oslo
Year: 2019
Month: 7
Day: 14
Details:
  Keywords: bridge, rain
  KeywordsSrc: manual
  Subject: Ada Lovelace, Bo
  SubjectSrc: manual
CreatedAt: 2020-02-06T02:06:51Z
`
	madeUpFile = `TakenAt: 2019-07-14T18:30:00Z
TakenSrc: meta
UID: pqbemz8276mhtobj
Type: image
Title: Sky / 2019
Details:
  Keywords: blue, sky
`
	albumFile = `UID: at9lxuqxpoaaaaaa
Slug: rome
Type: album
Title: Rome
Photos:
- UID: pqbemz8276mhtobh
  CreatedAt: 2020-02-06T02:06:51Z
- UID: pqbemz8276mhtobj
  Hidden: true
`
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

func items(ctx context.Context, folders ...string) (found []bring.Item, problems []bring.Problem, err error) {
	err = Source(folders...)(ctx, bring.Sink{
		Item:    func(item bring.Item) error { found = append(found, item); return nil },
		Problem: func(problem bring.Problem) { problems = append(problems, problem) },
	})
	return found, problems, err
}

func TestSource(t *testing.T) {
	folder := t.TempDir()
	write(t, filepath.Join(folder, "sidecar/2019/IMG_1.yml"), photoFile)
	write(t, filepath.Join(folder, "sidecar/2019/IMG_2.yml"), madeUpFile)
	write(t, filepath.Join(folder, "sidecar/broken.yml"), "a: [")
	write(t, filepath.Join(folder, "sidecar/other.yml"), "name: somebody else's\n")
	write(t, filepath.Join(folder, "albums/album/at9lxuqxpoaaaaaa.yml"), albumFile)
	got, problems, err := items(t.Context(), filepath.Join(folder, "sidecar"), filepath.Join(folder, "albums"))
	if err != nil || len(problems) != 1 {
		t.Fatal(problems, err)
	}
	want := []bring.Item{
		{
			Path: filepath.ToSlash(filepath.Join(folder, "sidecar/2019/IMG_1")), Stem: true, Tags: []string{"bridge", "rain"}, Albums: []string{"Rome"},
			People: []string{"Ada Lovelace", "Bo"}, Favourite: true, Title: "Bridge", Description: "In the rain",
			Date: time.Date(2019, 7, 14, 20, 30, 0, 0, time.UTC),
		},
		{Path: filepath.ToSlash(filepath.Join(folder, "sidecar/2019/IMG_2")), Stem: true},
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, _, err := items(t.Context(), filepath.Join(folder, "missing")); err == nil {
		t.Error("a folder that is not there was read")
	}
}

// FuzzPhoto: YAML that is damaged, or made to take much, costs an error and nothing else.
func FuzzPhoto(f *testing.F) {
	f.Add([]byte(photoFile))
	f.Add([]byte(albumFile))
	f.Add([]byte("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\nUID: p1\nType: image\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		albums := map[string][]string{}
		_ = readAlbum(data, albums) // an error is one of many
		if item, ok, err := readPhoto("/x/a.yml", data, albums); ok && err == nil && (item.Path != "/x/a" || len(item.Tags) > bring.MaximumValues) {
			t.Errorf("%+v", item)
		}
	})
}
