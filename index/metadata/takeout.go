package metadata

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// takeout is what Google Photos wrote beside a picture when it was exported.
type takeout struct {
	Description    string                  `json:"description"`
	PhotoTakenTime struct{ Timestamp any } `json:"photoTakenTime"`
	GeoData        geoData                 `json:"geoData"`
	GeoDataExif    geoData                 `json:"geoDataExif"`
	People         []struct{ Name string } `json:"people"`
	Favorited      bool                    `json:"favorited"`
}

type geoData struct{ Latitude, Longitude float64 }

func (g geoData) position() *position { return positionAt(g.Latitude, g.Longitude) }

// addSidecar reads a file beside the picture, by what it holds. Of two XMP files the
// first goes before.
func (s *statements) addSidecar(sidecar Sidecar) {
	data := sidecar.Data[:min(len(sidecar.Data), MaxSidecarBytes)]
	if strings.HasSuffix(strings.ToLower(sidecar.Name), ".json") {
		if read, ok := readTakeout(data); ok {
			s.takeout = read
		}
		return
	}
	s.sidecar.read(data)
}

// readTakeout reads JSON of Google Takeout; false for other JSON.
func readTakeout(data []byte) (takeout, bool) {
	data = bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF"))
	var named map[string]json.RawMessage
	if !shallow(data) || json.Unmarshal(data, &named) != nil {
		return takeout{}, false
	}
	if _, ok := named["photoTakenTime"]; !ok {
		return takeout{}, false
	}
	// Each field by itself: one of another type costs only itself.
	var t takeout
	for name, into := range map[string]any{
		"description": &t.Description, "photoTakenTime": &t.PhotoTakenTime, "geoData": &t.GeoData,
		"geoDataExif": &t.GeoDataExif, "people": &t.People, "favorited": &t.Favorited,
	} {
		if raw, ok := named[name]; ok {
			_ = json.Unmarshal(raw, into)
		}
	}
	return t, true
}

// shallow reports whether nothing in a JSON text is nested deeper than the bound.
func shallow(data []byte) bool {
	depth, inText, escaped := 0, false, false
	for _, c := range data {
		switch {
		case escaped:
			escaped = false
		case inText:
			escaped, inText = c == '\\', c != '"'
		case c == '"':
			inText = true
		case c == '{' || c == '[':
			if depth++; depth > maxJSONDepth {
				return false
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return true
}

// taken is a moment: no clock's face is known, so UTC's is given.
func (t takeout) taken() (moment, bool) {
	var seconds int64
	switch stamp := t.PhotoTakenTime.Timestamp.(type) {
	case string:
		number, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil {
			return moment{}, false
		}
		seconds = number
	case float64:
		if !(stamp > -1e11 && stamp < 1e11) {
			return moment{}, false
		}
		seconds = int64(stamp)
	}
	when := time.Unix(seconds, 0).UTC()
	if seconds == 0 || when.Year() < earliestYear || when.Year() > 9999 {
		return moment{}, false
	}
	return moment{when, new(time.Duration)}, true
}

func (t takeout) people() (names []string) {
	for _, person := range t.People {
		names = append(names, person.Name)
	}
	return names
}
