package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// testAccessibility has axe-core look at the page in its main states, light and
// dark. Nothing may be reported.
func testAccessibility(t *testing.T, p page) {
	script, err := os.ReadFile(filepath.Join("testdata", "axe", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	const tiles = `document.querySelectorAll(".tile img.loaded").length > 0`
	for _, state := range []struct {
		name, path, ready string
		then              func(page)
	}{
		{"browse", "", tiles, nil},
		{"search", "?q=a+castle", settled + " && " + tiles, nil},
		{"everything", "?q=two+cats&show=all", settled + " && " + tiles, nil},
		{"nothing", "?q=two+cats&tag=no-such-tag", settled + ` && document.querySelector(".message h2")`, nil},
		{"bad query", "?q=after:soon", `document.querySelector("[role=alert]")`, nil},
		{"suggestions", "", tiles, func(p page) {
			p.do(chromedp.SendKeys("#query", "two c"))
			p.wait(`document.querySelectorAll("#suggestions li").length > 0`)
			p.do(chromedp.KeyEvent(kb.ArrowDown))
		}},
		{"filters", "?q=a+castle", settled, func(p page) {
			p.do(chromedp.Click("#filter-button"))
			p.wait(`document.querySelectorAll("#filter-button-panel .chip").length > 0`)
		}},
		{"detail", "?q=a+castle", settled + " && " + tiles, func(p page) {
			p.do(chromedp.Click(".cell[data-index='0'] .tile"))
			p.wait(`document.querySelector("dialog[open] .why .signal")`)
		}},
		{"ask", "?q=a+castle", settled + " && " + tiles, func(p page) {
			p.do(chromedp.Click(".cell[data-index='0'] .tile"))
			p.wait(`document.querySelector("dialog[open] .ask .chip")`)
			p.do(chromedp.Click(".ask .chip"))
			p.wait(`document.querySelector(".turn .answer small")`)
		}},
		{"map", "?q=a+castle", settled + " && " + tiles, func(p page) {
			p.do(chromedp.Click(".cell[data-index='0'] .tile"))
			p.wait(`document.querySelector("dialog[open] .why .signal")`)
			p.do(chromedp.Click("dialog [data-part=actions] [aria-pressed]"))
			p.wait(`document.querySelector("dialog [data-part=place] p")`)
		}},
		{"asked", "?q=cats+ask%3A%22how+many+cats+are+there%3F%22", settled + ` && document.querySelector(".tile .said") && document.querySelector(".asked .chip")`, nil},
		{"region", "?q=a+castle", settled + " && " + tiles, func(p page) {
			p.do(chromedp.Click(".cell[data-index='0'] .tile"))
			p.wait(`document.querySelector("dialog[open] .why .signal")`)
			p.do(chromedp.Click(`dialog [data-part="actions"] button:nth-of-type(3)`))
			p.wait(`document.querySelector(".region")`)
		}},
		{"similar", "?record=1", settled + " && " + tiles, nil},
		{"lookup", "lookup?record=1", `document.querySelectorAll(".texts li").length > 0`, nil},
		{"lookup without a picture", "lookup", `document.querySelector(".dropzone")`, nil},
		{"library", "library", `document.querySelector(".figures b") && document.querySelector("#upload-files")`, nil},
		{"duplicates", "duplicates?level=picture", `document.querySelectorAll(".twins, .message p").length > 0`, nil},
	} {
		t.Run(state.name, func(t *testing.T) {
			p := p.on(t)
			p.visit(state.path)
			p.wait(state.ready)
			if state.then != nil {
				state.then(p)
			}
			inPage[bool](p, string(script)+"; true")
			for _, theme := range []string{"light", "dark"} {
				inPage[bool](p, fmt.Sprintf(`document.documentElement.dataset.theme = %q; true`, theme))
				p.audit(theme)
			}
		})
	}
}

// testForcedColours looks at the page in the colours of a system that decides on them: what only a colour says elsewhere, a line says here.
func testForcedColours(t *testing.T, p page) {
	emulate := func(value string) {
		p.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "forced-colors", Value: value}},
			})
			return err
		}))
	}
	emulate("active")
	defer emulate("none")
	p.visit("?q=a+castle")
	p.wait(settled + ` && document.querySelectorAll(".tile img.loaded").length > 0`)
	p.screenshot("forced colours")
	if !inPage[bool](p, `getComputedStyle(document.querySelector(".tab[aria-current]")).borderBottomStyle === "solid"`) {
		t.Error("nothing tells which view is shown")
	}
	strong := `getComputedStyle(document.querySelector(".caption .badge.strong"), "::before").backgroundColor`
	if inPage[bool](p, strong+` === "rgba(0, 0, 0, 0)"`) {
		t.Error("nothing but a colour tells that a match is strong")
	}
	p.do(chromedp.Click("#preferences"))
	p.wait(`document.querySelector("#theme")`)
	p.screenshot("forced colours, menu")
	p.do(chromedp.KeyEvent(kb.Escape))
}

// audit reports what axe-core finds in the page as it is now.
func (p page) audit(theme string) {
	p.t.Helper()
	// Colours change over time where they change at all: look at the last ones.
	inPage[bool](p, `document.getAnimations().forEach((animation) => { try { animation.finish(); } catch { /* endless */ } });
		window.audited = ""; axe.run(document, {resultTypes: ["violations"]}).then((found) => { window.audited = JSON.stringify(found.violations); }, (error) => { window.audited = JSON.stringify([{id: "axe", impact: "critical", help: String(error), nodes: []}]); }); true`)
	p.wait("window.audited")
	var violations []struct {
		ID, Impact, Help string
		Nodes            []struct{ HTML, FailureSummary string }
	}
	if err := json.Unmarshal([]byte(inPage[string](p, "window.audited")), &violations); err != nil {
		p.t.Fatal(err)
	}
	for _, violation := range violations {
		var where strings.Builder
		for _, node := range violation.Nodes[:min(3, len(violation.Nodes))] {
			fmt.Fprintf(&where, "\n  %.200s\n    %s", node.HTML, strings.ReplaceAll(node.FailureSummary, "\n", " "))
		}
		p.t.Errorf("%s: %s (%s): %s, %d places%s", theme, violation.ID, violation.Impact, violation.Help, len(violation.Nodes), where.String())
	}
}
