package local

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/keyword"
	"mekiki/internal/vfs/vfstest"
)

// TestFilters asks the columns, the records and the word index for the same.
func TestFilters(t *testing.T) {
	library := openMemory(t, vfstest.NewMemory())
	indextest.Must(t, library.AddSpace(t.Context(), indextest.Small))
	rating := func(stars int) *int { return &stars }
	offset := func(hours float64) *time.Duration {
		d := time.Duration(hours * float64(time.Hour))
		return &d
	}
	clock := func(text string) time.Time {
		parsed, err := time.Parse("2006-01-02T15:04", text)
		indextest.Must(t, err)
		return parsed
	}
	describe := []func(r *index.Record){
		func(r *index.Record) {
			r.Files[0].Path, r.Files[0].RootLength = "/photos/Italy 2019/Day 3/raw/a.webp", len("/photos")
			r.Metadata = index.Metadata{Taken: clock("2024-03-01T01:30"), TakenOffset: offset(9), People: []string{"Ada Lovelace"}, Rating: rating(5), Keywords: []string{"Places|Japan|Ky\u014dto"}}
		},
		func(r *index.Record) {
			r.Files[0].Path = "/photos/Gene\u0300ve/b.webp"
			r.Metadata = index.Metadata{Taken: clock("2024-03-01T01:30"), People: []string{"Bo O'Neil", "Zo\u00eb"}, Rating: rating(-1), Keywords: []string{"Places/Italy"}}
		},
		func(r *index.Record) {
			r.Files[0].Path, r.Files[0].Modified = "/photos/Little_italy/c.webp", clock("2024-02-29T16:30")
			r.Metadata = index.Metadata{Rating: rating(0)}
			r.Tags = []string{"caf\u00e9"}
		},
		func(r *index.Record) {
			r.Files[0].Path, r.Files[0].Modified = "/photos/vitality/d.webp", clock("2020-01-01T00:00")
			r.Metadata = index.Metadata{Taken: clock("2024-02-29T20:00"), TakenOffset: offset(-8)}
		},
	}
	var ids []index.ID
	for i, change := range describe {
		put := indextest.Image(t, uint64(i+1), indextest.Small)
		put.Record.Metadata, put.Record.Tags = index.Metadata{}, nil
		put.Record.Captions = []index.Caption{{Text: "a lantern"}}
		change(&put.Record)
		ids = append(ids, mustWrite(t, library, index.Batch{Puts: []index.Put{put}}).IDs...)
	}
	zoned := func(text string) time.Time {
		parsed, err := time.Parse(time.RFC3339, text)
		indextest.Must(t, err)
		return parsed
	}
	known, unknown := true, false
	tests := []struct {
		name   string
		filter index.Filter
		want   string // the numbers of the records
	}{
		{"a word of a folder", index.Filter{Folders: []string{"italy"}}, "1 3"},
		{"the beginning of a word", index.Filter{Folders: []string{"Ital"}}, "1 3"},
		{"one letter is no beginning", index.Filter{Folders: []string{"i"}}, ""},
		{"nor are two", index.Filter{Folders: []string{"it"}}, ""},
		{"a number that is a word", index.Filter{Folders: []string{"3"}}, "1"},
		{"the beginning of a number", index.Filter{Folders: []string{"201"}}, ""},
		{"a whole name", index.Filter{Folders: []string{"Italy 2019"}}, "1"},
		{"any level", index.Filter{Folders: []string{"day 3"}}, "1"},
		{"a path", index.Filter{Folders: []string{"/photos/italy 2019"}}, "1"},
		{"part of a path", index.Filter{Folders: []string{"/photos/ital"}}, ""},
		{"a folder without its accents", index.Filter{Folders: []string{"geneve"}}, "2"},
		{"a folder with accents, composed", index.Filter{Folders: []string{"Gen\u00e8ve"}}, "2"},
		{"a level of a tag", index.Filter{Tags: []string{"japan"}}, "1"},
		{"the top level", index.Filter{Tags: []string{"Places"}}, "1 2"},
		{"the lowest level, without its accent", index.Filter{Tags: []string{"KYOTO"}}, "1"},
		{"levels", index.Filter{Tags: []string{"places/japan"}}, "1"},
		{"levels with bars", index.Filter{Tags: []string{"Places|Italy"}}, "2"},
		{"part of a level", index.Filter{Tags: []string{"jap"}}, ""},
		{"a tag without its accent", index.Filter{Tags: []string{"cafe"}}, "3"},
		{"the beginning of a name", index.Filter{People: []string{"ada"}}, "1"},
		{"the beginning of a family name", index.Filter{People: []string{"Love"}}, "1"},
		{"a name without its marks", index.Filter{People: []string{"zoe"}}, "2"},
		{"a name after an apostrophe", index.Filter{People: []string{"neil"}}, "2"},
		{"inside of a word", index.Filter{People: []string{"lace"}}, ""},
		{"a rating", index.Filter{Ratings: []index.RatingRange{{Least: 5, Most: 5}}}, "1"},
		{"ratings", index.Filter{Ratings: []index.RatingRange{{Least: -1, Most: 0}}}, "2 3"},
		{"no rating", index.Filter{Ratings: []index.RatingRange{{Unrated: true}}}, "4"},
		{"either", index.Filter{Ratings: []index.RatingRange{{Unrated: true}, {Least: 4, Most: 5}}}, "1 4"},
		{"date known", index.Filter{Taken: &known}, "1 2 4"},
		{"date unknown", index.Filter{Taken: &unknown}, "3"},
		{"by the clock", index.Filter{After: clock("2024-03-01T00:00")}, "1 2"},
		{"before by the clock", index.Filter{Before: clock("2024-03-01T00:00")}, "3 4"},
		// The first was taken at 16:30 UTC on the day before; of the second nobody knows.
		{"a moment of the same zone", index.Filter{After: zoned("2024-03-01T01:00:00+09:00"), AfterZoned: true, Before: zoned("2024-03-01T02:00:00+09:00"), BeforeZoned: true}, "1 2 3"},
		{"a moment of another zone", index.Filter{After: zoned("2024-02-29T16:00:00Z"), AfterZoned: true, Before: zoned("2024-02-29T17:00:00Z"), BeforeZoned: true}, "1 3"},
		{"after a moment", index.Filter{After: zoned("2024-03-01T03:00:00Z"), AfterZoned: true}, "4"},
		{"a moment and a clock", index.Filter{After: zoned("2024-02-29T16:00:00Z"), AfterZoned: true, Before: clock("2024-03-01T00:00")}, "3 4"},
	}
	snapshot := library.Snapshot()
	defer snapshot.Close()
	numbers := func(found []index.ID) string {
		var list []string
		for i, id := range ids {
			for _, each := range found {
				if each == id {
					list = append(list, string(rune('1'+i)))
				}
			}
		}
		return strings.Join(list, " ")
	}
	for _, test := range tests {
		var matched, listed, said []index.ID
		for _, id := range ids {
			if snapshot.Matches(id, test.filter) {
				matched = append(matched, id)
			}
		}
		records, _, err := snapshot.List(t.Context(), test.filter, index.Page{})
		indextest.Must(t, err)
		for _, record := range records {
			listed = append(listed, record.ID)
		}
		hits, err := snapshot.Keyword(t.Context(), index.KeywordQuery{Text: "lantern"}, 10, test.filter)
		indextest.Must(t, err)
		for _, hit := range hits {
			said = append(said, hit.ID)
		}
		if a, b, c := numbers(matched), numbers(listed), numbers(said); a != test.want || b != test.want || c != test.want {
			t.Errorf("%s: records say %q, columns %q, words %q, want %q", test.name, a, b, c, test.want)
		}
	}
}

// TestAccentsAndHigherFoldersAreWords finds words however they are written.
func TestAccentsAndHigherFoldersAreWords(t *testing.T) {
	library := openMemory(t, vfstest.NewMemory())
	indextest.Must(t, library.AddSpace(t.Context(), indextest.Small))
	put := func(number uint64, path string, root string) index.ID {
		p := indextest.Image(t, number, indextest.Small)
		p.Record.Metadata, p.Record.Tags, p.Record.Captions = index.Metadata{Description: "Stra\u00dfenfest im \u00c5ngstr\u00f6m-Park"}, nil, nil
		p.Record.Files[0].Path, p.Record.Files[0].RootLength = path, len(root)
		return mustWrite(t, library, index.Batch{Puts: []index.Put{p}}).IDs[0]
	}
	deep := put(1, "/pictures/all/Italy/Day 3/raw/x1.webp", "/pictures/all")
	near := put(2, "/pictures/all/Italy/x2.webp", "/pictures/all")
	put(3, "/pictures/all/Cafe\u0301/x3.webp", "/pictures/all")
	snapshot := library.Snapshot()
	defer snapshot.Close()
	find := func(words string) []index.ID {
		hits, err := snapshot.Keyword(t.Context(), index.KeywordQuery{Text: words}, 10, index.Filter{})
		indextest.Must(t, err)
		var ids []index.ID
		for _, hit := range hits {
			ids = append(ids, hit.ID)
		}
		return ids
	}
	if got := find("italy"); !reflect.DeepEqual(got, []index.ID{near, deep}) {
		t.Errorf("italy: %v, want %v: the nearer folder first", got, []index.ID{near, deep})
	}
	if got := find("pictures"); len(got) > 0 {
		t.Errorf("a folder above the one that was indexed is a word: %v", got)
	}
	for _, words := range []string{"cafe", "caf\u00e9", "CAFE\u0301"} {
		if got := find(words); len(got) != 1 {
			t.Errorf("%q: %v", words, got)
		}
	}
	for _, words := range []string{"strassenfest", "Stra\u00dfenfest", "angstrom", "\u00c5ngstr\u00f6m"} {
		if got := find(words); len(got) != 3 {
			t.Errorf("%q: %v", words, got)
		}
	}
	hits, err := snapshot.Keyword(t.Context(), index.KeywordQuery{Text: "strassenfest"}, 1, index.Filter{})
	indextest.Must(t, err)
	if got := hits[0].Fragments["description"]; len(got) != 1 || !strings.Contains(got[0], "<mark>Stra\u00dfenfest</mark>") {
		t.Errorf("fragments %q", got)
	}
}

func TestFoldingKeepsOtherScripts(t *testing.T) {
	for text, want := range map[string]string{
		"Gen\u00e8ve": "geneve", "\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2": "\u03c3\u03b9\u03c3\u03c5\u03c6\u03bf\u03c3",
		"\u0419\u043e\u0434": "\u0439\u043e\u0434", "\u30ac\u30fc\u30c7\u30f3": "\u30ac\u30fc\u30c7\u30f3",
		"\u0939\u093f\u0928\u094d\u0926\u0940": "\u0939\u093f\u0928\u094d\u0926\u0940", "\u0130stanbul": "istanbul", "\u0141\u00f3d\u017a": "lodz",
	} {
		if got := keyword.Fold(text); got != want {
			t.Errorf("%q folds to %q, want %q", text, got, want)
		}
	}
}
