package metadata

import (
	"math"
	"strings"
)

// position is in degrees.
type position struct{ latitude, longitude float64 }

// positionAt leaves out what is no place on the globe, and the point at zero, which
// programs write when they know none.
func positionAt(latitude, longitude float64) *position {
	if latitude == 0 && longitude == 0 || !(math.Abs(latitude) <= 90) || !(math.Abs(longitude) <= 180) {
		return nil
	}
	return &position{latitude, longitude}
}

func (s *statements) position() *position {
	for _, x := range []*node{&s.sidecar.root, nil, &s.xmp.root} {
		found := s.exif.position()
		if x != nil {
			found = xmpPosition(x)
		}
		if found != nil {
			return found
		}
	}
	if found := s.takeout.GeoData.position(); found != nil {
		return found
	}
	return s.takeout.GeoDataExif.position()
}

func xmpPosition(x *node) *position {
	north, okNorth := xmpDegrees(withReference(x.first("exif:GPSLatitude"), x.first("exif:GPSLatitudeRef")), "N", "S")
	east, okEast := xmpDegrees(withReference(x.first("exif:GPSLongitude"), x.first("exif:GPSLongitudeRef")), "E", "W")
	if !okNorth || !okEast {
		return nil
	}
	return positionAt(north, east)
}

// withReference writes the letter of the half of the globe after degrees that have none:
// Apple's programs keep it apart, as EXIF does.
func withReference(text, reference string) string {
	if text == "" || reference == "" || strings.HasPrefix(text, "-") || !isDigits(text[len(text)-1:]) {
		return text
	}
	return text + reference[:1]
}

// xmpDegrees reads "48,51.504N", "48,51,30N", "48.8584N", "-48.8584" and, as some
// programs copy it from EXIF, "48/1 51/1 3024/100".
func xmpDegrees(text, positive, negative string) (float64, bool) {
	text = strings.ToUpper(strings.TrimSpace(text))
	sign := 1.0
	if rest, ok := strings.CutSuffix(text, negative); ok {
		text, sign = rest, -1
	} else {
		text = strings.TrimSuffix(text, positive)
	}
	var degrees float64
	parts := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
	if len(parts) == 0 || len(parts) > 3 {
		return 0, false
	}
	for i, part := range parts {
		number, ok := parseNumber(part)
		if !ok {
			return 0, false
		}
		degrees += number / math.Pow(60, float64(i))
	}
	return sign * degrees, true
}
