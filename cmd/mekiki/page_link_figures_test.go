package main

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// The link that TestSlowLinkFigures has: that of a telephone far from a mast.
const (
	slowLatency    = 400    // milliseconds until an answer begins
	slowThroughput = 50_000 // bytes a second
)

// TestSlowLinkFigures opens the page of the server that MEKIKI_FINDING names over a slow link and searches, with nothing in the
// browser's cache and then again, and logs when what is there. Its figures stand in docs/measurements/page.md.
func TestSlowLinkFigures(t *testing.T) {
	address := os.Getenv(findingVariable)
	if address == "" {
		t.Skip(findingVariable + " names no server")
	}
	p := openPage(t, address)
	p.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		if _, err := cdp.Call(ctx, target, network.Enable, network.EnableParams{}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, target, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
			MatchedNetworkConditions: []*network.Conditions{{Latency: slowLatency, DownloadThroughput: slowThroughput, UploadThroughput: slowThroughput}},
		})
		return err
	}))
	for _, cache := range []string{"cold", "warm"} {
		p.visit("")
		p.wait(`document.querySelectorAll(".tile img.loaded").length > 3`)
		t.Logf("%s: first paint, with the box, after %s ms; first thumbnail after %s ms; %s", cache,
			inPage[string](p, `performance.getEntriesByName("first-contentful-paint")[0].startTime.toFixed(0)`),
			inPage[string](p, `performance.getEntriesByType("resource").filter((each) => each.name.endsWith("/thumbnail")).sort((a, b) => a.responseEnd - b.responseEnd)[0].responseEnd.toFixed(0)`),
			inPage[string](p, `(performance.getEntriesByType("resource").reduce((sum, each) => sum + each.transferSize, 0) / 1000).toFixed(0) + " kB"`))
		for _, query := range []string{"two cats", "a red car on grass", "a castle"} {
			p.do(chromedp.Focus("#query"))
			inPage[bool](p, fmt.Sprintf(`(() => {
				const input = document.querySelector("#query");
				input.value = %q;
				input.dispatchEvent(new Event("input", { bubbles: true }));
				const times = window.times = {};
				const began = performance.now();
				let cleared = false;
				const look = () => {
					const tiles = [...document.querySelectorAll(".tile")];
					cleared ||= new URLSearchParams(location.search).get("q") === %q && (tiles.length === 0 || document.querySelector("#summary")?.dataset.stage !== "reranked");
					const now = Math.round(performance.now() - began);
					if (cleared && tiles.length) {
						times.hits ??= now;
						if (["reranked", "final"].includes(document.querySelector("#summary").dataset.stage)) times.settled ??= now;
						if (tiles.every((tile) => tile.getBoundingClientRect().top > innerHeight || tile.querySelector("img.loaded"))) times.seen ??= now;
					}
					if (!times.seen || !times.settled) requestAnimationFrame(look);
				};
				requestAnimationFrame(look);
				return true;
			})()`, query, query))
			p.do(chromedp.KeyEvent(kb.Enter))
			p.wait(`window.times.seen && window.times.settled`)
			t.Logf("%s: %q: %s", cache, query, inPage[string](p, `"hits after " + times.hits + " ms, settled after " + times.settled + " ms, all thumbnails in sight after " + times.seen + " ms"`))
		}
	}
}
