package container

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// IsBMP reports whether data starts as a BMP does: "BM" alone is too little to
// tell, so the length of the second header must be one that exists.
func IsBMP(data []byte) bool {
	return len(data) >= 18 && string(data[:2]) == "BM" &&
		slices.Contains([]uint32{12, 40, 52, 56, 64, 108, 124}, little32(data[14:]))
}

// brands returns the brands in the ftyp box of an ISO base media file, the main one
// first, or nil for any other file.
func brands(data []byte) []string {
	const most = 4096
	if len(data) < 12 || string(data[4:8]) != "ftyp" {
		return nil
	}
	end := min(int64(big32(data)), int64(len(data)), most)
	found := []string{string(data[8:12])}
	for at := int64(16); at+4 <= end; at += 4 {
		found = append(found, string(data[at:at+4]))
	}
	return found
}

// IsHEIC tells HEIC from its relatives by its brands: the first that says how the
// picture is compressed counts.
func IsHEIC(data []byte) bool {
	found := brands(data)
	switch codec(found) {
	case "hevc":
		return true
	case "av1":
		return false
	}
	return len(found) > 0 && slices.Contains([]string{"mif1", "msf1", "hevc", "hevx"}, found[0])
}

// IsAVIF tells AVIF from its relatives by its brands.
func IsAVIF(data []byte) bool { return codec(brands(data)) == "av1" }

// codec returns what the first brand that says how a picture is compressed says, or
// "".
func codec(brands []string) string {
	for _, brand := range brands {
		switch brand {
		case "heic", "heix", "heim", "heis":
			return "hevc"
		case "avif", "avis":
			return "av1"
		}
	}
	return ""
}

// Unreadable returns the error for a file that no decoder reads.
func Unreadable(data []byte) error {
	if len(data) == 0 {
		return fmt.Errorf("%w: the file is empty", ErrCorrupt)
	}
	for _, known := range [...]struct{ prefix, name string }{
		{"%PDF", "PDF"},
		{"8BPS", "a Photoshop document"},
		{"\x00\x00\x00\x0cjP  ", "JPEG 2000"},
		{"\xff\x4f\xff\x51", "JPEG 2000"},
		{"II+\x00", "BigTIFF"},
		{"MM\x00+", "BigTIFF"},
		{"<svg", "SVG"},
		{"<?xml", "XML or SVG"},
		{"<!doctype", "a web page"},
		{"<html", "a web page"},
		{"\x00\x00\x01\x00", "a Windows icon"},
		{"v/1\x01", "OpenEXR"},
		{"qoif", "QOI"},
		{"PK\x03\x04", "a ZIP archive"},
		{"\x1f\x8b", "a gzip file"},
	} {
		if length := len(known.prefix); len(data) >= length && (string(data[:length]) == known.prefix ||
			known.prefix[0] == '<' && strings.EqualFold(string(data[:length]), known.prefix)) {
			return fmt.Errorf("%w: this is %s", ErrUnsupported, known.name)
		}
	}
	if found := brands(data); found != nil {
		return fmt.Errorf("%w: this is a video or another media file (%q)", ErrUnsupported, found[0])
	}
	return fmt.Errorf("%w: it starts with no known signature", ErrUnsupported)
}

// Prefixed returns a test of a file's first bytes.
func Prefixed(prefixes ...string) func([]byte) bool {
	return func(data []byte) bool {
		return slices.ContainsFunc(prefixes, func(prefix string) bool { return bytes.HasPrefix(data, []byte(prefix)) })
	}
}
