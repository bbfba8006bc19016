package main

import (
	"bytes"
	"crypto/sha256"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local"
	"mekiki/internal/vfs"
	"mekiki/search"
	"mekiki/server"
)

// serveSign serves a library of one picture, a sign with two lines.
func serveSign(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	library, err := local.Open(t.Context(), filepath.Join(folder, "library"), local.Options{})
	indextest.Must(t, err)
	t.Cleanup(func() { indextest.Must(t, library.Close()) })
	parsed, err := opentype.Parse(gobold.TTF)
	indextest.Must(t, err)
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: 60, DPI: 72})
	indextest.Must(t, err)
	canvas := image.NewRGBA(image.Rect(0, 0, 800, 400))
	draw.Draw(canvas, canvas.Bounds(), image.NewUniform(color.RGBA{30, 70, 110, 255}), image.Point{}, draw.Src)
	read := index.OCR{Model: "drawn"}
	for i, text := range []string{"PLATFORM 9", "KA-7731-XY"} {
		y := 150 + 130*i
		drawer := font.Drawer{Dst: canvas, Src: image.White, Face: face, Dot: fixed.P(90, y)}
		right := 90 + drawer.MeasureString(text).Ceil()
		drawer.DrawString(text)
		read.Lines = append(read.Lines, index.OCRLine{Text: text, Score: 0.97, Corners: [4]index.Pixel{{X: 84, Y: y - 54}, {X: right + 6, Y: y - 54}, {X: right + 6, Y: y + 12}, {X: 84, Y: y + 12}}})
	}
	var data bytes.Buffer
	indextest.Must(t, png.Encode(&data, canvas))
	path := filepath.Join(folder, "sign.png")
	indextest.Must(t, os.WriteFile(path, data.Bytes(), 0o600))
	stat, err := os.Stat(path)
	indextest.Must(t, err)
	_, err = library.Write(t.Context(), index.Batch{Puts: []index.Put{{Record: index.Record{
		Kind: index.KindImage, Hash: sha256.Sum256(data.Bytes()), Format: "png", Width: 800, Height: 400, Bytes: stat.Size(), OCR: &read,
		Files:    []index.File{{Path: path, Bytes: stat.Size(), Modified: stat.ModTime(), Inode: vfs.Inode(stat)}},
		Captions: []index.Caption{{Text: "a sign", Match: 0.9, Model: "none"}},
	}}}})
	indextest.Must(t, err)
	searcher, err := search.New(library, nil, search.Options{})
	indextest.Must(t, err)
	return servePage(t, server.Options{Searcher: searcher, Ingester: unaskedIngester{}, Library: library})
}

// TestWordsOnThePage: what was found in a picture stands below it, its lines beside it, and boxes over it once they are wanted.
func TestWordsOnThePage(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a browser")
	}
	p := openPage(t, serveSign(t))
	p.visit("?q=text:7731")
	p.wait(settled + ` && document.querySelector(".tile q")?.textContent === "KA-7731-XY"`)
	p.screenshot("words-found")
	p.do(chromedp.Click(".cell[data-index='0'] .tile"))
	p.wait(`document.querySelector("dialog[open] .picture[data-clear]") && document.querySelectorAll("[data-part=written] li").length === 2`)
	if marked := inPage[string](p, `document.querySelector("[data-part=written] mark").textContent`); marked != "KA-7731-XY" {
		t.Errorf("%q is marked", marked)
	}
	if inPage[bool](p, `Boolean(document.querySelector(".boxes"))`) {
		t.Error("boxes are drawn before anybody wants them")
	}
	p.do(chromedp.Click("[data-part=written] [aria-pressed]"))
	p.wait(`document.querySelectorAll("dialog .boxes polygon").length === 2 && document.querySelectorAll(".boxes polygon.found").length === 1`)
	p.screenshot("words-boxes")
	// The second box lies where the second line does, at 105 of 400 pixels from the left and 226 to 292 from above.
	const where = `(() => {
		const [box, picture] = [".boxes polygon.found", "dialog .picture"].map((each) => document.querySelector(each).getBoundingClientRect());
		return Math.max(Math.abs((box.left - picture.left) / picture.width - 84 / 800), Math.abs((box.top - picture.top) / picture.height - 226 / 400), Math.abs((box.bottom - picture.top) / picture.height - 292 / 400));
	})()`
	if off := inPage[float64](p, where); off > 0.01 {
		t.Errorf("the box lies %.3f of a side from where the words are", off)
	}
	p.do(chromedp.Click("[data-part=written] [aria-pressed]"))
	p.wait(`!document.querySelector(".boxes")`)
	inPage[bool](p, `(localStorage.setItem("mekiki-language", "ja"), true)`)
	p.visit("?q=text:7731&open=" + p.opened())
	p.wait(`document.querySelector("[data-part=written] h3")?.textContent === "画像内の文字"`)
	p.screenshot("words-japanese")
}
