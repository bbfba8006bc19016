package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"mekiki/embed"
	"mekiki/embed/builtin"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/local"
	"mekiki/internal/vfs/vfstest"
	"mekiki/search"
	"mekiki/server"
)

// slowMatcher stands in for a model whose second look takes long, and says something else than its vectors. It knows two
// words; a picture's tokens are how red, how green and how likely it is to match.
type slowMatcher struct{ delay time.Duration }

func (slowMatcher) Space() embed.Space { return embed.Space{Fingerprint: "slow", Parts: 1, Width: 2} }

func (slowMatcher) Capabilities() embed.Capabilities {
	return embed.Capabilities{EmbedTexts: true, EmbedImages: true, Match: true}
}

func (slowMatcher) TextInfo(text string) embed.TextInfo {
	return embed.TextInfo{Tokens: len(strings.Fields(text))}
}

func (slowMatcher) TextVectors(_ context.Context, texts []string) ([]embed.Vector, error) {
	vectors := make([]embed.Vector, len(texts))
	for i, text := range texts {
		vectors[i] = embed.Vector{0, 1}
		if strings.Contains(text, "red") {
			vectors[i] = embed.Vector{1, 0}
		}
	}
	return vectors, nil
}

func (slowMatcher) ImageTokens(_ context.Context, images []*pixels.Image) ([]embed.ImageTokens, error) {
	tokens := make([]embed.ImageTokens, len(images))
	for i := range tokens {
		tokens[i] = embed.ImageTokens{Rows: 1, Columns: 3, Values: []float32{1, 0, 1}}
	}
	return tokens, nil
}

func (slowMatcher) ImageParts(_ context.Context, tokens []embed.ImageTokens) ([]embed.Parts, error) {
	parts := make([]embed.Parts, len(tokens))
	for i := range parts {
		parts[i] = embed.Parts{Count: 1, Width: 2, Values: []float32{1, 0}}
	}
	return parts, nil
}

func (m slowMatcher) MatchPairs(ctx context.Context, tokens []embed.ImageTokens, texts []string) ([]embed.Match, error) {
	matches := make([]embed.Match, len(texts))
	for i := range texts {
		select {
		case <-time.After(m.delay):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		logit := tokens[i].Values[2]
		matches[i] = embed.Match{Logits: [2]float32{0, logit}, Probability: float32(1 / (1 + math.Exp(-float64(logit))))}
	}
	return matches, nil
}

// serveSlow serves pictures that a slow second look puts in another order than the first one.
func serveSlow(t *testing.T, pictures int, engine slowMatcher) string {
	t.Helper()
	gallery, err := fs.Glob(builtin.Gallery(), "images/*")
	if err != nil {
		t.Fatal(err)
	}
	library, err := local.Open(t.Context(), "/library", local.Options{FileSystem: vfstest.NewMemory()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = library.Close() })
	if err := library.AddSpace(t.Context(), engine.Space()); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	var batch index.Batch
	for i := range pictures {
		thumbnail, err := fs.ReadFile(builtin.Gallery(), gallery[i])
		if err != nil {
			t.Fatal(err)
		}
		angle := float64(i) / float64(pictures)
		red, green := float32(math.Cos(angle)), float32(math.Sin(angle))
		tokens, err := embed.Pack(embed.ImageTokens{Rows: 1, Columns: 3, Values: []float32{red, green, float32(8*random.Float64() - 3)}}, embed.PackInt8)
		if err != nil {
			t.Fatal(err)
		}
		batch.Puts = append(batch.Puts, index.Put{
			Record: index.Record{
				Kind: index.KindImage, Hash: sha256.Sum256(fmt.Append(nil, i)), Format: "jpeg", Width: 400, Height: 300,
				Files: []index.File{{Path: filepath.FromSlash(fmt.Sprintf("/pictures/%04d.jpg", i))}},
			},
			Vectors:   index.Vectors{Space: engine.Space(), Parts: embed.Parts{Count: 1, Width: 2, Values: []float32{red, green}}, Tokens: tokens},
			Thumbnail: thumbnail,
		})
	}
	if _, err := library.Write(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	searcher, err := search.New(library, engine, search.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return servePage(t, server.Options{Searcher: searcher, Library: library})
}

// TestSlowSecondLook: while the second look goes on, the hits that it has confirmed are there; none of them goes, what the
// pointer is on stays in its place, and nothing of another search is shown.
func TestSlowSecondLook(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a browser")
	}
	p := openPage(t, serveSlow(t, 64, slowMatcher{delay: 40 * time.Millisecond}))
	p.visit("?q=red&deep=64")
	p.wait(`document.querySelectorAll(".tile img.loaded").length > 3 && document.getElementById("summary").dataset.stage === "matching"`)
	// A spinner turns, which on a busy machine counts as a shift of its corners.
	inPage[bool](p, `(window.shifted = 0, new PerformanceObserver((list) => {
		for (const one of list.getEntries()) if (one.sources.some(({node}) => !node?.classList?.contains("spinner"))) window.shifted += one.value;
	}).observe({type: "layout-shift"}), true)`)
	const ids = `[...document.querySelectorAll(".cell")].map((cell) => cell.dataset.id)`
	const place = `(() => { const box = document.querySelector(".cell[data-index='2']").getBoundingClientRect(); return [box.x, box.y]; })()`
	early, at := inPage[[]string](p, ids), inPage[[]float64](p, place)
	p.do(chromedp.MouseEvent(chromedp.MouseMoved, at[0]+40, at[1]+40))
	pointed := inPage[string](p, `document.querySelector(".cell[data-index='2']").dataset.id`)
	if !strings.Contains(inPage[string](p, `document.getElementById("summary").textContent`), "of 64") {
		t.Error("the page does not say how far the second look is")
	}
	p.screenshot("slow, settling")
	p.wait(settled)
	p.screenshot("slow, settled under the pointer")
	if now := inPage[string](p, `document.querySelector(".cell[data-index='2']").dataset.id`); now != pointed || fmt.Sprint(inPage[[]float64](p, place)) != fmt.Sprint(at) {
		t.Errorf("what the pointer was on has moved: picture %s stands there, not %s", now, pointed)
	}
	there := strings.Join(inPage[[]string](p, ids), " ") + " "
	for _, id := range early {
		if !strings.Contains(there, id+" ") {
			t.Errorf("picture %s was shown and has gone", id)
		}
	}
	if shifted := inPage[float64](p, `window.shifted`); shifted != 0 {
		t.Errorf("the layout shifted by %v", shifted)
	}
	// Away from the pictures, each section is in the order of its numbers.
	const shares = `[...document.querySelectorAll(".cell")].sort((a, b) => a.dataset.index - b.dataset.index).map((cell) => parseInt(cell.querySelector(".caption .badge").textContent))`
	const ordered = `(` + shares + `).every((share, at, all) => at === 0 || share <= all[at - 1])`
	if inPage[bool](p, ordered) {
		t.Error("the first order and the last are the same: the test shows nothing")
	}
	p.do(chromedp.MouseEvent(chromedp.MouseMoved, 400, 30))
	p.wait(ordered)
	p.screenshot("slow, in order")
	p.do(chromedp.SendKeys("#query", " green\r"))
	p.wait(`location.search.includes("green") && document.querySelectorAll(".tile").length === 0`)
	p.wait(settled)
}

// TestSeveralAsOneQuery: the chosen pictures are a query together, and so are files that are dropped together.
func TestSeveralAsOneQuery(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a browser")
	}
	p := openPage(t, serveSlow(t, 30, slowMatcher{}))
	p.visit("")
	p.wait(`document.querySelectorAll(".tile img.loaded").length > 3`)
	p.do(chromedp.Focus(`.cell[data-index='0'] .tile`), chromedp.KeyEvent(" "), chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(" "))
	p.wait(`document.querySelector("#chosen")?.textContent.includes("2")`)
	p.do(chromedp.Click(`//div[@class="actions"]//button[contains(., "more like")]`))
	p.wait(`new URLSearchParams(location.search).get("like")?.split(",").length === 2 && ` + settled)
	p.wait(`document.querySelectorAll(".query-image.several img").length === 2 && document.querySelectorAll(".tile img.loaded").length > 3`)
	if inPage[bool](p, `new URLSearchParams(location.search).get("like").split(",").some((id) => document.querySelector('.cell[data-id="' + id + '"]'))`) {
		t.Error("a picture of the query is among the hits")
	}
	p.screenshot("several")
	inPage[bool](p, `(async () => {
		const transfer = new DataTransfer();
		for (const id of [...document.querySelectorAll(".cell")].slice(0, 3).map((cell) => cell.dataset.id)) {
			const picture = await (await fetch("/api/v1/records/" + id + "/thumbnail")).blob();
			transfer.items.add(new File([picture], id + ".webp", {type: picture.type}));
		}
		document.body.dispatchEvent(new DragEvent("drop", {bubbles: true, cancelable: true, dataTransfer: transfer}));
	})(); true`)
	p.wait(`location.search === "?image=1" && document.querySelectorAll(".query-image.several img").length === 3 && ` + settled)
	p.wait(`document.querySelectorAll(".tile img.loaded").length > 3 && !document.querySelector("[role=alert]")`)
	p.do(chromedp.Focus(".cross-alone"), chromedp.KeyEvent(kb.Enter))
	p.wait(`location.search === "" && document.activeElement.id === "query"`)
}
