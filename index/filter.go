package index

import (
	"cmp"
	"reflect"
	"time"
)

// Filter limits records. All conditions must hold; within a list, one must.
// A zero condition holds for every record, but for Hidden and Trash.
type Filter struct {
	// Kinds limits to images or texts.
	Kinds []Kind
	// Folders limits to records with a file in or below one of these
	// folders. One without a separator matches any folder of whose name a word
	// begins with it, whatever the case and accents: "ital" matches "Italy 2019"
	// and "Little Italy".
	Folders []string
	// After and Before limit the record's date: After <= date < Before. A bound
	// is compared with [Record.Date], which is what the camera's clock showed,
	// unless AfterZoned or BeforeZoned says that it means a moment.
	After, Before time.Time
	// AfterZoned and BeforeZoned make the bound a moment in the zone of its
	// location. It is compared with the moment when the picture was taken; where
	// the offset of the camera's clock is not known, the clock is taken to have
	// shown the time of the bound's zone.
	AfterZoned, BeforeZoned bool
	// Taken limits to records of which the date of taking is known, or, when it
	// points to false, is not.
	Taken *bool
	// Cameras matches when the camera's name contains one of these,
	// whatever the case.
	Cameras []string
	// Tags matches a tag or keyword, or any level of a hierarchical one: of
	// "Places/Japan/Kyoto" each word, and "Places/Japan". Case and accents do not
	// count.
	Tags []string
	// People matches when a word of the name of someone in the picture begins
	// with one of these: "ada l" matches "Ada Lovelace". Case and accents do not
	// count.
	People []string
	// Ratings matches when the rating lies in one of these ranges.
	Ratings []RatingRange
	// Sizes matches when the number of pixels lies in one of these ranges.
	Sizes []SizeRange
	// OCR matches when the words in the picture have one of these texts, in a word or
	// over several: "7731" is in "KA-7731-XY". Case, accents, spaces and punctuation do not
	// count, and a line may end where the text has a space.
	OCR []string
	// Formats matches the image format ("jpeg", also "jpg").
	Formats []string
	// Near limits to images taken within a distance of a point.
	Near *Near
	// Collections matches when the record is in a collection of one of these names,
	// whatever the case and accents.
	Collections []string
	// Favourite limits to favourites or, when it points to false, to what is none.
	Favourite *bool
	// Hidden says what becomes of hidden records, and Trash of those in the trash. Unless
	// it says otherwise they do not pass, but where IDs names records: those are asked for.
	Hidden, Trash Choice
	// IDs limits to these records.
	IDs []ID
}

// Choice says whether records of some kind pass.
type Choice uint8

const (
	// ChoiceExclude leaves them out.
	ChoiceExclude Choice = iota
	// ChoiceInclude lets them pass as others do.
	ChoiceInclude
	// ChoiceOnly lets nothing else pass.
	ChoiceOnly
)

// Passes reports whether a record passes, which is of the kind or not.
func (c Choice) Passes(is bool) bool {
	return c == ChoiceInclude || is == (c == ChoiceOnly)
}

// RatingRange is a range of ratings, from -1 (rejected) to 5, both ends included;
// or, when Unrated is set, those without one.
type RatingRange struct {
	Least, Most int
	Unrated     bool
}

// SizeRange is a range of sizes in pixels, width times height: from Least on, and less than Below.
type SizeRange struct {
	Least, Below int64
}

// Near is a circle on the ground.
type Near struct {
	// Latitude and Longitude of the centre are in degrees.
	Latitude, Longitude float64
	// Kilometres is the radius.
	Kilometres float64
}

// IsZero reports whether the filter asks for nothing: it lets all pass but what is
// hidden or in the trash.
func (f Filter) IsZero() bool {
	value := reflect.ValueOf(f)
	for i := range value.NumField() {
		switch field := value.Field(i); field.Kind() {
		case reflect.Bool: // says how another field is meant
		case reflect.Slice:
			if field.Len() > 0 {
				return false
			}
		case reflect.Struct:
			if !field.Interface().(time.Time).IsZero() {
				return false
			}
		default:
			if !field.IsZero() {
				return false
			}
		}
	}
	return true
}

// Order is the order in which a listing gives records.
type Order uint8

const (
	// OrderAdded is by ID, oldest first.
	OrderAdded Order = iota
	// OrderNewest is by ID, newest first.
	OrderNewest
	// OrderDateDescending is by Record.Date, newest first; equal dates are in order of ID.
	OrderDateDescending
	// OrderDateAscending is by Record.Date, oldest first; equal dates are in order of ID.
	OrderDateAscending
)

// Compare is negative where a place stands before another one in a list of the order, and positive where it stands behind it.
func (o Order) Compare(a, b Place) int {
	added := cmp.Compare(a.ID, b.ID)
	switch o {
	case OrderNewest:
		return -added
	case OrderDateDescending:
		return cmp.Or(b.Date.Compare(a.Date), added)
	case OrderDateAscending:
		return cmp.Or(a.Date.Compare(b.Date), added)
	default:
		return added
	}
}

// Place is where in a list a record with this date and ID stands, or would stand. Orders by ID do not look at the date.
type Place struct {
	Date time.Time
	ID   ID
}

// PlaceOf gives the place of a record.
func PlaceOf(r *Record) Place { return Place{Date: r.Date(), ID: r.ID} }

// Page chooses a part of a list of records.
type Page struct {
	// Behind is a place behind which the page begins, whether or not a record is there (still); nil is before the first
	// record. Offset and Limit count from there; how many records there are is that of the whole list.
	Behind *Place
	// Offset is how many records to skip.
	Offset int
	// Limit is how many records to give; zero means all.
	Limit int
	// Order is the order of the list.
	Order Order
}

// Neighbour is a record found by its vectors.
type Neighbour struct {
	ID ID
	// Score is the largest cosine of any query vector with any of the
	// record's vectors, from the stored half-precision vectors.
	Score float32
	// Part is the number of the record's vector that gave the score.
	Part int
}

// KeywordQuery asks for records by words.
type KeywordQuery struct {
	// Text is words, any of which may match; more matches score higher.
	Text string
	// Phrases must each occur, word after word.
	Phrases []string
	// Exclude are words or phrases that must not occur.
	Exclude []string
	// Kind limits to images or texts; zero means both.
	Kind Kind
	// ScoresOnly leaves out Fragments and Terms, which cost more than finding
	// the records does.
	ScoresOnly bool
}

// KeywordHit is a record found by words.
type KeywordHit struct {
	ID ID
	// Score is BM25 over all fields; it is comparable within one answer only.
	Score float64
	// Fragments are excerpts by field, the matches between <mark> and </mark>,
	// everything else escaped for HTML.
	Fragments map[string][]string
	// Terms are the indexed terms that matched, sorted.
	Terms []string
}

// Facets counts records by value.
type Facets struct {
	// Total is how many records passed the filter.
	Total int
	// Kinds, Formats, Cameras, Tags, People, Ratings, Years, Folders and Collections count by
	// value, most frequent first. A record counts once for each of its values, for none
	// where it has none. Tags include keywords, years are those of Record.Date, and folders
	// are those that files lie in, or were put in when they were uploaded.
	Kinds, Formats, Cameras, Tags, People, Ratings, Years, Folders, Collections []FacetCount
}

// FacetCount is one value and how many records have it.
type FacetCount struct {
	Value string
	Count int
}
