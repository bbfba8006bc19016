package document

import (
	"cmp"
	"path/filepath"
	"slices"
	"strconv"

	"mekiki/index"
)

// facets is how many facets [index.Facets] has.
const facets = 9

// Counts counts records by value.
type Counts struct {
	total   int
	counted [facets]map[string]int
}

// NewCounts counts none.
func NewCounts() *Counts {
	c := new(Counts)
	for i := range c.counted {
		c.counted[i] = map[string]int{}
	}
	return c
}

// Add counts a record: once for each of its values.
func (c *Counts) Add(record *index.Record) {
	c.total++
	for i, values := range facetValues(record) {
		slices.Sort(values)
		for _, value := range slices.Compact(values) {
			if value != "" {
				c.counted[i][value]++
			}
		}
	}
}

// Facets gives the counts, the most frequent values first.
func (c *Counts) Facets() index.Facets {
	all := index.Facets{Total: c.total}
	for i, list := range [facets]*[]index.FacetCount{
		&all.Kinds, &all.Formats, &all.Cameras, &all.Tags, &all.People, &all.Ratings, &all.Years, &all.Folders, &all.Collections,
	} {
		*list = []index.FacetCount{}
		for value, count := range c.counted[i] {
			*list = append(*list, index.FacetCount{Value: value, Count: count})
		}
		slices.SortFunc(*list, func(a, b index.FacetCount) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
		})
	}
	return all
}

// facetValues gives the values of a record, in the order of [index.Facets].
func facetValues(record *index.Record) [facets][]string {
	var ratings, years, folders []string
	if rating := record.Rating(); rating != nil {
		ratings = []string{strconv.Itoa(*rating)}
	}
	if date := record.Date(); !date.IsZero() {
		years = []string{strconv.Itoa(date.Year())}
	}
	for _, file := range record.Files {
		folders = append(folders, cmp.Or(file.NamedFolder(), filepath.Dir(file.Path)))
	}
	return [facets][]string{
		{record.Kind.String()}, {record.Format}, {record.Metadata.Camera}, slices.Concat(record.Tags, record.Metadata.Keywords),
		slices.Clone(record.People()), ratings, years, folders, slices.Clone(record.Collections()),
	}
}
