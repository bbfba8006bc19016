package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// controls marks what can have the focus in the page as it is now, each with a number, and returns how they call themselves. Of
// many chips and rows alike the first two are enough, and of the tiles the one that Tab reaches. The mark by which a tile is chosen
// is for pointers: by keyboard Space on the tile does it. What leaves the page, or asks the system for a file, is left out.
// The masthead is the same in every view: the first walk is enough for it, unless it is asked for.
const controls = `((masthead) => {
	const top = document.querySelector("dialog[open]:last-of-type") ?? document.querySelector(":popover-open") ?? document;
	const seen = {};
	window.controls = [...top.querySelectorAll("a[href], button, input, select, textarea, [tabindex='0'], summary")].filter((each) => {
		if (!each.checkVisibility({visibilityProperty: true}) || each.disabled || each.type === "file" || each.target === "_blank") return false;
		if (each.matches(".skip-link, .pick, .tile[tabindex='-1']") || (!masthead && top === document && each.closest(".masthead"))) return false;
		const kind = each.parentElement.className + each.tagName + each.className.replace(" on", "");
		seen[kind] = (seen[kind] ?? 0) + 1;
		return each.closest(".tabs, .detail-side, .row") || seen[kind] <= 2;
	});
	return window.controls.map((each) => (each.getAttribute("aria-label") || each.innerText || each.id || each.tagName).trim().slice(0, 60));
})`

// quiet is true once nothing in the page waits for the server.
const quiet = `!document.querySelector(".spinner")`

// testFocus walks every control of every view by keyboard: each is reached by Tab, and whatever it does when pressed, the focus is
// somewhere in the page afterwards, and not on its body.
func testFocus(t *testing.T, p page) {
	const tiles = `document.querySelectorAll(".tile img.loaded").length > 0 && ` + quiet
	const open = `document.querySelector("dialog[open] .facts") && ` + quiet
	press := func(selector string) func(page) {
		return func(p page) { p.do(chromedp.Click(selector)) }
	}
	for _, view := range []struct {
		name, path, ready string
		then              func(page)
		after             string
	}{
		{"first screen", "", tiles, nil, "true"},
		{"hits", "?q=a+castle&show=strong", settled + " && " + tiles, nil, "true"},
		{"nothing", "?q=two+cats&tag=no-such-tag", settled + ` && document.querySelector(".message h2")`, nil, "true"},
		{"bad query", "?q=after:soon", `document.querySelector("[role=alert]")`, nil, "true"},
		{"filters", "?q=a+castle&tag=no-such-tag", settled, press("#filter-button"), `document.querySelectorAll("#filter-button-panel .chip").length > 0`},
		{"preferences", "?q=a+castle", settled, press("#preferences"), `document.querySelector("#theme")`},
		{"viewer", "?q=a+castle&open=1", settled + " && " + open, nil, `document.querySelector(".ask .chip")`},
		{"similar", "?record=1", settled + " && " + tiles, nil, "true"},
		{"lookup", "lookup?record=1", `document.querySelectorAll(".texts li").length > 0`, nil, "true"},
		{"library", "library", `document.querySelector(".figures b")`, nil, "true"},
		{"duplicates", "duplicates?level=picture", `document.querySelectorAll(".twins, .message p").length > 0 && ` + quiet, nil, "true"},
	} {
		t.Run(view.name, func(t *testing.T) {
			p := p.on(t)
			show := func() []string {
				p.visit("about:blank")
				p.visit(view.path)
				p.wait(view.ready)
				if view.then != nil {
					view.then(p)
				}
				p.wait(view.after)
				inPage[bool](p, `(window.confirm = () => false, localStorage.clear(), window.stays = true)`)
				return inPage[[]string](p, fmt.Sprintf("%s(%t)", controls, view.path == ""))
			}
			names := show()
			p.reachByTab(names)
			start := inPage[string](p, "location.href")
			for i := range names {
				if !inPage[bool](p, fmt.Sprintf(`Boolean(window.stays && location.href === %q && window.controls[%d]?.isConnected)`, start, i)) {
					names = show()
				}
				if i >= len(names) {
					break
				}
				p.pressed(i, names[i])
				if view.then != nil || strings.HasPrefix(view.name, "viewer") {
					inPage[bool](p, "delete window.stays") // what it lies in may have closed
				}
			}
		})
	}
}

// reachByTab goes through the page by Tab, and asks that each of its controls has had the focus.
func (p page) reachByTab(names []string) {
	p.t.Helper()
	inPage[bool](p, `(() => {
		window.reached = new Set();
		document.addEventListener("focusin", (event) => window.reached.add(event.target));
		return true;
	})()`)
	const all = `window.controls.every((each) => each.type === "radio" || !each.isConnected || window.reached.has(each))`
	for pressed := range 60 + len(names) {
		p.do(chromedp.KeyEvent(kb.Tab))
		if pressed%8 == 7 && inPage[bool](p, all) {
			return
		}
	}
	for i, name := range names {
		// Of radio buttons Tab reaches the chosen one.
		if !inPage[bool](p, fmt.Sprintf(`window.controls[%d].type === "radio" || !window.controls[%d].isConnected || window.reached.has(window.controls[%d])`, i, i, i)) {
			p.t.Errorf("Tab does not reach %q", name)
		}
	}
}

// pressed gives a control the focus, presses the key that uses it, and looks where the focus is when the page is quiet again.
func (p page) pressed(i int, name string) {
	p.t.Helper()
	kind := inPage[string](p, fmt.Sprintf(`(() => { const each = window.controls[%d]; each.focus(); return each.type || each.tagName; })()`, i))
	switch kind {
	case "radio", "checkbox":
		p.do(chromedp.KeyEvent(" "))
	case "text", "textarea", "date":
		p.do(chromedp.KeyEvent("1"))
	case "select-one":
		p.do(chromedp.KeyEvent(kb.ArrowDown))
	default:
		p.do(chromedp.KeyEvent(kb.Enter))
	}
	inPage[bool](p, `(window.turns = 0, requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => { window.turns = 1; }, 20))), true)`)
	p.wait(`window.turns === 1 && ` + quiet)
	if inPage[bool](p, `!document.activeElement || document.activeElement === document.body`) {
		p.t.Errorf("after %q (%s) was used, the focus is on the page's body", name, kind)
	}
}
