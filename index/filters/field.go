package filters

import (
	"slices"
	"strings"
	"time"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/keyword"
)

// Name is what a filter is called in the query language.
type Name string

// The filters that have a name.
const (
	Folder     Name = "folder"
	After      Name = "after"
	Before     Name = "before"
	Taken      Name = "taken"
	Camera     Name = "camera"
	Tag        Name = "tag"
	Person     Name = "person"
	Rating     Name = "rating"
	Type       Name = "type"
	Size       Name = "size"
	OCR        Name = "text"
	Near       Name = "near"
	Kind       Name = "kind"
	Collection Name = "collection"
	Favourite  Name = "favourite"
	Hidden     Name = "hidden"
	Trash      Name = "trash"
	// IDs has no name in the query language; programs alone use it.
	IDs Name = ""
)

// Field is one filter: all that is known of it stands in [Fields].
type Field struct {
	// Name is what it is called in the query language.
	Name Name
	// Parameter is its parameter in the address of a request, and Member its member
	// in the JSON of a filter.
	Parameter, Member string
	// Coordinates are, where JSON has an object for a value, the object's members in the
	// order of the text of a value, in which commas stand between them.
	Coordinates []string
	// Value says in a word or two what to write, and Passes which records pass; both are
	// Markdown. Listed lists all that may be written, where that takes longer to say.
	Value, Passes string
	Listed        func() string
	// Example is the filter with a value.
	Example string
	// Repeatable says that it may have several values, of which any must hold.
	Repeatable bool
	// Of lists the members of [index.Filter] that it sets.
	Of []string
	// Facet names the counts of its values among those of a list, and Counts gives
	// them; nil where they are not counted.
	Facet  string
	Counts func(f index.Facets) []index.FacetCount
	// Counted says how records are counted by its values; nil where they are not.
	Counted *Counted
	// Completion is its place among the filters whose values are suggested while
	// somebody types; 0 means that they are not.
	Completion int
	// Shown says that the page offers it.
	Shown bool

	// set reads one value.
	set func(f *index.Filter, value string, o Reading) error
	// join makes a hold where both hold, and reports whether one filter can say so.
	join func(a *index.Filter, b index.Filter) bool
	// compile says whether a record passes; nil when the filter does not limit.
	compile func(m *Matcher, f index.Filter) func(r *index.Record) bool
	// ask asks the keyword index for at least what passes. Without it, the keyword
	// index is given the records that pass.
	ask func(m *Matcher, k *keyword.Filter)
}

// Fields lists the filters in the order of the documentation. It is the one place where
// a filter is declared: the query language, the API, the page, suggestions and the
// documentation ask it.
func Fields() []Field {
	return slices.Concat(descriptiveFields(), dateFields(), givenFields(), technicalFields())
}

func descriptiveFields() []Field {
	folders := func(f *index.Filter) *[]string { return &f.Folders }
	tags := func(f *index.Filter) *[]string { return &f.Tags }
	people := func(f *index.Filter) *[]string { return &f.People }
	ratings := func(f *index.Filter) *[]index.RatingRange { return &f.Ratings }
	ocr := func(f *index.Filter) *[]string { return &f.OCR }
	return []Field{
		{
			Name: Folder, Parameter: "folder", Member: "folders", Of: []string{"Folders"}, Repeatable: true, Example: "folder:Holiday",
			Value:  "a path, or the beginning of a word of a folder's name and what follows",
			Passes: "files in or below it: `folder:ital` is `Italy 2019` and `Little Italy`. One or two Latin letters, and numbers, are whole words",
			Facet:  "folders", Counts: func(f index.Facets) []index.FacetCount { return f.Folders }, Counted: countFolders(), Completion: 4, Shown: true,
			set: appendText(folders), join: joinLists(folders), ask: askFolders,
			compile: func(m *Matcher, f index.Filter) func(*index.Record) bool {
				m.Folders = eachText(f.Folders, foldFolder)
				return when(len(m.Folders) > 0, m.MatchesFiles)
			},
		},
		{
			Name: Tag, Parameter: "tag", Member: "tags", Of: []string{"Tags"}, Repeatable: true, Example: "tag:family",
			Value:  "a tag or keyword, or some levels of a hierarchical one, with `/` or `\\|` between them",
			Passes: "has it: `tag:japan`, `tag:kyoto` and `tag:Places/Japan` are all `Places/Japan/Kyoto`",
			Facet:  "tags", Counts: func(f index.Facets) []index.FacetCount { return f.Tags }, Counted: countTags(), Completion: 1, Shown: true,
			set: appendText(tags), join: joinLists(tags), ask: func(m *Matcher, k *keyword.Filter) { k.Tags = m.Tags },
			compile: func(m *Matcher, f index.Filter) func(*index.Record) bool {
				m.Tags = eachText(f.Tags, foldTag)
				return when(len(m.Tags) > 0, m.MatchesTag)
			},
		},
		{
			Name: Person, Parameter: "person", Member: "people", Of: []string{"People"}, Repeatable: true, Example: `person:"Ada Lovelace"`,
			Value:  "a name, or the beginning of a word of one and what follows",
			Passes: "somebody of that name is in the picture: `person:\"ada l\"` is `Ada Lovelace`",
			Facet:  "people", Counts: func(f index.Facets) []index.FacetCount { return f.People }, Counted: countPeople(), Completion: 2, Shown: true,
			set: appendText(people), join: joinLists(people), ask: func(m *Matcher, k *keyword.Filter) { k.People = m.People },
			compile: func(m *Matcher, f index.Filter) func(*index.Record) bool {
				m.People = eachText(f.People, keyword.Fold)
				return when(len(m.People) > 0, m.MatchesPerson)
			},
		},
		{
			Name: Rating, Parameter: "rating", Member: "ratings", Of: []string{"Ratings"}, Repeatable: true, Example: "rating:4..5",
			Value: "`5`, `>=4`, `<3`, `3..5`, `none`, or `-1` for rejected", Passes: "rated so",
			Facet: "ratings", Counts: func(f index.Facets) []index.FacetCount { return f.Ratings }, Counted: countRatings(), Shown: true,
			set: setRating, join: joinLists(ratings), ask: askRatings,
			compile: func(m *Matcher, f index.Filter) func(*index.Record) bool {
				m.Ratings = f.Ratings
				return when(len(m.Ratings) > 0, func(r *index.Record) bool { return m.MatchesRating(RatingOf(r)) })
			},
		},
		{
			Name: OCR, Parameter: "ocr", Member: "ocr", Of: []string{"OCR"}, Repeatable: true, Example: `text:"platform 9"`,
			Value:  "part of what a picture says",
			Passes: "it stands in the picture, in a word or over several: `text:7731` is `KA-7731-XY`. Spaces and punctuation do not count; see [words in pictures](words.md)",
			set:    setOCR, join: joinLists(ocr), compile: compileOCR,
		},
	}
}

func dateFields() []Field {
	return []Field{
		{
			Name: After, Parameter: "after", Member: "after", Of: []string{"After", "AfterZoned"}, Example: "after:2024-05-31",
			Value: "a date", Passes: "taken (or else modified) then or later. Once only", Counted: countDates(), Shown: true,
			set: func(f *index.Filter, value string, o Reading) error {
				return setDate(&f.After, &f.AfterZoned, After, value, o)
			},
			join: func(a *index.Filter, b index.Filter) bool {
				return joinBounds(&a.After, &a.AfterZoned, b.After, b.AfterZoned, time.Time.After)
			},
			compile: compileAfter, ask: askAfter,
		},
		{
			Name: Before, Parameter: "before", Member: "before", Of: []string{"Before", "BeforeZoned"}, Example: "before:2024-05-31",
			Value: "a date", Passes: "taken before it began. Once only", Shown: true,
			set: func(f *index.Filter, value string, o Reading) error {
				return setDate(&f.Before, &f.BeforeZoned, Before, value, o)
			},
			join: func(a *index.Filter, b index.Filter) bool {
				return joinBounds(&a.Before, &a.BeforeZoned, b.Before, b.BeforeZoned, time.Time.Before)
			},
			compile: compileBefore, ask: askBefore,
		},
		{
			Name: Taken, Parameter: "taken", Member: "taken", Of: []string{"Taken"}, Example: "taken:unknown",
			Value: "`unknown` or `known`", Passes: "pictures that do not say, or that say, when they were taken. Once only",
			set: setTaken, join: joinPointers(func(f *index.Filter) **bool { return &f.Taken }),
			ask: func(m *Matcher, k *keyword.Filter) { k.Taken = m.Taken },
			compile: func(m *Matcher, f index.Filter) func(*index.Record) bool {
				m.Taken = f.Taken
				return when(m.Taken != nil, func(r *index.Record) bool { return m.MatchesDate(DateOf(r)) })
			},
		},
	}
}

// givenFields are filters of what people give records, and no keyword index knows.
func givenFields() []Field {
	collections := func(f *index.Filter) *[]string { return &f.Collections }
	hidden, trash := func(f *index.Filter) *index.Choice { return &f.Hidden }, func(f *index.Filter) *index.Choice { return &f.Trash }
	return []Field{
		{
			Name: Collection, Parameter: "collection", Member: "collections", Of: []string{"Collections"}, Repeatable: true, Example: `collection:"Best of 2024"`,
			Value: "the name of a collection", Passes: "somebody put it there",
			Facet: "collections", Counts: func(f index.Facets) []index.FacetCount { return f.Collections }, Counted: countCollections(), Completion: 6, Shown: true,
			set: appendText(collections), join: joinLists(collections),
			compile: func(m *Matcher, f index.Filter) func(*index.Record) bool {
				m.Collections = eachText(f.Collections, keyword.Fold)
				return when(len(m.Collections) > 0, m.MatchesCollection)
			},
		},
		{
			Name: Favourite, Parameter: "favourite", Member: "favourite", Of: []string{"Favourite"}, Example: "favourite:yes",
			Value: "`yes` or `no`", Passes: "somebody likes it, or nobody does. Once only",
			set: setFavourite, join: joinPointers(func(f *index.Filter) **bool { return &f.Favourite }),
			compile: func(m *Matcher, f index.Filter) func(*index.Record) bool {
				m.Favourite = f.Favourite
				return when(m.Favourite != nil, func(r *index.Record) bool { return *m.Favourite == r.Favourite() })
			},
		},
		{
			Name: Hidden, Parameter: "hidden", Member: "hidden", Of: []string{"Hidden"}, Example: "hidden:yes",
			Value: "`yes`, `any` or `no`, the default", Passes: "hidden records alone, these and others, or none of them. Once only",
			set: setChoice(Hidden, hidden), join: joinChoices(hidden),
			compile: func(m *Matcher, f index.Filter) func(*index.Record) bool {
				m.Hidden = choiceOf(f.Hidden, f)
				return when(m.Hidden != index.ChoiceInclude, func(r *index.Record) bool { return m.Hidden.Passes(r.Hidden()) })
			},
		},
		{
			Name: Trash, Parameter: "trash", Member: "trash", Of: []string{"Trash"}, Example: "trash:yes",
			Value: "`yes`, `any` or `no`, the default", Passes: "what is in the trash alone, that and others, or none of it. Once only",
			set: setChoice(Trash, trash), join: joinChoices(trash),
			compile: func(m *Matcher, f index.Filter) func(*index.Record) bool {
				m.Trash = choiceOf(f.Trash, f)
				return when(m.Trash != index.ChoiceInclude, func(r *index.Record) bool { return m.Trash.Passes(r.InTrash()) })
			},
		},
	}
}

// choiceOf is what a filter chooses: to name records is to ask for them.
func choiceOf(choice index.Choice, f index.Filter) index.Choice {
	if choice == index.ChoiceExclude && len(f.IDs) > 0 {
		return index.ChoiceInclude
	}
	return choice
}

// OfNamed gives what a filter that names records asks of them besides: a filter that lets the same of them pass, and others.
func OfNamed(f index.Filter) index.Filter {
	f.Hidden, f.Trash = choiceOf(f.Hidden, f), choiceOf(f.Trash, f)
	f.IDs = nil
	return f
}

func technicalFields() []Field {
	cameras := func(f *index.Filter) *[]string { return &f.Cameras }
	formats := func(f *index.Filter) *[]string { return &f.Formats }
	return []Field{
		{
			Name: Camera, Parameter: "camera", Member: "cameras", Of: []string{"Cameras"}, Repeatable: true, Example: `camera:"Nikon Z6"`,
			Value: "part of a name", Passes: "taken with it",
			Facet: "cameras", Counts: func(f index.Facets) []index.FacetCount { return f.Cameras }, Counted: countCameras(), Completion: 3, Shown: true,
			set: appendText(cameras), join: joinLists(cameras), ask: func(m *Matcher, k *keyword.Filter) { k.Cameras = m.Cameras },
			compile: func(m *Matcher, f index.Filter) func(*index.Record) bool {
				m.Cameras = eachText(f.Cameras, keyword.Fold)
				return when(len(m.Cameras) > 0, func(r *index.Record) bool { return m.MatchesCamera(CameraOf(r)) })
			},
		},
		{
			Name: Type, Parameter: "format", Member: "formats", Of: []string{"Formats"}, Repeatable: true, Example: "type:jpeg",
			Value: "a format", Listed: formatNames, Passes: "files of the format",
			Facet: "formats", Counts: func(f index.Facets) []index.FacetCount { return f.Formats }, Counted: countFormats(), Completion: 5, Shown: true,
			set: setType, join: joinLists(formats), ask: func(m *Matcher, k *keyword.Filter) { k.Formats = m.Formats },
			compile: func(m *Matcher, f index.Filter) func(*index.Record) bool {
				m.Formats = eachText(f.Formats, FoldFormat)
				return when(len(m.Formats) > 0, func(r *index.Record) bool { return m.MatchesFormat(r.Format) })
			},
		},
		{
			Name: Size, Parameter: "size", Member: "sizes", Of: []string{"Sizes"}, Repeatable: true, Example: "size:>=8",
			Value:  "`small` (below 1 megapixel), `medium` (below 8), `large` (below 20) or `huge`; or megapixels, as in `>=12`, `<2` or `2..8`",
			Passes: "pictures of that many pixels; a range is without its upper end", Counted: countSizes(), Facet: "sizes", Shown: true,
			set: setSize, join: joinLists(func(f *index.Filter) *[]index.SizeRange { return &f.Sizes }),
			compile: func(_ *Matcher, f index.Filter) func(*index.Record) bool {
				return when(len(f.Sizes) > 0, func(r *index.Record) bool { return matchesSize(f.Sizes, pixelsOf(r)) })
			},
		},
		{
			Name: Near, Parameter: "near", Member: "near", Of: []string{"Near"}, Example: "near:35.01,135.77,10",
			Coordinates: []string{"latitude", "longitude", "kilometres"},
			Value:       "`latitude,longitude,kilometres`", Passes: "taken within the distance",
			set: setNear, join: joinPointers(func(f *index.Filter) **index.Near { return &f.Near }), ask: askNear,
			compile: func(m *Matcher, f index.Filter) func(*index.Record) bool {
				m.Near = f.Near
				return when(m.Near != nil, m.MatchesPlace)
			},
		},
		{
			Name: Kind, Parameter: "kind", Member: "kinds", Of: []string{"Kinds"}, Repeatable: true, Example: "kind:image",
			Value: "`image` or `text`", Passes: "pictures (the default) or text records",
			Facet: "kinds", Counts: func(f index.Facets) []index.FacetCount { return f.Kinds },
			set: setKind, ask: askKinds,
			join: func(a *index.Filter, b index.Filter) bool {
				if len(a.Kinds) == 0 {
					a.Kinds = b.Kinds
				}
				return true // a search is for one kind, which the first filter says
			},
			compile: func(m *Matcher, f index.Filter) func(*index.Record) bool {
				m.Kinds = f.Kinds
				return when(len(m.Kinds) > 0, func(r *index.Record) bool { return m.MatchesKind(r.Kind) })
			},
		},
		{
			Name: IDs, Member: "ids", Of: []string{"IDs"}, Repeatable: true, Value: "a record's id", Passes: "these records alone",
			set: setID, join: joinIDs, ask: askIDs, compile: compileIDs,
		},
	}
}

// Names lists what the filters are called, in the order of the documentation.
func Names() []string {
	var names []string
	for _, field := range Fields() {
		if field.Name != IDs {
			names = append(names, string(field.Name))
		}
	}
	return names
}

// Named gives the filter of a name; false when there is none.
func Named(name string) (Field, bool) {
	for _, field := range Fields() {
		if string(field.Name) == name && name != "" {
			return field, true
		}
	}
	return Field{}, false
}

// Join gives a filter that holds where both hold. It reports false when no single
// filter does: both name folders, say.
func Join(a, b index.Filter) (index.Filter, bool) {
	joined, ok := a, true
	for _, field := range Fields() {
		ok = field.join(&joined, b) && ok
	}
	return joined, ok
}

// formatNames lists the formats and their other names, in Markdown.
func formatNames() string {
	var list []string
	for _, format := range pixels.Formats() {
		text := "`" + string(format) + "`"
		if aliases := format.Aliases(); len(aliases) > 0 {
			text += " (`" + strings.Join(aliases, "`, `") + "`)"
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

func when(limits bool, passes func(*index.Record) bool) func(*index.Record) bool {
	if limits {
		return passes
	}
	return nil
}

func eachText(texts []string, fold func(string) string) []string {
	var folded []string
	for _, text := range texts {
		folded = append(folded, fold(text))
	}
	return folded
}
