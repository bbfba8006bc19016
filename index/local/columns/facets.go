package columns

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"strconv"
	"unique"

	"mekiki/index"
	"mekiki/index/filters"
)

// Facets counts the records that pass the filter by value.
func (t *Table) Facets(ctx context.Context, filter index.Filter) (index.Facets, error) {
	counts := facetCounts{
		years: map[int32]int{}, formats: map[unique.Handle[string]]int{}, cameras: map[unique.Handle[filters.CameraNames]]int{}, folders: map[unique.Handle[string]]int{},
		tags: map[string]int{}, people: map[string]int{}, otherFolders: map[string]int{}, collections: map[string]int{},
	}
	if err := t.scan(ctx, t.Compile(filter), counts.add); err != nil {
		return index.Facets{}, err
	}
	formats, cameras := map[string]int{}, map[string]int{}
	for format, count := range counts.formats {
		note(formats, format.Value(), count)
	}
	for names, count := range counts.cameras {
		note(cameras, names.Value().Camera, count)
	}
	for folder, count := range counts.folders {
		note(counts.otherFolders, folder.Value(), count)
	}
	return index.Facets{
		Total: counts.total,
		Kinds: ranked(counts.kinds.byValue(), index.Kind.String),
		Years: ranked(counts.years, func(year int32) string { return strconv.Itoa(int(year)) }),

		Formats: ranked(formats, itself), Cameras: ranked(cameras, itself),
		Ratings: ranked(counts.ratings.byValue(), func(rating int8) string { return strconv.Itoa(int(rating)) }),
		Tags:    ranked(counts.tags, itself), People: ranked(counts.people, itself), Folders: ranked(counts.otherFolders, itself),
		Collections: ranked(counts.collections, itself),
	}, nil
}

// facetCounts counts page by page.
type facetCounts struct {
	total                                   int
	kinds                                   tally[index.Kind]
	years                                   map[int32]int
	ratings                                 tally[int8]
	formats, folders                        map[unique.Handle[string]]int
	cameras                                 map[unique.Handle[filters.CameraNames]]int
	tags, people, otherFolders, collections map[string]int
}

// tally counts values of one byte.
type tally[T index.Kind | int8] [256]int

func (t *tally[T]) byValue() map[T]int {
	counts := map[T]int{}
	for value, count := range t {
		if count > 0 {
			counts[T(value)] = count
		}
	}
	return counts
}

func (f *facetCounts) add(p *Page, slots []uint8) {
	c := p.columns()
	f.total += len(slots)
	f.addYears(c, slots)
	inOne := slots
	if !c.inOneFolder {
		inOne = make([]uint8, 0, len(slots))
	}
	for _, slot := range slots {
		f.kinds[c.kinds[slot]]++
		if rating := c.ratings[slot]; rating != filters.Unrated {
			f.ratings[uint8(rating)]++
		}
		if !c.inOneFolder {
			if c.flags[slot]&flagOneFolder != 0 {
				inOne = append(inOne, slot)
			} else {
				noteOnce(f.otherFolders, foldersOf(p.records.Values[slot]))
			}
		}
		if c.flags[slot]&(flagPeople|flagCollections|flagTags) != 0 {
			f.addNames(c.flags[slot], p.records.Values[slot])
		}
	}
	c.formats.count(slots, f.formats)
	c.cameras.count(slots, f.cameras)
	c.folders.count(inOne, f.folders)
}

// addYears counts years. Records that follow each other are mostly of the same.
func (f *facetCounts) addYears(c *columns, slots []uint8) {
	year, count := int32(0), 0
	for _, slot := range slots {
		if c.moment(slot).IsZero() {
			continue
		}
		if c.years[slot] != year && count > 0 {
			f.years[year] += count
			count = 0
		}
		year = c.years[slot]
		count++
	}
	if count > 0 {
		f.years[year] += count
	}
}

// addNames counts what a record may have several of.
func (f *facetCounts) addNames(flags columnFlags, record *index.Record) {
	if flags&flagPeople != 0 {
		noteOnce(f.people, slices.Clone(record.People()))
	}
	if flags&flagCollections != 0 {
		noteOnce(f.collections, slices.Clone(record.Collections()))
	}
	if flags&flagTags != 0 {
		noteOnce(f.tags, slices.Concat(record.Tags, record.Metadata.Keywords))
	}
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
