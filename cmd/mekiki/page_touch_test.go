package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// fingers is where fingers are on the screen, each under its number.
type fingers [][2]float64

// touch puts fingers on the screen, moves them, or lifts all of them.
func (p page) touch(kind input.DispatchTouchEventType, at fingers) {
	p.t.Helper()
	p.touchAt(time.Now(), kind, at)
}

// touchAt is touch at a time of its own, so that what depends on it does not depend on how busy the machine is.
func (p page) touchAt(when time.Time, kind input.DispatchTouchEventType, at fingers) {
	p.t.Helper()
	points := []*input.TouchPoint{}
	for number, place := range at {
		id := float64(number)
		points = append(points, &input.TouchPoint{X: place[0], Y: place[1], ID: &id})
	}
	p.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, input.DispatchTouchEvent, input.DispatchTouchEventParams{
			Type: kind, TouchPoints: points, Timestamp: input.TimeSinceEpoch(float64(when.UnixMicro()) / 1e6),
		})
		return err
	}))
}

// stroke moves fingers from some places to others in steps, and lifts them.
func (p page) stroke(from, to fingers) {
	p.t.Helper()
	const steps = 6
	p.touch(input.DispatchTouchEventTypeTouchStart, from)
	for step := 1; step <= steps; step++ {
		now := make(fingers, len(from))
		for i := range from {
			for axis := range 2 {
				now[i][axis] = from[i][axis] + (to[i][axis]-from[i][axis])*float64(step)/steps
			}
		}
		p.touch(input.DispatchTouchEventTypeTouchMove, now)
	}
	p.touch(input.DispatchTouchEventTypeTouchEnd, nil)
}

func (p page) tap(at [2]float64) {
	p.t.Helper()
	p.touch(input.DispatchTouchEventTypeTouchStart, fingers{at})
	p.touch(input.DispatchTouchEventTypeTouchEnd, nil)
}

// middleOf is the middle of what a selector finds first.
func (p page) middleOf(selector string) [2]float64 {
	p.t.Helper()
	place := inPage[[]float64](p, fmt.Sprintf(`(() => { const box = document.querySelector(%q).getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; })()`, selector))
	return [2]float64{place[0], place[1]}
}

// byTouch works as on a phone: a long press chooses, a tap opens, a stroke goes on, two fingers zoom, one moves the picture.
func (p page) byTouch() {
	p.do(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch))
	defer p.do(chromedp.ResetViewport())
	p.visit("")
	p.wait(`document.querySelectorAll(".tile img.loaded").length > 2`)
	if !inPage[bool](p, `matchMedia("(pointer: coarse)").matches`) {
		p.t.Fatal("the browser has no fingers")
	}
	const lookAtFirst = `(document.querySelector('.cell[data-index="1"]').scrollIntoView({block: "center"}), true)`
	inPage[bool](p, lookAtFirst)
	p.touch(input.DispatchTouchEventTypeTouchStart, fingers{p.middleOf(`.cell[data-index="1"] .shot`)})
	p.wait(`document.querySelector('.cell[data-index="1"] .pick.on')`)
	p.touch(input.DispatchTouchEventTypeTouchEnd, nil)
	p.chosen("1 chosen")
	p.tap(p.middleOf(`.cell[data-index="0"] .shot`))
	p.chosen("2 chosen")
	p.screenshot("touch-chosen")
	if inPage[bool](p, `Boolean(document.querySelector("dialog[open]"))`) {
		p.t.Error("choosing opens a picture")
	}
	p.visit("")
	p.wait(`document.querySelectorAll(".tile img.loaded").length > 2`)
	inPage[bool](p, lookAtFirst)
	p.tap(p.middleOf(`.cell[data-index="0"] .shot`))
	p.wait(viewing)
	first := p.opened()
	middle := p.middleOf(".detail-stage")
	x, y := middle[0], middle[1]
	p.stroke(fingers{{x + 110, y}}, fingers{{x - 110, y + 8}})
	p.wait(fmt.Sprintf(`new URLSearchParams(location.search).get("open") !== %q && `, first) + viewing)
	second := p.opened()
	p.stroke(fingers{{x - 110, y}}, fingers{{x + 110, y}})
	p.wait(fmt.Sprintf(`new URLSearchParams(location.search).get("open") === %q && `, first) + viewing)
	p.stroke(fingers{{x - 110, y}}, fingers{{x - 100, y - 120}})
	p.stroke(fingers{{x - 30, y}, {x + 30, y}}, fingers{{x - 120, y}, {x + 120, y}})
	p.wait(scale + " > 3")
	if now := p.opened(); now != first {
		p.t.Errorf("two fingers lead from record %s to %s (the next is %s)", first, now, second)
	}
	place := inPage[string](p, `document.querySelector(".picture").style.transform`)
	p.stroke(fingers{{x, y}}, fingers{{x - 90, y}})
	if inPage[string](p, `document.querySelector(".picture").style.transform`) == place || p.opened() != first {
		p.t.Error("one finger does not move the large picture")
	}
	p.screenshot("touch-zoomed")
	p.stroke(fingers{{x - 120, y}, {x + 120, y}}, fingers{{x - 15, y}, {x + 15, y}})
	p.wait(scale + " === 1")
	began := time.Now()
	for tap := range 2 {
		when := began.Add(time.Duration(tap) * 120 * time.Millisecond)
		p.touchAt(when, input.DispatchTouchEventTypeTouchStart, fingers{middle})
		p.touchAt(when.Add(40*time.Millisecond), input.DispatchTouchEventTypeTouchEnd, nil)
	}
	p.wait(scale + " > 2")
	p.screenshot("touch-double")
}

// smallTargets lists what a finger presses and is less than 44 pixels wide or high. Links within a text are as high as its lines.
const smallTargets = `[...document.querySelectorAll("a[href], button, input, select, textarea, summary, [role=slider]")].filter((each) => {
	if (!each.checkVisibility({visibilityProperty: true, opacityProperty: true}) || each.disabled || each.matches(".skip-link, p a, p .link")) return false;
	const top = document.querySelector("dialog[open]") ?? document.querySelector(":popover-open");
	return !top || top.contains(each);
}).map((each) => {
	const box = (each.matches("[type=checkbox], [type=radio]") ? each.closest("label") ?? each : each).getBoundingClientRect();
	const around = parseFloat(getComputedStyle(each, "::before").inset) || 0;
	const [width, height] = [box.width - 2 * Math.min(0, around), box.height - 2 * Math.min(0, around)];
	return width && height && (width < 43.5 || height < 43.5) ? each.tagName + " " + (each.getAttribute("aria-label") || each.innerText || each.id || each.className).trim().slice(0, 40) + " " + Math.round(width) + "x" + Math.round(height) : "";
}).filter(Boolean)`

// targets looks, on a phone, at the size of all that is pressed.
func (p page) targets() {
	p.do(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch))
	defer p.do(chromedp.ResetViewport())
	const tiles = `document.querySelectorAll(".tile img.loaded").length > 1 && ` + quiet
	for _, view := range []struct{ path, ready, press, then string }{
		{"", tiles, "", ""},
		{"?q=tulip+tag:kyoto", settled + " && " + tiles, "", ""},
		{"?q=cats", settled + " && " + tiles, "#filter-button", `document.querySelector("#filter-button-panel:popover-open .levels .value")`},
		{"?q=cats", settled + " && " + tiles, ".cell .pick", `document.querySelector("#chosen")`},
		{"?q=cats", settled + " && " + tiles, ".cell .tile", `document.querySelector("dialog[open] .facts")`},
		{"?q=cats", settled, "#preferences", `document.querySelector("#theme")`},
		{"?q=tulp+lighthuose", settled + ` && document.querySelector(".meant button")`, "", ""},
		{"collections", `document.querySelector("#collections-title") && ` + quiet, "", ""},
		{"lookup", `document.querySelector(".dropzone")`, "", ""},
		{"library", `document.querySelector(".figures b")`, "", ""},
	} {
		p.visit(view.path)
		p.wait(view.ready)
		if view.press != "" {
			p.press(view.press)
			p.wait(view.then)
		}
		if small := inPage[[]string](p, smallTargets); len(small) > 0 {
			p.t.Errorf("/%s %s: smaller than a finger:\n  %s", view.path, view.press, strings.Join(small, "\n  "))
		}
		p.screenshot("targets" + strings.Map(func(r rune) rune {
			if strings.ContainsRune("?#./:", r) {
				return '-'
			}
			return r
		}, view.path+view.press))
	}
}
