package language

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// benchText is a page of the documentation, line by line.
func benchText(b *testing.B) []string {
	page, err := os.ReadFile("../../../docs/images.md")
	if err != nil {
		b.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(page)), "\n")
}

func BenchmarkEncode(b *testing.B) {
	lines := benchText(b)
	for _, folder := range fixtures(b) {
		b.Run(filepath.Base(folder), func(b *testing.B) {
			tokenizer := openFixture(b, folder)
			b.SetBytes(int64(len(strings.Join(lines, "\n"))))
			b.ReportAllocs()
			for b.Loop() {
				for _, line := range lines {
					tokenizer.Encode(line, 0)
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	lines := benchText(b)
	for _, folder := range fixtures(b) {
		b.Run(filepath.Base(folder), func(b *testing.B) {
			tokenizer := openFixture(b, folder)
			ids := tokenizer.Encode(strings.Join(lines, "\n"), 0).IDs
			b.SetBytes(int64(len(tokenizer.Decode(ids))))
			for b.Loop() {
				tokenizer.Decode(ids)
			}
		})
	}
}

// BenchmarkLongWord encodes a megabyte without a space.
func BenchmarkLongWord(b *testing.B) {
	text := strings.Repeat("abcdefg", 1<<20/7)
	for _, folder := range fixtures(b) {
		b.Run(filepath.Base(folder), func(b *testing.B) {
			tokenizer := openFixture(b, folder)
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				tokenizer.Encode(text, 0)
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	for _, folder := range fixtures(b) {
		b.Run(filepath.Base(folder), func(b *testing.B) {
			files := map[string][]byte{}
			for _, name := range Files() {
				if content, err := readFixture(folder, name); err == nil {
					files[name] = content
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Open(func(name string) ([]byte, error) {
					if files[name] == nil {
						return nil, os.ErrNotExist
					}
					return files[name], nil
				}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
