package keyword

import (
	"fmt"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis/analyzer/custom"
	keywordanalyzer "github.com/blevesearch/bleve/v2/analysis/analyzer/keyword"
	"github.com/blevesearch/bleve/v2/analysis/lang/cjk"
	"github.com/blevesearch/bleve/v2/analysis/lang/en"
	"github.com/blevesearch/bleve/v2/analysis/token/lowercase"
	"github.com/blevesearch/bleve/v2/analysis/token/porter"
	"github.com/blevesearch/bleve/v2/analysis/tokenizer/unicode"
	"github.com/blevesearch/bleve/v2/mapping"
	index "github.com/blevesearch/bleve_index_api"
	"golang.org/x/text/unicode/norm"
)

// The fields that words are searched in.
const (
	fieldCaption     = "caption"
	fieldTitle       = "title"
	fieldDescription = "description"
	fieldText        = "text"
	fieldLabel       = "label"
	fieldName        = "name"
	fieldPlace       = "place"
	fieldCamera      = "camera"
	fieldValue       = "value"
	fieldPerson      = "person"
	fieldFolder      = "folder"
	// FieldOCR has the words in pictures.
	FieldOCR = "ocr"
)

// The fields that filters compare with.
const (
	filterKind     = "f_kind"
	filterFolder   = "f_folder"
	filterTag      = "f_tag"
	filterFormat   = "f_format"
	filterCamera   = "f_camera"
	filterDate     = "f_date"
	filterLocation = "f_location"
	filterPerson   = "f_person"
	filterRating   = "f_rating"
	filterTaken    = "f_taken"
)

// wordsAnalyzer is the name of the one analyzer of all word fields: Unicode
// words, half and full width made equal, lower case, accents off Latin and Greek
// letters, Chinese, Japanese and Korean in single characters and pairs, English possessives, stop words and
// endings taken off.
const wordsAnalyzer = "words"

const bigramFilter = "cjk_single_and_pair"

func newMapping() (*mapping.IndexMappingImpl, error) {
	if err := registerAccents(); err != nil {
		return nil, fmt.Errorf("define keyword mapping: %w", err)
	}
	m := bleve.NewIndexMapping()
	m.ScoringModel = index.BM25Scoring
	m.DefaultAnalyzer = keywordanalyzer.Name
	m.IndexDynamic, m.StoreDynamic, m.DocValuesDynamic = false, false, false
	err := m.AddCustomTokenFilter(bigramFilter, map[string]any{"type": cjk.BigramName, "output_unigram": true})
	if err != nil {
		return nil, fmt.Errorf("define keyword mapping: %w", err)
	}
	err = m.AddCustomAnalyzer(wordsAnalyzer, map[string]any{
		"type":      custom.Name,
		"tokenizer": unicode.Name,
		"token_filters": []string{
			cjk.WidthName, en.PossessiveName, lowercase.Name, accentsFilter, bigramFilter, en.StopName, porter.Name,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("define keyword mapping: %w", err)
	}
	document := bleve.NewDocumentStaticMapping()
	for _, field := range wordFields() {
		words := bleve.NewTextFieldMapping()
		words.Analyzer = wordsAnalyzer
		words.Store, words.IncludeInAll, words.DocValues = false, false, false
		words.IncludeTermVectors = true
		document.AddFieldMappingsAt(field.name, words)
	}
	for _, name := range exactFilters() {
		exact := bleve.NewKeywordFieldMapping()
		exact.Store, exact.IncludeInAll, exact.DocValues, exact.IncludeTermVectors = false, false, false, false
		document.AddFieldMappingsAt(name, exact)
	}
	for _, name := range []string{filterDate, filterRating} {
		number := bleve.NewNumericFieldMapping()
		number.Store, number.IncludeInAll, number.DocValues = false, false, false
		document.AddFieldMappingsAt(name, number)
	}
	location := bleve.NewGeoPointFieldMapping()
	location.Store, location.IncludeInAll = false, false
	document.AddFieldMappingsAt(filterLocation, location)
	m.DefaultMapping = document
	if err := m.Validate(); err != nil {
		return nil, fmt.Errorf("define keyword mapping: %w", err)
	}
	return m, nil
}

// fieldsOf gives a document in the form that the mapping reads.
func fieldsOf(d *Document) map[string]any {
	fields := map[string]any{filterKind: d.Kind}
	for _, field := range wordFields() {
		if values := d.words(field.name); len(values) > 0 {
			fields[field.name] = values
		}
	}
	setList(fields, filterFolder, d.Folders)
	setList(fields, filterTag, FoldAll(d.Tags))
	for _, person := range d.People {
		people, _ := fields[filterPerson].([]string)
		fields[filterPerson] = append(people, Beginnings(person)...)
	}
	fields[filterRating] = float64(unrated)
	if d.Rating != nil {
		fields[filterRating] = float64(*d.Rating)
	}
	fields[filterTaken] = takenTerm(d.Taken)
	if d.Format != "" {
		fields[filterFormat] = Fold(d.Format)
	}
	if d.Camera != "" {
		fields[filterCamera] = Fold(d.Camera)
	}
	if !d.Date.IsZero() {
		fields[filterDate] = float64(d.Date.Unix())
	}
	if d.Latitude != nil && d.Longitude != nil {
		fields[filterLocation] = map[string]any{"lat": *d.Latitude, "lon": *d.Longitude}
	}
	return fields
}

// exactFilters are the fields whose values filters compare as they are.
func exactFilters() []string {
	return []string{filterKind, filterFolder, filterTag, filterFormat, filterCamera, filterPerson, filterTaken}
}

// unrated stands for no rating; ratings are from -1 to 5.
const unrated = -100

func takenTerm(known bool) string {
	if known {
		return "known"
	}
	return "unknown"
}

func setList(fields map[string]any, name string, values []string) {
	if len(values) > 0 {
		fields[name] = values
	}
}

// words gives the values of a word field.
func (d *Document) words(field string) []string {
	single := func(value string) []string {
		if value == "" {
			return nil
		}
		return []string{value}
	}
	switch field {
	case fieldCaption:
		return d.Captions
	case fieldTitle:
		return single(d.Title)
	case fieldDescription:
		return single(d.Description)
	case fieldText:
		return single(d.Text)
	case fieldLabel:
		return d.Labels
	case fieldName:
		names := make([]string, len(d.Names))
		for i, name := range d.Names {
			names[i] = splitName(name)
		}
		return names
	case fieldPlace:
		return single(d.Place)
	case fieldCamera:
		return single(d.Camera)
	case fieldValue:
		return d.Values
	case fieldPerson:
		return d.People
	case FieldOCR:
		return d.OCR
	case fieldFolder:
		folders := make([]string, len(d.HigherFolders))
		for i, folder := range d.HigherFolders {
			folders[i] = splitWords(norm.NFC.String(folder))
		}
		return folders
	}
	return nil
}
