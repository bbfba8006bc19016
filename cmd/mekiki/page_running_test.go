package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestPageRunning drives what the page shows of a server at work: an empty library, uploads of folders, jobs side by side,
// Stop, failures, a server that ends and comes back.
func TestPageRunning(t *testing.T) {
	h := newHanded(t)
	for i := range 1500 {
		name := filepath.Join(h.pictures, fmt.Sprintf("more-%04d.png", i))
		if err := os.WriteFile(name, randomPicture(t, rand.New(rand.NewPCG(9, uint64(i)))), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p := openPage(t, h.serve("--root", h.pictures))
	t.Run("first pictures", func(t *testing.T) { p.on(t).firstPictures(h.pictures) })
	t.Run("two jobs", func(t *testing.T) { p.on(t).twoJobs(h.pictures) })
	t.Run("failures", func(t *testing.T) { p.on(t).failuresAgain(h) })
	t.Run("widths", func(t *testing.T) { p.on(t).widths() })
	t.Run("the server comes back", func(t *testing.T) { p.on(t).comesBack(h) })
}

// firstPictures: an empty library begins with a place for files, folders of the server and a command; a folder that is
// chosen is uploaded with its names, and what is there already is said to be.
func (p page) firstPictures(root string) {
	p.visit("")
	p.wait(`document.querySelector(".onboarding .dropzone") && document.querySelector(".onboarding code")?.textContent.startsWith("mekiki index")`)
	if !inPage[bool](p, fmt.Sprintf(`[...document.querySelectorAll(".onboarding button")].some((each) => each.textContent.trim() === %q)`, root)) {
		p.t.Error("the folders of the server are no buttons")
	}
	p.screenshot("running-empty")
	// A browser gives the files of a chosen folder with their paths; here the test does.
	choose := func(count int) {
		inPage[bool](p, fmt.Sprintf(`((async () => {
			const files = [];
			for (let i = 0; i < %d; i++) {
				const canvas = new OffscreenCanvas(80 + i, 60);
				canvas.getContext("2d").fillRect(i, i, 20 + i, 20);
				const blob = await canvas.convertToBlob({ type: "image/png" });
				const file = new File([blob], "SKU-" + i + ".png", { type: "image/png" });
				Object.defineProperty(file, "webkitRelativePath", { value: "Autumn 2024/shoes/" + file.name });
				files.push(file);
			}
			const note = new File(["no picture"], "notes.txt", { type: "text/plain" });
			Object.defineProperty(note, "webkitRelativePath", { value: "Autumn 2024/notes.txt" });
			const input = document.getElementById("upload-folder");
			Object.defineProperty(input, "files", { value: [...files, note], configurable: true });
			input.dispatchEvent(new Event("change", { bubbles: true }));
		})(), true)`, count))
	}
	p.visit("library")
	p.wait(`document.getElementById("upload-folder")?.hasAttribute("webkitdirectory")`)
	choose(3)
	p.wait(`document.body.innerText.includes("3 pictures added") && document.body.innerText.includes("1 other file was left out")`)
	p.wait(`document.querySelector(".figures b").textContent === "3"`)
	p.screenshot("running-uploaded")
	choose(4)
	p.wait(`document.body.innerText.includes("1 picture added, 3 were already there")`)
	name := inPage[string](p, `(() => { const request = new XMLHttpRequest(); request.open("GET", "/api/v1/records?folder=" + encodeURIComponent("Autumn 2024/shoes"), false); request.send(); return JSON.stringify(JSON.parse(request.responseText).records.map((each) => each.name).sort()); })()`)
	if !strings.Contains(name, `"Autumn 2024/shoes/SKU-0.png"`) {
		p.t.Errorf("the names are %s", name)
	}
}

// twoJobs: every page shows that the server is at work, and Stop works with a slow press while the figures change.
func (p page) twoJobs(root string) {
	p.visit("library")
	p.wait(`document.getElementById("index-path")`)
	press := func(text string) {
		p.wait(fmt.Sprintf(`[...document.querySelectorAll("main button")].some((each) => each.textContent.trim() === %q)`, text))
		place := inPage[[]float64](p, fmt.Sprintf(`(() => { const button = [...document.querySelectorAll("main button")].find((each) => each.textContent.trim() === %q);
			button.scrollIntoView({ block: "center" }); const { x, y, width, height } = button.getBoundingClientRect(); return [x + width / 2, y + height / 2]; })()`, text))
		p.do(chromedp.MouseEvent(chromedp.MousePressed, place[0], place[1], chromedp.ButtonLeft, chromedp.ClickCount(1)))
		time.Sleep(400 * time.Millisecond) // the figures change twice meanwhile
		p.do(chromedp.MouseEvent(chromedp.MouseReleased, place[0], place[1], chromedp.ButtonLeft, chromedp.ClickCount(1)))
	}
	press(root)
	press(root)
	p.wait(`document.querySelectorAll("[data-job]").length >= 2 && document.querySelector(".work-line")`)
	p.wait(`/^Indexing: [\d,]+ of [\d,]+.*1 more waiting/.test(document.querySelector(".work-line")?.innerText)`)
	p.wait(`document.querySelector("[data-job] .newest img")?.naturalWidth > 0`)
	p.screenshot("running-jobs")
	p.do(chromedp.Click(".tab[data-view=search]"))
	p.wait(`location.pathname === "/" && document.querySelector(".work-line")`)
	p.screenshot("running-line")
	p.do(chromedp.Click(".work-line"))
	p.wait(`location.pathname === "/library" && document.querySelectorAll("[data-job] button").length > 0`)
	for range 2 {
		press("Stop")
		p.wait(`[...document.querySelectorAll("[data-job] h2")].some((each) => each.textContent.endsWith(": stopped"))`)
	}
	p.wait(`!document.querySelector(".work-line")`)
	if stopped := inPage[int](p, `[...document.querySelectorAll("[data-job] h2")].filter((each) => each.textContent.endsWith(": stopped")).length`); stopped != 2 {
		p.t.Errorf("%d jobs were stopped", stopped)
	}
	p.screenshot("running-stopped")
}

// failuresAgain: files that could not be indexed are listed with their reasons, and tried again.
func (p page) failuresAgain(h *handed) {
	broken := filepath.Join(h.pictures, "broken.png")
	if err := os.WriteFile(broken, []byte("no picture"), 0o644); err != nil {
		p.t.Fatal(err)
	}
	if status, _, said := h.run("", "index", broken, "--no-captions"); status != 3 {
		p.t.Fatalf("index: %d %s", status, said)
	}
	p.visit("library")
	p.wait(`document.querySelector("#failures td")?.textContent.endsWith("broken.png")`)
	p.screenshot("running-failures")
	if table := inPage[string](p, `(() => { const request = new XMLHttpRequest(); request.open("GET", document.querySelector("#failures a").href, false); request.send(); return request.responseText; })()`); !strings.HasPrefix(table, "path,reason,time\n") || !strings.Contains(table, broken) {
		p.t.Errorf("the table is %q", table)
	}
	if err := os.WriteFile(broken, randomPicture(p.t, rand.New(rand.NewPCG(1, 1))), 0o644); err != nil {
		p.t.Fatal(err)
	}
	p.do(chromedp.Click("#failures td button"))
	p.wait(`!document.querySelector("#failures")`)
}

// widths: nothing leads to scrolling sideways, in either language, and nothing of the page's own stays English.
func (p page) widths() {
	for _, language := range []string{"en", "ja"} {
		p.visit("library")
		p.do(chromedp.Click("#preferences"), chromedp.WaitVisible("#language"))
		inPage[bool](p, fmt.Sprintf(`(() => { const select = document.getElementById("language"); select.value = %q; select.dispatchEvent(new Event("change", { bubbles: true })); return true; })()`, language))
		p.wait(fmt.Sprintf(`document.documentElement.lang === %q`, language))
		inPage[bool](p, `(document.getElementById("preferences-panel").hidePopover(), document.querySelector(".machine").open = true)`)
		for _, width := range []int64{360, 820, 2560} {
			p.do(chromedp.EmulateViewport(width, 900))
			p.wait(fmt.Sprintf(`innerWidth === %d`, width))
			if wide := inPage[int](p, `document.documentElement.scrollWidth`); wide > int(width) {
				p.t.Errorf("%s: %d pixels wide in a window of %d", language, wide, width)
			}
			p.screenshot(fmt.Sprintf("running-%s-%d", language, width))
		}
	}
	inPage[bool](p, `(localStorage.clear(), document.documentElement.dataset.theme = "dark", true)`)
	p.do(chromedp.EmulateViewport(1280, 900))
	p.screenshot("running-dark")
}

// comesBack: a server that ends is missed, and the page goes on by itself when it is back, with its thumbnails.
func (p page) comesBack(h *handed) {
	p.visit("?q=tag:none")
	p.visit("")
	p.wait(`document.querySelectorAll(".tile img.loaded").length > 2`)
	stop := h.server
	_ = stop.Process.Kill()
	_ = stop.Wait()
	inPage[bool](p, `(document.querySelector(".tab[data-view=library]").click(), true)`)
	p.wait(`document.querySelector(".work-line.gone") && document.querySelector("[role=alert]")`)
	p.screenshot("running-gone")
	h.serveAt(strings.TrimSuffix(strings.TrimPrefix(p.address, "http://"), "/"), "--root", h.pictures)
	p.wait(`!document.querySelector(".work-line.gone") && document.querySelector(".figures b") && !document.querySelector("[role=alert]")`)
	p.do(chromedp.Click(".tab[data-view=search]"))
	p.wait(`document.querySelectorAll(".tile img.loaded").length > 2 && !document.querySelector(".tile .missing")`)
}
