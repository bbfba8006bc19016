package local

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"
	"mekiki/embed"
	"mekiki/index"
	"mekiki/internal/vfs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// small is a space that makes for small files.
var small = embed.Space{Fingerprint: "model-a", Parts: 3, Width: 8}

// unit gives n unit rows that depend on the seed alone.
func unit(seed uint64, n, width int) embed.Parts {
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

func testTokens(tb testing.TB, seed uint64) []byte {
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

var testTime = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// testPut is an image whose everything depends on the number alone.
func testPut(tb testing.TB, number uint64, space embed.Space) index.Put {
	tb.Helper()
	subjects := strings.Fields("dog cat house tree river mountain bicycle candle")
	subject := subjects[number%uint64(len(subjects))]
	return index.Put{
		Record: index.Record{
			Kind:   index.KindImage,
			Hash:   sha256.Sum256(fmt.Appendf(nil, "image %d", number)),
			Files:  []index.File{testFile(number)},
			Format: "jpeg", Width: 640, Height: 480, Bytes: 1000 + int64(number),
			Metadata: index.Metadata{Taken: testTime.AddDate(0, 0, int(number)), Camera: "Canon EOS R5", Keywords: []string{"holiday"}},
			Captions: []index.Caption{{Text: fmt.Sprintf("a %s beside number %d", subject, number), Match: 0.5, Model: "model-a"}},
			Tags:     []string{"test"},

			PerceptualHash: 0xFF00FF00FF00FF00 ^ number,
		},
		Vectors:   index.Vectors{Space: space, Parts: unit(number, space.Parts, space.Width), Tokens: testTokens(tb, number)},
		Thumbnail: []byte("\xFF\xD8 not really a picture \xFF\xD9"),
	}
}

func testFile(number uint64) index.File {
	return index.File{Path: filepath.Join(string(filepath.Separator), "photos", "2026", fmt.Sprintf("IMG_%04d.jpg", number)), Bytes: 1000 + int64(number), Modified: testTime, Inode: number + 1}
}

// openTest opens a library that is closed with the test.
func openTest(tb testing.TB, folder string, options Options) *Library {
	tb.Helper()
	if options.Now == nil {
		options.Now = func() time.Time { return testTime }
	}
	library, err := Open(context.Background(), folder, options)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := library.Close(); err != nil {
			tb.Error(err)
		}
	})
	return library
}

// openMemory opens a library in memory.
func openMemory(tb testing.TB, fsys vfs.FS) *Library {
	tb.Helper()
	return openTest(tb, "/library", Options{FileSystem: fsys})
}

func mustWrite(tb testing.TB, library *Library, batch index.Batch) index.WriteResult {
	tb.Helper()
	result, err := library.Write(context.Background(), batch)
	if err != nil {
		tb.Fatal(err)
	}
	return result
}

func mustDo(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// fill adds the space and images number 0 to n-1, in batches of three.
func fill(tb testing.TB, library *Library, n int) {
	tb.Helper()
	mustDo(tb, library.AddSpace(context.Background(), small))
	for start := 0; start < n; start += 3 {
		var batch index.Batch
		for number := start; number < min(start+3, n); number++ {
			batch.Puts = append(batch.Puts, testPut(tb, uint64(number), small))
		}
		mustWrite(tb, library, batch)
	}
}

func compareAnswers(a, b answer) string { return cmp.Diff(a, b) }
