package bytepair

import "unicode/utf8"

// Letters returns the letters that GPT-2's vocabularies spell bytes in: printable
// bytes of Latin-1 as themselves, all others, in order, as U+0100 and following.
func Letters() [256]rune {
	var letters [256]rune
	next := rune(256)
	for b := range letters {
		if b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE {
			letters[b] = rune(b)
			continue
		}
		letters[b] = next
		next++
	}
	return letters
}

// AppendBytes appends the bytes that a token spells to dst. It reports false, and
// returns dst as it was, where a character of the token is no byte's letter.
func AppendBytes(dst []byte, token string) ([]byte, bool) {
	before := len(dst)
	for _, r := range token {
		b, ok := byteOf(r)
		if !ok {
			return dst[:before], false
		}
		dst = append(dst, b)
	}
	return dst, true
}

// byteOf returns the byte that a letter stands for.
func byteOf(r rune) (byte, bool) {
	switch {
	case r == utf8.RuneError:
		return 0, false
	case r >= '!' && r <= '~', r >= 0xA1 && r <= 0xAC, r >= 0xAE && r <= 0xFF:
		return byte(r), true
	case r >= 0x100 && r <= 0x120: // 00 to 20
		return byte(r - 0x100), true
	case r >= 0x121 && r <= 0x142: // 7F to A0
		return byte(r - 0x121 + 0x7F), true
	case r == 0x143:
		return 0xAD, true
	}
	return 0, false
}
