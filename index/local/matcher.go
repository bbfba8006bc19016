package local

import (
	"math"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/keyword"
	"slices"
	"strings"
	"time"
)

// matcher is a filter made ready to be asked about many records, by one
// goroutine.
type matcher struct {
	kinds         []index.Kind
	folders       []string
	dated         bool
	from, until   bound // after and before, or the ends of time
	filter        index.Filter
	taken         *bool
	cameras       []string
	tags, formats []string
	people        []string
	ratings       []index.RatingRange
	near          *index.Near
	ids           map[index.ID]bool

	// What was found out about values that many records share.
	knownCameras map[cameraNames]bool
	knownTags    map[string]bool
	knownFormats map[string]bool
	knownFolders map[string]bool
	knownPeople  map[string]bool
}

// bound is one end of a range of dates.
type bound struct {
	at moment
	// zoned says that it is a moment, in a zone that is so many seconds ahead of UTC.
	zoned bool
	zone  int64
}

func boundOf(t time.Time, zoned bool) bound {
	_, offset := t.Zone()
	return bound{at: momentOf(t), zoned: zoned, zone: int64(offset)}
}

// compared gives the time that is compared with the bound.
func (b bound) compared(d dating) moment {
	switch {
	case !b.zoned || !d.taken:
	case d.offsetKnown:
		d.date.seconds -= int64(d.offset)
	default:
		d.date.seconds -= b.zone
	}
	return d.date
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

// newMatcher gives nil for a filter that lets everything pass.
func newMatcher(f index.Filter) *matcher {
	if f.IsZero() {
		return nil
	}
	m := &matcher{
		filter: f, kinds: f.Kinds, taken: f.Taken, near: f.Near, ratings: f.Ratings, people: keyword.FoldAll(f.People),
		knownCameras: map[cameraNames]bool{}, knownTags: map[string]bool{}, knownFormats: map[string]bool{}, knownFolders: map[string]bool{},
		knownPeople: map[string]bool{},
	}
	m.dated = !f.After.IsZero() || !f.Before.IsZero()
	m.from, m.until = bound{at: moment{seconds: math.MinInt64}}, bound{at: moment{seconds: math.MaxInt64}}
	if !f.After.IsZero() {
		m.from = boundOf(f.After, f.AfterZoned)
	}
	if !f.Before.IsZero() {
		m.until = boundOf(f.Before, f.BeforeZoned)
	}
	for _, folder := range f.Folders {
		m.folders = append(m.folders, foldFolder(folder))
	}
	for _, camera := range f.Cameras {
		m.cameras = append(m.cameras, keyword.Fold(camera))
	}
	for _, tag := range f.Tags {
		m.tags = append(m.tags, foldTag(tag))
	}
	for _, format := range f.Formats {
		m.formats = append(m.formats, foldFormat(format))
	}
	if len(f.IDs) > 0 {
		m.ids = make(map[index.ID]bool, len(f.IDs))
		for _, id := range f.IDs {
			m.ids[id] = true
		}
	}
	return m
}

// foldFormat makes the names of one format equal.
func foldFormat(format string) string {
	folded := strings.TrimPrefix(keyword.Fold(format), ".")
	if known, ok := pixels.ParseFormat(folded); ok {
		return string(known)
	}
	return folded
}

// beyondWords reports whether the keyword index cannot tell by itself all that
// passes the filter.
func (m *matcher) beyondWords() bool { return m != nil && (m.from.zoned || m.until.zoned) }

func (m *matcher) matches(r *index.Record) bool {
	if m == nil {
		return true
	}
	return (m.ids == nil || m.ids[r.ID]) &&
		m.matchesKind(r.Kind) && m.matchesFormat(r.Format) && m.matchesDate(datingOf(r)) && m.matchesCamera(cameraOf(r)) &&
		m.matchesRating(ratingOf(r)) && m.matchesTag(r) && m.matchesPerson(r) && m.matchesPlace(r) && m.matchesFiles(r)
}

// slots appends the slots of a page whose records match, but for their IDs: what
// [matcher.matches] says of each, from the page's columns as far as these tell.
func (m *matcher) slots(p *page[*index.Record], slots []uint8) []uint8 {
	if m == nil {
		for slot, present := range p.present {
			if present {
				slots = append(slots, uint8(slot))
			}
		}
		return slots
	}
	c := columnsOf(p)
	var formats, cameras, folders *[pageSize]bool
	if len(m.formats) > 0 {
		formats = c.formats.where(m.matchesFormat)
	}
	if len(m.cameras) > 0 {
		cameras = c.cameras.where(m.matchesCamera)
	}
	if len(m.folders) > 0 {
		folders = c.folders.where(m.matchesFolder)
	}
	for i, present := range p.present {
		slot := uint8(i)
		if present && passes(formats, c.formats.of[slot]) && passes(cameras, c.cameras.of[slot]) &&
			m.matchesKind(c.kinds[slot]) && m.matchesDate(c.dating(slot)) && m.matchesRating(c.ratings[slot]) &&
			m.matchesRest(p.values[slot], c.flags[slot], passes(folders, c.folders.of[slot])) {
			slots = append(slots, slot)
		}
	}
	return slots
}

// passes says what was found out about a value; nil when nothing was asked.
func passes(found *[pageSize]bool, value uint8) bool { return found == nil || found[value] }

// matchesRest asks the record what its columns do not tell.
func (m *matcher) matchesRest(r *index.Record, flags columnFlags, inFolder bool) bool {
	if len(m.folders) > 0 && flags&flagOneFolder == 0 {
		inFolder = m.matchesFiles(r)
	}
	return inFolder &&
		(len(m.tags) == 0 || flags&flagTags != 0 && m.matchesTag(r)) &&
		(len(m.people) == 0 || flags&flagPeople != 0 && m.matchesPerson(r)) &&
		(m.near == nil || flags&flagPlace != 0 && m.matchesPlace(r))
}

func (m *matcher) matchesDate(d dating) bool {
	if m.taken != nil && *m.taken != d.taken {
		return false
	}
	return !m.dated || !d.date.isZero() && !m.from.compared(d).before(m.from.at) && m.until.compared(d).before(m.until.at)
}

func (m *matcher) matchesRating(rating int8) bool {
	return len(m.ratings) == 0 || slices.ContainsFunc(m.ratings, func(wanted index.RatingRange) bool { return holdsRating(wanted, rating) })
}

func (m *matcher) matchesPerson(r *index.Record) bool {
	return len(m.people) == 0 || slices.ContainsFunc(r.Metadata.People, func(person string) bool {
		return remembered(m.knownPeople, person, func() bool {
			return slices.ContainsFunc(keyword.Beginnings(person), func(beginning string) bool { return hasAnyPrefix(beginning, m.people) })
		})
	})
}

func hasAnyPrefix(text string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(text, prefix) })
}

func (m *matcher) matchesKind(kind index.Kind) bool {
	return len(m.kinds) == 0 || slices.Contains(m.kinds, kind)
}

func (m *matcher) matchesFormat(format string) bool {
	return len(m.formats) == 0 || remembered(m.knownFormats, format, func() bool { return slices.Contains(m.formats, foldFormat(format)) })
}

func (m *matcher) matchesCamera(names cameraNames) bool {
	return len(m.cameras) == 0 || remembered(m.knownCameras, names, func() bool {
		camera := keyword.Fold(names.String())
		return camera != "" && slices.ContainsFunc(m.cameras, func(wanted string) bool { return strings.Contains(camera, wanted) })
	})
}

func (m *matcher) matchesTag(r *index.Record) bool {
	if len(m.tags) == 0 {
		return true
	}
	wanted := func(tag string) bool {
		return remembered(m.knownTags, tag, func() bool {
			return slices.ContainsFunc(tagLevels(tag), func(level string) bool { return slices.Contains(m.tags, level) })
		})
	}
	return slices.ContainsFunc(r.Tags, wanted) || slices.ContainsFunc(r.Metadata.Keywords, wanted)
}

// matchesFolder asks about the folder of a file.
func (m *matcher) matchesFolder(folder string) bool {
	return len(m.folders) == 0 || remembered(m.knownFolders, folder, func() bool {
		return slices.ContainsFunc(foldersAbove(folder), func(name string) bool {
			return slices.ContainsFunc(m.folders, func(wanted string) bool { return matchesFolderName(name, wanted) })
		})
	})
}

func (m *matcher) matchesFiles(r *index.Record) bool {
	return len(m.folders) == 0 || slices.ContainsFunc(r.Files, func(file index.File) bool { return slices.ContainsFunc(foldersOfFile(file), m.matchesFolder) })
}

// InFolders reports whether a file passes a filter's folders: which file of a
// picture to show.
func InFolders(f index.Filter, file index.File) bool {
	m := newMatcher(index.Filter{Folders: f.Folders})
	return m == nil || m.matchesFiles(&index.Record{Files: []index.File{file}})
}

// holdsRating reports whether a rating lies in a range.
func holdsRating(r index.RatingRange, rating int8) bool {
	if rating == unrated {
		return r.Unrated
	}
	return !r.Unrated && r.Least <= int(rating) && int(rating) <= r.Most
}

func (m *matcher) matchesPlace(r *index.Record) bool {
	if m.near == nil {
		return true
	}
	if r.Metadata.Latitude == nil || r.Metadata.Longitude == nil {
		return false
	}
	return distance(m.near.Latitude, m.near.Longitude, *r.Metadata.Latitude, *r.Metadata.Longitude) <= m.near.Kilometres
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

// keywordFilter is the same filter for the keyword index. What it lets pass is
// checked against the record again.
func (m *matcher) keywordFilter() keyword.Filter {
	if m == nil {
		return keyword.Filter{}
	}
	f := keyword.Filter{
		Tags: m.tags, Formats: m.formats, Cameras: m.cameras, People: m.people, Taken: m.taken,
		After: m.filter.After, Before: m.filter.Before,
	}
	// What is asked of a moment is checked against the record alone: here it is
	// enough to leave out what no clock in the world would let pass.
	if m.from.zoned {
		f.After = f.After.Add(-maximumOffset * time.Second)
	}
	if m.until.zoned {
		f.Before = f.Before.Add(maximumOffset * time.Second)
	}
	for _, folder := range m.folders {
		if isFolderName(folder) {
			f.FolderNames = append(f.FolderNames, folder)
		} else {
			f.Folders = append(f.Folders, folder)
		}
	}
	for _, wanted := range m.ratings {
		f.Ratings = append(f.Ratings, keyword.RatingRange(wanted))
	}
	for _, kind := range m.kinds {
		f.Kinds = append(f.Kinds, kind.String())
	}
	if m.near != nil {
		f.Near = &keyword.Circle{Latitude: m.near.Latitude, Longitude: m.near.Longitude, Kilometres: m.near.Kilometres}
	}
	for id := range m.ids {
		f.IDs = append(f.IDs, uint64(id))
	}
	return f
}
