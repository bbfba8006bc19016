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

// SidecarsOf gives those of the names in a picture's folder that describe the picture:
// IMG_1.jpg.xmp before IMG_1.xmp, in letters of any case, then the JSON that Google
// Takeout wrote. It looks at every name once: of a large folder, hand it those that
// begin like the picture's.
func SidecarsOf(name string, names []string) (found []string) {
	stem := strings.TrimSuffix(name, filepath.Ext(name))
	for _, wanted := range []string{name + ".xmp", stem + ".xmp"} {
		for _, each := range names {
			if strings.EqualFold(each, wanted) && each != name {
				found = append(found, each)
			}
		}
	}
	best, bestRank := "", 0
	for _, each := range names {
		if rank := takeoutRank(name, each); rank > bestRank {
			best, bestRank = each, rank
		}
	}
	if best != "" {
		found = append(found, best)
	}
	return found
}

// supplement is what Google Takeout adds to the name of a picture since 2024.
const supplement = ".supplemental-metadata"

// Google Takeout cuts the name of a JSON file, without ".json" and without the number of
// a second picture of one name, so that with ".json" it has 51 characters.
const (
	takeoutCut          = 46
	takeoutCutTolerance = 1
)

// editedSuffixes are what Google Photos adds to the stem of an edited picture: its JSON
// is that of the original.
var editedSuffixes = []string{
	"-edited", "-effects", "-bearbeitet", "-modifié", "-editado", "-modificato", "-bewerkt", "-edytowane",
	"-redigerad", "-redigeret", "-redigert", "-upraveno", "-muokattu", "-düzenlendi", "-изменено", "-編集済み", "-已修改", "-수정됨",
}

// takeoutRank says how surely a JSON file describes a picture: 0 for not at all.
func takeoutRank(picture, file string) int {
	if !strings.EqualFold(filepath.Ext(file), ".json") {
		return 0
	}
	label := strings.ToLower(file[:len(file)-len(".json")])
	picture = strings.ToLower(picture)
	extension := filepath.Ext(picture)
	if label == picture {
		return 6
	}
	stem, number := cutNumber(strings.TrimSuffix(picture, extension))
	plainLabel, labelNumber := cutNumber(label)
	if number == labelNumber {
		if rank := labelRank(stem+extension, plainLabel); rank > 0 {
			return rank
		}
		for _, suffix := range editedSuffixes {
			if original, ok := strings.CutSuffix(stem, suffix); ok && labelRank(original+extension, plainLabel) > 0 {
				return 2
			}
		}
		if plainLabel == stem {
			return 1 // the title had no extension
		}
	}
	if number != "" && labelNumber == "" { // the number is of the name itself
		return min(labelRank(picture, label), 2)
	}
	return 0
}

// labelRank compares a name with a label that may have been cut or supplemented.
func labelRank(name, label string) int {
	switch {
	case label == name:
		return 5
	case label == name+supplement:
		return 5
	case len(label) > len(name) && strings.HasPrefix(name+supplement, label):
		// Google cuts the supplement as far as it must, and no more.
		return 4
	case isCut(label) && strings.HasPrefix(name+supplement, label):
		return 3
	}
	return 0
}

// isCut reports whether a label is as long as what Takeout cuts, however it counted.
func isCut(label string) bool {
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
