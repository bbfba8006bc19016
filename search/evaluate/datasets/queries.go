package datasets

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"mekiki/internal/bounded"
	"mekiki/internal/sorted"
)

// Query is a query of a further set: by name, in free phrasing, or one that
// nothing answers.
type Query struct {
	Query string `json:"query"`
	// Images are the file names of the right answers; none for a query that
	// nothing answers.
	Images []string `json:"images"`
	// Unclear are the file names of pictures that may be called right or wrong;
	// no measure counts them either way.
	Unclear []string `json:"unclear,omitempty"`
	Split   string   `json:"split"`
	// Form says what kind of query it is, such as "counted"; it may be empty.
	Form string `json:"form,omitempty"`
}

// NearMiss is a right caption of an image and a wrong one that differs little.
type NearMiss struct {
	Image string `json:"image"`
	Right string `json:"right"`
	Wrong string `json:"wrong"`
	// Edit says what was changed, such as "count".
	Edit  string `json:"edit"`
	Split string `json:"split"`
}

// QuerySets are the further sets of a dataset. Those that it does not have are
// empty.
type QuerySets struct {
	Names, FreePhrasing, NoMatch []Query
	NearMisses                   []NearMiss
	// Everyday are more queries that nothing answers: what people ask of
	// photographs, where the pictures are none.
	Everyday []Query
	// Partial are short queries, each about a part of its pictures. They are
	// made from truth.json, which says what the pictures hold.
	Partial []Query
}

// ReadQuerySets reads queries/names.json, free_phrasing.json, no_match.json,
// everyday.json and near_misses.json, and makes partial queries of truth.json,
// as far as they are there.
func ReadQuerySets(fsys fs.FS) (QuerySets, error) {
	var sets QuerySets
	for name, target := range sorted.All(map[string]any{
		"names": &sets.Names, "free_phrasing": &sets.FreePhrasing, "no_match": &sets.NoMatch, "near_misses": &sets.NearMisses,
		"everyday": &sets.Everyday,
	}) {
		err := readJSON(fsys, "queries/"+name+".json", target)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return QuerySets{}, err
		}
	}
	truth, err := ReadTruth(fsys)
	if err != nil {
		return QuerySets{}, err
	}
	sets.Partial = partialQueries(truth)
	return sets, nil
}

func readJSON(fsys fs.FS, name string, target any) error {
	data, err := bounded.ReadFileIn(fsys, name, maximumQueryBytes)
	if err != nil {
		return fmt.Errorf("read queries: %w", err)
	}
	if err := json.Unmarshal(data, target); err != nil {
		return fmt.Errorf("read queries %s: %w", name, explainJSON(err))
	}
	return nil
}

// Only gives the sets of some splits; none means all.
func (s QuerySets) Only(splits ...string) QuerySets {
	if len(splits) == 0 {
		return s
	}
	wanted := map[string]bool{}
	for _, split := range splits {
		wanted[split] = true
	}
	queries := func(list []Query) []Query {
		var only []Query
		for _, query := range list {
			if wanted[query.Split] {
				only = append(only, query)
			}
		}
		return only
	}
	only := QuerySets{
		Names: queries(s.Names), FreePhrasing: queries(s.FreePhrasing), NoMatch: queries(s.NoMatch),
		Everyday: queries(s.Everyday), Partial: queries(s.Partial),
	}
	for _, miss := range s.NearMisses {
		if wanted[miss.Split] {
			only.NearMisses = append(only.NearMisses, miss)
		}
	}
	return only
}
