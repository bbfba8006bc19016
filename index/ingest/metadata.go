package ingest

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/bep/imagemeta"

	"mekiki/embed/pixels"
	"mekiki/index"
)

// Bounds of what is read of a file's metadata.
const (
	metadataTimeout   = 2 * time.Second
	metadataTags      = 2000
	metadataTagBytes  = 64 << 10
	maximumTitle      = 500
	maximumLong       = 8000
	maximumKeyword    = 100
	maximumKeywords   = 200
	earliestPhotoYear = 1826
)

// readMetadata reads EXIF, IPTC and XMP. Metadata that cannot be read is no
// reason to leave a picture out: what was understood before the trouble counts.
func readMetadata(data []byte, format pixels.Format) index.Metadata {
	source, ok := map[pixels.Format]imagemeta.ImageFormat{
		pixels.JPEG: imagemeta.JPEG, pixels.PNG: imagemeta.PNG, pixels.TIFF: imagemeta.TIFF,
		pixels.WebP: imagemeta.WebP, pixels.HEIC: imagemeta.HEIF,
	}[format]
	if !ok {
		return index.Metadata{}
	}
	// The decoder may still be running after its timeout: what it hands over
	// goes through a channel that it does not share with the reading below.
	type handed struct{ tags []imagemeta.TagInfo }
	done := make(chan handed, 1)
	go func() {
		var collected handed
		defer func() {
			_ = recover() // whatever a strange file did to the decoder
			done <- collected
		}()
		_, _ = imagemeta.Decode(imagemeta.Options{
			R: bytes.NewReader(data), ImageFormat: source,
			ShouldHandleTag: func(imagemeta.TagInfo) bool { return true },
			HandleTag: func(tag imagemeta.TagInfo) error {
				if strings.HasPrefix(tag.Namespace, "IFD1") {
					return nil // of the embedded thumbnail
				}
				collected.tags = append(collected.tags, tag)
				return nil
			},
			LimitNumTags: metadataTags, LimitTagSize: metadataTagBytes,
		})
	}()
	timer := time.NewTimer(metadataTimeout)
	defer timer.Stop()
	select {
	case collected := <-done:
		return metadataOf(collected.tags)
	case <-timer.C:
		return index.Metadata{}
	}
}

// metadataOf chooses among the sources: the author's words from IPTC and XMP
// before EXIF, the camera's own from EXIF before XMP.
func metadataOf(list []imagemeta.TagInfo) index.Metadata {
	var tags imagemeta.Tags
	var keywords []string
	for _, tag := range list {
		if tag.Source == imagemeta.IPTC && tag.Tag == "Keywords" || tag.Source == imagemeta.XMP && strings.EqualFold(tag.Tag, "subject") {
			keywords = append(keywords, textsOf(tag.Value)...)
			continue
		}
		if !tags.Has(tag) {
			tags.Add(tag)
		}
	}
	exif, iptc, xmp := textsIn(tags.EXIF()), textsIn(tags.IPTC()), textsIn(tags.XMP())
	m := index.Metadata{
		Camera: joinCamera(first(exif["make"], xmp["make"]), first(exif["model"], xmp["model"])),
		Lens:   clean(first(exif["lensmodel"], xmp["lens"], xmp["lensmodel"]), maximumTitle),
		Title:  clean(first(iptc["objectname"], xmp["title"], iptc["headline"], xmp["headline"], exif["xptitle"]), maximumTitle),
		Description: clean(first(iptc["caption-abstract"], xmp["description"], meaningful(exif["imagedescription"]),
			exif["xpcomment"]), maximumLong),
		Creator:   clean(first(iptc["by-line"], xmp["creator"], exif["artist"]), maximumTitle),
		Copyright: clean(first(iptc["copyrightnotice"], xmp["rights"], exif["copyright"]), maximumTitle),
		Place: clean(strings.Join(distinct(first(iptc["sub-location"], xmp["location"]), first(iptc["city"], xmp["city"]),
			first(iptc["province-state"], xmp["state"]), first(iptc["country-primarylocationname"], xmp["country"])), ", "), maximumTitle),
		Keywords: cleanKeywords(keywords),
	}
	m.Taken = takenOf(tags)
	m.Latitude, m.Longitude = positionOf(tags)
	if orientation, ok := numberOf(tags.EXIF()["Orientation"].Value); ok && orientation >= 1 && orientation <= 8 {
		m.Orientation = orientation
	}
	return m
}

// meaningful leaves out what cameras write where people could.
func meaningful(description string) string {
	switch strings.ToLower(strings.TrimSpace(description)) {
	case "olympus digital camera", "digital camera", "default", "minolta digital camera", "samsung camera pictures", "dcim", "sony dsc", "kodak digital still camera":
		return ""
	}
	return description
}

func takenOf(tags imagemeta.Tags) time.Time {
	taken, err := tags.GetDateTime()
	if err != nil || taken.Year() < earliestPhotoYear || taken.Year() > 9999 {
		return time.Time{}
	}
	if taken.Location() == time.Local {
		// No zone is known: the clock's face is what people remember.
		taken = time.Date(taken.Year(), taken.Month(), taken.Day(), taken.Hour(), taken.Minute(), taken.Second(), taken.Nanosecond(), time.UTC)
	}
	return taken.UTC()
}

func positionOf(tags imagemeta.Tags) (latitude, longitude *float64) {
	north, east, err := tags.GetLatLong()
	known := north != 0 || east != 0
	if err != nil || !known || !(math.Abs(north) <= 90) || !(math.Abs(east) <= 180) {
		return nil, nil
	}
	return &north, &east
}

// textsIn gives the first text of each tag, by its name in lower case.
func textsIn(tags map[string]imagemeta.TagInfo) map[string]string {
	texts := make(map[string]string, len(tags))
	for name, tag := range tags {
		if values := textsOf(tag.Value); len(values) > 0 {
			texts[strings.ToLower(name)] = values[0]
		}
	}
	return texts
}

func textsOf(value any) []string {
	switch value := value.(type) {
	case string:
		return []string{value}
	case []string:
		return value
	case []any:
		var texts []string
		for _, element := range value {
			texts = append(texts, textsOf(element)...)
		}
		return texts
	case fmt.Stringer:
		return []string{value.String()}
	}
	return nil
}

func numberOf(value any) (int, bool) {
	switch value := value.(type) {
	case uint16:
		return int(value), true
	case uint32:
		return int(value), true
	case int:
		return value, true
	case string:
		var number int
		_, err := fmt.Sscanf(value, "%d", &number)
		return number, err == nil
	}
	return 0, false
}

func first(texts ...string) string {
	for _, text := range texts {
		if strings.TrimSpace(strings.Trim(text, "\x00")) != "" {
			return text
		}
	}
	return ""
}

// distinct leaves out blanks and repetitions.
func distinct(texts ...string) []string {
	var kept []string
	for _, text := range texts {
		text = strings.TrimSpace(text)
		if text != "" && (len(kept) == 0 || !strings.EqualFold(kept[len(kept)-1], text)) {
			kept = append(kept, text)
		}
	}
	return kept
}

// joinCamera gives "Canon EOS R5" for "Canon" and "Canon EOS R5" or "EOS R5".
func joinCamera(maker, model string) string {
	maker, model = clean(maker, maximumTitle), clean(model, maximumTitle)
	firstWord, _, _ := strings.Cut(maker, " ")
	if maker == "" || strings.HasPrefix(strings.ToLower(model), strings.ToLower(firstWord)) {
		return model
	}
	return strings.TrimSpace(maker + " " + model)
}

// clean takes out what is not text, and cuts to a length in bytes.
func clean(text string, limit int) string {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "�")
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, text)
	text = strings.TrimSpace(text)
	for len(text) > limit {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return text
}

func cleanKeywords(keywords []string) []string {
	var kept []string
	seen := map[string]bool{}
	for _, keyword := range keywords {
		keyword = clean(keyword, maximumKeyword)
		if folded := strings.ToLower(keyword); keyword != "" && !seen[folded] && len(kept) < maximumKeywords {
			seen[folded] = true
			kept = append(kept, keyword)
		}
	}
	return kept
}
