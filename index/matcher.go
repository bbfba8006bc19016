package index

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mekiki/index/keyword"
)

// matcher is a filter made ready to be asked about many records, by one
// goroutine.
type matcher struct {
	kinds         []Kind
	folders       []string
	after, before time.Time
	cameras       []string
	tags, formats []string
	near          *Near
	ids           map[ID]bool

	// What was found out about values that many records share.
	knownCameras map[[2]string]bool
	knownTags    map[string]bool
	knownFormats map[string]bool
	knownFolders map[string]bool
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
func newMatcher(f Filter) *matcher {
	if f.IsZero() {
		return nil
	}
	m := &matcher{
		kinds: f.Kinds, after: f.After, before: f.Before, near: f.Near,
		knownCameras: map[[2]string]bool{}, knownTags: map[string]bool{}, knownFormats: map[string]bool{}, knownFolders: map[string]bool{},
	}
	for _, folder := range f.Folders {
		m.folders = append(m.folders, foldFolder(folder))
	}
	for _, camera := range f.Cameras {
		m.cameras = append(m.cameras, keyword.Fold(camera))
	}
	for _, tag := range f.Tags {
		m.tags = append(m.tags, keyword.Fold(tag))
	}
	for _, format := range f.Formats {
		m.formats = append(m.formats, foldFormat(format))
	}
	if len(f.IDs) > 0 {
		m.ids = make(map[ID]bool, len(f.IDs))
		for _, id := range f.IDs {
			m.ids[id] = true
		}
	}
	return m
}

// foldFormat makes the names of one format equal.
func foldFormat(format string) string {
	switch folded := strings.TrimPrefix(keyword.Fold(format), "."); folded {
	case "jpg", "jpe":
		return "jpeg"
	case "tif":
		return "tiff"
	case "heif":
		return "heic"
	default:
		return folded
	}
}

func (m *matcher) matches(r *Record) bool {
	if m == nil {
		return true
	}
	return (len(m.kinds) == 0 || slices.Contains(m.kinds, r.Kind)) &&
		(m.ids == nil || m.ids[r.ID]) &&
		m.matchesFormat(r) && m.matchesDate(r) && m.matchesCamera(r) && m.matchesTag(r) && m.matchesPlace(r) && m.matchesFolder(r)
}

func (m *matcher) matchesDate(r *Record) bool {
	if m.after.IsZero() && m.before.IsZero() {
		return true
	}
	date := r.Date()
	return !date.IsZero() && (m.after.IsZero() || !date.Before(m.after)) && (m.before.IsZero() || date.Before(m.before))
}

func (m *matcher) matchesFormat(r *Record) bool {
	return len(m.formats) == 0 || remembered(m.knownFormats, r.Format, func() bool { return slices.Contains(m.formats, foldFormat(r.Format)) })
}

func (m *matcher) matchesCamera(r *Record) bool {
	return len(m.cameras) == 0 || remembered(m.knownCameras, [2]string{r.Metadata.Camera, r.Metadata.Lens}, func() bool {
		camera := keyword.Fold(cameraOf(r))
		return camera != "" && slices.ContainsFunc(m.cameras, func(wanted string) bool { return strings.Contains(camera, wanted) })
	})
}

func (m *matcher) matchesTag(r *Record) bool {
	if len(m.tags) == 0 {
		return true
	}
	wanted := func(tag string) bool {
		return remembered(m.knownTags, tag, func() bool { return slices.Contains(m.tags, keyword.Fold(tag)) })
	}
	return slices.ContainsFunc(r.Tags, wanted) || slices.ContainsFunc(r.Metadata.Keywords, wanted)
}

func (m *matcher) matchesFolder(r *Record) bool {
	return len(m.folders) == 0 || slices.ContainsFunc(r.Files, func(file File) bool {
		folder, _ := filepath.Split(file.Path)
		return remembered(m.knownFolders, folder, func() bool {
			folders := foldersOf(&Record{Files: []File{file}})
			return slices.ContainsFunc(m.folders, func(wanted string) bool {
				_, found := slices.BinarySearch(folders, wanted)
				return found
			})
		})
	})
}

func (m *matcher) matchesPlace(r *Record) bool {
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
	f := keyword.Filter{Folders: m.folders, Tags: m.tags, Formats: m.formats, Cameras: m.cameras, After: m.after, Before: m.before}
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
