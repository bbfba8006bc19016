package main

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"fmt"
	"strconv"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestDoing chooses pictures in Chromium and does something with all of them: by pointer with
// 5,000 of them, and by keyboard alone.
func TestDoing(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a browser")
	}
	const count = 5000
	p := openPage(t, serveLargeLibrary(t, count))
	t.Run("tag all and undo", func(t *testing.T) { p.on(t).tagAll(count) })
	t.Run("range and archive", func(t *testing.T) { p.on(t).archive() })
	t.Run("trash and restore", func(t *testing.T) { p.on(t).trashAndRestore(count) })
	t.Run("title and date", func(t *testing.T) { p.on(t).titleAndDate() })
	t.Run("collections", func(t *testing.T) { p.on(t).collections() })
	t.Run("saved searches", func(t *testing.T) { p.on(t).savedSearches() })
	t.Run("in the viewer", func(t *testing.T) { p.on(t).inViewer() })
	t.Run("keyboard alone", func(t *testing.T) { p.on(t).byKeyboard() })
}

// awaited gives what a promise comes to, as text.
func (p page) awaited(promise string) string {
	p.t.Helper()
	inPage[bool](p, `(delete window.awaited, `+promise+`.then((value) => (window.awaited = "=" + value), (error) => (window.awaited = "!" + error)), true)`)
	p.wait("window.awaited")
	value := inPage[string](p, "window.awaited")
	if value[0] == '!' {
		p.t.Fatalf("%s: %s", promise, value[1:])
	}
	return value[1:]
}

// listed counts what a list of records says of itself.
func (p page) listed(query string) int {
	p.t.Helper()
	total, err := strconv.Atoi(p.awaited(fmt.Sprintf(`fetch("/api/v1/records?limit=0&%s").then((answer) => answer.json()).then((list) => list.total)`, query)))
	if err != nil {
		p.t.Fatal(err)
	}
	return total
}

// press clicks on what a selector finds first, once it is there.
func (p page) press(selector string) {
	p.t.Helper()
	p.wait(fmt.Sprintf(`document.querySelector(%q)`, selector))
	inPage[bool](p, fmt.Sprintf(`(document.querySelector(%q).focus(), document.querySelector(%[1]q).click(), true)`, selector))
}

// focusOn moves the focus, as Tab would in the end.
func (p page) focusOn(selector string) {
	p.t.Helper()
	p.wait(fmt.Sprintf(`document.querySelector(%q)`, selector))
	inPage[bool](p, fmt.Sprintf(`(document.querySelector(%q).focus(), true)`, selector))
}

func (p page) keys(keys ...string) {
	p.t.Helper()
	for _, key := range keys {
		p.do(chromedp.KeyEvent(key))
	}
}

const someTiles = `document.querySelectorAll(".tile img.loaded").length > 5`

// chosen waits until the bar counts so many pictures.
func (p page) chosen(text string) {
	p.t.Helper()
	p.wait(fmt.Sprintf(`document.querySelector("#chosen")?.textContent === %q`, text))
}

// focusStays fails when the focus has fallen to the body.
func (p page) focusStays(after string) {
	p.t.Helper()
	if inPage[bool](p, `document.activeElement === document.body`) {
		p.t.Errorf("the focus is lost after %s", after)
	}
}

func (p page) tagAll(count int) {
	p.visit("")
	p.wait(someTiles)
	p.focusOn(".cell .tile")
	p.do(chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	p.chosen("5,000 chosen")
	p.screenshot("chosen")
	p.press("#act-tag")
	p.wait(`document.activeElement.id === "act-tag-text"`)
	p.screenshot("tagging")
	p.keys("summer")
	p.keys(kb.Enter)
	p.wait(`document.querySelector(".toast")?.textContent.includes("5,000 pictures tagged")`)
	if tagged := p.listed("tag=summer"); tagged != count {
		p.t.Errorf("%d of %d are tagged", tagged, count)
	}
	p.focusStays("tagging")
	p.keys(kb.Escape)
	p.wait(`!document.querySelector(":popover-open") && document.activeElement.id === "act-tag"`)
	p.press(".toast button")
	p.wait(`[...document.querySelectorAll(".toast")].some((toast) => toast.textContent.includes("5,000 pictures are as before"))`)
	if tagged := p.listed("tag=summer"); tagged != 0 {
		p.t.Errorf("%d are tagged after undo", tagged)
	}
	p.focusStays("undo")
}

// titleAndDate: the form shows what a picture has, says where several differ, and changes only what was changed.
func (p page) titleAndDate() {
	p.visit("")
	p.wait(someTiles)
	p.press(`.cell[aria-posinset="1"] .pick`)
	p.press("#act-details")
	const title, date = `document.querySelector("#act-details-panel input")`, `[...document.querySelectorAll("#act-details-panel label")].find((label) => label.textContent.includes("Taken on"))?.querySelector("input")`
	p.wait(`/^20\d\d-\d\d-\d\dT/.test(` + date + `?.value)`)
	before := inPage[string](p, date+".value")
	p.focusOn("#act-details-panel input")
	p.keys("A walk", kb.Enter)
	p.wait(`document.querySelector(".toast")`)
	p.focusStays("saving a title")
	p.keys(kb.Escape)
	p.press("#act-details")
	p.wait(title + `?.value === "A walk" && ` + date + `.value === "` + before + `"`)
	p.keys(kb.Escape)
	p.press(`.cell[aria-posinset="2"] .pick`)
	p.press("#act-details")
	p.wait(title + `?.placeholder === "They differ" && ` + date + `.placeholder === "They differ" && ` + title + `.value === ""`)
	p.screenshot("title-and-date")
}

func (p page) archive() {
	p.visit("")
	p.wait(someTiles)
	p.press(`.cell[aria-posinset="1"] .pick`)
	p.chosen("1 chosen")
	inPage[bool](p, `(document.querySelector('.cell[aria-posinset="4"] .tile').dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true, shiftKey: true})), true)`)
	p.chosen("4 chosen")
	if open := inPage[bool](p, `Boolean(document.querySelector("dialog[open]"))`); open {
		p.t.Error("a click opens a picture while others are chosen")
	}
	// What the button downloads, asked for as it asks.
	data := p.awaited(`(async () => {
		const ids = [1, 2, 3, 4].map((at) => document.querySelector('.cell[aria-posinset="' + at + '"]').dataset.id);
		const made = await (await fetch("/api/v1/downloads", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({ids, form: "zip"})})).json();
		const bytes = new Uint8Array(await (await fetch(made.url)).arrayBuffer());
		let text = "";
		for (const byte of bytes) text += String.fromCharCode(byte);
		return btoa(text);
	})()`)
	archive, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		p.t.Fatal(err)
	}
	files, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		p.t.Fatal(err)
	}
	var names []string
	for _, file := range files.File {
		names = append(names, file.Name)
	}
	if len(names) != 4 {
		p.t.Fatalf("the archive has %q", names)
	}
	p.press("#act-download")
	p.wait(`document.querySelector("#act-download-panel:popover-open button")`)
	p.screenshot("download")
	p.keys(kb.Escape)
	p.keys(kb.Escape)
	p.wait(`!document.querySelector(".actions")`)
	p.focusStays("Escape")
}

func (p page) trashAndRestore(count int) {
	p.visit("")
	p.wait(someTiles)
	p.press(`.cell[aria-posinset="1"] .pick`)
	p.press(`.cell[aria-posinset="2"] .pick`)
	p.chosen("2 chosen")
	p.press(".actions .danger")
	p.wait(`document.querySelector(".toast")?.textContent.includes("2 pictures are in the trash")`)
	p.screenshot("removed")
	p.focusStays("removing")
	if left := p.listed("kind=image"); left != count-2 {
		p.t.Errorf("%d of %d are left", left, count)
	}
	p.press(".toast button")
	p.wait(`[...document.querySelectorAll(".toast")].some((toast) => toast.textContent.includes("as before"))`)
	if left := p.listed("kind=image"); left != count {
		p.t.Errorf("%d of %d are there after undo", left, count)
	}
	p.wait(someTiles)
	p.press(`.cell[aria-posinset="3"] .pick`)
	p.press(".actions .danger")
	p.wait(`document.querySelector(".toast")?.textContent.includes("in the trash")`)
	p.visit("trash")
	p.wait(`document.querySelectorAll(".trash li").length === 1`)
	p.screenshot("trash")
	p.press(".trash li .button")
	p.wait(`document.querySelector(".message p")?.textContent.includes("empty")`)
	p.focusStays("putting back")
	if left := p.listed("kind=image"); left != count {
		p.t.Errorf("%d of %d are there after restoring", left, count)
	}
}

func (p page) collections() {
	p.visit("")
	p.wait(someTiles)
	p.press(`.cell[aria-posinset="1"] .pick`)
	p.press(`.cell[aria-posinset="2"] .pick`)
	p.press("#act-collection")
	p.wait(`document.activeElement.id === "act-collection-text"`)
	p.keys("Best of 2024")
	p.keys(kb.Enter)
	p.wait(`document.querySelector(".toast")?.textContent.includes("Best of 2024")`)
	p.visit("collections")
	p.wait(`document.querySelector(".collections .cover .note")?.textContent === "2 pictures"`)
	p.screenshot("collections")
	p.press(".collections .cover")
	p.wait(`document.querySelectorAll(".cell").length === 2`)
	p.visit("collections")
	p.wait(`document.querySelector(".collections .cover")`)
	p.press(`.collections [aria-label="Rename “Best of 2024”"]`)
	p.wait(`document.querySelector(".collections input")`)
	p.focusOn(".collections input")
	p.keys(kb.End)
	p.keys("!")
	p.keys(kb.Enter)
	p.wait(`document.querySelector(".collections .name")?.textContent === "Best of 2024!"`)
	p.press(`.collections [aria-label="Delete the collection “Best of 2024!”"]`)
	p.wait(`!document.querySelector(".collections .cover")`)
	p.focusStays("deleting a collection")
	p.press(".toast button")
	p.wait(`document.querySelector(".collections .name")?.textContent === "Best of 2024!"`)
}

func (p page) savedSearches() {
	p.visit("?collection=Best+of+2024!")
	p.wait(`document.querySelectorAll(".cell").length === 2`)
	p.press("#save-search")
	p.wait(`document.querySelector("#save-search-panel input") === document.activeElement`)
	p.keys("The best")
	p.keys(kb.Enter)
	p.wait(`document.querySelector(".toast")?.textContent.includes("The best")`)
	p.visit("collections")
	p.wait(`document.querySelector(".searches a")?.textContent === "The best"`)
	p.press(".searches a")
	p.wait(`document.querySelectorAll(".cell").length === 2`)
}

// inViewer gives the open picture tags, a collection and a title by the forms that many chosen ones have, and takes back what was
// done where it was done: the buttons of a message lie above the picture.
func (p page) inViewer() {
	const told = `[...document.querySelectorAll("dialog .toast")].at(-1)?.textContent`
	p.visit("")
	p.wait(someTiles)
	p.press(`.cell[aria-posinset="5"] .tile`)
	p.wait(`document.querySelector("dialog[open] .facts")`)
	p.focusOn(`dialog [list="known-tags"]`)
	p.keys("harbour, night", kb.Enter)
	p.wait(`[...document.querySelectorAll("dialog .chip:has(.cross)")].map((each) => each.firstChild.textContent).sort().join() === "harbour,night" && ` + told)
	p.keys("lights", kb.Enter)
	p.wait(`document.querySelectorAll("dialog .chip:has(.cross)").length === 3`)
	p.focusStays("tagging")
	p.wait(told + `.includes("“lights”")`)
	p.screenshot("viewer-tags")
	at := p.middleOf("dialog .toast:last-child button")
	p.do(chromedp.MouseClickXY(at[0], at[1]))
	p.wait(`document.querySelectorAll("dialog .chip:has(.cross)").length === 2`)
	p.focusStays("undo in the viewer")
	p.press("#open-details")
	p.wait(`document.querySelector("#open-details-panel:popover-open input") === document.activeElement`)
	p.keys("At the harbour", kb.Enter)
	p.wait(`document.querySelector("dialog .facts").textContent.includes("At the harbour")`)
	p.screenshot("viewer-details")
	p.keys(kb.Escape)
	p.press("#open-collection")
	p.wait(`document.activeElement.id === "open-collection-text"`)
	p.keys("Harbours", kb.Enter)
	p.wait(told + `.includes("Harbours")`)
	if kept := p.listed("collection=Harbours"); kept != 1 {
		p.t.Errorf("%d pictures are in the collection", kept)
	}
	p.keys(kb.Escape)
	p.wait(`!document.querySelector(":popover-open") && document.activeElement.id === "open-collection"`)
	removed := p.opened()
	p.press("dialog .danger")
	p.wait(told + `.includes("in the trash")`)
	p.wait(fmt.Sprintf(`document.querySelector("dialog[open] .facts") && ![null, %q].includes(new URLSearchParams(location.search).get("open"))`, removed))
	p.focusStays("removing the open picture")
	p.keys(kb.Escape)
	p.wait(`!document.querySelector("dialog[open]") && document.querySelector(".toast")`)
}

// byKeyboard rates two pictures and removes them without a pointer.
func (p page) byKeyboard() {
	p.visit("")
	p.wait(someTiles)
	p.focusOn(`.cell[aria-posinset="1"] .tile`)
	p.keys(" ")
	p.keys(kb.ArrowRight)
	p.keys(" ")
	p.chosen("2 chosen")
	p.focusStays("choosing by Space")
	p.focusOn("#act-rate")
	p.keys(kb.Enter)
	p.wait(`document.querySelector("#act-rate-panel:popover-open button") === document.activeElement`)
	p.keys(kb.Tab)
	p.keys(kb.Tab)
	p.keys(kb.Enter)
	p.wait(`document.querySelector(".toast")?.textContent.includes("2 pictures rated")`)
	p.focusStays("rating")
	if rated := p.listed("rating=3"); rated != 2 {
		p.t.Errorf("%d are rated", rated)
	}
	p.keys(kb.Escape)
	p.focusOn(".actions .danger")
	p.keys(kb.Enter)
	p.wait(`[...document.querySelectorAll(".toast")].some((toast) => toast.textContent.includes("in the trash"))`)
	p.wait(`!document.querySelector(".actions")`)
	p.focusStays("removing by keyboard")
}
