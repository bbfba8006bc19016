package pictures_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"io"
	"strings"
	"testing"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/pictures"
	"mekiki/internal/hint"
)

// originals is a library that has nothing but the originals of its records.
type originals struct {
	index.Reader
	files map[index.ID]*original
}

func (o originals) OpenOriginal(_ context.Context, id index.ID) (io.ReadSeekCloser, error) {
	if file := o.files[id]; file != nil {
		return file, nil
	}
	return nil, index.ErrNotFound
}

// original counts how much is read of a file.
type original struct {
	*bytes.Reader
	fail   error
	closed bool
	read   int
}

func (o *original) Read(p []byte) (int, error) {
	if o.fail != nil {
		return 0, o.fail
	}
	count, err := o.Reader.Read(p)
	o.read += count
	return count, err
}

func (o *original) Close() error {
	o.closed = true
	return nil
}

func TestRead(t *testing.T) {
	var data bytes.Buffer
	if err := png.Encode(&data, image.NewRGBA(image.Rect(0, 0, 5, 3))); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the disk broke")
	file := func(content []byte) *original { return &original{Reader: bytes.NewReader(content)} }
	library := originals{files: map[index.ID]*original{1: file(data.Bytes()), 2: file([]byte("no picture")), 3: file(make([]byte, 1<<20)), 4: file(nil)}}
	library.files[4].fail = broken
	decoder, err := pixels.NewDecoder(pixels.Options{MaxBytes: 1 << 12})
	if err != nil {
		t.Fatal(err)
	}
	picture, err := pictures.Read(t.Context(), library, decoder, 1)
	if err != nil || picture.Width != 5 || picture.Height != 3 {
		t.Errorf("%+v, %v", picture, err)
	}
	for id, want := range map[index.ID]error{2: pictures.ErrUndecodable, 3: pixels.ErrTooLarge, 4: broken, 5: pictures.ErrNoOriginal} {
		if _, err := pictures.Read(t.Context(), library, decoder, id); !errors.Is(err, want) {
			t.Errorf("record %v: %v, want %v", id, err, want)
		}
	}
	if read := library.files[3].read; read > 1<<12+1 {
		t.Errorf("%d bytes of a file that is too large were read", read)
	}
	for id, file := range library.files {
		if !file.closed {
			t.Errorf("the original of record %v stays open", id)
		}
	}
	if _, err := pictures.Read(t.Context(), library, decoder, 5); !errors.Is(err, index.ErrNotFound) || !strings.Contains(hint.Of(err), "index its folder") {
		t.Errorf("without an original: %v, %q", err, hint.Of(err))
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	for id := range index.ID(5) {
		if _, err := pictures.Read(ctx, library, decoder, id+1); !errors.Is(err, context.Canceled) {
			t.Errorf("record %v, stopped: %v", id+1, err)
		}
	}
}

// encoder gives as many tokens as it says.
type encoder int

func (e encoder) ImageTokens(context.Context, []*pixels.Image) ([]embed.ImageTokens, error) {
	return make([]embed.ImageTokens, e), nil
}

func TestTokensAreOfOnePicture(t *testing.T) {
	for count, fails := range []bool{true, false, true} {
		if _, err := pictures.Tokens(t.Context(), encoder(count), &pixels.Image{}); (err != nil) != fails {
			t.Errorf("tokens of %d pictures: %v", count, err)
		}
	}
}
