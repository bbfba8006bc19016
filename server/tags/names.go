package tags

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/index/keyword"
	"mekiki/server/api"
	"mekiki/server/listing"
)

// named is a tag or a person, and how many records have it.
type named struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

func (r Room) listTags(c echo.Context) error {
	names, total, cursor, err := r.names(c, func(facets index.Facets) []index.FacetCount { return facets.Tags })
	if err != nil {
		return err
	}
	return api.SendJSON(c, http.StatusOK, struct {
		Tags   []named `json:"tags"`
		Total  int     `json:"total"`
		Cursor string  `json:"cursor,omitempty"`
	}{names, total, cursor})
}

func (r Room) listPeople(c echo.Context) error {
	names, total, cursor, err := r.names(c, func(facets index.Facets) []index.FacetCount { return facets.People })
	if err != nil {
		return err
	}
	return api.SendJSON(c, http.StatusOK, struct {
		People []named `json:"people"`
		Total  int     `json:"total"`
		Cursor string  `json:"cursor,omitempty"`
	}{names, total, cursor})
}

// names gives the page of names that a request asks for, of those that counts chooses.
func (r Room) names(c echo.Context, counts func(index.Facets) []index.FacetCount) (page []named, total int, next string, err error) {
	var query struct {
		Limit  int    `json:"limit"`
		Cursor string `json:"cursor"`
		Find   string `json:"find"`
		Sort   string `json:"sort"`
	}
	if err := api.ReadQuery(c, &query); err != nil {
		return nil, 0, "", err
	}
	var facets index.Facets
	ctx := c.Request().Context()
	err = r.Library.Read(ctx, func(reader index.Reader) error {
		facets, err = reader.Facets(ctx, index.Filter{})
		return err
	})
	if err != nil {
		return nil, 0, "", fmt.Errorf("count names: %w", err)
	}
	list := []named{}
	for _, count := range counts(facets) {
		if find := keyword.Fold(query.Find); find == "" || hasWord(keyword.Fold(count.Value), find) {
			list = append(list, named{count.Value, count.Count})
		}
	}
	order := byName
	if query.Sort == "count" {
		order = byCount
	}
	slices.SortFunc(list, order.compare)
	page, next, err = order.keys().Page(list, query.Limit, query.Cursor)
	return page, len(list), next, err
}

// hasWord reports whether a word of a name begins with a text.
func hasWord(name, text string) bool {
	return strings.HasPrefix(name, text) || strings.ContainsFunc(" /|-_.,(", func(gap rune) bool { return strings.Contains(name, string(gap)+text) })
}

// order is an order of names.
type order string

const (
	byName  order = "name"
	byCount order = "count"
)

func (o order) compare(a, b named) int {
	if o == byCount {
		if byCount := cmp.Compare(b.Count, a.Count); byCount != 0 {
			return byCount
		}
	}
	return cmp.Or(strings.Compare(keyword.Fold(a.Name), keyword.Fold(b.Name)), strings.Compare(a.Name, b.Name))
}

// keys are counts and names in one text.
func (o order) keys() listing.Keys[named] {
	return listing.Keys[named]{
		Name:  "names by " + string(o),
		KeyOf: func(n named) string { return strconv.Itoa(n.Count) + " " + n.Name },
		Behind: func(n named, key string) bool {
			count, name, _ := strings.Cut(key, " ")
			number, err := strconv.Atoi(count)
			if err != nil {
				number = math.MaxInt
			}
			return o.compare(n, named{name, number}) > 0
		},
	}
}
