package metadata

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"mekiki/index"
)

// TestBesideExiftool: of hundreds of files that exiftool wrote, and of those that are
// kept here, every field has the value that exiftool prints of the tag that the order
// of trust names.
func TestBesideExiftool(t *testing.T) {
	if testing.Short() {
		t.Skip("half a minute of exiftool")
	}
	exiftool := requireExiftool(t)
	var list []said
	if folder := os.Getenv("MEKIKI_METADATA_FOLDER"); folder != "" {
		list = askExiftool(t, exiftool, folder) // of one's own pictures
	} else {
		list = append(askExiftool(t, exiftool, writeCorpus(t, exiftool)), askExiftool(t, exiftool, "testdata/files")...)
	}
	compared, equal, files, damaged := map[string]int{}, map[string]int{}, 0, 0
	for _, printed := range list {
		path := printed.first("SourceFile")
		if os.Getenv("MEKIKI_METADATA_FOLDER") != "" && printed.isDamaged() {
			damaged++
			continue
		}
		if IsSidecarName(path) || printed.first("ExifTool:Error") != "" || printed.first("ExifTool:Warning") == "JPEG format error" {
			continue // exiftool reads nothing of them
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files++
		ours, theirs := fieldsOf(Read(t.Context(), Source{Data: data})), printed.fields()
		for name, their := range theirs {
			if their == "" && ours[name] == "" {
				continue
			}
			compared[name]++
			if plain(ours[name]) == plain(their) {
				equal[name]++
				continue
			}
			if reason := namedDifference(name, printed); reason != "" {
				compared[name]--
				t.Logf("%s: %s differs: %s", filepath.Base(path), name, reason)
				continue
			}
			t.Errorf("%s: %s is %q, exiftool has %q", filepath.Base(path), name, ours[name], their)
		}
	}
	total, same := 0, 0
	for name, count := range compared {
		t.Logf("%-12s %4d of %4d equal", name, equal[name], count)
		total, same = total+count, same+equal[name]
	}
	t.Logf("%d files: %d of %d fields equal; %d damaged ones left out", files, same, total, damaged)
	if files < 300 && os.Getenv("MEKIKI_METADATA_FOLDER") == "" {
		t.Errorf("only %d files were compared", files)
	}
}

// plain is a text without what we leave out of all: control characters and lines.
func plain(text string) string {
	return strings.Join(strings.Fields(clean(text, maxLongText)), " ")
}

// isDamaged says that exiftool complains of more than trifles.
func (s said) isDamaged() bool {
	return slices.ContainsFunc(s.all("ExifTool:Warning", "ExifTool:Error"), func(text string) bool { return !strings.HasPrefix(text, "[minor]") })
}

// namedDifference says why a field is meant to differ from what exiftool prints.
func namedDifference(field string, printed said) string {
	switch {
	case field == "description" && meaningful(printed.fields()["description"]) == "", field == "description" && printed.first("XMP-dc:Description", "IPTC:Caption-Abstract") == "" &&
		(&statements{text: texts{"comment": printed.first("File:Comment", "PNG:Comment", "GIF:Comment")}}).plainComment() == "":
		return "a camera's or a program's own text is no description"
	case strings.HasPrefix(printed.fields()[field], "(Binary data"):
		return "exiftool does not print a text with bytes that are none"
	case strings.Contains(printed.fields()[field], "?"):
		return "exiftool prints a question mark for what is not UTF-8, we read Latin-1"
	case field == "position" && printed.first("GPS:GPSLatitudeRef") == "0":
		return "without the letter that says which half of the globe is meant there is no place; exiftool takes the north"
	}
	return ""
}

// fieldsOf gives our fields as texts.
func fieldsOf(m index.Metadata) map[string]string {
	fields := map[string]string{
		"camera": m.Camera, "lens": m.Lens, "title": m.Title, "description": m.Description, "creator": m.Creator,
		"copyright": m.Copyright, "place": m.Place, "label": m.Label,
		"keywords": sortedJoin(m.Keywords), "people": sortedJoin(m.People),
		"taken": "", "offset": "", "rating": "", "position": "", "orientation": "",
	}
	if !m.Taken.IsZero() {
		fields["taken"] = m.Taken.Format("2006-01-02T15:04:05.999")
	}
	if m.TakenOffset != nil {
		fields["offset"] = m.TakenOffset.String()
	}
	if m.Rating != nil {
		fields["rating"] = strconv.Itoa(*m.Rating)
	}
	if m.Latitude != nil {
		fields["position"] = degrees(*m.Latitude) + " " + degrees(*m.Longitude)
	}
	if m.Orientation != 0 {
		fields["orientation"] = strconv.Itoa(m.Orientation)
	}
	return fields
}

func degrees(number float64) string { return strconv.FormatFloat(number, 'f', 4, 64) }

func sortedJoin(list []string) string {
	list = slices.Clone(list)
	slices.Sort(list)
	return strings.Join(list, "; ")
}

// fields gives the same of what exiftool prints.
func (s said) fields() map[string]string {
	taken, offset := s.taken()
	fields := map[string]string{
		"camera": s.camera(), "lens": s.first("ExifIFD:LensModel", "XMP-exifEX:LensModel", "XMP-aux:Lens"),
		"title": s.first("XMP-dc:Title", "IPTC:ObjectName", "XMP-photoshop:Headline", "IPTC:Headline", "IFD0:XPTitle", "PNG:Title"),
		"description": s.first("XMP-dc:Description", "IPTC:Caption-Abstract", "IFD0:ImageDescription", "ExifIFD:UserComment",
			"XMP-exif:UserComment", "IFD0:XPComment", "IFD0:XPSubject", "XMP-acdsee:Caption", "XMP-acdsee:Notes", "PNG:Description", "PNG:Comment", "File:Comment", "GIF:Comment"),
		"creator":   s.joinedFirst("XMP-dc:Creator", "IPTC:By-line", "IFD0:Artist", "IFD0:XPAuthor", "PNG:Author"),
		"copyright": s.first("XMP-dc:Rights", "IPTC:CopyrightNotice", "IFD0:Copyright", "PNG:Copyright"),
		"place":     s.place(), "label": s.label(), "keywords": s.keywords(), "people": s.people(),
		"taken": taken, "offset": offset, "rating": s.rating(), "position": s.position(),
		"orientation": s.first("IFD0:Orientation"),
	}
	return fields
}

func (s said) camera() string {
	maker, model := s.first("IFD0:Make", "XMP-tiff:Make"), s.first("IFD0:Model", "XMP-tiff:Model")
	if maker == "" || strings.HasPrefix(strings.ToLower(model), strings.ToLower(strings.Fields(maker)[0])) {
		return model
	}
	return strings.TrimSpace(maker + " " + model)
}

func (s said) joinedFirst(tags ...string) string {
	for _, tag := range tags {
		if list := s.all(tag); len(list) > 0 {
			return strings.Join(list, "; ")
		}
	}
	return ""
}

func (s said) place() string {
	return strings.Join(distinct(s.first("XMP-iptcCore:Location", "IPTC:Sub-location"),
		s.first("XMP-photoshop:City", "IPTC:City", "XMP-iptcExt:LocationShownCity"), s.first("XMP-photoshop:State", "IPTC:Province-State"),
		s.first("XMP-photoshop:Country", "IPTC:Country-PrimaryLocationName", "XMP-iptcExt:LocationShownCountryName")), ", ")
}

func (s said) label() string {
	if label := s.first("XMP-xmp:Label"); label != "" {
		return label
	}
	return map[string]string{"3": "Yellow"}[s.first("XMP-digiKam:ColorLabel")]
}

func (s said) keywords() string {
	levels := s.all("XMP-digiKam:TagsList", "XMP-microsoft:LastKeywordXMP")
	for _, text := range s.all("XMP-lr:HierarchicalSubject", "XMP-mediapro:CatalogSets") {
		levels = append(levels, strings.ReplaceAll(text, "|", "/"))
	}
	var kept []string
	for _, text := range append(slices.Clone(levels), slices.Concat(s.all("XMP-dc:Subject", "IPTC:Keywords", "XMP-acdsee:Keywords"),
		strings.Split(s.first("IFD0:XPKeywords"), ";"))...) {
		isLevel := slices.ContainsFunc(levels, func(path string) bool {
			return path != text && (slices.Contains(strings.Split(path, "/"), text) || strings.HasPrefix(path, text+"/"))
		})
		if text != "" && !isLevel && !slices.Contains(kept, text) {
			kept = append(kept, text)
		}
	}
	return sortedJoin(kept)
}

func (s said) people() string {
	names := s.all("XMP-iptcExt:PersonInImage", "XMP-iptcExt:PersonInImageName", "XMP-MP:RegionPersonDisplayName", "XMP-mediapro:People")
	kinds := s.all("XMP-mwg-rs:RegionType")
	for i, name := range s.all("XMP-mwg-rs:RegionName") {
		if i >= len(kinds) || kinds[i] == "Face" {
			names = append(names, name)
		}
	}
	for _, tag := range append(s.all("XMP-digiKam:TagsList"), s.all("XMP-lr:HierarchicalSubject")...) {
		tag = strings.ReplaceAll(tag, "|", "/")
		if name, ok := strings.CutPrefix(tag, "People/"); ok && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return sortedJoin(slices.Compact(names))
}

func (s said) rating() string {
	if stars := s.all("XMP-xmp:Rating", "IFD0:Rating"); len(stars) > 0 {
		number, err := strconv.ParseFloat(stars[0], 64)
		if err != nil || number == 0 {
			return ""
		}
		return strconv.Itoa(int(math.Round(number)))
	}
	for _, tag := range []string{"XMP-microsoft:RatingPercent", "XMP-acdsee:Rating", "IFD0:RatingPercent"} {
		if text := s.first(tag); text != "" {
			if stars, ok := map[string]string{"1": "1", "25": "2", "50": "3", "75": "4", "99": "5"}[text]; ok && tag != "XMP-acdsee:Rating" {
				return stars
			}
			return strings.TrimSuffix(text, "0")
		}
	}
	return ""
}

func (s said) position() string {
	for _, group := range []string{"Composite", "XMP-exif"} {
		north, err := strconv.ParseFloat(s.first(group+":GPSLatitude"), 64)
		east, other := strconv.ParseFloat(s.first(group+":GPSLongitude"), 64)
		if err == nil && other == nil && (north != 0 || east != 0) {
			return degrees(north) + " " + degrees(east)
		}
	}
	return ""
}

// taken takes the first date that is one, with the zone beside it.
func (s said) taken() (taken, offset string) {
	iptcDate := func(date, clock string) string {
		if day := s.first(date); day != "" {
			return strings.TrimSpace(day + " " + s.first(clock))
		}
		return ""
	}
	gps := strings.TrimSpace(s.first("GPS:GPSDateStamp") + " " + s.first("GPS:GPSTimeStamp"))
	if gps != "" {
		gps += "Z"
	}
	dates := []string{
		s.withParts("ExifIFD:DateTimeOriginal", "ExifIFD:SubSecTimeOriginal", "ExifIFD:OffsetTimeOriginal")}
	dates = append(dates, s.all("XMP-exif:DateTimeOriginal", "XMP-photoshop:DateCreated")...)
	dates = append(dates, iptcDate("IPTC:DateCreated", "IPTC:TimeCreated"),
		s.withParts("ExifIFD:CreateDate", "ExifIFD:SubSecTimeDigitized", "ExifIFD:OffsetTimeDigitized"))
	dates = append(dates, s.all("XMP-exif:DateTimeDigitized", "XMP-xmp:CreateDate")...)
	dates = append(dates, iptcDate("IPTC:DigitalCreationDate", "IPTC:DigitalCreationTime"), s.first("PNG:CreationTime"), gps,
		s.withParts("IFD0:ModifyDate", "ExifIFD:SubSecTime", "ExifIFD:OffsetTime"))
	var clock time.Time
	for _, text := range dates {
		when, zoned, ok := parsePrinted(text)
		switch {
		case !ok:
		case taken == "" && zoned:
			return when.Format(printedLayout), zoneOf(when)
		case taken == "":
			clock, taken = when.Truncate(time.Second), when.Format(printedLayout)
		case zoned && text != gps && time.Date(when.Year(), when.Month(), when.Day(), when.Hour(), when.Minute(), when.Second(), 0, time.UTC).Equal(clock):
			return taken, zoneOf(when)
		}
	}
	if moment, _, ok := parsePrinted(gps); ok && taken != "" {
		if away := clock.Sub(moment); away.Abs() < 14*time.Hour && (away-away.Round(15*time.Minute)).Abs() <= time.Minute {
			return taken, away.Round(15 * time.Minute).String()
		}
	}
	return taken, ""
}

const printedLayout = "2006-01-02T15:04:05.999"

// parsePrinted reads a date as exiftool prints it.
func parsePrinted(text string) (when time.Time, zoned, ok bool) {
	for _, layout := range []string{"2006:01:02 15:04:05.999Z07:00", "2006:01:02 15:04:05.999", "2006:01:02 15:04Z07:00", "2006:01:02 15:04", "2006:01:02", "2006:01", "2006"} {
		when, err := time.Parse(layout, text)
		if err == nil && when.Year() >= earliestYear {
			return when, strings.HasSuffix(layout, "Z07:00"), true
		}
	}
	return time.Time{}, false, false
}

func zoneOf(when time.Time) string {
	_, seconds := when.Zone()
	return (time.Duration(seconds) * time.Second).String()
}

func (s said) withParts(date, fraction, zone string) string {
	text := s.first(date)
	if part := s.first(fraction); text != "" && part != "" {
		text += "." + part
	}
	if text != "" {
		text += s.first(zone)
	}
	return text
}
