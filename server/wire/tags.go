package wire

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"mekiki/server/problem"
)

// KnownTag takes the blanks off the ends of a tag that is to be removed. Tags of all kinds come from files and older
// versions, and whatever is there can be removed.
func KnownTag(field, tag string) (string, error) {
	if tag = strings.TrimSpace(tag); tag == "" {
		return "", problem.Invalid(field, "must be text of at least one character")
	}
	return tag, nil
}

// CleanTag takes the blanks off a tag's ends and refuses what the API document's schema Tag does: what is no text, what
// changes the direction of the writing around it, and the two names that an address cannot end with.
func CleanTag(field, tag string) (string, error) {
	given := tag
	tag = strings.TrimSpace(tag)
	switch {
	case tag == "" || !utf8.ValidString(tag):
		return "", problem.Invalid(field, "must be text of at least one character")
	case strings.ContainsFunc(given, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }):
		return "", problem.Invalid(field, "must not contain control characters or text direction marks")
	case tag == "." || tag == "..":
		return "", problem.Invalid(field, "must not be . or ..")
	}
	return tag, nil
}

// CleanTags is CleanTag for a list.
func CleanTags(field string, tags []string) ([]string, error) { return EachTag(field, tags, CleanTag) }

// EachTag checks each tag of a list; field names the list in errors.
func EachTag(field string, tags []string, check func(field, tag string) (string, error)) ([]string, error) {
	clean := make([]string, len(tags))
	for i, tag := range tags {
		var err error
		if clean[i], err = check(fmt.Sprintf("%s[%d]", field, i), tag); err != nil {
			return nil, err
		}
	}
	return clean, nil
}
