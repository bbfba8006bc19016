package filters

import (
	"cmp"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"mekiki/index"
	"mekiki/index/keyword"
)

// Counted says how the records of a list or of a search are counted by the values of a filter. See
// package facets, which counts.
type Counted struct {
	// Facet names the counts.
	Facet string
	// Add adds the values of a record, in the form that the filter takes them, to a list;
	// "" is none.
	Add func(values []string, r *index.Record) []string
	// Fold is the form in which values are compared: those that are equal in it are one value.
	Fold func(value string) string
	// Above gives the value of the level above, "" at the top, where values are levels of a tree. It is nil
	// where they are not.
	Above func(value string) string
	// Last gives the last level of a value of a tree, for showing; nil shows values as they are.
	Last func(value string) string
	// SkipsSingle says that a first level with one value says nothing where no record has that value itself:
	// folders mostly share the beginnings of their paths.
	SkipsSingle bool
	// Compare orders the values; nil puts the most frequent first.
	Compare func(a, b string) int
}

func countFolders() *Counted {
	return &Counted{
		Facet: "folders", Fold: foldFolder,
		Add: func(folders []string, r *index.Record) []string {
			for _, file := range r.Files {
				folders = append(folders, cmp.Or(file.NamedFolder(), filepath.Dir(file.Path)))
			}
			return folders
		},
		Above: func(folder string) string {
			if above := filepath.Dir(folder); above != folder && above != "." {
				return above
			}
			return ""
		},
		Last: filepath.Base, SkipsSingle: true,
	}
}

func countTags() *Counted {
	return &Counted{
		Facet: "tags", Fold: foldTag,
		Add: func(tags []string, r *index.Record) []string {
			return append(append(tags, r.Tags...), r.Metadata.Keywords...)
		},
		Above: func(tag string) string {
			above, _ := splitLevel(tag)
			return above
		},
		Last: func(tag string) string {
			_, last := splitLevel(tag)
			return last
		},
	}
}

// splitLevel parts a tag before its last level.
func splitLevel(tag string) (above, last string) {
	end := strings.LastIndexAny(tag, "/|")
	if end < 0 {
		return "", tag
	}
	return strings.TrimRight(tag[:end], " /|"), strings.TrimSpace(tag[end+1:])
}

func countPeople() *Counted {
	return &Counted{Facet: "people", Fold: keyword.Fold, Add: func(people []string, r *index.Record) []string { return append(people, r.People()...) }}
}

func countCollections() *Counted {
	return &Counted{Facet: "collections", Fold: keyword.Fold, Add: func(names []string, r *index.Record) []string { return append(names, r.Collections()...) }}
}

func countRatings() *Counted {
	return &Counted{
		Facet: "ratings", Fold: keyword.Fold,
		Add: func(ratings []string, r *index.Record) []string {
			rating := r.Rating()
			if rating == nil {
				return ratings
			}
			return append(ratings, strconv.Itoa(*rating))
		},
		Compare: func(a, b string) int {
			return -cmp.Or(cmp.Compare(len(strings.Trim(a, "-")), len(strings.Trim(b, "-"))), strings.Compare(a, b))
		},
	}
}

// countDates counts by days, of which months and years are the levels above: 2024, 2024-05 and 2024-05-31
// are values of the filters for dates.
func countDates() *Counted {
	return &Counted{
		Facet: "dates", Fold: func(day string) string { return day },
		Add: func(days []string, r *index.Record) []string {
			date := r.Date()
			if date.IsZero() || date.Year() < 1 || date.Year() > 9999 {
				return days
			}
			return append(days, date.Format(time.DateOnly))
		},
		Above: func(day string) string {
			above, _, _ := strings.Cut(day, "-")
			if month := strings.LastIndexByte(day, '-'); month > 0 {
				above = day[:month]
			}
			if above == day {
				return ""
			}
			return above
		},
		Compare: strings.Compare,
	}
}

func countCameras() *Counted {
	return &Counted{
		Facet: "cameras", Fold: keyword.Fold,
		Add: func(cameras []string, r *index.Record) []string { return append(cameras, r.Metadata.Camera) },
	}
}

func countFormats() *Counted {
	return &Counted{Facet: "formats", Fold: FoldFormat, Add: func(formats []string, r *index.Record) []string { return append(formats, r.Format) }}
}
