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
	counts := facetCounts{
		kinds: map[index.Kind]int{}, years: map[int32]int{},
		formats: map[string]int{}, cameras: map[string]int{}, tags: map[string]int{}, people: map[string]int{},
		ratings: map[int8]int{}, folders: map[string]int{}, collections: map[string]int{},
	}
	if err := t.scan(ctx, t.Compile(filter), counts.add); err != nil {
		return index.Facets{}, err
	}
	return index.Facets{
		Total: counts.total,
		Kinds: ranked(counts.kinds, index.Kind.String),
		Years: ranked(counts.years, func(year int32) string { return strconv.Itoa(int(year)) }),

		Formats: ranked(counts.formats, itself), Cameras: ranked(counts.cameras, itself),
		Ratings: ranked(counts.ratings, func(rating int8) string { return strconv.Itoa(int(rating)) }),
		Tags:    ranked(counts.tags, itself), People: ranked(counts.people, itself), Folders: ranked(counts.folders, itself),
		Collections: ranked(counts.collections, itself),
	}, nil
}

// facetCounts counts page by page.
type facetCounts struct {
	total                                                int
	kinds                                                map[index.Kind]int
	years                                                map[int32]int
	ratings                                              map[int8]int
	formats, cameras, tags, people, folders, collections map[string]int
}

func (f *facetCounts) add(p *Page, slots []uint8) {
	c := p.columns()
	f.total += len(slots)
	inOne := make([]uint8, 0, len(slots)) // those of one folder
	for _, slot := range slots {
		f.kinds[c.kinds[slot]]++
		if !c.moment(slot).IsZero() {
			f.years[c.years[slot]]++
		}
		if rating := c.ratings[slot]; rating != filters.Unrated {
			f.ratings[rating]++
		}
		if c.flags[slot]&flagPeople != 0 {
			noteOnce(f.people, slices.Clone(p.records.Values[slot].People()))
		}
		if c.flags[slot]&flagOneFolder != 0 {
			inOne = append(inOne, slot)
		} else {
			var folders []string
			for _, file := range p.records.Values[slot].Files {
				folders = append(folders, cmp.Or(file.NamedFolder(), filepath.Dir(file.Path)))
			}
			noteOnce(f.folders, folders)
		}
		if c.flags[slot]&flagCollections != 0 {
			noteOnce(f.collections, slices.Clone(p.records.Values[slot].Collections()))
		}
		if c.flags[slot]&flagTags != 0 {
			noteOnce(f.tags, slices.Concat(p.records.Values[slot].Tags, p.records.Values[slot].Metadata.Keywords))
		}
	}
	c.formats.count(slots, func(format string, count int) { note(f.formats, format, count) })
	c.cameras.count(slots, func(names filters.CameraNames, count int) { note(f.cameras, names.Camera, count) })
	c.folders.count(inOne, func(folder string, count int) { note(f.folders, folder, count) })
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
