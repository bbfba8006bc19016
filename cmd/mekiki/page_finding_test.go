package main

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"mekiki/embed/builtin"
	"mekiki/index"
	"mekiki/index/local"
	"mekiki/internal/vfs/vfstest"
	"mekiki/search"
	"mekiki/server"
)

// serveFound serves a library of pictures in folders by year and month, found by their words alone.
func serveFound(t *testing.T) string {
	t.Helper()
	gallery, err := fs.Glob(builtin.Gallery(), "images/*")
	if err != nil {
		t.Fatal(err)
	}
	thumbnail, err := fs.ReadFile(builtin.Gallery(), gallery[0])
	if err != nil {
		t.Fatal(err)
	}
	library, err := local.Open(t.Context(), "/library", local.Options{FileSystem: vfstest.NewMemory()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = library.Close() })
	var batch index.Batch
	captions := []string{"two cats on a sofa", "a red tulip in the grass", "two dogs beside a lighthouse"}
	for i := range 120 {
		day := time.Date(2019+i%5, time.Month(1+i%12), 1+i%28, 12, 0, 0, 0, time.UTC)
		batch.Puts = append(batch.Puts, index.Put{
			Record: index.Record{
				Kind: index.KindImage, Hash: sha256.Sum256(fmt.Append(nil, i)), Format: "jpeg", Width: 4000, Height: 3000,
				Files:    []index.File{{Path: filepath.FromSlash(fmt.Sprintf("/pictures/y%d/m%02d/%04d.jpg", day.Year(), day.Month(), i))}},
				Metadata: index.Metadata{Taken: day, Camera: []string{"Nikon Z6", "Leica Q2"}[i%2], Title: captions[i%3]},
				Captions: []index.Caption{{Text: captions[i%3]}}, Tags: []string{"Places/Japan/Kyoto"}[:i%2],
			},
			Thumbnail: thumbnail,
		})
	}
	if _, err := library.Write(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	searcher, err := search.New(library, nil, search.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return servePage(t, server.Options{Searcher: searcher, Library: library})
}

// TestFinding works with what narrows a search, in Chromium and by keyboard.
func TestFinding(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a browser")
	}
	p := openPage(t, serveFound(t))
	t.Run("facets by keyboard", func(t *testing.T) { p.on(t).facetsByKeyboard() })
	t.Run("dates by keyboard", func(t *testing.T) { p.on(t).datesByKeyboard() })
	t.Run("tokens", func(t *testing.T) { p.on(t).tokens() })
	t.Run("rail and sheet", func(t *testing.T) { p.on(t).railAndSheet() })
	t.Run("stale hits", func(t *testing.T) { p.on(t).noStaleHits() })
	t.Run("did you mean", func(t *testing.T) { p.on(t).didYouMean() })
	t.Run("mistakes in Japanese", func(t *testing.T) { p.on(t).mistakesInJapanese() })
	t.Run("targets", func(t *testing.T) { p.on(t).targets() })
}

const focusedText = `(document.activeElement?.textContent || document.activeElement?.id || document.activeElement?.tagName || "").trim()`

// openFilters opens the filters of an address.
func (p page) openFilters(path string) {
	p.t.Helper()
	p.visit(path)
	p.wait(`document.querySelectorAll(".tile").length > 3`)
	if !inPage[bool](p, `document.querySelector(".rail") !== null`) { // it stays as it was left
		p.do(chromedp.Focus("#filter-button"), chromedp.KeyEvent(kb.Enter))
	}
	p.wait(`document.querySelector("#filter-button-panel .levels .value")`)
}

func (p page) facetsByKeyboard() {
	p.openFilters("?q=cats")
	// Counts are of the hits, and folders are a tree with their years.
	p.wait(`[...document.querySelectorAll('[aria-labelledby="facet-folder"] > .levels > li > .level .name')].map((one) => one.textContent).join() === "y2019,y2020,y2021,y2022,y2023"`)
	p.wait(`document.querySelector('[aria-labelledby="facet-folder"] .value .count').textContent === "8"`)
	p.screenshot("finding-facets")
	p.do(chromedp.Focus(`[aria-labelledby="facet-folder"] .twisty[aria-expanded]`), chromedp.KeyEvent(" "))
	p.wait(`document.querySelector('[aria-labelledby="facet-folder"] .levels .levels .value')`)
	p.do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(" "))
	p.wait(`new URLSearchParams(location.search).get("folder")?.endsWith("/y2019")`)
	p.wait(`document.querySelector("#summary")?.textContent.includes("8 pictures")`)
	if focused := inPage[string](p, focusedText); focused == "BODY" || !inPage[bool](p, `document.activeElement.closest("#filter-button-panel") !== null`) {
		p.t.Errorf("choosing a folder leaves the focus at %q", focused)
	}
	// What else could be chosen stays, with its own counts.
	p.wait(`document.querySelectorAll('[aria-labelledby="facet-folder"] > .levels > li').length === 5`)
	p.do(chromedp.Focus(`[aria-labelledby="facet-folder"] input`), chromedp.KeyEvent("m03"))
	p.wait(`[...document.querySelectorAll('[aria-labelledby="facet-folder"] .levels .name')].every((one) => one.textContent.includes("m03"))`)
	if focused := inPage[string](p, `document.activeElement.tagName`); focused != "INPUT" {
		p.t.Errorf("finding a folder leaves the focus at %s", focused)
	}
	p.do(chromedp.KeyEvent(kb.Escape))
	p.wait(`document.querySelector('[aria-labelledby="facet-folder"] input').value === ""`)
}

func (p page) datesByKeyboard() {
	p.openFilters("")
	p.do(chromedp.Focus(`#filter-button-panel input[type=date]`), chromedp.KeyEvent("03012020"))
	if changed := inPage[string](p, `location.search`); changed != "" {
		p.t.Errorf("a date that is being typed makes the address %s", changed)
	}
	p.do(chromedp.KeyEvent(kb.Enter))
	p.wait(`new URLSearchParams(location.search).get("after") === "2020-03-01"`)
	if focused := inPage[string](p, `document.activeElement.type`); focused != "date" {
		p.t.Errorf("Enter leaves the focus at %s", focused)
	}
	// A bar of the histogram is a button.
	p.do(chromedp.Focus(`.histogram .bar:nth-child(2)`), chromedp.KeyEvent(kb.Enter))
	p.wait(`new URLSearchParams(location.search).get("before") === "2021-01-01"`)
	p.wait(`document.querySelectorAll(".histogram .bar").length >= 2 && document.querySelector("#summary").textContent.includes("24 pictures")`)
	p.screenshot("finding-dates")
}

// tokens types filters, edits one with Backspace, takes one away by keyboard, and copies all as one text.
func (p page) tokens() {
	const shown = `[...document.querySelectorAll(".token > :first-child")].map((one) => one.textContent.trim()).join(" | ")`
	is := func(expression, want string) { p.t.Helper(); p.wait(fmt.Sprintf("%s === %q", expression, want)) }
	p.visit("?camera=Leica+Q2")
	is(shown, "Camera: Leica Q2")
	p.do(chromedp.Focus("#query"), chromedp.KeyEvent("tulip tag:kyoto "))
	is(shown, "Camera: Leica Q2 | tag:kyoto")
	is(`document.querySelector("#query").value`, "tulip ")
	if found := inPage[string](p, `location.search`); strings.Contains(found, "tulip") {
		p.t.Errorf("what is typed is searched for before it is sent: %s", found)
	}
	p.do(chromedp.KeyEvent(kb.Enter))
	is(`new URLSearchParams(location.search).get("q")`, "tulip tag:kyoto")
	is(`document.querySelector("#query").value`, "tulip")
	p.wait(settled + ` && document.querySelectorAll(".tile").length > 3`)
	p.screenshot("finding-tokens")
	if said := inPage[string](p, `document.getElementById(document.querySelector("#query").getAttribute("aria-describedby")).textContent`); !strings.Contains(said, `tulip camera:"Leica Q2" tag:kyoto`) {
		p.t.Errorf("a screen reader says %q", said)
	}
	copied := inPage[string](p, `(() => {
		const input = document.querySelector("#query");
		input.select();
		const event = new ClipboardEvent("copy", {bubbles: true, cancelable: true, clipboardData: new DataTransfer()});
		input.dispatchEvent(event);
		return event.clipboardData.getData("text/plain");
	})()`)
	if copied != `tulip camera:"Leica Q2" tag:kyoto` {
		p.t.Errorf("copying all gives %q", copied)
	}
	// Backspace at the start makes the last one text again.
	p.do(chromedp.KeyEvent(kb.Home), chromedp.KeyEvent(kb.Backspace))
	is(`document.querySelector("#query").value`, "tulip tag:kyoto")
	is(shown, "Camera: Leica Q2")
	p.do(chromedp.KeyEvent(kb.Backspace), chromedp.KeyEvent(kb.Backspace), chromedp.KeyEvent(kb.Backspace), chromedp.KeyEvent(kb.Backspace), chromedp.KeyEvent(kb.Backspace), chromedp.KeyEvent("japan"), chromedp.KeyEvent(kb.Enter))
	is(`new URLSearchParams(location.search).get("q")`, "tulip tag:japan")
	is(shown, "Camera: Leica Q2 | tag:japan")
	// The arrow goes to the tokens, and Delete takes one away.
	p.do(chromedp.KeyEvent(kb.Home), chromedp.KeyEvent(kb.ArrowLeft), chromedp.KeyEvent(kb.ArrowLeft), chromedp.KeyEvent(kb.Delete))
	is(shown, "tag:japan")
	p.wait(`!new URLSearchParams(location.search).has("camera") && document.activeElement.id === "query"`)
	// A chosen one is edited as text too, and holds until what is typed is sent.
	p.visit("?q=cats&folder=%2Fpictures%2Fy2020")
	p.do(chromedp.Focus("#query"), chromedp.KeyEvent(kb.Home), chromedp.KeyEvent(kb.Backspace))
	is(`document.querySelector("#query").value`, "cats folder:/pictures/y2020")
	p.do(chromedp.KeyEvent(kb.Backspace), chromedp.KeyEvent("1"), chromedp.KeyEvent(kb.Enter))
	is(`new URLSearchParams(location.search).get("q")`, "cats folder:/pictures/y2021")
	p.wait(`!new URLSearchParams(location.search).has("folder") && ` + settled + ` && document.querySelectorAll(".tile").length === 8`)
}

// railAndSheet has the filters beside the pictures on a wide window and as a sheet on a phone.
func (p page) railAndSheet() {
	defer p.do(chromedp.ResetViewport())
	p.do(chromedp.EmulateViewport(1600, 900))
	p.visit("") // from where the browser's memory of the page can be emptied
	inPage[bool](p, `(localStorage.clear(), true)`)
	p.visit("?q=cats")
	p.wait(`document.querySelector(".rail .levels .value") && document.querySelectorAll(".tile img.loaded").length > 3`)
	p.screenshot("finding-rail")
	if over := inPage[bool](p, `document.querySelector(".rail").getBoundingClientRect().right > document.querySelector(".grid").getBoundingClientRect().left`); over {
		p.t.Error("the filters cover the pictures")
	}
	p.do(chromedp.Focus("#filter-button"), chromedp.KeyEvent(kb.Enter))
	p.wait(`!document.querySelector(".rail") && document.activeElement.id === "filter-button" && document.activeElement.ariaExpanded === "false"`)
	p.visit("?q=dogs")
	p.wait(settled + ` && !document.querySelector(".rail")`)
	inPage[bool](p, `(localStorage.clear(), true)`)
	p.do(chromedp.EmulateViewport(360, 740))
	p.visit("?q=cats")
	p.wait(settled + ` && document.querySelectorAll(".tile img.loaded").length > 3`)
	if over := inPage[int](p, `document.querySelector(".tabs").scrollWidth - document.querySelector(".tabs").clientWidth`); over > 0 {
		p.t.Errorf("%d pixels of the views' names are cut off", over)
	}
	p.do(chromedp.Focus("#filter-button"), chromedp.KeyEvent(kb.Enter))
	p.wait(`document.querySelector("#filter-button-panel:popover-open .levels .value") && document.activeElement.closest("#filter-button-panel")`)
	if box := inPage[[]float64](p, `(() => { const box = document.querySelector("#filter-button-panel").getBoundingClientRect(); return [box.left, box.right, box.bottom]; })()`); fmt.Sprint(box) != "[0 360 740]" {
		p.t.Errorf("the sheet is at %v", box)
	}
	p.screenshot("finding-sheet")
	p.do(chromedp.Focus(`#filter-button-panel .levels .value`), chromedp.KeyEvent(" "))
	p.wait(`location.search.includes("folder=") && document.querySelector("#filter-button-panel .value.on") && document.activeElement.closest("#filter-button-panel")`)
	p.do(chromedp.KeyEvent(kb.Escape))
	p.wait(`!document.querySelector("#filter-button-panel:popover-open") && document.activeElement.id === "filter-button" && document.querySelector(".token")`)
}

func (p page) noStaleHits() {
	p.visit("?q=cats")
	p.wait(`document.querySelectorAll(".tile").length > 3 && document.querySelector("#summary").dataset.stage === "final"`)
	p.do(chromedp.Focus("#query"), chromedp.KeyEvent(kb.End), chromedp.KeyEvent(" blurgh tag:qwzz"), chromedp.KeyEvent(kb.Enter))
	p.wait(`location.search.includes("qwzz") && document.querySelectorAll(".tile").length === 0`)
	p.wait(`document.querySelector("#summary").textContent.includes("0 pictures")`)
}

func (p page) didYouMean() {
	p.visit("?q=tulp+lighthuose")
	p.wait(`document.querySelector(".meant button")?.textContent.trim() === "tulip lighthouse"`)
	p.screenshot("finding-did-you-mean")
	p.do(chromedp.Focus(".meant button"), chromedp.KeyEvent(kb.Enter))
	p.wait(`document.querySelector("#query").value === "tulip lighthouse" && document.activeElement.id === "query"`)
	p.visit("?q=tulip+OR+cats")
	p.wait(`document.querySelector(".warnings")?.textContent.includes("plain word")`)
	p.visit(`?q="tulip+red"`)
	p.wait(`document.querySelector(".warnings button")`)
	p.do(chromedp.Focus(".warnings button"), chromedp.KeyEvent(kb.Enter))
	p.wait(`document.querySelector("#query").value === "tulip red" && document.querySelectorAll(".tile").length > 3`)
}

// mistakesInJapanese: what is wrong with a query is said in the reader's language alone, and where it is wrong.
func (p page) mistakesInJapanese() {
	p.visit("")
	inPage[bool](p, `(localStorage.setItem("mekiki-language", "ja"), true)`)
	p.visit("?q=colour:red")
	p.wait(`document.querySelector("[role=alert] mark")?.textContent === "colour:"`)
	p.screenshot("finding-japanese")
	if said := inPage[string](p, `document.querySelector("[role=alert]").innerText`); strings.Contains(said, "filter") {
		p.t.Errorf("it says %s", said)
	}
	inPage[bool](p, `(localStorage.clear(), true)`)
}
