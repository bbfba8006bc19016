package main

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// testPeople does what four people come for, from the first key to the last, without a pointer and without knowing where in the
// page anything lies: what they want to press is reached by Tab.
func testPeople(t *testing.T, p page) {
	t.Run("catalogue manager", func(t *testing.T) { p.on(t).catalogueManager() })
	t.Run("newsroom", func(t *testing.T) { p.on(t).newsroom() })
	t.Run("researcher", func(t *testing.T) { p.on(t).researcher() })
	t.Run("family", func(t *testing.T) { p.on(t).family() })
}

// tabTo presses Tab until something that a selector finds has the focus.
func (p page) tabTo(selector string) {
	p.t.Helper()
	for range 150 {
		if inPage[bool](p, fmt.Sprintf(`document.activeElement?.matches(%q)`, selector)) {
			return
		}
		p.do(chromedp.KeyEvent(kb.Tab))
	}
	p.screenshot("failed")
	p.t.Fatalf("Tab does not lead to %s", selector)
}

// searchByKeys goes to the box and searches for words in place of those that stand there.
func (p page) searchByKeys(words string) {
	p.t.Helper()
	p.keys("/")
	p.wait(`document.activeElement.id === "query"`)
	p.do(chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	p.keys(words, kb.Enter)
	p.wait(fmt.Sprintf(`document.title.includes(%q) && `, words) + settled + ` && document.querySelectorAll(".tile img.loaded").length > 0`)
}

const asksDownload = `performance.getEntriesByType("resource").some((each) => each.name.endsWith("/api/v1/downloads"))`

// catalogueManager tags all pictures of a kind, takes their table along, and finds them by the tag.
func (p page) catalogueManager() {
	p.visit("")
	p.wait(someTiles)
	p.searchByKeys("a castle")
	p.tabTo(".tile")
	p.do(chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	p.wait(`parseInt(document.querySelector("#chosen")?.textContent) === Number(document.querySelector(".cell").getAttribute("aria-setsize"))`)
	all := inPage[int](p, `parseInt(document.querySelector("#chosen").textContent)`)
	p.tabTo("#act-tag")
	p.keys(kb.Enter)
	p.wait(`document.activeElement.id === "act-tag-text"`)
	p.keys("fortress", kb.Enter)
	p.wait(`document.querySelector(".toasts")?.textContent.includes("tagged")`)
	p.keys(kb.Escape)
	p.wait(`document.activeElement.id === "act-tag"`)
	p.tabTo("#act-download")
	p.keys(kb.Enter)
	p.wait(`document.querySelector("#act-download-panel:popover-open button") === document.activeElement`)
	p.keys(kb.Tab, kb.Enter) // the table
	p.wait(asksDownload)
	p.keys(kb.Escape, kb.Escape)
	p.wait(`!document.querySelector(".actions")`)
	p.focusStays("leaving the choice")
	p.keys("/")
	p.do(chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	p.keys("tag:fortress", kb.Enter)
	p.wait(`document.querySelector(".token") && ` + settled + fmt.Sprintf(` && document.querySelector(".cell")?.getAttribute("aria-setsize") === "%d"`, all))
}

// newsroom looks closely at hits, goes on to the next, and takes three of them along.
func (p page) newsroom() {
	p.visit("")
	p.wait(someTiles)
	p.searchByKeys("two cats")
	p.tabTo(".tile")
	p.keys(kb.Enter)
	p.wait(viewing + ` && document.querySelector("dialog .picture").clientWidth > 100`)
	p.keys("+")
	p.wait(scale + " > 1")
	p.keys("0")
	p.wait(scale + " === 1")
	first := p.opened()
	p.keys(kb.ArrowRight)
	p.wait(fmt.Sprintf(`new URLSearchParams(location.search).get("open") !== %q`, first))
	second := p.opened()
	p.keys("i")
	p.wait(`document.querySelector(".detail-layout.alone")`)
	p.keys("i", kb.Escape)
	p.wait(fmt.Sprintf(`!document.querySelector("dialog[open]") && document.activeElement.closest("[data-id]")?.dataset.id === %q`, second))
	p.keys(kb.Home, " ", kb.ArrowRight, kb.ArrowRight)
	p.wait(`document.activeElement.closest("[data-index]")?.dataset.index === "2"`)
	p.do(chromedp.KeyEvent(" ", chromedp.KeyModifiers(chromedp.ModifierShift)))
	p.chosen("3 chosen")
	p.tabTo("#act-download")
	p.keys(kb.Enter)
	p.wait(`document.querySelector("#act-download-panel:popover-open button") === document.activeElement`)
	p.keys(kb.Enter)
	p.wait(asksDownload)
}

// researcher asks all hits, keeps one answer, and learns why a picture is there, where in it, and what else describes it.
func (p page) researcher() {
	p.visit("")
	p.wait(someTiles)
	p.searchByKeys("two cats")
	p.tabTo(".asked input")
	p.keys("how many cats are there?", kb.Enter)
	p.wait(settled + ` && document.querySelector(".asked .chip") && document.querySelector(".tile .said")`)
	p.tabTo(".asked .chip")
	p.keys(kb.Enter)
	p.wait(settled + ` && document.querySelector(".asked .chip[aria-pressed='true']") && document.querySelector(".tile img.loaded")`)
	p.tabTo(".tile")
	p.keys(kb.Enter)
	p.wait(`document.querySelector("dialog[open] .why .signal")`)
	p.tabTo("dialog [data-part=actions] [aria-pressed]")
	p.keys(kb.Enter)
	p.wait(`document.querySelector("dialog .picture img.map")`)
	p.tabTo("dialog [data-part=actions] .button:nth-child(2)")
	p.keys(kb.Enter)
	p.wait(`location.pathname === "/lookup" && document.querySelectorAll(".texts li").length > 0`)
	p.focusStays("looking a picture up")
}

// family goes to the oldest picture and back, keeps one in a collection, and takes a removal back.
func (p page) family() {
	p.visit("")
	p.wait(someTiles)
	p.tabTo(".tile")
	p.keys(kb.End)
	p.wait(`document.activeElement.closest(".cell")?.getAttribute("aria-posinset") === document.activeElement.closest(".cell")?.getAttribute("aria-setsize")`)
	p.keys(kb.Home, " ")
	p.chosen("1 chosen")
	p.tabTo("#act-collection")
	p.keys(kb.Enter)
	p.wait(`document.activeElement.id === "act-collection-text"`)
	p.keys("Grandmother's birthday", kb.Enter)
	p.wait(`document.querySelector(".toasts")?.textContent.includes("Grandmother")`)
	p.keys(kb.Escape)
	p.tabTo(".actions .danger")
	p.keys(kb.Enter)
	p.wait(`document.querySelector(".toasts").textContent.includes("in the trash") && !document.querySelector(".actions")`)
	left := p.listed("kind=image")
	p.tabTo(".toast:last-child button")
	p.keys(kb.Enter)
	p.wait(`document.querySelector(".toasts").textContent.includes("as before")`)
	if now := p.listed("kind=image"); now != left+1 {
		p.t.Errorf("%d pictures after undo, %d before", now, left)
	}
	p.tabTo(`.tab[data-view=collections]`)
	p.keys(kb.Enter)
	p.wait(`document.querySelector(".collections .cover .name")?.textContent === "Grandmother's birthday"`)
	p.tabTo(".collections .cover")
	p.keys(kb.Enter)
	p.wait(`document.querySelectorAll(".cell").length === 1`)
}
