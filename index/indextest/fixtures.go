package indextest

import (
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mekiki/embed"
	"mekiki/index"
)

// Small is a space that makes for small files.
var Small = embed.Space{Fingerprint: "model-a", Parts: 3, Width: 8}

// Unit gives n unit rows that depend on the seed alone.
func Unit(seed uint64, n, width int) embed.Parts {
	random := rand.New(rand.NewPCG(seed, 7))
	parts := embed.Parts{Count: n, Width: width, Values: make([]float32, n*width)}
	for i := range n {
		var sum float64
		row := parts.Row(i)
		for j := range row {
			row[j] = float32(random.NormFloat64())
			sum += float64(row[j]) * float64(row[j])
		}
		for j := range row {
			row[j] /= float32(math.Sqrt(sum))
		}
	}
	return parts
}

// Tokens gives packed image tokens that depend on the seed alone.
func Tokens(tb testing.TB, seed uint64) []byte {
	tb.Helper()
	random := rand.New(rand.NewPCG(seed, 9))
	tokens := embed.ImageTokens{Rows: 2, Columns: 4, Values: make([]float32, 8)}
	for i := range tokens.Values {
		tokens.Values[i] = float32(random.NormFloat64())
	}
	packed, err := embed.Pack(tokens, embed.PackInt8)
	if err != nil {
		tb.Fatal(err)
	}
	return packed
}

// Time is when all test records were made.
var Time = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// Image is an image whose everything depends on the number alone.
func Image(tb testing.TB, number uint64, space embed.Space) index.Put {
	tb.Helper()
	subjects := strings.Fields("dog cat house tree river mountain bicycle candle")
	subject := subjects[number%uint64(len(subjects))]
	return index.Put{
		Record: index.Record{
			Kind:   index.KindImage,
			Hash:   sha256.Sum256(fmt.Appendf(nil, "image %d", number)),
			Files:  []index.File{File(number)},
			Format: "jpeg", Width: 640, Height: 480, Bytes: 1000 + int64(number),
			Metadata: index.Metadata{Taken: Time.AddDate(0, 0, int(number)), Camera: "Canon EOS R5", Keywords: []string{"holiday"}},
			Captions: []index.Caption{{Text: fmt.Sprintf("a %s beside number %d", subject, number), Match: 0.5, Model: "model-a"}},
			Tags:     []string{"test"},

			PerceptualHash: 0xFF00FF00FF00FF00 ^ number,
		},
		Vectors:   index.Vectors{Space: space, Parts: Unit(number, space.Parts, space.Width), Tokens: Tokens(tb, number)},
		Thumbnail: []byte("\xFF\xD8 not really a picture \xFF\xD9"),
	}
}

// File is the only file of the image with a number.
func File(number uint64) index.File {
	return index.File{Path: filepath.Join(string(filepath.Separator), "photos", "2026", fmt.Sprintf("IMG_%04d.jpg", number)), Bytes: 1000 + int64(number), Modified: Time, Inode: number + 1}
}

// Must fails the test for an error.
func Must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
