package uploads

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"mekiki/index"
	"mekiki/server/problem"
)

// NameOf is what an uploaded file is called in its record: the folder that
// the client named, and the file's own name as far as it can be shown. Without
// either it is "".
func NameOf(folder, fileName string, hash index.Hash) string {
	name := plainName(lastElement(fileName))
	if name == "" && folder != "" {
		name = hash.String()[:16]
	}
	return path.Join(folder, name)
}

// lastElement is what follows the last slash of either kind: browsers and
// programs send paths too.
func lastElement(name string) string { return name[strings.LastIndexAny(name, `/\`)+1:] }

// plainName is a name without what cannot be shown, and no longer than a file
// system would have it. A name that is only dots is none.
func plainName(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
			return -1
		}
		return r
	}, name)
	name = strings.TrimSpace(name)
	if strings.Trim(name, ".") == "" {
		return ""
	}
	return shortName(name)
}

// shortName cuts a name before its extension.
func shortName(name string) string {
	if len(name) <= longestName {
		return name
	}
	extension := path.Ext(name)
	if len(extension) > 16 {
		extension = ""
	}
	stem := name[:longestName-len(extension)]
	for !utf8.ValidString(stem) {
		stem = stem[:len(stem)-1]
	}
	return strings.TrimSpace(stem) + extension
}

// CleanFolder gives the folder that a client names, with plain slashes and none at
// its ends. One that leads upwards is refused.
func CleanFolder(field, folder string) (string, error) {
	var elements []string
	for element := range strings.SplitSeq(strings.ReplaceAll(folder, `\`, "/"), "/") {
		if strings.TrimSpace(element) == ".." {
			return "", problem.Invalid(field, "must not contain ..")
		}
		if element = plainName(element); element != "" {
			elements = append(elements, element)
		}
	}
	joined := strings.Join(elements, "/")
	if len(joined) > longestFolder || len(elements) > deepestFolder {
		return "", problem.Invalid(field, "must have at most %d bytes and %d levels", longestFolder, deepestFolder)
	}
	return joined, nil
}
