package local

import (
	"cmp"
	"context"
	"fmt"
	"mekiki/index"
	"slices"
	"strconv"
)

// Facets counts the records that pass the filter by value.
func (s *Snapshot) Facets(ctx context.Context, filter index.Filter) (index.Facets, error) {
	counts := facetCounts{
		kinds: map[index.Kind]int{}, years: map[int32]int{},
		formats: map[string]int{}, cameras: map[string]int{}, tags: map[string]int{}, people: map[string]int{},
		ratings: map[int8]int{}, folders: map[string]int{},
	}
	if err := s.eachPage(ctx, newMatcher(filter), counts.add); err != nil {
		return index.Facets{}, fmt.Errorf("count facets: %w", err)
	}
	return index.Facets{
		Total: counts.total,
		Kinds: ranked(counts.kinds, index.Kind.String),
		Years: ranked(counts.years, func(year int32) string { return strconv.Itoa(int(year)) }),

		Formats: ranked(counts.formats, itself), Cameras: ranked(counts.cameras, itself),
		Ratings: ranked(counts.ratings, func(rating int8) string { return strconv.Itoa(int(rating)) }),
		Tags:    ranked(counts.tags, itself), People: ranked(counts.people, itself), Folders: ranked(counts.folders, itself),
	}, nil
}

// facetCounts counts page by page.
type facetCounts struct {
	total                                   int
	kinds                                   map[index.Kind]int
	years                                   map[int32]int
	ratings                                 map[int8]int
	formats, cameras, tags, people, folders map[string]int
}

func (f *facetCounts) add(_ index.ID, p *page[*index.Record], slots []uint8) {
	c := columnsOf(p)
	f.total += len(slots)
	inOne := make([]uint8, 0, len(slots)) // those of one folder
	for _, slot := range slots {
		f.kinds[c.kinds[slot]]++
		if !c.moment(slot).isZero() {
			f.years[c.years[slot]]++
		}
		if rating := c.ratings[slot]; rating != unrated {
			f.ratings[rating]++
		}
		if c.flags[slot]&flagPeople != 0 {
			noteOnce(f.people, slices.Clone(p.values[slot].Metadata.People))
		}
		if c.flags[slot]&flagOneFolder != 0 {
			inOne = append(inOne, slot)
		} else {
			var folders []string
			for _, file := range p.values[slot].Files {
				folders = append(folders, cmp.Or(file.NamedFolder(), parentOf(file.Path)))
			}
			noteOnce(f.folders, folders)
		}
		if c.flags[slot]&flagTags != 0 {
			noteOnce(f.tags, slices.Concat(p.values[slot].Tags, p.values[slot].Metadata.Keywords))
		}
	}
	c.formats.count(slots, func(format string, count int) { note(f.formats, format, count) })
	c.cameras.count(slots, func(names cameraNames, count int) { note(f.cameras, names.camera, count) })
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
