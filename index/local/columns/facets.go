package columns

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"strconv"

	"mekiki/index"
	"mekiki/index/filters"
)

// Facets counts the records that pass the filter by value.
func (t *Table) Facets(ctx context.Context, filter index.Filter) (index.Facets, error) {
	g, err := t.grouped(ctx, filter)
	if err != nil {
		return index.Facets{}, err
	}
	formats, cameras, folders := map[string]int{}, map[string]int{}, map[string]int{}
	for format, count := range g.formats.counts() {
		note(formats, format.Value(), count)
	}
	for names, count := range g.cameras.counts() {
		note(cameras, names.Value().Camera, count)
	}
	for folder, count := range g.folders.counts() {
		note(folders, folder.Value(), count)
	}
	for _, group := range g.otherFolders.having {
		noteOnce(folders, foldersOf(group.Record))
	}
	years, ratings := g.years.counts(), g.ratings.counts()
	delete(years, noYear)
	delete(ratings, filters.Unrated)
	return index.Facets{
		Total: g.total,
		Kinds: ranked(g.kinds.counts(), index.Kind.String),
		Years: ranked(years, func(year int32) string { return strconv.Itoa(int(year)) }),

		Formats: ranked(formats, itself), Cameras: ranked(cameras, itself), Folders: ranked(folders, itself),
		Ratings:     ranked(ratings, func(rating int8) string { return strconv.Itoa(int(rating)) }),
		Tags:        ranked(g.tags.named(func(r *index.Record) []string { return slices.Concat(r.Tags, r.Metadata.Keywords) }), itself),
		People:      ranked(g.people.named(func(r *index.Record) []string { return slices.Clone(r.People()) }), itself),
		Collections: ranked(g.collections.named(func(r *index.Record) []string { return slices.Clone(r.Collections()) }), itself),
	}, nil
}

// named counts the names that records have, each once.
func (s *separate) named(names func(*index.Record) []string) map[string]int {
	counts := map[string]int{}
	for _, group := range s.having {
		noteOnce(counts, names(group.Record))
	}
	return counts
}

func foldersOf(record *index.Record) []string {
	var folders []string
	for _, file := range record.Files {
		folders = append(folders, cmp.Or(file.NamedFolder(), filepath.Dir(file.Path)))
	}
	return folders
}

// noteOnce counts every one of a record's values once.
func noteOnce(counts map[string]int, values []string) {
	slices.Sort(values)
	for _, value := range slices.Compact(values) {
		note(counts, value, 1)
	}
}

func note(counts map[string]int, value string, count int) {
	if value != "" {
		counts[value] += count
	}
}

func itself(value string) string { return value }

// ranked puts the most frequent first.
func ranked[K comparable](counts map[K]int, name func(K) string) []index.FacetCount {
	list := make([]index.FacetCount, 0, len(counts))
	for value, count := range counts {
		list = append(list, index.FacetCount{Value: name(value), Count: count})
	}
	slices.SortFunc(list, func(a, b index.FacetCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
	})
	return list
}
