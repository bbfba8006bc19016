package metadata

import (
	"path/filepath"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// IsSidecarName tells by its extension whether a file may describe a picture.
func IsSidecarName(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".xmp", ".json":
		return true
	}
	return false
}

// A Finder knows the names in a folder that may describe pictures. Looking for those of
// one picture takes the same time whatever the folder holds. It is safe for concurrent
// use.
type Finder struct {
	names map[string][]string // by the folded name
	json  bool                // there are names of JSON files
}

// NewFinder makes a Finder of a folder's names; those that describe nothing may be
// among them.
func NewFinder(names []string) *Finder {
	f := &Finder{names: map[string][]string{}}
	for _, name := range names {
		if IsSidecarName(name) {
			folded := foldName(name)
			f.names[folded] = append(f.names[folded], name)
			f.json = f.json || strings.HasSuffix(folded, ".json")
		}
	}
	return f
}

// foldName makes names equal that differ in the case of their letters.
func foldName(name string) string { return strings.ToLower(strings.ToUpper(name)) }

// Of gives the names that describe a picture: IMG_1.jpg.xmp before IMG_1.xmp, in letters
// of any case, then the JSON that Google Takeout wrote.
func (f *Finder) Of(name string) (found []string) {
	if len(f.names) == 0 {
		return nil
	}
	folded := foldName(name)
	for _, wanted := range []string{folded + ".xmp", strings.TrimSuffix(folded, filepath.Ext(folded)) + ".xmp"} {
		for _, each := range f.names[wanted] {
			if each != name {
				found = append(found, each)
			}
		}
	}
	if !f.json {
		return found
	}
	for _, label := range takeoutLabels(folded) {
		if there := f.names[label+".json"]; len(there) > 0 && there[0] != name {
			return append(found, there[0])
		}
	}
	return found
}

// supplement is what Google Takeout adds to the name of a picture since 2024.
const supplement = ".supplemental-metadata"

// editedSuffixes gives what Google Photos adds to the stem of an edited picture: its
// JSON is that of the original.
func editedSuffixes() []string {
	return []string{
		"-edited", "-effects", "-bearbeitet", "-modifié", "-editado", "-modificato", "-bewerkt", "-edytowane",
		"-redigerad", "-redigeret", "-redigert", "-upraveno", "-muokattu", "-düzenlendi", "-изменено", "-編集済み", "-已修改", "-수정됨",
	}
}

// takeoutLabels gives the names without ".json" that Takeout may have given to what it
// says of a picture, the surest first.
func takeoutLabels(picture string) (labels []string) {
	extension := filepath.Ext(picture)
	whole := strings.TrimSuffix(picture, extension)
	stem, number := cutNumber(whole)
	labels = append(labels, picture)
	labels = appendLabels(labels, stem+extension, number)
	for _, suffix := range editedSuffixes() {
		if original, isEdited := strings.CutSuffix(stem, suffix); isEdited {
			labels = appendLabels(labels, original+extension, number)
		}
	}
	if number != "" { // which is of the name itself
		labels = appendLabels(labels, picture, "")
	}
	return append(labels, whole) // the title had no extension
}

// appendLabels adds the forms of a name: as it is, with the supplement, whole or cut as
// far as it must be, and cut itself; each with the number at its end.
func appendLabels(labels []string, name, number string) []string {
	labels = append(labels, name+number)
	for end := len(supplement); end > 0; end-- {
		labels = append(labels, name+supplement[:end]+number)
	}
	letters := 0
	for at := range name {
		if letters > takeoutCut+takeoutCutTolerance {
			break
		}
		if isCut(name[:at]) {
			labels = append(labels, name[:at]+number)
		}
		letters++
	}
	return labels
}

// isCut reports whether a label is as long as what Takeout cuts, however it counted.
func isCut(label string) bool {
	if len(label) < takeoutCut-takeoutCutTolerance {
		return false
	}
	for _, length := range []int{len(label), utf8.RuneCountInString(label), len(utf16.Encode([]rune(label)))} {
		if length >= takeoutCut-takeoutCutTolerance && length <= takeoutCut+takeoutCutTolerance {
			return true
		}
	}
	return false
}

// cutNumber parts "IMG_1(2)" into its stem and "(2)".
func cutNumber(text string) (stem, number string) {
	open := strings.LastIndexByte(text, '(')
	if open <= 0 || !strings.HasSuffix(text, ")") {
		return text, ""
	}
	digits := text[open+1 : len(text)-1]
	if digits == "" || len(digits) > 4 || !isDigits(digits) {
		return text, ""
	}
	return text[:open], text[open:]
}
