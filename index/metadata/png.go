package metadata

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/hex"
	"io"
	"strconv"
	"strings"
)

// texts are the named texts of a file, by name in lower case. Of a name the first counts.
type texts map[string]string

func (t *texts) add(name, text string) {
	if *t == nil {
		*t = texts{}
	}
	name = strings.ToLower(name)
	if _, twice := (*t)[name]; !twice && len(*t) < maxBlocks && text != "" {
		(*t)[name] = text
	}
}

// readPNG walks the chunks of a PNG.
func (b *blocks) readPNG(data []byte) {
	budget := int64(maxInflatedBytes) // of all compressed texts together
	for at, n := uint64(8), 0; at+12 <= uint64(len(data)) && n < maxSegments; {
		size, kind := uint64(binary.BigEndian.Uint32(data[at:])), string(data[at+4:at+8])
		at += 8
		if size > uint64(len(data))-at {
			return
		}
		chunk := data[at : at+size]
		at += size + 4
		switch kind {
		case "IEND":
			return
		case "IDAT": // as many as there are
			continue
		case "eXIf":
			b.addEXIF(chunk, mainDirectory)
		case "tEXt", "zTXt", "iTXt":
			b.readText(kind, chunk, &budget)
		}
		n++
	}
}

// readText takes a chunk of text: a name, a zero, and the text in one of three forms.
func (b *blocks) readText(kind string, chunk []byte, budget *int64) {
	name, rest, ok := bytes.Cut(chunk, []byte{0})
	if !ok {
		return
	}
	compressed, isLatin := kind == "zTXt", kind != "iTXt"
	switch kind {
	case "zTXt":
		if len(rest) < 1 {
			return
		}
		rest = rest[1:]
	case "iTXt":
		if len(rest) < 2 {
			return
		}
		compressed = rest[0] != 0
		_, rest, _ = bytes.Cut(rest[2:], []byte{0}) // the language
		_, rest, _ = bytes.Cut(rest, []byte{0})     // the name in that language
	}
	if compressed {
		rest = inflate(rest, budget)
	}
	label := decodeLatin(name[:min(len(name), maxShortText)])
	switch {
	case label == "XML:com.adobe.xmp":
		b.addXMP(rest)
	case strings.HasPrefix(label, "Raw profile type "):
		b.addProfile(strings.TrimPrefix(label, "Raw profile type "), rest)
	case len(rest) > maxInflatedBytes: // no text is that long
	case isLatin:
		b.text.add(label, decodeText(rest)) // many programs write UTF-8 here
	default:
		b.text.add(label, strings.ToValidUTF8(string(rest), "\uFFFD"))
	}
}

// inflate gives as much of a compressed text as the budget allows.
func inflate(data []byte, budget *int64) []byte {
	stream, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	defer stream.Close()
	text, _ := io.ReadAll(io.LimitReader(stream, *budget)) // what came before an error counts
	*budget -= int64(len(text))
	return text
}

// addProfile reads a block that ImageMagick wrote as hexadecimal digits, after a line
// with its name and one with its length.
func (b *blocks) addProfile(kind string, text []byte) {
	_, rest, _ := bytes.Cut(bytes.TrimLeft(text, "\r\n"), []byte("\n"))
	length, digits, _ := bytes.Cut(bytes.TrimSpace(rest), []byte("\n"))
	size, err := strconv.Atoi(string(bytes.TrimSpace(length)))
	if err != nil || size < 0 || size > maxBlockBytes {
		return
	}
	digits = bytes.Map(func(r rune) rune {
		if r == '\n' || r == '\r' || r == ' ' {
			return -1
		}
		return r
	}, digits)
	data, err := hex.DecodeString(string(digits[:min(len(digits), 2*size)]))
	if err != nil || size > len(data) {
		return
	}
	data = data[:size]
	switch kind {
	case "exif", "APP1":
		if packet, isXMP := bytes.CutPrefix(data, []byte(xmpHeader)); isXMP {
			b.addXMP(packet)
			return
		}
		b.addEXIF(bytes.TrimPrefix(data, []byte("Exif\x00\x00")), mainDirectory)
	case "xmp":
		b.addXMP(data)
	case "iptc", "8bim":
		for _, block := range iptcOfResources(data) {
			b.addIPTC(block)
		}
		if len(data) > 0 && data[0] == iptcMarker {
			b.addIPTC(data)
		}
	}
}
