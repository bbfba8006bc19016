package pixels

import (
	"bytes"
	"fmt"
	"slices"
)

// sniff tells the format from the first bytes of a file. Of a kind of file
// that it knows but that is no readable image, the error says which it is.
func sniff(data []byte) (Format, error) {
	switch {
	case bytes.HasPrefix(data, []byte{0xFF, 0xD8, 0xFF}):
		return JPEG, nil
	case bytes.HasPrefix(data, []byte(pngSignature)):
		return PNG, nil
	case bytes.HasPrefix(data, []byte("GIF87a")), bytes.HasPrefix(data, []byte("GIF89a")):
		return GIF, nil
	case len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		return WebP, nil
	case bytes.HasPrefix(data, []byte("II*\x00")), bytes.HasPrefix(data, []byte("MM\x00*")):
		return TIFF, nil
	case isBMP(data):
		return BMP, nil
	case len(data) >= 12 && string(data[4:8]) == "ftyp":
		return sniffBrands(data)
	}
	return "", unreadable(data)
}

// isBMP reports whether data starts as a BMP does: "BM" alone is too little to
// tell, so the length of the second header must be one that exists.
func isBMP(data []byte) bool {
	return len(data) >= 18 && string(data[:2]) == "BM" &&
		slices.Contains([]uint32{12, 40, 52, 56, 64, 108, 124}, little32(data[14:]))
}

// sniffBrands tells HEIC from its relatives by the brands in the ftyp box.
func sniffBrands(data []byte) (Format, error) {
	end := min(int64(big32(data)), int64(len(data)), 4096)
	brands := []string{string(data[8:12])}
	for at := int64(16); at+4 <= end; at += 4 {
		brands = append(brands, string(data[at:at+4]))
	}
	for _, brand := range brands {
		switch brand {
		case "heic", "heix", "heim", "heis":
			return HEIC, nil
		case "avif", "avis":
			return "", fmt.Errorf("%w: this is AVIF", ErrUnsupported)
		}
	}
	switch brands[0] {
	case "mif1", "msf1", "hevc", "hevx":
		return HEIC, nil
	}
	return "", fmt.Errorf("%w: this is a video or another media file (%q)", ErrUnsupported, brands[0])
}

// unreadable returns the error for a file that no decoder reads.
func unreadable(data []byte) error {
	if len(data) == 0 {
		return fmt.Errorf("%w: the file is empty", ErrCorrupt)
	}
	for _, known := range [...]struct{ prefix, name string }{
		{"%PDF", "PDF"},
		{"8BPS", "a Photoshop document"},
		{"\x00\x00\x00\x0cJXL ", "JPEG XL"},
		{"\xff\x0a", "JPEG XL"},
		{"\x00\x00\x00\x0cjP  ", "JPEG 2000"},
		{"\xff\x4f\xff\x51", "JPEG 2000"},
		{"II+\x00", "BigTIFF"},
		{"MM\x00+", "BigTIFF"},
		{"<svg", "SVG"},
		{"<?xml", "XML or SVG"},
		{"<!DOCTYPE", "a web page"},
		{"<!doctype", "a web page"},
		{"<html", "a web page"},
		{"<HTML", "a web page"},
		{"\x00\x00\x01\x00", "a Windows icon"},
		{"v/1\x01", "OpenEXR"},
		{"qoif", "QOI"},
		{"PK\x03\x04", "a ZIP archive"},
		{"\x1f\x8b", "a gzip file"},
	} {
		if bytes.HasPrefix(data, []byte(known.prefix)) {
			return fmt.Errorf("%w: this is %s", ErrUnsupported, known.name)
		}
	}
	return fmt.Errorf("%w: it starts with no known signature", ErrUnsupported)
}
