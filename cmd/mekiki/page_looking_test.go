package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"golang.org/x/image/tiff"

	"mekiki/embed/builtin"
	"mekiki/index"
	"mekiki/index/local"
	"mekiki/internal/vfs"
)

// looked are the pictures that TestLooking opens, the newest first: what no browser shows, what is far wider than high, one that
// is much larger than a screen, and many small ones.
func looked(t *testing.T) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	drawn := func(width, height int) image.Image {
		m := image.NewRGBA(image.Rect(0, 0, width, height))
		for y := range height {
			for x := range width {
				m.SetRGBA(x, y, color.RGBA{uint8(x * 255 / width), uint8(y * 255 / height), uint8((x/100 + y/100) % 2 * 160), 255})
			}
		}
		return m
	}
	var scan bytes.Buffer
	if err := tiff.Encode(&scan, drawn(3000, 2000), &tiff.Options{Compression: tiff.Deflate}); err != nil {
		t.Fatal(err)
	}
	files["scan.tif"] = scan.Bytes()
	for name, size := range map[string]image.Point{"panorama.jpg": image.Pt(6000, 900), "photo.jpg": image.Pt(4000, 3000)} {
		var file bytes.Buffer
		if err := jpeg.Encode(&file, drawn(size.X, size.Y), &jpeg.Options{Quality: 98}); err != nil {
			t.Fatal(err)
		}
		files[name] = file.Bytes()
	}
	gallery, err := fs.Glob(builtin.Gallery(), "images/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range gallery[:30] {
		if files[filepath.Base(name)], err = fs.ReadFile(builtin.Gallery(), name); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// serveLooked serves a library of them.
func serveLooked(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	library, err := local.Open(t.Context(), filepath.Join(folder, "library"), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := library.Close(); err != nil {
			t.Error(err)
		}
	})
	var batch index.Batch
	newest := time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC)
	sizes := map[string]image.Point{"scan.tif": image.Pt(3000, 2000), "panorama.jpg": image.Pt(6000, 900), "photo.jpg": image.Pt(4000, 3000)}
	ages := map[string]int{"scan.tif": 0, "panorama.jpg": 1, "photo.jpg": 2}
	for name, data := range looked(t) {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		stat, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		record := index.Record{
			Kind: index.KindImage, Hash: sha256.Sum256(data), Format: "webp", Width: 256, Height: 256, Bytes: stat.Size(),
			Files:    []index.File{{Path: path, Bytes: stat.Size(), Modified: stat.ModTime(), Inode: vfs.Inode(stat)}},
			Metadata: index.Metadata{Taken: newest.AddDate(0, 0, -10)}, Captions: []index.Caption{{Text: "this is " + name, Match: 0.9, Model: "none"}},
		}
		if size, large := sizes[name]; large {
			record.Width, record.Height, record.Metadata.Taken = size.X, size.Y, newest.AddDate(0, 0, -ages[name])
			record.Format = map[string]string{".tif": "tiff", ".jpg": "jpeg"}[filepath.Ext(name)]
		}
		batch.Puts = append(batch.Puts, index.Put{Record: record})
	}
	if _, err := library.Write(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	return serveLibrary(t, library)
}

// TestLooking looks at pictures in Chromium as people do: by keys, wheel, drag and double click.
func TestLooking(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a browser")
	}
	p := openPage(t, serveLooked(t))
	p.visit("")
	p.wait(`document.querySelectorAll(".tile img.loaded").length > 5`)
	p.screenshot("rows")
	if ratio := inPage[float64](p, `(() => { const box = document.querySelector(".cell[data-index='1'] .shot").getBoundingClientRect(); return box.width / box.height; })()`); ratio < 6 || ratio > 7 {
		t.Errorf("the panorama is shown %.2f times as wide as high", ratio)
	}
	if !inPage[bool](p, `[...document.querySelectorAll("h2.part")].some((head) => /2024/.test(head.textContent))`) {
		t.Error("no head says the date")
	}
	t.Run("keys after every button", func(t *testing.T) { p.on(t).keysAfterButtons() })
	t.Run("zoom", func(t *testing.T) { p.on(t).zoomIntoPictures() })
	t.Run("link", func(t *testing.T) { p.on(t).openLink() })
	t.Run("touch", func(t *testing.T) { p.on(t).byTouch() })
}

// opened is the record that is open, as the address says.
func (p page) opened() string {
	p.t.Helper()
	return inPage[string](p, `new URLSearchParams(location.search).get("open") ?? ""`)
}

const viewing = `document.querySelector("dialog[open] .picture[data-clear]")`

// keysAfterButtons: whatever was pressed last, the arrow keys lead on.
func (p page) keysAfterButtons() {
	p.do(chromedp.Click(".cell[data-index='0'] .tile"))
	p.wait(viewing)
	first := p.opened()
	press := func(key string) {
		p.t.Helper()
		before := p.opened()
		p.do(chromedp.KeyEvent(key))
		p.wait(fmt.Sprintf(`new URLSearchParams(location.search).get("open") !== %q`, before))
	}
	for _, button := range []string{".stage-tools :nth-child(2)", ".stage-tools :nth-child(1)", ".stage-tools :nth-child(3)", ".stage-tools :nth-child(4)", ".step.forth", ".step.back"} {
		p.do(chromedp.Click("dialog " + button))
		p.wait(viewing)
		switch button {
		case ".stage-tools :nth-child(3)": // to the full screen and back
			p.wait(`document.fullscreenElement?.matches(".detail-layout")`)
			p.do(chromedp.KeyEvent("f"))
			p.wait(`!document.fullscreenElement`)
		case ".stage-tools :nth-child(4)": // what is known goes and comes again
			p.wait(`document.querySelector(".detail-layout.alone")`)
			p.do(chromedp.KeyEvent("i"))
			p.wait(`!document.querySelector(".detail-layout.alone")`)
		}
		press(kb.ArrowRight)
		press(kb.ArrowLeft)
	}
	inPage[bool](p, `(document.activeElement.blur(), true)`)
	if now := p.opened(); now != first {
		p.t.Errorf("record %s is open, not %s", now, first)
	}
	// Nothing but the picture is built anew between steps.
	inPage[bool](p, `(document.querySelector("dialog[open]").witness = document.querySelector(".detail-stage").witness = document.querySelector(".step.forth").witness = 1, true)`)
	press(kb.ArrowRight)
	if !inPage[bool](p, `["dialog[open]", ".detail-stage", ".step.forth"].every((name) => document.querySelector(name).witness === 1)`) {
		p.t.Error("the viewer was built anew")
	}
	press(kb.ArrowLeft)
	p.do(chromedp.KeyEvent(kb.Escape))
	p.wait(`!document.querySelector("dialog[open]")`)
	p.wait(`document.activeElement.matches(".cell[data-index='0'] .tile")`)
}

const scale = `Number(document.querySelector(".detail-stage").dataset.scale)`

func (p page) zoomIntoPictures() {
	p.do(chromedp.Click(".cell[data-index='0'] .tile")) // the TIFF
	p.wait(viewing)
	p.screenshot("tiff")
	if width := inPage[int](p, `Math.max(...[...document.querySelectorAll(".layer")].map((layer) => layer.naturalWidth))`); width != 1600 {
		p.t.Errorf("the TIFF is shown %d pixels wide", width)
	}
	inPage[bool](p, `(document.querySelector(".detail-stage").dispatchEvent(new WheelEvent("wheel", { deltaY: -900, clientX: 500, clientY: 400, bubbles: true, cancelable: true })), true)`)
	p.wait(scale + " > 2")
	p.wait(`document.querySelector('.layer.loaded[src*="/tiles/"]')`)
	p.screenshot("tiles")
	place := inPage[string](p, `document.querySelector(".picture").style.transform`)
	p.do(chromedp.MouseEvent(chromedp.MousePressed, 500, 400, chromedp.ButtonLeft))
	p.do(chromedp.MouseEvent(chromedp.MouseMoved, 420, 340, chromedp.ButtonLeft))
	p.do(chromedp.MouseEvent(chromedp.MouseReleased, 420, 340, chromedp.ButtonLeft))
	if inPage[string](p, `document.querySelector(".picture").style.transform`) == place {
		p.t.Error("dragging moves nothing")
	}
	p.do(chromedp.MouseClickXY(500, 400, chromedp.ClickCount(1)), chromedp.MouseClickXY(500, 400, chromedp.ClickCount(2)))
	p.wait(scale + " === 1")
	p.do(chromedp.KeyEvent("+"))
	p.wait(scale + " === 1.5")
	p.do(chromedp.KeyEvent("0"))
	p.wait(scale + " === 1")
	// The next one begins as a whole, and a photograph is sharp to its pixels.
	p.do(chromedp.KeyEvent("+"), chromedp.KeyEvent(kb.ArrowRight))
	p.wait(scale + " === 1 && " + viewing)
	p.screenshot("panorama")
	p.do(chromedp.KeyEvent(kb.ArrowRight))
	p.wait(viewing)
	p.do(chromedp.MouseClickXY(500, 400, chromedp.ClickCount(1)), chromedp.MouseClickXY(500, 400, chromedp.ClickCount(2)))
	p.wait(scale + ` >= 2.5 && document.querySelector('.layer.loaded[src$="/original"]')?.naturalWidth === 4000`)
	p.do(chromedp.KeyEvent(kb.Escape))
	p.wait(`!document.querySelector("dialog[open]")`)
}

// openLink: who is sent a link to a picture goes on from it.
func (p page) openLink() {
	id := inPage[string](p, `document.querySelector(".cell[data-index='2']").dataset.id`)
	next := inPage[string](p, `document.querySelector(".cell[data-index='3']").dataset.id`)
	if href := inPage[string](p, `document.querySelector(".cell[data-index='2'] a").getAttribute("href")`); href != "/?open="+id {
		p.t.Errorf("the tile leads to %q", href)
	}
	p.visit("?open=" + id)
	p.wait(viewing)
	p.wait(`document.querySelector(".step.forth").getAttribute("aria-disabled") === "false"`)
	p.do(chromedp.KeyEvent(kb.ArrowRight))
	p.wait(fmt.Sprintf(`new URLSearchParams(location.search).get("open") === %q`, next))
	p.visit("?open=999999")
	p.wait(`document.querySelector("dialog[open] .detail-stage .note")`)
	if shown := inPage[int](p, `document.querySelectorAll("dialog .stage-tools, dialog .step, dialog [data-part=actions]").length`); shown > 0 {
		p.t.Error("an unknown picture has buttons")
	}
	p.screenshot("unknown")
}

// TestBackTo: who comes back finds the list as it was left, far down.
func TestBackTo(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a browser")
	}
	p := openPage(t, serveLargeLibrary(t, 3000))
	p.visit("")
	p.wait(`document.querySelectorAll(".tile img.loaded").length > 5`)
	inPage[bool](p, `(scrollTo(0, 11554), true)`)
	// The cells of the place that was left stand a moment longer.
	p.wait(`scrollY > 11000 && [...document.querySelectorAll(".cell")].some((cell) => cell.getBoundingClientRect().top > 100)`)
	place := inPage[float64](p, "scrollY")
	first := inPage[string](p, `[...document.querySelectorAll(".cell")].find((cell) => cell.getBoundingClientRect().top > 100).dataset.id`)
	there := fmt.Sprintf(`Math.abs(scrollY - %f) < 2 && document.querySelector(".cell[data-id='%s']")?.getBoundingClientRect().top > 0`, place, first)
	inPage[bool](p, `(document.querySelector('.tabs a[href="/library"]').click(), true)`) // which may be out of sight
	p.wait(`document.querySelector("main[data-view=library]") && scrollY < 5000`)
	inPage[bool](p, `(history.back(), true)`)
	p.wait(there)
	p.visit("")
	p.wait(`document.querySelectorAll(".tile img.loaded").length > 5`)
	inPage[bool](p, `(scrollTo(0, 11554), true)`)
	p.wait(`scrollY > 11000`)
	inPage[bool](p, `(location.reload(), true)`)
	p.wait(there)
}
