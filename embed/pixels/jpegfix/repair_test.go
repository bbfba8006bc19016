package jpegfix_test

import (
	"bytes"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"strings"
	"testing"

	"mekiki/embed/pixels/jpegfix"
)

// TestRepair: the standard decoder refuses half of a file, and reads what is made of
// it; of too little nothing is made.
func TestRepair(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	picture := image.NewGray(image.Rect(0, 0, 64, 96))
	for i := range picture.Pix {
		picture.Pix[i] = byte(random.IntN(256))
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, picture, nil); err != nil {
		t.Fatal(err)
	}
	half := file.Bytes()[:file.Len()/2]
	if _, err := jpeg.Decode(bytes.NewReader(half)); err == nil {
		t.Fatal("the standard decoder reads half of a file")
	}
	damage, err := jpegfix.Repair(half, func(form []byte) bool {
		got, err := jpeg.Decode(bytes.NewReader(form))
		return err == nil && got.Bounds() == picture.Bounds()
	})
	if err != nil || !strings.Contains(damage, "ends early") {
		t.Errorf("damage %q, %v", damage, err)
	}
	if damage, err := jpegfix.Repair(half[:20], func([]byte) bool { return true }); err == nil {
		t.Errorf("of the first 20 bytes: damage %q, no error", damage)
	}
}
