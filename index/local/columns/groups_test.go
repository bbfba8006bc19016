package columns

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mekiki/index"
	"mekiki/index/facets"
	"mekiki/index/indextest"
	"mekiki/index/local/catalog"
)

// TestGroupsCountAsRecords: what is counted of groups is what is counted of each record.
func TestGroupsCountAsRecords(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 2))
	edit := catalog.EditTable(catalog.Table[*index.Record]{})
	for id := index.ID(1); id < 5*catalog.PageSize; id++ {
		if random.IntN(7) > 0 {
			record := randomRecord(random, id)
			record.Width, record.Height = random.IntN(3)*3000, 1000*random.IntN(9)
			if id < 2*catalog.PageSize { // some pages are all in one folder, and nobody is in them
				record.Files, record.Tags, record.Metadata.Keywords, record.Given = record.Files[:min(1, len(record.Files))], nil, nil, nil
			}
			edit.Set(id, record)
		}
	}
	table := new(Table).Next(edit.Table, true)
	for number := range 200 {
		filter := index.Filter{Hidden: index.ChoiceInclude, Trash: index.ChoiceInclude}
		if number > 0 {
			filter = randomFilter(random)
		}
		records, total, err := table.List(t.Context(), filter, index.Page{})
		indextest.Must(t, err)
		want, err := facets.Count(t.Context(), records)
		indextest.Must(t, err)
		groups, err := table.FacetGroups(t.Context(), filter)
		indextest.Must(t, err)
		got, err := facets.CountGroups(t.Context(), groups)
		indextest.Must(t, err)
		all := facets.Query{Depth: facets.MaximumDepth, Limit: facets.MaximumValues}
		if diff := cmp.Diff(want.Select(all), got.Select(all)); diff != "" || got.Total() != total {
			t.Fatalf("filter %+v, %d of %d:\n%s", filter, got.Total(), total, diff)
		}
	}
}

// TestEveryFacetIsGrouped: a facet that groups forget would have no values.
func TestEveryFacetIsGrouped(t *testing.T) {
	groups, err := New().FacetGroups(t.Context(), index.Filter{})
	indextest.Must(t, err)
	names := facets.Names()
	for _, name := range names {
		if _, there := groups.Of[name]; !there {
			t.Errorf("%s are not grouped", name)
		}
	}
	if len(groups.Of) != len(names) {
		t.Errorf("groups of %d facets, of which there are %d", len(groups.Of), len(names))
	}
}
