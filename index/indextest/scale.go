package indextest

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/internal/testsize"
)

// ScalePath is the path of the image with a number.
func ScalePath(number uint64) string {
	return filepath.FromSlash(fmt.Sprintf("/photos/%03d/IMG_%07d.jpg", number%100, number))
}

// ScalePut is an image of a large library.
func ScalePut(number uint64, space embed.Space) index.Put {
	subjects := []string{"a dog", "a cat", "two houses by the river", "犬が庭で遊んでいる", "a mountain under snow", "a bicycle and a candle", "赤い自転車", "people in a street"}
	cameras := []string{"Canon EOS R5", "NIKON Z 6"}
	return index.Put{
		Record: index.Record{
			Kind: index.KindImage, Hash: sha256.Sum256(fmt.Appendf(nil, "scale %d", number)),
			Files:  []index.File{{Path: ScalePath(number), Bytes: 1000, Modified: Time, Inode: number + 1}},
			Format: "jpeg", Width: 640, Height: 480, Bytes: 1000,
			Metadata: index.Metadata{Taken: Time.Add(time.Duration(number%10_000) * time.Hour), Camera: cameras[number%2]},
			Captions: []index.Caption{{Text: fmt.Sprintf("%s beside number %d", subjects[number%uint64(len(subjects))], number%5000), Match: 0.5, Model: "scale"}},
		},
		Vectors: index.Vectors{Space: space, Parts: Unit(number, space.Parts, space.Width)},
	}
}

// Scale multiplies the length of the long tests: it is MEKIKI_TEST_SCALE, or one.
func Scale(tb testing.TB) int {
	tb.Helper()
	return testsize.Of(tb, "MEKIKI_TEST_SCALE", 1)
}
