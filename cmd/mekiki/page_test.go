package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// screenshotsVariable names a folder to which the page's tests write what they
// see, for people to look at.
const screenshotsVariable = "MEKIKI_SCREENSHOTS"

// page is the page in a browser.
type page struct {
	t       *testing.T
	ctx     context.Context
	address string
}

// testPage drives the page in Chromium.
func testPage(t *testing.T, address string) {
	p := openPage(t, address)
	t.Run("browse", func(t *testing.T) {
		p := p.on(t)
		p.visit("")
		p.wait(`document.querySelectorAll(".tile img.loaded").length > 5`)
		p.screenshot("browse")
	})
	t.Run("search", func(t *testing.T) { p.on(t).search() })
	t.Run("detail", func(t *testing.T) { p.on(t).detail() })
	t.Run("ask", func(t *testing.T) { p.on(t).ask() })
	t.Run("ask hits", func(t *testing.T) { p.on(t).askHits() })
	t.Run("image query", func(t *testing.T) { p.on(t).imageQuery() })
	t.Run("no image", func(t *testing.T) { p.on(t).noImage() })
	t.Run("lookup", func(t *testing.T) { p.on(t).lookup() })
	t.Run("labels", func(t *testing.T) { p.on(t).labels() })
	t.Run("library", func(t *testing.T) {
		p := p.on(t)
		p.visit("library")
		p.wait(`document.querySelector(".figures b")?.textContent === "640"`)
		p.screenshot("library")
	})
	t.Run("duplicates", func(t *testing.T) {
		p := p.on(t)
		p.visit("duplicates?level=scene")
		p.wait(`document.querySelectorAll(".twins, .message p").length > 0`)
	})
	t.Run("accessibility", func(t *testing.T) { testAccessibility(t, p.on(t)) })
	t.Run("forced colours", func(t *testing.T) { testForcedColours(t, p.on(t)) })
	t.Run("focus", func(t *testing.T) { testFocus(t, p.on(t)) })
	t.Run("people", func(t *testing.T) { testPeople(t, p.on(t)) })
	t.Run("help", func(t *testing.T) { p.on(t).help() })
	t.Run("first screen", func(t *testing.T) { p.on(t).firstScreen() })
	t.Run("language and appearance", func(t *testing.T) { p.on(t).preferences() })
}

func openPage(t *testing.T, address string) page {
	t.Helper()
	browser, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("MEKIKI_REQUIRE_BROWSER") != "" {
			t.Fatal(err)
		}
		t.Skip("Chromium is not installed; on Debian: apt-get install chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("lang", "en-US"), chromedp.WindowSize(1280, 900))
	allocator, cancelAllocator := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(cancelAllocator)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	return page{t: t, ctx: ctx, address: address}
}

func (p page) on(t *testing.T) page {
	p.t = t
	return p
}

func (p page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 60*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

func (p page) visit(path string) {
	p.t.Helper()
	p.do(chromedp.Navigate(p.address + path))
}

// wait waits until an expression is true in the page.
func (p page) wait(expression string) {
	p.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		holds, err := evaluate[bool](p, "Boolean("+expression+")")
		switch {
		case holds:
			return
		case err != nil && !navigates(err):
			p.t.Fatalf("%s: %v", expression, err)
		}
		if time.Now().After(deadline) {
			p.screenshot("failed")
			p.t.Fatalf("the page never has %s; it says:\n%s", expression, inPage[string](p, "document.body.innerText"))
		}
	}
}

// navigates reports whether an expression found no page, as one went and the next one came.
func navigates(err error) bool {
	return strings.Contains(err.Error(), "navigated or closed") || strings.Contains(err.Error(), "context was destroyed") || strings.Contains(err.Error(), "find default execution context")
}

func evaluate[T any](p page, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(p.ctx, 60*time.Second)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression))
}

func inPage[T any](p page, expression string) T {
	p.t.Helper()
	value, err := evaluate[T](p, expression)
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

func (p page) screenshot(name string) {
	p.t.Helper()
	folder := os.Getenv(screenshotsVariable)
	if folder == "" {
		return
	}
	// A picture of what stands still: all that moves is over, and what is in sight has come.
	const still = `document.getAnimations().every((one) => one.playState !== "running" || one.effect.getTiming().iterations === Infinity) &&
		[...document.querySelectorAll(".tile img")].every((image) => image.classList.contains("loaded") || image.getBoundingClientRect().top > innerHeight)`
	for end := time.Now().Add(5 * time.Second); !inPage[bool](p, still) && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
	}
	picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

const settled = `["reranked", "final"].includes(document.getElementById("summary")?.dataset.stage)`

func (p page) search() {
	p.visit("")
	p.do(chromedp.WaitVisible("#query"), chromedp.SendKeys("#query", "two cats\r"))
	p.wait(settled + ` && document.querySelectorAll(".tile img.loaded").length > 0`)
	p.screenshot("search")
	if !inPage[bool](p, `document.activeElement.id === "query"`) {
		p.t.Error("the focus has left the search box")
	}
	if headings := inPage[int](p, `document.querySelectorAll(".welcome").length`); headings != 0 {
		p.t.Error("the welcome stays above the hits")
	}
	if label := inPage[string](p, `document.querySelector(".cell[data-index='0'] .tile").getAttribute("aria-label")`); !strings.Contains(label, "cat") {
		p.t.Errorf("the first hit is %q", label)
	}
	if address := inPage[string](p, "location.search"); address != "?q=two+cats" {
		p.t.Errorf("the address is %q", address)
	}
	p.visit("?q=two+cats&tag=no-such-tag")
	p.wait(settled + ` && document.querySelector(".message h2")`)
	p.screenshot("nothing")
	p.visit("?q=%22unbalanced")
	p.wait(`document.querySelector("[role=alert]") || ` + settled)
}

func (p page) detail() {
	p.visit("?q=two+cats&show=all")
	p.wait(settled + ` && document.querySelectorAll(".tile").length > 1`)
	p.do(chromedp.Click(".cell[data-index='0'] .tile"))
	p.wait(`document.querySelector("dialog[open] .why .signal")`)
	p.screenshot("detail")
	const toggle = "dialog [data-part=actions] [aria-pressed]"
	p.do(chromedp.Click(toggle))
	p.wait(`document.querySelector("dialog .picture img.map")?.naturalWidth === 256 && document.querySelector("dialog [data-part=place] p")`)
	if words := inPage[string](p, `document.querySelector("dialog .map").alt`); !strings.Contains(words, "two cats") || strings.Contains(words, "place_") {
		p.t.Errorf("the map says %q", words)
	}
	p.screenshot("map")
	p.do(chromedp.Click(toggle))
	p.wait(`!document.querySelector("dialog .map, dialog [data-part=place] p") && document.querySelector("dialog [aria-pressed=false]")`)
	first := inPage[string](p, `new URLSearchParams(location.search).get("open")`)
	p.do(chromedp.KeyEvent(kb.ArrowRight))
	p.wait(fmt.Sprintf(`new URLSearchParams(location.search).get("open") !== %q`, first))
	p.do(chromedp.KeyEvent(kb.Escape))
	p.wait(`!document.querySelector("dialog[open]")`)
}

// ask asks a suggested question and one by the keyboard, and opens the picture again.
func (p page) ask() {
	p.visit("?q=two+cats&show=all")
	p.wait(settled + ` && document.querySelectorAll(".tile").length > 1`)
	p.do(chromedp.Click(".cell[data-index='0'] .tile"))
	p.wait(`document.querySelector("dialog[open] .ask .chip")`)
	p.do(chromedp.Click(".ask .chip"))
	answered := func(count int) string {
		return fmt.Sprintf(`document.querySelectorAll(".turn .answer small").length === %d && !document.querySelector(".turns[aria-busy='true']")`, count)
	}
	p.wait(answered(1))
	p.do(chromedp.SendKeys(".ask input", "how many cats are there?\r"))
	p.wait(answered(2))
	if question := inPage[string](p, `[...document.querySelectorAll(".turn .question")].at(-1).textContent`); question != "how many cats are there?" {
		p.t.Errorf("the last question is %q", question)
	}
	if !inPage[bool](p, `[...document.querySelectorAll(".turn .answer span")].every((answer) => answer.textContent.length > 0)`) {
		p.t.Error("an answer is empty")
	}
	if !inPage[bool](p, `document.activeElement === document.querySelector(".ask input")`) {
		p.t.Error("the focus has left the field of the question")
	}
	p.screenshot("ask")
	p.do(chromedp.KeyEvent(kb.Escape))
	p.wait(`!document.querySelector("dialog[open]")`)
	p.do(chromedp.Click(".cell[data-index='0'] .tile"))
	p.wait(answered(2))
	p.press(`.turn:last-child .answer button[aria-label^="Use as description"]`)
	p.wait(`document.querySelector(".toast button")`)
	p.press(".toast button") // takes it back
	p.wait(`[...document.querySelectorAll(".toast")].some((toast) => toast.textContent.includes("as before"))`)
	p.do(chromedp.Click(".ask > .button.plain"))
	p.wait(`document.querySelectorAll(".turn").length === 0`)
}

// askHits asks the hits a question, keeps those that gave one answer, and leaves the question out again.
func (p page) askHits() {
	p.visit("?q=cats&show=all")
	p.wait(settled + ` && document.querySelector(".asked input")`)
	p.do(chromedp.SendKeys(".asked input", "how many cats are there?\r"))
	p.wait(settled + ` && document.querySelectorAll(".asked .chip").length > 0 && document.querySelectorAll(".tile .said").length > 1`)
	p.screenshot("asked")
	wanted := inPage[string](p, `document.querySelector(".asked .chip").firstChild.textContent`)
	p.do(chromedp.Click(".asked .chip"))
	p.wait(settled + ` && document.querySelector(".asked .chip[aria-pressed='true']")`)
	p.wait(`document.querySelectorAll(".tile").length > 0`)
	if !inPage[bool](p, `document.activeElement === document.querySelector(".asked .chip[aria-pressed='true']")`) {
		p.t.Error("the focus has left the answer that was chosen")
	}
	if query := inPage[string](p, `new URLSearchParams(location.search).get("q")`); query != fmt.Sprintf(`cats ask:"how many cats are there?"=%q`, wanted) {
		p.t.Errorf("the query is %s", query)
	}
	p.do(chromedp.Click(".asked .cross"))
	p.wait(settled + ` && document.querySelectorAll(".tile").length > 1 && !document.querySelector(".asked .chip, .tile .said")`)
	if query := inPage[string](p, `new URLSearchParams(location.search).get("q")`); query != "cats" {
		p.t.Errorf("without the question the query is %s", query)
	}
}

// drop gives the page a picture of the gallery as a dropped file.
const drop = `(async () => {
	const list = await (await fetch("/api/v1/records?kind=image&limit=1")).json();
	const picture = await (await fetch("/api/v1/records/" + list.records[0].id + "/original")).blob();
	const transfer = new DataTransfer();
	transfer.items.add(new File([picture], "dropped.webp", {type: "image/webp"}));
	document.body.dispatchEvent(new DragEvent("drop", {bubbles: true, cancelable: true, dataTransfer: transfer}));
	window.droppedRecord = list.records[0].id;
})(); true`

func (p page) imageQuery() {
	p.visit("")
	p.wait(`document.querySelectorAll(".tile").length > 0`)
	inPage[bool](p, drop)
	p.wait(`document.querySelector(".query-image") && ` + settled + ` && document.querySelectorAll(".tile img.loaded").length > 0`)
	p.wait(`document.querySelector(".cell[data-index='0']").dataset.id === window.droppedRecord`)
	p.screenshot("image")
	inPage[bool](p, `(window.before = true, location.reload(), true)`)
	p.wait(`!window.before && document.querySelector(".query-image img") && ` + settled + ` && document.querySelectorAll(".tile img.loaded").length > 0`)
}

// noImage gives the page files that are no pictures, by their name and by their content.
func (p page) noImage() {
	p.visit("")
	p.wait(`document.querySelectorAll(".tile").length > 0`)
	const give = `((name, type) => {
		const transfer = new DataTransfer();
		transfer.items.add(new File(["hello"], name, {type}));
		document.body.dispatchEvent(new DragEvent("drop", {bubbles: true, cancelable: true, dataTransfer: transfer}));
		return true;
	})`
	inPage[bool](p, give+`("note.txt", "text/plain")`)
	p.wait(`document.querySelector(".toast")?.textContent.includes("note.txt")`)
	inPage[bool](p, give+`("note.png", "image/png")`)
	p.wait(`document.querySelector("[role=alert] h2") && document.querySelector(".query-image svg")`)
	p.screenshot("no image")
	inPage[bool](p, drop)
	p.wait(settled + ` && document.querySelectorAll(".tile").length > 0 && document.querySelector(".query-image img")`)
}

func (p page) lookup() {
	p.visit("lookup")
	p.wait(`document.querySelector(".dropzone")`)
	inPage[bool](p, drop)
	p.wait(`document.querySelectorAll(".texts li").length > 0`)
	p.screenshot("lookup")
}

// help searches once, opens the sheet by its key, and finds the focus where it was after it.
func (p page) help() {
	p.visit("?q=a+castle")
	p.wait(settled + ` && document.querySelectorAll(".tile").length > 0`)
	if searches := inPage[int](p, `performance.getEntriesByType("resource").filter((each) => new URL(each.name).pathname.startsWith("/api/v1/search")).length`); searches != 1 {
		p.t.Errorf("the page searched %d times", searches)
	}
	inPage[bool](p, `(document.querySelector(".tile").focus(), true)`)
	p.do(chromedp.KeyEvent("?"))
	p.wait(`document.querySelector("dialog.sheet[open] .keys")`)
	p.screenshot("help")
	p.do(chromedp.KeyEvent(kb.Escape))
	p.wait(`!document.querySelector("dialog[open]") && document.activeElement.matches(".tile")`)
}

// firstScreen types while nothing but the first screen's box is there, goes back to where it was, and looks at the page in several sizes.
func (p page) firstScreen() {
	p.visit("?q=a+castle&show=all")
	p.wait(settled + ` && document.querySelectorAll(".tile").length > 10`)
	inPage[bool](p, `(scrollTo(0, 900), true)`)
	p.wait(`scrollY === 900 && document.querySelector(".tile")`)
	p.do(chromedp.Click(".tabs a:nth-child(3)"))
	p.wait(`document.querySelector(".figures b")`)
	inPage[bool](p, `(history.back(), true)`)
	p.wait(`scrollY === 900 && document.querySelectorAll(".tile").length > 10 && location.search === "?q=a+castle&show=all"`)
	for _, width := range []int{360, 820, 2560} {
		p.do(chromedp.EmulateViewport(int64(width), 900))
		for _, path := range []string{"", "?q=a+castle", "library", "lookup?record=1"} {
			p.visit(path)
			p.wait(quiet + ` && document.querySelectorAll(".tile img.loaded, .figures b, .texts li").length > 0`)
			if over := inPage[int](p, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
				p.t.Errorf("/%s is %d pixels wider than a window of %d", path, over, width)
			}
			p.screenshot(fmt.Sprintf("%d %s", width, strings.Trim(strings.NewReplacer("?", " ", "=", " ").Replace(path), " ")))
		}
	}
	p.do(chromedp.ResetViewport())
}

func (p page) preferences() {
	p.visit("?q=a+castle")
	p.wait(settled)
	p.do(chromedp.Click("#preferences"))
	p.wait(`document.querySelector("#preferences-panel:popover-open #theme")`)
	p.screenshot("preferences")
	p.do(chromedp.Click("#theme [value=dark]"))
	p.wait(`document.documentElement.dataset.theme === "dark"`)
	inPage[bool](p, `(() => { const list = document.getElementById("language"); list.value = "ja"; list.dispatchEvent(new Event("change", {bubbles: true})); return true; })()`)
	p.wait(`document.documentElement.lang === "ja" && document.querySelector(".tab").textContent === "検索"`)
	p.do(chromedp.KeyEvent(kb.Escape))
	p.wait(`!document.querySelector("#preferences-panel:popover-open") && document.activeElement.id === "preferences"`)
	p.screenshot("dark")
	p.do(chromedp.EmulateViewport(390, 800))
	p.wait(`document.documentElement.scrollWidth <= innerWidth`)
	p.wait(settled)
	p.screenshot("narrow")
	p.do(chromedp.ResetViewport())
}

// labels keeps a list of labels, runs it over chosen pictures, gives those that fit as tags and takes them back; and gives a picture
// that is looked up one of them by one click.
func (p page) labels() {
	type what = struct{ Cat, Car int }
	tagged := func() what {
		return what{p.listed("tag=" + "a+cat"), p.listed("tag=" + "a+fire+engine+on+the+moon")}
	}
	before := tagged()
	p.visit("lookup?record=1")
	p.wait(`document.getElementById("labels")`)
	inPage[bool](p, `((field) => { field.value = "a cat\na fire engine on the moon\na cat"; field.dispatchEvent(new Event("input", { bubbles: true })); return true; })(document.getElementById("labels"))`)
	p.wait(`document.querySelector(".label-lists form input")`)
	inPage[bool](p, `((field) => { field.value = "Animals"; field.dispatchEvent(new Event("input", { bubbles: true })); field.form.requestSubmit(); return true; })(document.querySelector(".label-lists form input"))`)
	p.wait(`JSON.parse(localStorage.getItem("mekiki-label-lists"))[0].labels.length === 2`)
	p.press("#run-lookup")
	p.wait(`document.querySelectorAll(".texts li").length === 2`)
	p.press(`[aria-label="Add as tag: a cat"]`)
	p.wait(`document.body.innerText.includes("1 picture tagged") || document.querySelector(".toast, .toasts")?.innerText.includes("a cat")`)
	p.screenshot("labels-lookup")
	if now := tagged(); now.Cat != before.Cat+1 {
		p.t.Errorf("%d pictures have the tag, before %d", now.Cat, before.Cat)
	}
	p.visit("?q=a+cat&show=strong")
	p.wait(`document.querySelectorAll(".tile img.loaded").length > 3`)
	for i := range 3 {
		p.press(fmt.Sprintf(`.cell[data-index="%d"] button`, i))
	}
	p.wait(`[...document.querySelectorAll(".actions button")].some((each) => each.textContent.trim() === "Labels")`)
	inPage[bool](p, `([...document.querySelectorAll(".actions button")].find((each) => each.textContent.trim() === "Labels").click(), true)`)
	p.wait(`document.querySelector("dialog.sheet .label-lists ul button")`)
	p.press("dialog.sheet .label-lists ul button")
	p.wait(`document.getElementById("labelling-labels").value.startsWith("a cat")`)
	press := func(text string) {
		inPage[bool](p, fmt.Sprintf(`([...document.querySelectorAll("dialog.sheet button")].find((each) => each.textContent.trim() === %q).click(), true)`, text))
	}
	press("Look at the pictures")
	p.wait(`document.querySelector("dialog.sheet fieldset")?.innerText.includes("a cat: 3 pictures") && [...document.querySelectorAll("dialog.sheet button")].some((each) => each.textContent.trim() === "Look at the pictures")`)
	p.screenshot("labels-fit")
	if text := inPage[string](p, `document.querySelector("dialog.sheet fieldset").innerText`); strings.Contains(text, "fire engine") {
		p.t.Errorf("it says %s", text)
	}
	press("Add as tags")
	p.wait(`!document.querySelector("dialog.sheet") && document.body.innerText.includes("3 pictures tagged")`)
	if now := tagged(); now.Cat < before.Cat+3 || now.Car != before.Car {
		p.t.Errorf("tagged: %+v, before %+v", now, before)
	}
	inPage[bool](p, `([...document.querySelectorAll(".toasts button")].findLast((each) => each.textContent.trim() === "Undo").click(), true)`)
	p.wait(`document.querySelector(".toasts").innerText.includes("as before")`)
	if now := tagged(); now.Cat > before.Cat+1 {
		p.t.Errorf("undone, %d pictures have the tag", now.Cat)
	}
}
