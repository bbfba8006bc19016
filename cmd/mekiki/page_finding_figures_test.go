package main

import (
	"fmt"
	"os"
	"sort"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// findingVariable names the address of a server whose page TestFindingFigures measures, such as that of mekiki demo.
const findingVariable = "MEKIKI_FINDING"

// TestFindingFigures types ten queries into the page of a running server and logs when hits come, and how far they then move. Its
// figures stand in docs/measurements/page.md.
func TestFindingFigures(t *testing.T) {
	address := os.Getenv(findingVariable)
	if address == "" {
		t.Skip(findingVariable + " names no server")
	}
	p := openPage(t, address)
	p.visit("")
	p.wait(`document.querySelectorAll(".tile img.loaded").length > 5`)
	inPage[bool](p, `(() => {
		window.shift = 0;
		window.painted = 0;
		window.moved = [];
		new PerformanceObserver((list) => { for (const one of list.getEntries()) if (window.painted && one.startTime > window.painted) { window.shift += one.value; window.moved.push(...one.sources.map((source) => source.node?.className || source.node?.nodeName)); } }).observe({ type: "layout-shift" });
		new MutationObserver(() => { window.cleared ||= !document.querySelector(".tile"); if (!window.painted && window.cleared && document.querySelector(".tile") && !window.coming) { window.coming = true; requestAnimationFrame((now) => requestAnimationFrame(() => { window.painted = now; window.coming = false; })); } }).observe(document.body, { childList: true, subtree: true });
		
		return true;
	})()`)
	var first []float64
	shift := 0.0
	queries := []string{"two cats", "a red car on grass", "two bears", "a rocket at night", "a cat and a pizza", "a castle", "an umbrella", "three flowers", "a blue fish", "a dog"}
	for number, query := range queries {
		p.do(chromedp.Focus("#query"))
		inPage[bool](p, fmt.Sprintf(`(() => {
			const input = document.querySelector("#query");
			input.value = %q;
			input.dispatchEvent(new Event("input", { bubbles: true }));
			window.painted = window.shift = 0;
			window.cleared = false;
			window.asked = performance.now();
			return true;
		})()`, query))
		p.do(chromedp.KeyEvent(kb.Enter))
		p.wait(fmt.Sprintf(`new URLSearchParams(location.search).get("q") === %q && ["final", "reranked"].includes(document.querySelector("#summary").dataset.stage)`, query))
		time.Sleep(600 * time.Millisecond) // for what might still move
		asked, painted := inPage[float64](p, "window.asked"), inPage[float64](p, "window.painted")
		if painted > 0 {
			first = append(first, painted-asked)
		}
		shift += inPage[float64](p, "window.shift")
		if number == 0 {
			p.screenshot("finding-search")
		}
	}
	sort.Float64s(first)
	t.Logf("%d queries: the pictures are painted after %.0f ms (median; %.0f to %.0f), once; layout shift after that: %.4f", len(queries), first[len(first)/2], first[0], first[len(first)-1], shift)
	if shift > 0 {
		t.Errorf("pictures move by %v after they were painted: %v", shift, inPage[[]string](p, "window.moved"))
	}
}
