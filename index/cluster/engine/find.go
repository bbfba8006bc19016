package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Query asks for objects of a collection: those nearest to a vector, those that have words,
// or, where it says neither, all of them.
type Query struct {
	// Collection is the name of one, and no alias: conditions know none.
	Collection string
	// Replicated says that the collection has more than one replica.
	Replicated bool
	Where      Condition
	// Near and Words exclude each other.
	Near  *Near
	Words *Weighted
	// Sort orders objects that are asked for by neither, in place of the order of their IDs.
	Sort []Sort
	// Limit and Offset are at most [MaximumResults] together.
	Limit, Offset int
	// After gives the objects whose IDs follow this one, in order of ID. It excludes all
	// but Limit; to begin, it is [FirstID].
	After string
	// Properties are those to give.
	Properties []string
}

// FirstID is before all IDs of objects.
const FirstID = "00000000-0000-0000-0000-000000000000"

// Near asks for the objects of whose vectors one has the largest dot product. An object need
// not have all of them.
type Near struct {
	// Vectors are the names of the vectors, Row is what they are compared with.
	Vectors []string
	Row     []float32
}

// Weighted asks for words, in properties whose BM25 counts with weights.
type Weighted struct {
	Text string
	// Properties are written as "caption^3": weights are whole numbers, and others are taken for zero.
	Properties []string
}

// Sort is a property to sort by.
type Sort struct {
	Property   string
	Descending bool
}

// Found is an object that a query found.
type Found struct {
	ID string
	// Score is the dot product of [Near], or BM25 of [Weighted].
	Score float64
	// Properties are those that were asked for and that the object has, as JSON.
	Properties map[string]json.RawMessage
}

// Text gives a text property; "" where there is none.
func (f Found) Text(property string) string {
	var text string
	if json.Unmarshal(f.Properties[property], &text) != nil {
		return ""
	}
	return text
}

// Number gives a number; zero where there is none.
func (f Found) Number(property string) float64 {
	var number float64
	if json.Unmarshal(f.Properties[property], &number) != nil {
		return 0
	}
	return number
}

// Find asks several queries at once. The answers are in the order of the queries.
func (c *Client) Find(ctx context.Context, queries ...Query) ([][]Found, error) {
	if len(queries) == 0 {
		return nil, nil
	}
	var parts []string
	for i, query := range queries {
		parts = append(parts, fmt.Sprintf("q%d:%s", i, c.text(query)))
	}
	var got struct {
		Get map[string][]map[string]json.RawMessage
	}
	if err := c.graph(ctx, "{Get{"+strings.Join(parts, " ")+"}}", &got); err != nil {
		return nil, fmt.Errorf("query the engine: %w", err)
	}
	answers := make([][]Found, len(queries))
	for i := range queries {
		for _, object := range got.Get[fmt.Sprintf("q%d", i)] {
			found, err := foundOf(object)
			if err != nil {
				return nil, fmt.Errorf("read what the engine found: %w", err)
			}
			answers[i] = append(answers[i], found)
		}
	}
	return answers, nil
}

func foundOf(object map[string]json.RawMessage) (Found, error) {
	var additional struct {
		ID       string   `json:"id"`
		Distance *float64 `json:"distance"`
		Score    string   `json:"score"`
	}
	if err := json.Unmarshal(object["_additional"], &additional); err != nil {
		return Found{}, err
	}
	found := Found{ID: additional.ID, Properties: object}
	delete(object, "_additional")
	if additional.Distance != nil {
		found.Score = -*additional.Distance
	} else if additional.Score != "" {
		score, err := strconv.ParseFloat(additional.Score, 64)
		if err != nil {
			return Found{}, err
		}
		found.Score = score
	}
	return found, nil
}

// text writes a query in GraphQL.
func (c *Client) text(q Query) string {
	arguments := []string{fmt.Sprintf("limit:%d", q.Limit)}
	additional, properties := "id", q.Properties
	if q.Offset > 0 {
		arguments = append(arguments, fmt.Sprintf("offset:%d", q.Offset))
	}
	if q.After != "" {
		arguments = append(arguments, "after:"+quote(q.After))
	}
	if !q.Where.IsZero() {
		arguments = append(arguments, "where:"+q.Where.text)
	}
	if q.Replicated {
		arguments = append(arguments, "consistencyLevel:"+c.consistency)
	}
	switch {
	case q.Near != nil:
		arguments = append(arguments, fmt.Sprintf("nearVector:{vector:%s,targets:{targetVectors:%s,combinationMethod:minimum}}", row(q.Near.Row), texts(q.Near.Vectors)))
		additional += " distance"
	case q.Words != nil:
		arguments = append(arguments, fmt.Sprintf("bm25:{query:%s,properties:%s}", quote(q.Words.Text), texts(q.Words.Properties)))
		additional += " score"
	case len(q.Sort) > 0:
		var sorts []string
		for _, by := range q.Sort {
			order := "asc"
			if by.Descending {
				order = "desc"
			}
			// The engine joins what its shards have sorted by the properties that it is asked for.
			if !slices.Contains(properties, by.Property) {
				properties = append(slices.Clone(properties), by.Property)
			}
			sorts = append(sorts, fmt.Sprintf("{path:[%s],order:%s}", quote(by.Property), order))
		}
		arguments = append(arguments, "sort:["+strings.Join(sorts, ",")+"]")
	}
	return fmt.Sprintf("%s(%s){%s _additional{%s}}", q.Collection, strings.Join(arguments, ","), strings.Join(properties, " "), additional)
}

func row(values []float32) string {
	text := make([]byte, 0, 12*len(values)+2)
	text = append(text, '[')
	for i, value := range values {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendFloat(text, float64(value), 'g', -1, 32)
	}
	return string(append(text, ']'))
}

// Count counts the objects of a collection that pass each of some conditions.
func (c *Client) Count(ctx context.Context, collection string, conditions ...Condition) ([]int, error) {
	if len(conditions) == 0 {
		return nil, nil
	}
	var parts []string
	for i, condition := range conditions {
		where := ""
		if !condition.IsZero() {
			where = "(where:" + condition.text + ")"
		}
		parts = append(parts, fmt.Sprintf("c%d:%s%s{meta{count}}", i, collection, where))
	}
	var got struct {
		Aggregate map[string][]struct {
			Meta struct {
				Count int `json:"count"`
			} `json:"meta"`
		}
	}
	if err := c.graph(ctx, "{Aggregate{"+strings.Join(parts, " ")+"}}", &got); err != nil {
		return nil, fmt.Errorf("count in the engine: %w", err)
	}
	counts := make([]int, len(conditions))
	for i := range conditions {
		for _, group := range got.Aggregate[fmt.Sprintf("c%d", i)] {
			counts[i] += group.Meta.Count
		}
	}
	return counts, nil
}

// graph asks a query of GraphQL, whose errors come with a success.
func (c *Client) graph(ctx context.Context, query string, data any) error {
	var answer struct {
		Data   json.RawMessage `json:"data"`
		Errors []struct {
			Message string `json:"message"`
		} `json:"errors"`
	}
	body := struct {
		Query string `json:"query"`
	}{query}
	err := c.call(ctx, http.MethodPost, "/v1/graphql", body, &answer, func() error {
		defer func() { answer.Errors = nil }() // the next answer may have none
		if len(answer.Errors) > 0 {
			return &statusError{status: http.StatusUnprocessableEntity, message: shorten(answer.Errors[0].Message)}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return json.Unmarshal(answer.Data, data)
}
