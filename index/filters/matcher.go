package filters

import (
	"math"
	"slices"
	"strings"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/keyword"
)

// Matcher is a filter made ready to be asked about many records, by one
// goroutine.
type Matcher struct {
	Kinds         []index.Kind
	Folders       []string
	Dated         bool
	from, until   bound // after and before, or the ends of time
	filter        index.Filter
	asked         []condition // those that limit, the cheap ones first
	beyondWords   bool
	Taken         *bool
	Cameras       []string
	Tags, Formats []string
	People        []string
	Ratings       []index.RatingRange
	OCR           []written
	Near          *index.Near
	Collections   []string
	Favourite     *bool
	Hidden, Trash index.Choice
	IDs           map[index.ID]bool

	lines []byte // of the record that is looked at, for OCR

	// What was found out about values that many records share.
	knownCameras     map[CameraNames]bool
	knownTags        map[string]bool
	knownFormats     map[string]bool
	knownFolders     map[string]bool
	knownPeople      map[string]bool
	knownCollections map[string]bool
}

// remembered asks about a value once.
func remembered[K comparable](known map[K]bool, value K, ask func() bool) bool {
	answer, there := known[value]
	if !there {
		answer = ask()
		known[value] = answer
	}
	return answer
}

// condition is a field of the filter, and whether a record passes it.
type condition struct {
	name   Name
	passes func(*index.Record) bool
	ask    func(*Matcher, *keyword.Filter)
}

// CompileAmong is [Compile] for records of which some are hidden or in the trash, or,
// unless withheld, none.
func CompileAmong(f index.Filter, withheld bool) *Matcher {
	if !withheld && f.Hidden == index.ChoiceExclude {
		f.Hidden = index.ChoiceInclude
	}
	if !withheld && f.Trash == index.ChoiceExclude {
		f.Trash = index.ChoiceInclude
	}
	return Compile(f)
}

// Compile gives nil for a filter that lets everything pass.
func Compile(f index.Filter) *Matcher {
	m := &Matcher{
		filter:       f,
		knownCameras: map[CameraNames]bool{}, knownTags: map[string]bool{}, knownFormats: map[string]bool{}, knownFolders: map[string]bool{},
		knownPeople: map[string]bool{}, knownCollections: map[string]bool{},
	}
	m.from, m.until = bound{at: Moment{Seconds: math.MinInt64}}, bound{at: Moment{Seconds: math.MaxInt64}}
	for _, field := range slices.Backward(Fields()) {
		if passes := field.compile(m, f); passes != nil {
			m.asked = append(m.asked, condition{field.Name, passes, field.ask})
			m.beyondWords = m.beyondWords || field.ask == nil
		}
	}
	if len(m.asked) == 0 {
		return nil
	}
	m.beyondWords = m.beyondWords || m.from.zoned || m.until.zoned || m.Near != nil && m.Near.Kilometres > widestCircle
	return m
}

// Clone gives a matcher of the same filter, for another goroutine.
func (m *Matcher) Clone() *Matcher { return Compile(m.filter) }

// Except gives the conditions of those fields that somebody does not know to judge by
// themselves; nil when there are none.
func (m *Matcher) Except(known func(Name) bool) *Matcher {
	if m == nil || !slices.ContainsFunc(m.asked, func(c condition) bool { return !known(c.name) }) {
		return nil
	}
	rest := *m
	rest.asked = slices.DeleteFunc(slices.Clone(m.asked), func(c condition) bool { return known(c.name) })
	return &rest
}

// FoldFormat makes the names of one format equal.
func FoldFormat(format string) string {
	folded := strings.TrimPrefix(keyword.Fold(format), ".")
	if known, ok := pixels.ParseFormat(folded); ok {
		return string(known)
	}
	return folded
}

// BeyondWords reports whether the keyword index cannot tell by itself all that
// passes the filter.
func (m *Matcher) BeyondWords() bool { return m != nil && m.beyondWords }

// Matches reports whether a record passes. A nil Matcher lets everything pass.
func (m *Matcher) Matches(r *index.Record) bool {
	if m == nil {
		return true
	}
	for _, condition := range m.asked {
		if !condition.passes(r) {
			return false
		}
	}
	return true
}

// MatchesDate reports whether a record's date passes.
func (m *Matcher) MatchesDate(d Date) bool {
	if m.Taken != nil && *m.Taken != d.Taken {
		return false
	}
	return !m.Dated || !d.Date.IsZero() && !m.from.compared(d).before(m.from.at) && m.until.compared(d).before(m.until.at)
}

// MatchesDates tells of all dates from the earliest to the latest that differ in nothing else whether all pass, or none does;
// neither where some may.
func (m *Matcher) MatchesDates(earliest, latest Date) (all, none bool) {
	if m.Taken != nil && *m.Taken != earliest.Taken {
		return false, true
	}
	if !m.Dated {
		return true, false
	}
	all = m.MatchesDate(earliest) && m.MatchesDate(latest)
	none = m.from.compared(latest).before(m.from.at) || !m.until.compared(earliest).before(m.until.at)
	return all, none
}

// MatchesRating reports whether a rating, or [Unrated], passes.
func (m *Matcher) MatchesRating(rating int8) bool {
	return len(m.Ratings) == 0 || slices.ContainsFunc(m.Ratings, func(wanted index.RatingRange) bool { return holdsRating(wanted, rating) })
}

// MatchesPerson reports whether somebody in the picture passes.
func (m *Matcher) MatchesPerson(r *index.Record) bool {
	return len(m.People) == 0 || slices.ContainsFunc(r.People(), func(person string) bool {
		return remembered(m.knownPeople, person, func() bool {
			return slices.ContainsFunc(keyword.Beginnings(person), func(beginning string) bool { return hasAnyPrefix(beginning, m.People) })
		})
	})
}

func hasAnyPrefix(text string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(text, prefix) })
}

// MatchesKind reports whether a kind passes.
func (m *Matcher) MatchesKind(kind index.Kind) bool {
	return len(m.Kinds) == 0 || slices.Contains(m.Kinds, kind)
}

// MatchesFormat reports whether an image format passes.
func (m *Matcher) MatchesFormat(format string) bool {
	return len(m.Formats) == 0 || remembered(m.knownFormats, format, func() bool { return slices.Contains(m.Formats, FoldFormat(format)) })
}

// MatchesCamera reports whether a camera passes.
func (m *Matcher) MatchesCamera(names CameraNames) bool {
	return len(m.Cameras) == 0 || remembered(m.knownCameras, names, func() bool {
		camera := keyword.Fold(names.String())
		return camera != "" && slices.ContainsFunc(m.Cameras, func(wanted string) bool { return strings.Contains(camera, wanted) })
	})
}

// MatchesTag reports whether one of a record's tags or keywords passes.
func (m *Matcher) MatchesTag(r *index.Record) bool {
	if len(m.Tags) == 0 {
		return true
	}
	wanted := func(tag string) bool {
		return remembered(m.knownTags, tag, func() bool {
			return slices.ContainsFunc(tagLevels(tag), func(level string) bool { return slices.Contains(m.Tags, level) })
		})
	}
	return slices.ContainsFunc(r.Tags, wanted) || slices.ContainsFunc(r.Metadata.Keywords, wanted)
}

// MatchesCollection reports whether one of a record's collections passes.
func (m *Matcher) MatchesCollection(r *index.Record) bool {
	return len(m.Collections) == 0 || slices.ContainsFunc(r.Collections(), func(name string) bool {
		return remembered(m.knownCollections, name, func() bool { return slices.Contains(m.Collections, keyword.Fold(name)) })
	})
}

// MatchesFolder asks about the folder of a file.
func (m *Matcher) MatchesFolder(folder string) bool {
	return len(m.Folders) == 0 || remembered(m.knownFolders, folder, func() bool {
		return slices.ContainsFunc(foldersAbove(folder), func(name string) bool {
			return slices.ContainsFunc(m.Folders, func(wanted string) bool { return matchesFolderName(name, wanted) })
		})
	})
}

// MatchesFiles reports whether a folder of one of a record's files passes.
func (m *Matcher) MatchesFiles(r *index.Record) bool {
	return len(m.Folders) == 0 || slices.ContainsFunc(r.Files, func(file index.File) bool { return slices.ContainsFunc(foldersOfFile(file), m.MatchesFolder) })
}

// InFolders gives what reports whether a file passes a filter's folders: which file
// of a picture to show.
func InFolders(f index.Filter) func(index.File) bool {
	m := Compile(index.Filter{Folders: f.Folders, Hidden: index.ChoiceInclude, Trash: index.ChoiceInclude})
	return func(file index.File) bool {
		return m == nil || m.MatchesFiles(&index.Record{Files: []index.File{file}})
	}
}

// holdsRating reports whether a rating lies in a range.
func holdsRating(r index.RatingRange, rating int8) bool {
	if rating == Unrated {
		return r.Unrated
	}
	return !r.Unrated && r.Least <= int(rating) && int(rating) <= r.Most
}

// MatchesPlace reports whether a record was taken near enough.
func (m *Matcher) MatchesPlace(r *index.Record) bool {
	if m.Near == nil {
		return true
	}
	if r.Metadata.Latitude == nil || r.Metadata.Longitude == nil {
		return false
	}
	return distance(m.Near.Latitude, m.Near.Longitude, *r.Metadata.Latitude, *r.Metadata.Longitude) <= m.Near.Kilometres
}

// distance is the great-circle distance in kilometres by the haversine formula,
// on a sphere of the Earth's mean radius, 6371.0088 km (IUGG).
func distance(latitude1, longitude1, latitude2, longitude2 float64) float64 {
	const radius, degree = 6371.0088, math.Pi / 180
	sinLatitude := math.Sin((latitude2 - latitude1) * degree / 2)
	sinLongitude := math.Sin((longitude2 - longitude1) * degree / 2)
	h := sinLatitude*sinLatitude + math.Cos(latitude1*degree)*math.Cos(latitude2*degree)*sinLongitude*sinLongitude
	return 2 * radius * math.Asin(math.Min(1, math.Sqrt(h)))
}

// KeywordFilter is the same filter for the keyword index. What it lets pass is
// checked against the record again.
func (m *Matcher) KeywordFilter() keyword.Filter {
	if m == nil {
		return keyword.Filter{}
	}
	var f keyword.Filter
	for _, condition := range m.asked {
		if condition.ask != nil {
			condition.ask(m, &f)
		}
	}
	return f
}

// Unrated is the rating, in its column, of a record without one.
const Unrated = math.MinInt8

// RatingOf gives a record's rating, or [Unrated].
func RatingOf(r *index.Record) int8 {
	rating := r.Rating()
	if rating == nil {
		return Unrated
	}
	return int8(*rating)
}
