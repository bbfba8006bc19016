package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"golang.org/x/image/draw"

	"mekiki/embed/builtin"
	"mekiki/embed/pixels"
)

// TestPageDuplicates finds, compares, removes and gets back duplicates by keyboard: pictures of the gallery of which smaller
// copies lie in another folder, and of one another copy of the same bytes. The command line says the same of them.
func TestPageDuplicates(t *testing.T) {
	h := newHanded(t)
	writeTwins(t, h.pictures)
	p := openPage(t, h.serve("--root", h.pictures))
	if status, _, complaints := h.run("", "index", h.pictures); status != 0 {
		t.Fatal(complaints)
	}
	t.Run("by keyboard", func(t *testing.T) { p.on(t).duplicatesByKeyboard() })
	t.Run("folders", func(t *testing.T) { p.on(t).duplicatesByFolder() })
	t.Run("copies", func(t *testing.T) { p.on(t).duplicateFiles() })
	t.Run("scenes", func(t *testing.T) { p.on(t).duplicateScenes() })
	t.Run("command", func(t *testing.T) {
		var response struct {
			Groups []struct {
				Best    string
				Reasons []string
				Bytes   int64 `json:"reclaimable_bytes"`
			}
			Bytes int64 `json:"reclaimable_bytes"`
		}
		_, out, complaints := h.run("", "similar", "--duplicates", "picture", "--json")
		if err := json.Unmarshal([]byte(out), &response); err != nil {
			t.Fatal(err, complaints)
		}
		if len(response.Groups) != 3 || response.Groups[0].Best == "" || response.Groups[0].Reasons[0] != "largest" || response.Bytes <= response.Groups[0].Bytes {
			t.Errorf("got %+v", response)
		}
	})
}

// writeTwins writes three pictures large, as PNG, and small, as JPEG.
func writeTwins(t *testing.T, folder string) {
	t.Helper()
	files, err := fs.Glob(builtin.Gallery(), "images/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"originals", "sent", "backup"} {
		if err := os.MkdirAll(filepath.Join(folder, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for i, name := range []string{files[10], files[120], files[300]} {
		data, err := fs.ReadFile(builtin.Gallery(), name)
		if err != nil {
			t.Fatal(err)
		}
		decoded, err := pixels.Decode(t.Context(), data, pixels.Options{})
		if err != nil {
			t.Fatal(err)
		}
		source := image.NewRGBA(image.Rect(0, 0, decoded.Width, decoded.Height))
		for at := range decoded.Width * decoded.Height {
			copy(source.Pix[4*at:], decoded.Pix[3*at:3*at+3])
			source.Pix[4*at+3] = 255
		}
		for size, folderName := range map[int]string{600: "originals", 300: "sent"} {
			scaled := image.NewRGBA(image.Rect(0, 0, size, size*3/4))
			draw.CatmullRom.Scale(scaled, scaled.Bounds(), source, source.Bounds(), draw.Src, nil)
			var out bytes.Buffer
			ending := "png"
			if err = png.Encode(&out, scaled); size == 300 {
				out.Reset()
				ending, err = "jpg", jpeg.Encode(&out, scaled, &jpeg.Options{Quality: 92})
			}
			if err != nil {
				t.Fatal(err)
			}
			places := []string{filepath.Join(folder, folderName, fmt.Sprintf("shot-%d.%s", i, ending))}
			if size == 600 && i == 0 {
				places = append(places, filepath.Join(folder, "backup", "copy of shot-0.png"))
			}
			for _, place := range places {
				if err := os.WriteFile(place, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

const twinGroups = `document.querySelectorAll(".twins").length`

func (p page) duplicatesByKeyboard() {
	p.visit("duplicates?level=picture")
	p.wait(twinGroups + ` === 3`)
	p.wait(`/^3 groups. Keeping only the best of each frees [\d.]+.kB/.test(document.getElementById("duplicates-total").innerText)`)
	for _, expression := range []string{
		`[...document.querySelectorAll(".twins")].every((each) => /Best: largest/.test(each.querySelector("li").innerText))`,
		`[...document.querySelectorAll(".twins")].every((each) => /shot-\d.png[^]*(originals|backup)[^]*600 × 450/.test(each.querySelector("li").innerText))`,
		`[...document.querySelectorAll(".twins li")].every((each) => each.querySelector("input").checked === each.innerText.includes(".jpg"))`,
	} {
		if !inPage[bool](p, expression) {
			p.t.Errorf("not so: %s\n%s", expression, inPage[string](p, "document.body.innerText"))
		}
	}
	p.screenshot("duplicates")
	// Compare: both pictures are zoomed and moved together.
	p.focusOn(".twins button")
	p.keys(kb.Enter)
	p.wait(`document.querySelector("dialog.compare[open]")`)
	p.keys("+", "+", kb.ArrowRight)
	p.wait(`document.querySelector(".panes").dataset.scale === "2.25"`)
	if alike := inPage[int](p, `new Set([...document.querySelectorAll(".pane img")].map((each) => each.style.transform)).size`); alike != 1 {
		p.t.Errorf("the pictures are seen in %d ways", alike)
	}
	p.wait(`[...document.querySelectorAll(".pane img")].every((each) => each.naturalWidth > 0)`)
	p.screenshot("duplicates-compared")
	p.focusOn(`dialog.compare figure:nth-child(2) input`)
	p.keys(" ")
	p.wait(`document.querySelector("dialog.compare .danger").getAttribute("aria-disabled") === "true"`)
	p.keys(" ")
	p.focusOn(`dialog.compare .danger`)
	p.keys(kb.Enter)
	p.wait(`!document.querySelector("dialog") && ` + twinGroups + ` === 2 && document.querySelector(".toast")`)
	p.focusStays("removing from the comparison")
	if left := p.listed(""); left != 8 {
		p.t.Errorf("%d pictures are left", left)
	}
	p.keys(kb.Tab)
	p.focusOn(".toast button")
	p.keys(kb.Enter)
	p.wait(twinGroups + ` === 3`)
	p.focusStays("undo")
	if left := p.listed(""); left != 9 {
		p.t.Errorf("%d pictures are there after undo", left)
	}
}

func (p page) duplicatesByFolder() {
	p.visit("duplicates?level=picture")
	p.wait(twinGroups + ` === 3`)
	inPage[bool](p, `(() => { const select = document.querySelector("select.field"); select.value = [...select.options].find((each) => each.value.endsWith("sent")).value;
		select.dispatchEvent(new Event("change", { bubbles: true })); return true; })()`)
	p.wait(`[...document.querySelectorAll(".twins li")].every((each) => each.querySelector("input").checked === each.innerText.includes(".png"))`)
	p.focusOn("#remove-marked")
	p.keys(kb.Enter)
	p.wait(twinGroups + ` === 0 && document.querySelector(".message, .toast")`)
	if left := p.listed("folder=originals"); left != 0 {
		p.t.Errorf("%d originals are left", left)
	}
	p.focusStays("removing all")
	p.press(".toast button")
	p.wait(twinGroups + ` === 3`)
}

func (p page) duplicateFiles() {
	p.visit("duplicates?level=bytes")
	p.wait(twinGroups + ` === 1`)
	text := inPage[string](p, `document.querySelector(".twins").innerText`)
	if !strings.Contains(text, "copy of shot-0.png") || !strings.Contains(text, "Copy the extra paths") || inPage[bool](p, `Boolean(document.querySelector(".twins .danger"))`) {
		p.t.Errorf("got %s", text)
	}
	// Which of the copies is one too many, one says oneself: their paths are what is copied.
	inPage[bool](p, `(window.copied = "", Object.defineProperty(navigator, "clipboard", {value: {writeText: (text) => (window.copied = text, Promise.resolve())}}), true)`)
	copied := func(want int) {
		p.t.Helper()
		inPage[bool](p, `(window.copied = "", true)`)
		p.press(".twins .row .button:last-of-type")
		p.wait(`window.copied`)
		name := inPage[string](p, fmt.Sprintf(`document.querySelectorAll(".twins li .name")[%d].textContent`, want))
		if got := inPage[string](p, "window.copied"); filepath.Base(got) != name || strings.Contains(got, "\n") {
			p.t.Errorf("%q is copied, not the path of %s", got, name)
		}
	}
	copied(1)
	p.focusOn(".twins li:nth-child(1) input")
	p.keys(" ")
	p.focusOn(".twins li:nth-child(2) input")
	p.keys(" ")
	copied(0)
}

// duplicateScenes: what was not compared is, in a job, and shown without asking again.
func (p page) duplicateScenes() {
	p.visit("duplicates?level=scene")
	p.wait(twinGroups + ` > 0 && !document.getElementById("comparing")`)
	p.screenshot("duplicates-scenes")
}
