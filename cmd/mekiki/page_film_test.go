package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// filmVariable names a folder for the frames of the README's film, which scripts/film joins.
const filmVariable = "MEKIKI_FILM"

// film is frames of the page, each with how long it is shown.
type film struct {
	page
	folder string
	frames []string
}

// TestFilm films a search, the viewer, where the words are in a picture and a question, at the server that MEKIKI_FINDING names.
func TestFilm(t *testing.T) {
	folder, address := os.Getenv(filmVariable), os.Getenv(findingVariable)
	if folder == "" || address == "" {
		t.Skipf("%s names no folder for the frames, or %s no server", filmVariable, findingVariable)
	}
	f := &film{page: openPage(t, address), folder: folder}
	f.do(chromedp.EmulateViewport(1000, 660))
	f.visit("")
	f.wait(someTiles + " && " + quiet)
	f.hand("#query")
	f.show(1200)
	f.do(chromedp.Click("#query"))
	for _, letter := range "giraffe" {
		f.keys(string(letter))
		f.show(110)
	}
	f.keys(kb.Escape)
	f.show(300)
	f.keys(kb.Enter)
	f.wait(settled + ` && document.querySelectorAll(".tile img.loaded").length > 8 && ` + quiet)
	f.show(2200)
	for range 6 {
		inPage[bool](f.page, `(scrollBy(0, 90), true)`)
		f.show(90)
	}
	f.show(1800)
	inPage[bool](f.page, `(scrollTo(0, 0), true)`)
	f.show(300)
	f.hand(".cell[data-index='1'] .tile")
	f.show(700)
	f.do(chromedp.Click(".cell[data-index='1'] .tile"))
	f.wait(viewing + ` && document.querySelector("dialog[open] .why .signal") && ` + quiet)
	f.show(1800)
	f.hand("dialog [data-part=actions] [aria-pressed]")
	f.show(600)
	f.do(chromedp.Click("dialog [data-part=actions] [aria-pressed]"))
	f.wait(`document.querySelector("dialog .picture img.map")?.naturalWidth > 0`)
	f.show(2200)
	f.do(chromedp.Click("dialog [data-part=actions] [aria-pressed]"), chromedp.Focus(".ask input"))
	f.hand(".ask input")
	f.show(400)
	const question = "how many giraffes are there?"
	for at := 0; at < len(question); at += 2 {
		f.keys(strings.Split(question[at:min(at+2, len(question))], "")...)
		f.show(90)
	}
	f.keys(kb.Enter)
	f.wait(`document.querySelectorAll(".turn .answer small").length === 1 && !document.querySelector(".turns[aria-busy='true']")`)
	f.show(2800)
	if err := os.WriteFile(filepath.Join(folder, "frames.txt"), []byte(strings.Join(f.frames, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// hand shows where the pointer goes: browsers draw none in pictures of their pages.
func (f *film) hand(selector string) {
	f.t.Helper()
	at := f.middleOf(selector)
	f.do(chromedp.MouseEvent(chromedp.MouseMoved, at[0], at[1]))
	inPage[bool](f.page, fmt.Sprintf(`((x, y) => {
		const hand = window.hand ??= document.body.appendChild(document.createElement("div"));
		hand.popover = "manual";
		Object.assign(hand.style, { position: "fixed", inset: "auto", left: x - 11 + "px", top: y - 11 + "px", width: "22px", height: "22px", margin: 0, padding: 0, border: "3px solid #fff", borderRadius: "50%%", background: "rgb(180 40 30 / 75%%)", boxShadow: "0 1px 6px rgb(0 0 0 / 60%%)", pointerEvents: "none" });
		return true;
	})(%f, %f)`, at[0], at[1]))
}

// show takes a frame, which is shown for some milliseconds.
func (f *film) show(milliseconds int) {
	f.t.Helper()
	// Above whatever else has opened; what moves has arrived.
	inPage[bool](f.page, `(window.hand && (hand.matches(":popover-open") && hand.hidePopover(), hand.showPopover()), true)`)
	if milliseconds > 200 {
		time.Sleep(300 * time.Millisecond)
	}
	picture, err := chromedp.Run(f.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		f.t.Fatal(err)
	}
	name := fmt.Sprintf("%03d.png", len(f.frames))
	if err := os.WriteFile(filepath.Join(f.folder, name), picture, 0o644); err != nil {
		f.t.Fatal(err)
	}
	f.frames = append(f.frames, fmt.Sprintf("%s %d", name, milliseconds))
}
