package metadata

import (
	"encoding/binary"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
)

// decodeText reads bytes whose encoding nothing says: as UTF-8 where that is what they
// are, else as Windows' Latin-1.
func decodeText(data []byte) string {
	if utf8.Valid(data) {
		return string(data)
	}
	return decodeLatin(data)
}

func decodeLatin(data []byte) string {
	decoded, err := charmap.Windows1252.NewDecoder().Bytes(data)
	if err != nil {
		return strings.ToValidUTF8(string(data), "\uFFFD")
	}
	return string(decoded)
}

func decodeJIS(data []byte) string {
	decoded, err := japanese.ISO2022JP.NewDecoder().Bytes(data)
	if err != nil {
		return ""
	}
	return string(decoded)
}

// decodeUTF16 reads text up to its first zero. A byte order mark goes before the order
// that is given.
func decodeUTF16(data []byte, order binary.ByteOrder) string {
	if len(data) >= 2 {
		switch {
		case data[0] == 0xFF && data[1] == 0xFE:
			order, data = binary.LittleEndian, data[2:]
		case data[0] == 0xFE && data[1] == 0xFF:
			order, data = binary.BigEndian, data[2:]
		}
	}
	units := make([]uint16, 0, len(data)/2)
	for ; len(data) >= 2; data = data[2:] {
		unit := order.Uint16(data)
		if unit == 0 {
			break
		}
		units = append(units, unit)
	}
	return string(utf16.Decode(units))
}

// guessUTF16 gives the byte order in which a text of one script is likelier to be: the
// one in which more of its units have the high byte zero, or, of another script than
// Latin, in which the high bytes are fewer different ones.
func guessUTF16(data []byte, otherwise binary.ByteOrder) binary.ByteOrder {
	var zeros, different [2]int
	var seen [2][256]bool
	for i := range min(len(data), 1024) &^ 1 {
		at, value := i%2, data[i]
		if value == 0 {
			zeros[at]++
		}
		if !seen[at][value] {
			seen[at][value] = true
			different[at]++
		}
	}
	switch {
	case zeros[0] > 2*zeros[1]:
		return binary.BigEndian
	case zeros[1] > 2*zeros[0]:
		return binary.LittleEndian
	case 2*different[0] < different[1]:
		return binary.BigEndian
	case 2*different[1] < different[0]:
		return binary.LittleEndian
	}
	return otherwise
}

// clean takes out what is not text, and cuts to a length in bytes.
func clean(text string, limit int) string {
	if len(text) > 4*limit {
		text = text[:4*limit]
	}
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\r\n", "\n")
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r) || r == 0xFEFF:
			return -1
		}
		return r
	}, text)
	text = strings.TrimSpace(text)
	for len(text) > limit {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return strings.TrimSpace(text)
}

// first gives the first text that says something.
func first(list ...string) string {
	for _, text := range list {
		if strings.TrimSpace(strings.Trim(text, "\x00")) != "" {
			return text
		}
	}
	return ""
}

// distinct leaves out blanks, and what the one before it says already.
func distinct(list ...string) []string {
	var kept []string
	for _, text := range list {
		text = strings.TrimSpace(text)
		if text != "" && (len(kept) == 0 || !strings.EqualFold(kept[len(kept)-1], text)) {
			kept = append(kept, text)
		}
	}
	return kept
}
