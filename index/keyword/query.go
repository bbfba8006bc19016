package keyword

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/query"
)

// Query asks for documents by words, limited by conditions that do not count
// for the score.
type Query struct {
	// Words may match; more and rarer matches score higher.
	Words string
	// Phrases must each occur in one field.
	Phrases []string
	// Exclude are words or phrases that must not occur in any field.
	Exclude []string
	// Filter limits the documents.
	Filter Filter
	// Limit is the number of hits to give.
	Limit int
	// Allow, where it is not nil, says of a document that passes Filter whether it
	// is wanted. It is asked of the best ones only.
	Allow func(id uint64) bool
	// Matches asks for where the words are.
	Matches bool
}

// Filter limits documents. All conditions must hold; within a list, one must.
type Filter struct {
	Kinds, Tags, Formats []string
	// Folders are compared as they are; FolderNames and People match what begins
	// with them.
	Folders, FolderNames, People []string
	// Ratings are ranges of ratings.
	Ratings []RatingRange
	// Taken limits to documents whose date of taking is known, or is not.
	Taken *bool
	// Cameras matches when the camera contains one of these.
	Cameras []string
	// After and Before limit the date: After <= date < Before, in seconds.
	After, Before time.Time
	// Near limits to a circle.
	Near *Circle
	// IDs limits to these documents.
	IDs []uint64
}

// RatingRange is a range of ratings, both ends included, or those without one.
type RatingRange struct {
	Least, Most int
	Unrated     bool
}

// Circle is a circle on the ground.
type Circle struct{ Latitude, Longitude, Kilometres float64 }

// Hit is a document found.
type Hit struct {
	ID uint64
	// Score is the weighted sum, over fields and words, of BM25.
	Score float64
	// Matches are where the words are, by field, in order.
	Matches []Match
}

// Match is one occurrence of a word.
type Match struct {
	// Field is the field's name and Value the number of the value in it.
	Field string
	Value int
	// Start and End are byte offsets in the value.
	Start, End int
	// Term is the indexed form of the word.
	Term string
}

func matchesOf(locations search.FieldTermLocationMap) []Match {
	var matches []Match
	for field, terms := range locations {
		for term, places := range terms {
			for _, place := range places {
				match := Match{Field: field, Start: int(place.Start), End: int(place.End), Term: term}
				if len(place.ArrayPositions) > 0 {
					match.Value = int(place.ArrayPositions[0])
				}
				matches = append(matches, match)
			}
		}
	}
	slices.SortFunc(matches, compareMatches)
	return slices.Compact(matches)
}

// build makes the query; best may be nil, when every match is wanted.
func build(q Query, best *collector) query.Query {
	wanted := wantedQuery(q, best)
	filter := buildFilter(q.Filter)
	if filter == nil {
		return wanted
	}
	return &withinQuery{wanted, filter}
}

// wantedQuery is the part of a query that scores.
func wantedQuery(q Query, best *collector) query.Query {
	words := wordClauses(q.Words)
	if len(words) > 0 && len(q.Phrases) == 0 && len(q.Exclude) == 0 {
		return &sumQuery{words, best}
	}
	all := bleve.NewBooleanQuery()
	var must int
	if len(words) > 0 {
		all.AddShould(&sumQuery{words, nil})
	}
	for _, phrase := range q.Phrases {
		if clauses := phraseClauses(phrase); len(clauses) > 0 {
			all.AddMust(&sumQuery{clauses, nil})
			must++
		}
	}
	for _, excluded := range q.Exclude {
		for _, clause := range phraseClauses(excluded) {
			all.AddMustNot(clause.query)
		}
	}
	switch {
	case len(words) == 0 && must == 0:
		return bleve.NewMatchNoneQuery()
	case must == 0:
		all.SetMinShould(1)
	}
	return all
}

// wordClauses looks for each word in each field. Names are split as they were
// when they were indexed.
func wordClauses(words string) []clause {
	return eachField(words, func(field weighted, text string) query.Query { return &termsQuery{field: field, text: text} })
}

// eachField looks for a text in each field, where it says something there.
func eachField(words string, look func(field weighted, text string) query.Query) []clause {
	var clauses []clause
	for _, field := range wordFields() {
		text := words
		if field.splits() {
			text = splitWords(words)
		}
		if strings.TrimSpace(text) != "" {
			clauses = append(clauses, clause{query: look(field, text), weight: field.weight})
		}
	}
	return clauses
}

func phraseClauses(phrase string) []clause {
	return eachField(phrase, func(field weighted, text string) query.Query {
		match := bleve.NewMatchPhraseQuery(text)
		match.SetField(field.name)
		return match
	})
}

func buildFilter(f Filter) query.Query {
	var conditions []query.Query
	anyOf := func(field string, values []string) {
		if len(values) > 0 {
			conditions = append(conditions, bleve.NewDisjunctionQuery(terms(field, values)...))
		}
	}
	anyOf(filterKind, f.Kinds)
	if len(f.Folders)+len(f.FolderNames) > 0 {
		conditions = append(conditions, bleve.NewDisjunctionQuery(append(terms(filterFolder, f.Folders), prefixes(filterFolder, f.FolderNames)...)...))
	}
	if len(f.People) > 0 {
		conditions = append(conditions, bleve.NewDisjunctionQuery(prefixes(filterPerson, f.People)...))
	}
	anyOf(filterTag, FoldAll(f.Tags))
	anyOf(filterFormat, FoldAll(f.Formats))
	if f.Taken != nil {
		anyOf(filterTaken, []string{takenTerm(*f.Taken)})
	}
	if len(f.Ratings) > 0 {
		conditions = append(conditions, ratings(f.Ratings))
	}
	if len(f.Cameras) > 0 {
		conditions = append(conditions, cameras(f.Cameras))
	}
	if !f.After.IsZero() || !f.Before.IsZero() {
		conditions = append(conditions, dates(f.After, f.Before))
	}
	if f.Near != nil {
		near := bleve.NewGeoDistanceQuery(f.Near.Longitude, f.Near.Latitude, fmt.Sprintf("%gkm", f.Near.Kilometres*1.001+0.001))
		near.SetField(filterLocation)
		conditions = append(conditions, near)
	}
	if len(f.IDs) > 0 {
		conditions = append(conditions, bleve.NewDocIDQuery(keys(f.IDs)))
	}
	if len(conditions) == 0 {
		return nil
	}
	return bleve.NewConjunctionQuery(conditions...)
}

func terms(field string, values []string) []query.Query {
	queries := make([]query.Query, len(values))
	for i, value := range values {
		term := bleve.NewTermQuery(value)
		term.SetField(field)
		queries[i] = term
	}
	return queries
}

func prefixes(field string, values []string) []query.Query {
	queries := make([]query.Query, len(values))
	for i, value := range values {
		prefix := bleve.NewPrefixQuery(value)
		prefix.SetField(field)
		queries[i] = prefix
	}
	return queries
}

func ratings(ranges []RatingRange) query.Query {
	var queries []query.Query
	for _, r := range ranges {
		least, most, inclusive := float64(r.Least), float64(r.Most), true
		if r.Unrated {
			least, most = unrated, unrated
		}
		within := bleve.NewNumericRangeInclusiveQuery(&least, &most, &inclusive, &inclusive)
		within.SetField(filterRating)
		queries = append(queries, within)
	}
	return bleve.NewDisjunctionQuery(queries...)
}

func cameras(names []string) query.Query {
	var matches []query.Query
	for _, name := range names {
		escaped := strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`).Replace(Fold(name))
		match := bleve.NewWildcardQuery("*" + escaped + "*")
		match.SetField(filterCamera)
		matches = append(matches, match)
	}
	return bleve.NewDisjunctionQuery(matches...)
}

func dates(after, before time.Time) query.Query {
	var low, high *float64
	if !after.IsZero() {
		seconds := float64(after.Unix())
		low = &seconds
	}
	if !before.IsZero() {
		seconds := float64(before.Unix() + 1)
		high = &seconds
	}
	dates := bleve.NewNumericRangeQuery(low, high)
	dates.SetField(filterDate)
	return dates
}
