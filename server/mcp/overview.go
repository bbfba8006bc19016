package mcp

import (
	"cmp"
	"context"
	"slices"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"mekiki/index"
	"mekiki/index/facets"
	"mekiki/search/contract"
	"mekiki/server/problem"
	"mekiki/server/status"
	"mekiki/server/wire"
)

// facetsInput is what list_facets takes.
type facetsInput struct {
	Query   string      `json:"query,omitempty" jsonschema:"Count the hits of this search, in the language of search_images. Without a query and filters, all images are counted."`
	Filters wire.Filter `json:"filters,omitempty"`
	Of      []string    `json:"of,omitempty" jsonschema:"What to count by; everything if you leave it out."`
	Under   string      `json:"under,omitempty" jsonschema:"Give the values below this one, such as the folders in a folder or the months of a year. It needs exactly one name in of."`
	Find    string      `json:"find,omitempty" jsonschema:"Give the values of all levels in which a word begins so. It needs exactly one name in of."`
	Limit   int         `json:"limit,omitempty" jsonschema:"How many values to give of each."`
}

// facetValue is one value with its count.
type facetValue struct {
	Value string `json:"value" jsonschema:"what the filter takes"`
	Count int    `json:"count" jsonschema:"images that have it, or a value below it"`
	Below int    `json:"below,omitempty" jsonschema:"values of the next level; ask with under"`
}

// facet is what one filter's values count.
type facet struct {
	Name    string       `json:"name"`
	Filter  string       `json:"filter" jsonschema:"the filter of a query that takes the values, as in tag:family"`
	Values  []facetValue `json:"values"`
	LeftOut int          `json:"left_out,omitempty" jsonschema:"values beyond the limit"`
	Unknown int          `json:"unknown,omitempty" jsonschema:"images without a value"`
}

// counted is an answer of list_facets.
type counted struct {
	Total    int      `json:"total" jsonschema:"images that were counted"`
	AtLeast  bool     `json:"total_is_lower_bound,omitempty"`
	Facets   []facet  `json:"facets"`
	Warnings []string `json:"warnings,omitempty"`
}

// statusInput is what library_status takes: nothing.
type statusInput struct{}

// libraryStatus is an answer of library_status.
type libraryStatus struct {
	Version      string   `json:"version" jsonschema:"of Mekiki"`
	Images       int      `json:"images"`
	Texts        int      `json:"texts"`
	Failures     int      `json:"failures" jsonschema:"files that could not be indexed"`
	Model        string   `json:"model,omitempty" jsonschema:"the model that searches"`
	AnswerModel  string   `json:"answer_model,omitempty" jsonschema:"the model that answers ask_image"`
	Changes      bool     `json:"changes" jsonschema:"whether you may tag and collect"`
	WhyNot       string   `json:"why_no_changes,omitempty"`
	Facets       []string `json:"facets" jsonschema:"what list_facets counts by"`
	LargestImage int      `json:"largest_image" jsonschema:"longest side that get_image gives, in pixels"`
}

func (t *Tools) addOverview(server *sdk.Server) {
	add(t, server, t.Compute, tool{
		name: "list_facets", title: "Count by tag, folder, date and so on",
		description: "See what the library holds: values of tags, folders, dates, people, collections, cameras and so on, with how many images have them; of all images or of the hits of a search. " +
			"Use it to learn which values filters can take.",
		bounds: bounds{
			"query": words, "of": facetNames, "under": words, "find": words, "limit": number(1, maximumValues, defaultValues),
		},
	}, t.listFacets)
	add(t, server, t.Read, tool{
		name: "library_status", title: "Status of the library",
		description: "How many images there are, which models are at work, and whether you may change anything.",
	}, func(ctx context.Context, _ statusInput) (libraryStatus, []sdk.Content, error) {
		status, err := t.status(ctx)
		return status, nil, err
	})
}

func (t *Tools) listFacets(ctx context.Context, asked facetsInput) (answer counted, _ []sdk.Content, err error) {
	request := contract.Request{Text: asked.Query}
	if request.Filter, err = asked.Filters.Parse("filters."); err != nil {
		return answer, nil, err
	}
	response, err := t.Searcher.Facets(ctx, request, facets.Query{
		Of: asked.Of, Under: asked.Under, Find: asked.Find, Depth: 1, Limit: cmp.Or(asked.Limit, defaultValues),
	})
	if err != nil {
		return answer, nil, err
	}
	answer = counted{Total: response.Total, AtLeast: response.TotalIsLowerBound, Facets: make([]facet, len(response.Facets)), Warnings: response.Warnings}
	for i, one := range response.Facets {
		answer.Facets[i] = facet{Name: one.Name, Filter: one.Filter, Values: make([]facetValue, len(one.Values)), LeftOut: one.LeftOut, Unknown: one.Unknown}
		for j, value := range one.Values {
			answer.Facets[i].Values[j] = facetValue{Value: value.Value, Count: value.Count, Below: value.Below}
		}
	}
	return answer, nil, nil
}

func (t *Tools) status(ctx context.Context) (libraryStatus, error) {
	now := libraryStatus{Version: t.Version, Changes: t.Edit != nil, Facets: facets.Names(), LargestImage: MaximumSide}
	if err := t.ReadOnly(); err != nil {
		now.Changes, now.WhyNot = false, problem.From(err).Reason()
	}
	if t.Models != nil {
		models := t.Models()
		if i := slices.IndexFunc(models, func(model status.Model) bool { return model.Active }); i >= 0 {
			now.Model = models[i].Name
		}
	}
	if t.Asker != nil {
		now.AnswerModel = t.Asker.Model().Name
	}
	return now, t.Library.Read(ctx, func(reader index.Reader) error {
		now.Images, now.Texts = reader.Count(index.KindImage), reader.Count(index.KindText)
		failures, err := reader.Failures(ctx)
		now.Failures = len(failures)
		return err
	})
}
