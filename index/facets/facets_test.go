package facets

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mekiki/index"
)

func image(id int, describe func(*index.Record), paths ...string) *index.Record {
	record := &index.Record{ID: index.ID(id), Kind: index.KindImage, Format: "jpeg", Width: 4000, Height: 3000}
	for _, path := range paths {
		record.Files = append(record.Files, index.File{Path: path})
	}
	if describe != nil {
		describe(record)
	}
	return record
}

func taken(day string) func(*index.Record) {
	return func(r *index.Record) { r.Metadata.Taken, _ = time.Parse(time.DateOnly, day) }
}

func count(t *testing.T, records ...*index.Record) *Counts {
	t.Helper()
	counts, err := Count(t.Context(), records)
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

// outline writes values as name:count, with those below in brackets.
func outline(values []Value) string {
	var list []string
	for _, value := range values {
		text := fmt.Sprintf("%s:%d", value.Name, value.Count)
		if len(value.Values) > 0 {
			text += "(" + outline(value.Values) + ")"
		}
		list = append(list, text)
	}
	return strings.Join(list, " ")
}

func only(t *testing.T, counts *Counts, q Query) Facet {
	t.Helper()
	if err := q.Check(); err != nil {
		t.Fatal(err)
	}
	list := counts.Select(q)
	if len(list) != 1 {
		t.Fatalf("%d facets", len(list))
	}
	return list[0]
}

// TestFoldersAreATree: each level counts a picture once, and the path that all share is left out.
func TestFoldersAreATree(t *testing.T) {
	counts := count(t,
		image(1, nil, "/pictures/y2015/m01/a.jpg"),
		image(2, nil, "/pictures/y2015/m01/b.jpg", "/pictures/y2015/m02/b.jpg"), // counts once for y2015
		image(3, nil, "/pictures/y2016/m01/c.jpg"),
		image(4, nil, "/pictures/y2015/d.jpg"),
		image(5, nil), nil,
	)
	folders := only(t, counts, Query{Of: []string{"folders"}, Depth: 2})
	if got := outline(folders.Values); got != "y2015:3(m01:2 m02:1) y2016:1(m01:1)" {
		t.Error(got)
	}
	if first := folders.Values[0]; first.Value != "/pictures/y2015" || first.Own != 1 || first.Below != 2 || folders.Unknown != 1 || !folders.Tree || folders.Filter != "folder" {
		t.Errorf("%+v", folders)
	}
	if got := outline(only(t, counts, Query{Of: []string{"folders"}, Under: "/pictures/y2015"}).Values); got != "m01:2 m02:1" {
		t.Error(got)
	}
	for find, want := range map[string]string{"m0": "m01:2 m02:1 m01:1", "Y2016": "y2016:1", "y2016/m": "m01:1", "01": "", "pict": "pictures:4"} {
		if got := outline(only(t, counts, Query{Of: []string{"folders"}, Find: find}).Values); got != want {
			t.Errorf("%q finds %q, want %q", find, got, want)
		}
	}
	if none := only(t, counts, Query{Of: []string{"folders"}, Under: "/nowhere"}); len(none.Values) != 0 || none.Values == nil {
		t.Errorf("%+v", none)
	}
}

// TestTagsAreATree: whatever the case, accents and signs between levels.
func TestTagsAreATree(t *testing.T) {
	tags := func(own []string, keywords ...string) func(*index.Record) {
		return func(r *index.Record) { r.Tags, r.Metadata.Keywords = own, keywords }
	}
	counts := count(t,
		image(1, tags([]string{"Places/Japan/Kyoto"}, "Places|Japan", "sea")),
		image(2, tags([]string{"places/japan/Tokyo", "Sea"})),
		image(3, tags([]string{"/", "a//b", "a/", "Café"}, "cafe")),
	)
	if got := outline(only(t, counts, Query{Of: []string{"tags"}, Depth: 3}).Values); got != "Places:2(Japan:2(Kyoto:1 Tokyo:1)) sea:2 :1 a:1(b:1) Café:1" {
		t.Error(got)
	}
}

// TestDatesAreInOrder: years, months and days, the earliest first.
func TestDatesAreInOrder(t *testing.T) {
	counts := count(t, image(1, taken("2024-05-03")), image(2, taken("2023-12-31")), image(3, taken("2024-05-03")), image(4, taken("2024-01-01")), image(5, nil))
	dates := only(t, counts, Query{Of: []string{"dates"}, Depth: 3})
	if got := outline(dates.Values); got != "2023:1(2023-12:1(2023-12-31:1)) 2024:3(2024-01:1(2024-01-01:1) 2024-05:2(2024-05-03:2))" {
		t.Error(got)
	}
	if dates.Unknown != 1 {
		t.Errorf("%d have no date", dates.Unknown)
	}
	if got := outline(only(t, counts, Query{Of: []string{"dates"}, Under: "2024"}).Values); got != "2024-01:1 2024-05:2" {
		t.Error(got)
	}
}

// TestEveryFacet: each is given without being named, in its order, and within limits.
func TestEveryFacet(t *testing.T) {
	rated := func(rating, width int) func(*index.Record) {
		return func(r *index.Record) {
			r.Metadata.Rating, r.Width, r.Metadata.Camera = &rating, width, fmt.Sprintf("camera %d", width)
			r.Metadata.People = []string{"Ada", "Ada", "Bo"}[:1+rating%3]
		}
	}
	counts := count(t, image(1, rated(5, 8000)), image(2, rated(-1, 100)), image(3, rated(4, 1000)), image(4, rated(4, 4000)))
	got := map[string]string{}
	for _, facet := range counts.Select(Query{}) {
		got[facet.Name] = outline(facet.Values)
	}
	want := map[string]string{
		"folders": "", "tags": "", "people": "Ada:3 Bo:1", "ratings": "5:1 4:2 -1:1", "dates": "", "collections": "",
		"cameras": "camera 100:1 camera 1000:1 camera 4000:1 camera 8000:1", "formats": "jpeg:4", "sizes": "small:1 medium:1 large:1 huge:1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if cameras := only(t, counts, Query{Of: []string{"cameras"}, Limit: 3}); len(cameras.Values) != 3 || cameras.LeftOut != 1 {
		t.Errorf("%+v", cameras)
	}
	if counts.Total() != 4 {
		t.Errorf("%d records", counts.Total())
	}
}

func TestWrongQueries(t *testing.T) {
	for _, q := range []Query{
		{Of: []string{"shoes"}}, {Under: "/a"}, {Of: []string{"folders"}, Under: "/a", Find: "b"}, {Find: "b"}, {Depth: 9}, {Depth: -1}, {Limit: -1},
		{Limit: MaximumValues + 1}, {Of: []string{"folders"}, Find: strings.Repeat("x", MaximumFind+1)},
	} {
		var wrong *OptionError
		if err := q.Check(); !errors.As(err, &wrong) || wrong.Remedy == "" {
			t.Errorf("%+v: %v", q, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Count(ctx, []*index.Record{{}}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestDeepTrees: what lies deeper than a tree goes is still counted.
func TestDeepTrees(t *testing.T) {
	deep := strings.Repeat("/x", 10_000)
	counts := count(t, image(1, func(r *index.Record) { r.Tags = []string{deep, strings.Repeat("y/", 3000)} }, deep+"/a.jpg"))
	for _, name := range []string{"folders", "tags"} {
		if facet := only(t, counts, Query{Of: []string{name}}); facet.Unknown != 0 || len(facet.Values) == 0 {
			t.Errorf("%s: %d values, %d unknown", name, len(facet.Values), facet.Unknown)
		}
	}
}

// many makes pictures of 25 years in 300 folders, with tags and cameras.
func many(size int) []*index.Record {
	records := make([]*index.Record, size)
	for i := range records {
		day := time.Date(2000, 1, 1+i*9000/size, i%24, 0, 0, 0, time.UTC)
		records[i] = image(i+1, func(r *index.Record) {
			r.Metadata.Taken, r.Metadata.Camera = day, fmt.Sprintf("Camera %d", i%40)
			r.Tags = []string{fmt.Sprintf("Places/Country %d/Town %d", i%30, i%400), fmt.Sprintf("subject %d", i%900)}
		}, fmt.Sprintf("/srv/pictures/y%d/m%02d/IMG_%06d.jpg", day.Year(), day.Month(), i))
	}
	return records
}

func BenchmarkCount100000(b *testing.B) {
	records := many(100_000)
	for b.Loop() {
		if _, err := Count(b.Context(), records); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSelect100000(b *testing.B) {
	counts, err := Count(b.Context(), many(100_000))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if list := counts.Select(Query{Depth: 2}); !slices.ContainsFunc(list, func(f Facet) bool { return len(f.Values) > 10 }) {
			b.Fatal("no values")
		}
	}
}
