package metadata

import (
	"math"
	"strings"
	"time"

	"mekiki/index"
)

// merge chooses among what was said. Of people's words a sidecar's go before the
// file's, and XMP's, which nothing cuts or garbles, before IPTC's and EXIF's; of the
// camera's own, EXIF's go first.
func (s *statements) merge() index.Metadata {
	exif, iptc, text := &s.exif, &s.iptc, s.text
	m := index.Metadata{
		Camera: s.camera(),
		Lens:   clean(s.lens(), maxShortText),
		Title: clean(first(s.words("dc:title"), iptc.first(iptcTitle), s.words("photoshop:Headline"),
			iptc.first(iptcHeadline), exif.wide(tagXPTitle), text["title"]), maxShortText),
		Creator: clean(first(joined(s.sidecar.root.all("dc:creator")), joined(s.xmp.root.all("dc:creator")), joined(iptc.texts[iptcCreator]),
			exif.text(tagArtist), exif.wide(tagXPAuthor), text["author"]), maxShortText),
		Copyright: clean(first(s.words("dc:rights"), iptc.first(iptcCopyright), exif.copyright(), text["copyright"]), maxShortText),
		Place:     clean(s.place(), maxShortText),
		Keywords:  s.keywords(),
		People:    s.people(),
		Rating:    s.rating(),
		Label:     clean(s.label(), maxShortText),
	}
	m.Generation = clean(s.generation(), maxLongText)
	m.Description = clean(s.description(), maxLongText)
	if taken, source, ok := s.taken(); ok {
		m.Taken, m.TakenOffset, m.TakenSource = taken.clock, taken.offset, source
	}
	if p := s.position(); p != nil {
		m.Latitude, m.Longitude = &p.latitude, &p.longitude
	}
	if orientation, ok := exif.value(mainDirectory, tagOrientation).integer(); ok && orientation >= 1 && orientation <= 8 {
		m.Orientation = int(orientation)
	}
	return m
}

// words gives a text of XMP: the sidecar's, or the file's.
func (s *statements) words(names ...string) string {
	return first(s.sidecar.root.first(names...), s.xmp.root.first(names...))
}

// own gives a text of XMP about the picture itself: the file's, or the sidecar's.
func (s *statements) own(names ...string) string {
	return first(s.xmp.root.first(names...), s.sidecar.root.first(names...))
}

func joined(list []string) string { return strings.Join(distinct(list...), "; ") }

func (s *statements) description() string {
	comment := first(s.exif.comment(), s.own("exif:UserComment"))
	if isGeneration(comment) {
		comment = ""
	}
	about := s.text["description"]
	if s.text["software"] == "NovelAI" {
		about = ""
	}
	return first(s.sidecar.root.described(), s.xmp.root.described(), s.iptc.first(iptcCaption), meaningful(s.exif.text(tagImageDescription)),
		meaningful(comment), s.exif.wide(tagXPComment), s.exif.wide(tagXPSubject), s.words("acdsee:caption", "acdsee:notes"), about,
		s.text["caption"], s.takeout.Description, s.plainComment())
}

// described is the description of XMP, unless a model wrote it: that is a caption, which the
// library has, and not somebody's own words.
func (n *node) described() string {
	text := n.first("dc:description")
	if n.first("mekiki:DescriptionModel") != "" && text == n.first("mekiki:description") {
		return ""
	}
	return text
}

// plainComment is a JPEG's, a PNG's or a GIF's, unless a program wrote it of itself.
func (s *statements) plainComment() string {
	comment := s.text["comment"]
	for _, prefix := range []string{"CREATOR: gd-jpeg", "Created with", "LEAD Technologies", "Lavc", "File written by", "Processed by", "AppleMark", "{"} {
		if strings.HasPrefix(comment, prefix) {
			return ""
		}
	}
	if isGeneration(comment) {
		return ""
	}
	return meaningful(comment)
}

// meaningful leaves out what cameras write where people could.
func meaningful(description string) string {
	switch strings.ToLower(strings.TrimSpace(description)) {
	case "olympus digital camera", "digital camera", "default", "minolta digital camera", "samsung camera pictures", "dcim",
		"sony dsc", "kodak digital still camera", "konica minolta digital camera", "exif_jpeg_picture", "samsung digital camera",
		"casio computer co.,ltd.", "jpeg", "my beautiful picture", "<digimax i5, samsung #1>", "screenshot":
		return ""
	}
	return notGraph(description)
}

// camera gives "Canon EOS R5" for "Canon" and "Canon EOS R5" or "EOS R5".
func (s *statements) camera() string {
	maker := clean(first(notGraph(s.exif.text(tagMake)), s.own("tiff:Make")), maxShortText)
	model := clean(first(notGraph(s.exif.text(tagModel)), s.exif.text(tagCameraModelDNG), s.own("tiff:Model")), maxShortText)
	firstWord, _, _ := strings.Cut(maker, " ")
	if maker == "" || strings.HasPrefix(strings.ToLower(model), strings.ToLower(firstWord)) {
		return model
	}
	return clean(maker+" "+model, maxShortText)
}

func (s *statements) lens() string {
	lens := first(s.exif.text(tagLensModel), s.own("exifEX:LensModel", "aux:Lens"))
	if strings.Trim(lens, "- ") == "" {
		return ""
	}
	return lens
}

// copyright joins the photographer's and the editor's, which a zero parts.
func (e *exif) copyright() string {
	value := e.value(mainDirectory, tagCopyright)
	if value.kind != 2 {
		return value.text()
	}
	var parts []string
	for part := range strings.SplitSeq(decodeText(value.data[:min(len(value.data), maxTextBytes)]), "\x00") {
		parts = append(parts, part)
	}
	return joined(parts)
}

// place joins the place's names from the nearest to the farthest.
func (s *statements) place() string {
	created := func(name string) string {
		for _, list := range []string{"Iptc4xmpExt:LocationCreated", "Iptc4xmpExt:LocationShown"} {
			for _, x := range []*node{&s.sidecar.root, &s.xmp.root} {
				for _, place := range x.structs(list) {
					if text := place.first(name); text != "" {
						return text
					}
				}
			}
		}
		return ""
	}
	return strings.Join(distinct(
		first(s.words("Iptc4xmpCore:Location"), s.iptc.first(iptcSublocation), created("Iptc4xmpExt:Sublocation")),
		first(s.words("photoshop:City"), s.iptc.first(iptcCity), created("Iptc4xmpExt:City")),
		first(s.words("photoshop:State"), s.iptc.first(iptcState), created("Iptc4xmpExt:ProvinceState")),
		first(s.words("photoshop:Country"), s.iptc.first(iptcCountry), created("Iptc4xmpExt:CountryName"))), ", ")
}

// rating gives 1 to 5 stars, or -1; nil where nobody rated the picture or took the
// rating back.
func (s *statements) rating() *int {
	stars := func(text string) (*int, bool) {
		number, ok := parseNumber(text)
		rating := int(math.Round(number))
		if !ok || rating < -1 || rating > 5 {
			return nil, false
		}
		if rating == 0 {
			return nil, true
		}
		return &rating, true
	}
	for _, text := range []string{s.sidecar.root.first("xmp:Rating"), s.xmp.root.first("xmp:Rating")} {
		if rating, ok := stars(text); ok {
			return rating
		}
	}
	if rating, ok := s.exif.value(mainDirectory, tagRating).integer(); ok && rating >= 0 && rating <= 5 {
		return starsOf(int(rating))
	}
	for _, text := range []string{s.words("MicrosoftPhoto:Rating"), s.words("acdsee:rating")} {
		if number, ok := parseNumber(text); ok && number >= 0 && number <= 100 {
			if number > 5 || text == s.words("MicrosoftPhoto:Rating") {
				return starsOf(starsOfPercent(number))
			}
			return starsOf(int(number))
		}
	}
	if percent, ok := s.exif.value(mainDirectory, tagRatingPercent).integer(); ok && percent >= 0 && percent <= 100 {
		return starsOf(starsOfPercent(float64(percent)))
	}
	return nil
}

func starsOf(stars int) *int {
	if stars == 0 {
		return nil
	}
	return &stars
}

// starsOfPercent turns Windows' 1, 25, 50, 75 and 99 into stars.
func starsOfPercent(percent float64) int {
	if percent < 1 {
		return 0
	}
	return 1 + int(math.Round(min(percent, 99)/24.75))
}

// label gives the colour label; digiKam and darktable number theirs.
func (s *statements) label() string {
	if label := s.words("xmp:Label"); label != "" {
		return label
	}
	digiKam := []string{"", "Red", "Orange", "Yellow", "Green", "Blue", "Magenta", "Gray", "Black", "White"}
	darktable := []string{"Red", "Yellow", "Green", "Blue", "Purple"}
	return first(colourOf(s.words("digiKam:ColorLabel"), digiKam), colourOf(s.words("darktable:colorlabels"), darktable))
}

func colourOf(text string, colours []string) string {
	if number, ok := parseNumber(text); ok && number >= 0 && int(number) < len(colours) {
		return colours[int(number)]
	}
	return ""
}

// dated is a date that something said.
type dated struct {
	moment
	source string
}

// dates gives all that is said of when a picture was taken, the most trusted first.
func (s *statements) dates() (found []dated) {
	exif, iptc := &s.exif, &s.iptc
	add := func(source string, when moment, ok bool) {
		if ok {
			found = append(found, dated{when, source})
		}
	}
	addXMP := func(source string, x *node, names ...string) {
		for _, text := range x.all(names...) {
			when, ok := parseDate(text)
			add(source, when, ok)
		}
	}
	addEXIF := func(tag, fraction, zone uint16) {
		when, ok := exif.date(tag, fraction, zone)
		add("exif", when, ok)
	}
	addIPTC := func(date, clock uint8) {
		when, ok := iptc.date(date, clock)
		add("iptc", when, ok)
	}
	addXMP("sidecar", &s.sidecar.root, "exif:DateTimeOriginal", "photoshop:DateCreated")
	addEXIF(tagDateTimeOriginal, tagSubSecOriginal, tagOffsetTimeOriginal)
	addXMP("xmp", &s.xmp.root, "exif:DateTimeOriginal", "photoshop:DateCreated")
	addIPTC(iptcDateCreated, iptcTimeCreated)
	addEXIF(tagCreateDate, tagSubSecDigital, tagOffsetTimeDigital)
	addXMP("xmp", &s.xmp.root, "exif:DateTimeDigitized", "xmp:CreateDate")
	addIPTC(iptcDigitalDate, iptcDigitalTime)
	addXMP("sidecar", &s.sidecar.root, "exif:DateTimeDigitized", "xmp:CreateDate")
	when, ok := pngDate(s.text)
	add("png", when, ok)
	when, ok = s.takeout.taken()
	add("takeout", when, ok)
	when, ok = exif.gpsMoment()
	add("gps", when, ok)
	addEXIF(tagModifyDate, tagSubSecTime, tagOffsetTime)
	when, ok = s.namedDate()
	add("name", when, ok)
	return found
}

// taken gives the most trusted date. Where it has no zone, that of another date which
// shows the same second on the clock holds, else that which the satellites' clock tells.
func (s *statements) taken() (moment, string, bool) {
	dates := s.dates()
	if len(dates) == 0 {
		return moment{}, "", false
	}
	taken := dates[0]
	if taken.offset != nil && *taken.offset == 0 {
		if local, ok := taken.local(dates[1:]); ok {
			taken = local
		}
	}
	if taken.offset != nil || taken.source == "name" {
		return taken.moment, taken.source, true
	}
	for _, other := range dates[1:] {
		isClock := other.source != "takeout" && other.source != "gps"
		if isClock && other.offset != nil && other.clock.Truncate(time.Second).Equal(taken.clock.Truncate(time.Second)) {
			taken.offset = other.offset
			return taken.moment, taken.source, true
		}
	}
	if gps, known := s.exif.gpsMoment(); known {
		taken.offset = zoneByGPS(taken.clock, gps.clock)
	}
	return taken.moment, taken.source, true
}

// local finds the same moment with the clock of another zone: programs that write a
// sidecar move the camera's clock to UTC.
func (d dated) local(others []dated) (dated, bool) {
	for _, other := range others {
		if other.offset == nil || *other.offset == 0 {
			continue
		}
		moment := other.clock.Add(-*other.offset)
		if moment.Truncate(time.Second).Equal(d.clock.Truncate(time.Second)) {
			return other, true
		}
	}
	return dated{}, false
}

func (s *statements) namedDate() (moment, bool) {
	found, ok := dateInName(s.name)
	if !ok || !s.modified.IsZero() && found.clock.After(s.modified.Add(nameTolerance)) {
		return moment{}, false
	}
	return found, true
}

// pngDate reads the time of creation, which the standard wants as mail has it.
func pngDate(text texts) (moment, bool) {
	for _, name := range []string{"creation time", "creationtime", "create date", "datetimeoriginal", "exif:datetimeoriginal"} {
		value := strings.TrimSpace(text[name])
		if found, ok := parseDate(value); ok {
			return found, true
		}
		for _, layout := range []string{time.RFC1123Z, time.RFC1123, "Mon, 2 Jan 2006 15:04:05 -0700", "Mon 2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04:05 -0700", time.ANSIC} {
			parsed, err := time.Parse(layout, value)
			if err != nil || parsed.Year() < earliestYear {
				continue
			}
			_, seconds := parsed.Zone()
			offset := time.Duration(seconds) * time.Second
			found := moment{clock: parsed.UTC().Add(offset)}
			if layout != time.ANSIC {
				found.offset = &offset
			}
			return found, true
		}
	}
	return moment{}, false
}
