package query

import "unicode"

// isQuote reports whether r opens or closes a phrase: the plain quote and what
// keyboards and word processors put in its place.
func isQuote(r rune) bool {
	switch r {
	case '"', '“', '”', '„', '‟', '＂', '「', '」', '『', '』':
		return true
	}
	return false
}

// isColon reports whether r ends the name of a filter.
func isColon(r rune) bool { return r == ':' || r == '：' }

// isSeparator reports whether r ends a clause.
func isSeparator(r rune) bool { return r == ';' || r == '；' }

// isForbidden reports whether r has no place in a query.
func isForbidden(r rune) bool {
	if r == '\t' || r == '\n' || r == '\r' {
		return false
	}
	return unicode.IsControl(r) || r == unicode.ReplacementChar || r == '\uFEFF'
}

// printable gives r, or a visible stand-in for what would not show.
func printable(r rune) rune {
	if unicode.IsSpace(r) && r != '\u3000' {
		return ' '
	}
	if unicode.IsControl(r) {
		return '\uFFFD'
	}
	return r
}

// displayColumns gives the number of terminal columns of r.
func displayColumns(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case r >= 0x1100 && (r <= 0x115F || r >= 0x2E80 && r <= 0xA4CF || r >= 0xAC00 && r <= 0xD7A3 ||
		r >= 0xF900 && r <= 0xFAFF || r >= 0xFE30 && r <= 0xFE6F || r >= 0xFF00 && r <= 0xFF60 ||
		r >= 0x1F300 && r <= 0x1FAFF || r >= 0x20000 && r <= 0x3FFFD):
		return 2
	}
	return 1
}
