package search

import (
	"errors"
	"testing"

	"mekiki/index"
	"mekiki/index/facets"
	"mekiki/search/contract"
)

// TestFacetsCountAllHits: those of every page of a search or a list, and of nothing else.
func TestFacetsCountAllHits(t *testing.T) {
	s := newTestSearcher(t, populated(300), Options{})
	for name, request := range map[string]contract.Request{
		"words":             {Text: "cat", Limit: 3},
		"words with a sort": {Text: "cat", Limit: 3, Sort: contract.SortDateAscending},
		"strong hits":       {Text: "cat", Show: contract.ShowStrong},
		"all":               {Text: "cat", Show: contract.ShowAll},
		"a picture":         {Record: 7, Show: contract.ShowAll},
		"a filter":          {Text: "folder:set1"},
		"without":           {Text: "folder:set1 -cat"},
		"nothing of it":     {Text: "cat folder:nowhere"},
	} {
		found := search(t, s, request)
		for range 2 { // made, and then known
			counted, err := s.Facets(t.Context(), request, facets.Query{})
			if err != nil {
				t.Fatal(err)
			}
			if counted.Total != found.Total || counted.TotalIsLowerBound != found.TotalIsLowerBound && found.Stage != contract.StageFinal {
				t.Errorf("%s: %d hits are counted of %d", name, counted.Total, found.Total)
			}
			for _, facet := range counted.Facets {
				if facet.Name == "folders" && facet.Unknown != 0 {
					t.Errorf("%s: %d have no folder", name, facet.Unknown)
				}
			}
		}
	}
}

// TestFacetsAgreeWithTheFilter: a value's count is the number of hits with its filter.
func TestFacetsAgreeWithTheFilter(t *testing.T) {
	s := newTestSearcher(t, populated(300), Options{})
	whole, err := s.Facets(t.Context(), contract.Request{}, facets.Query{Of: []string{"folders"}, Depth: 3})
	if err != nil {
		t.Fatal(err)
	}
	if whole.Total != 300 || len(whole.Facets) != 1 || len(whole.Facets[0].Values) < 2 {
		t.Fatalf("%+v", whole)
	}
	for _, value := range whole.Facets[0].Values {
		if found := search(t, s, contract.Request{Filter: index.Filter{Folders: []string{value.Name}}}); found.Total != value.Count {
			t.Errorf("%s has %d pictures, and %d are counted", value.Value, found.Total, value.Count)
		}
	}
}

// TestFacetsOfWrongRequests are errors that say what to do.
func TestFacetsOfWrongRequests(t *testing.T) {
	s := newTestSearcher(t, populated(30), Options{})
	for name, test := range map[string]struct {
		request contract.Request
		query   facets.Query
		code    contract.Code
	}{
		"no such facet": {contract.Request{}, facets.Query{Of: []string{"shoes"}}, contract.CodeInvalidOption},
		"query":         {contract.Request{Text: "colour:red"}, facets.Query{}, contract.CodeUnknownFilter},
		"record":        {contract.Request{Record: 4000}, facets.Query{}, contract.CodeRecordNotFound},
	} {
		_, err := s.Facets(t.Context(), test.request, test.query)
		var known *contract.Error
		if !errors.As(err, &known) || known.Code != test.code || known.Remedy == "" {
			t.Errorf("%s: %+v", name, err)
		}
	}
}
