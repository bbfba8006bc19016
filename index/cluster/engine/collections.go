package engine

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"mekiki/internal/hint"
)

// Type is the type of a property.
type Type string

// The types of properties. An Exact text is compared as it is; a Words text is cut at white
// space, and found by BM25; a Stored text is neither.
const (
	Exact    Type = "exact"
	ExactSet Type = "exact set"
	Words    Type = "words"
	Stored   Type = "stored"
	Number   Type = "number"
	Truth    Type = "truth"
)

// Property is a named value of objects.
type Property struct {
	Name string
	Type Type
}

// Quantisation is how the graph of a vector keeps its vectors in memory.
type Quantisation string

// The quantisations: none; 8 bits a dimension, by rotation (RQ) or by training (SQ); one bit
// a dimension; products of parts.
const (
	Unquantised Quantisation = "none"
	RQ          Quantisation = "rq"
	SQ          Quantisation = "sq"
	BQ          Quantisation = "bq"
	PQ          Quantisation = "pq"
)

// Collection is a kind of objects.
type Collection struct {
	// Name begins with a capital letter.
	Name       string
	Properties []Property
	// Vectors are the names of the vectors that objects may have. A collection has
	// at least one.
	Vectors []string
	// Shards and Replicas are how many parts it has, and how many copies of each.
	Shards, Replicas int
	Quantisation     Quantisation
}

type classJSON struct {
	Class       string                     `json:"class"`
	Properties  []propertyJSON             `json:"properties"`
	Vectors     map[string]vectorJSON      `json:"vectorConfig"`
	Replication struct{ Factor int }       `json:"replicationConfig"`
	Sharding    struct{ DesiredCount int } `json:"shardingConfig"`
}

type propertyJSON struct {
	Name         string   `json:"name"`
	DataType     []string `json:"dataType"`
	Tokenization string   `json:"tokenization,omitempty"`
	Filterable   bool     `json:"indexFilterable"`
	Searchable   bool     `json:"indexSearchable"`
	Range        bool     `json:"indexRangeFilters"`
}

type vectorJSON struct {
	Vectorizer map[string]any `json:"vectorizer"`
	IndexType  string         `json:"vectorIndexType"`
	Index      map[string]any `json:"vectorIndexConfig"`
}

func (p Property) json() propertyJSON {
	switch p.Type {
	case Exact:
		return propertyJSON{Name: p.Name, DataType: []string{"text"}, Tokenization: "field", Filterable: true}
	case ExactSet:
		return propertyJSON{Name: p.Name, DataType: []string{"text[]"}, Tokenization: "field", Filterable: true}
	case Words:
		return propertyJSON{Name: p.Name, DataType: []string{"text"}, Tokenization: "whitespace", Filterable: true, Searchable: true}
	case Number:
		return propertyJSON{Name: p.Name, DataType: []string{"number"}, Filterable: true, Range: true}
	case Truth:
		return propertyJSON{Name: p.Name, DataType: []string{"boolean"}, Filterable: true}
	}
	return propertyJSON{Name: p.Name, DataType: []string{"text"}, Tokenization: "field"}
}

// vector is the configuration of a vector.
func vector(q Quantisation) vectorJSON {
	index := map[string]any{"distance": "dot"}
	switch q {
	case RQ:
		index["rq"] = map[string]any{"enabled": true, "bits": 8, "rescoreLimit": 0} // who asks scores exactly
	case BQ, SQ, PQ:
		index[string(q)] = map[string]any{"enabled": true}
	default:
		index["skipDefaultQuantization"] = true
	}
	return vectorJSON{Vectorizer: map[string]any{"none": map[string]any{}}, IndexType: "hnsw", Index: index}
}

// CreateCollection makes a collection. One that is there already is left as it is; where
// that has not all of the properties, the error is [ErrSchema].
func (c *Client) CreateCollection(ctx context.Context, made Collection) error {
	there, err := c.Collection(ctx, made.Name)
	if errors.Is(err, ErrAbsent) {
		err = c.create(ctx, made)
		var status *statusError
		if errors.As(err, &status) && status.status == http.StatusUnprocessableEntity {
			there, second := c.Collection(ctx, made.Name) // another process may have made it meanwhile
			if second == nil {
				return made.fits(there)
			}
		}
		return err
	}
	if err != nil {
		return err
	}
	return made.fits(there)
}

func (made Collection) fits(there Collection) error {
	for _, property := range made.Properties {
		if !slices.Contains(there.Properties, property) {
			err := fmt.Errorf("%w: %s has no property %s of type %s", ErrSchema, made.Name, property.Name, property.Type)
			return hint.Wrap(err, "give the library another prefix in the settings, or delete the collection and run: mekiki cluster rebuild")
		}
	}
	return nil
}

func (c *Client) create(ctx context.Context, made Collection) error {
	class := map[string]any{
		"class": made.Name, "replicationConfig": map[string]any{"factor": made.Replicas, "asyncEnabled": made.Replicas > 1, "deletionStrategy": "TimeBasedResolution"},
		"shardingConfig":      map[string]any{"desiredCount": made.Shards},
		"invertedIndexConfig": map[string]any{"bm25": map[string]any{"k1": 1.2, "b": 0.75}, "stopwords": map[string]any{"preset": "none"}},
	}
	var properties []propertyJSON
	for _, property := range made.Properties {
		properties = append(properties, property.json())
	}
	vectors := map[string]vectorJSON{}
	for _, name := range made.Vectors {
		vectors[name] = vector(made.Quantisation)
	}
	class["properties"], class["vectorConfig"] = properties, vectors
	if err := c.call(ctx, http.MethodPost, "/v1/schema", class, nil, nil); err != nil {
		return fmt.Errorf("make the collection %s: %w", made.Name, err)
	}
	return nil
}

// Collection gives the form of a collection; the error is [ErrAbsent] where there is none.
func (c *Client) Collection(ctx context.Context, name string) (Collection, error) {
	var class classJSON
	if err := c.call(ctx, http.MethodGet, "/v1/schema/"+url.PathEscape(name), nil, &class, nil); err != nil {
		return Collection{}, fmt.Errorf("look at the collection %s: %w", name, err)
	}
	there := Collection{Name: class.Class, Shards: class.Sharding.DesiredCount, Replicas: class.Replication.Factor}
	for _, property := range class.Properties {
		there.Properties = append(there.Properties, Property{property.Name, property.kind()})
	}
	for name := range class.Vectors {
		there.Vectors = append(there.Vectors, name)
	}
	slices.Sort(there.Vectors)
	return there, nil
}

func (p propertyJSON) kind() Type {
	for _, kind := range []Type{Exact, ExactSet, Words, Stored, Number, Truth} {
		is := Property{p.Name, kind}.json()
		if slices.Equal(is.DataType, p.DataType) && is.Tokenization == p.Tokenization && is.Filterable == p.Filterable && is.Searchable == p.Searchable {
			return kind
		}
	}
	return ""
}

// AddProperties gives the objects of a collection the properties that it lacks; those that
// are there already have no value. The error is [ErrAbsent] where there is no collection.
func (c *Client) AddProperties(ctx context.Context, collection string, properties []Property) error {
	there, err := c.Collection(ctx, collection)
	if err != nil {
		return err
	}
	for _, property := range properties {
		if slices.ContainsFunc(there.Properties, func(p Property) bool { return p.Name == property.Name }) {
			continue
		}
		err := c.call(ctx, http.MethodPost, "/v1/schema/"+url.PathEscape(collection)+"/properties", property.json(), nil, nil)
		if err != nil {
			again, second := c.Collection(ctx, collection) // another process may have added it meanwhile
			if second == nil && slices.Contains(again.Properties, property) {
				continue
			}
			return fmt.Errorf("add the property %s to the collection %s: %w", property.Name, collection, err)
		}
	}
	return nil
}

// AddVectors gives the objects of a collection more vectors; those that are there already are
// left as they are.
func (c *Client) AddVectors(ctx context.Context, collection string, names []string, q Quantisation) error {
	path := "/v1/schema/" + url.PathEscape(collection)
	var class map[string]any
	if err := c.call(ctx, http.MethodGet, path, nil, &class, nil); err != nil {
		return fmt.Errorf("look at the collection %s: %w", collection, err)
	}
	vectors, _ := class["vectorConfig"].(map[string]any)
	if vectors == nil {
		return fmt.Errorf("%w: %s has no named vectors", ErrSchema, collection)
	}
	missing := slices.DeleteFunc(slices.Clone(names), func(name string) bool { _, there := vectors[name]; return there })
	if len(missing) == 0 {
		return nil
	}
	for _, name := range missing {
		vectors[name] = vector(q)
	}
	if err := c.call(ctx, http.MethodPut, path, class, nil, nil); err != nil {
		return fmt.Errorf("add the vectors %v to the collection %s: %w", missing, collection, err)
	}
	return nil
}

// DropCollection deletes a collection and its objects; one that is not there is not.
func (c *Client) DropCollection(ctx context.Context, name string) error {
	err := c.call(ctx, http.MethodDelete, "/v1/schema/"+url.PathEscape(name), nil, nil, nil)
	if err != nil && !errors.Is(err, ErrAbsent) {
		return fmt.Errorf("delete the collection %s: %w", name, err)
	}
	return nil
}

type aliasJSON struct {
	Alias string `json:"alias"`
	Class string `json:"class"`
}

// Alias gives the collection that another name stands for; the error is [ErrAbsent] where
// there is none.
func (c *Client) Alias(ctx context.Context, alias string) (string, error) {
	var there aliasJSON
	if err := c.call(ctx, http.MethodGet, "/v1/aliases/"+url.PathEscape(alias), nil, &there, nil); err != nil {
		return "", fmt.Errorf("look at the alias %s: %w", alias, err)
	}
	return there.Class, nil
}

// SetAlias makes another name stand for a collection, in one step where it stood for
// another one.
func (c *Client) SetAlias(ctx context.Context, alias, collection string) error {
	there, err := c.Alias(ctx, alias)
	switch {
	case errors.Is(err, ErrAbsent):
		err = c.call(ctx, http.MethodPost, "/v1/aliases", aliasJSON{alias, collection}, nil, nil)
	case err == nil && there != collection:
		err = c.call(ctx, http.MethodPut, "/v1/aliases/"+url.PathEscape(alias), aliasJSON{Class: collection}, nil, nil)
	}
	if err != nil {
		return fmt.Errorf("let the alias %s stand for %s: %w", alias, collection, err)
	}
	return nil
}
