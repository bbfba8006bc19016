package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"mekiki/embed/builtin"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/local"
	"mekiki/internal/testsize"
	"mekiki/internal/vfs"
	"mekiki/server"
	"mekiki/server/queries"
	"mekiki/ui"
)

// gridVariable names how many pictures TestGrid browses; its figures for 100,000
// stand in docs/operations.md.
const gridVariable = "MEKIKI_GRID"

// unaskedSearcher is the searcher of a server that is only browsed.
type unaskedSearcher struct{ queries.Searcher }

// unaskedIngester is the ingester of a server to which nothing is added.
type unaskedIngester struct{ server.Ingester }

// TestGrid browses a large library in Chromium: the oldest picture is one drag away, and
// the page never holds more than the tiles in sight.
func TestGrid(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a browser")
	}
	count := testsize.Of(t, gridVariable, 3000)
	p := openPage(t, serveLargeLibrary(t, count))
	p.visit("")
	p.wait(`document.querySelectorAll(".tile img.loaded").length > 5`)
	t.Logf("%d pictures: first paint after %s", count, inPage[string](p, `Math.round(performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0) + " ms, tiles by " + Math.round(performance.getEntriesByType("resource").filter((each) => each.name.endsWith("/thumbnail"))[0].responseEnd) + " ms, layout by " + Math.round(performance.getEntriesByType("resource").find((each) => each.name.includes("/layout")).responseEnd) + " ms"`))
	first := inPage[int](p, `document.querySelectorAll("*").length`)
	if size := inPage[string](p, `document.querySelector(".cell").getAttribute("aria-setsize")`); size != strconv.Itoa(count) {
		t.Errorf("%s pictures, want %d", size, count)
	}
	p.screenshot("grid")
	took := p.dragToOldest(count)
	t.Logf("dragged to the oldest of %d in %s", count, took.Round(time.Millisecond))
	p.screenshot("oldest")
	p.frames()
	most := inPage[int](p, "window.mostElements")
	t.Logf("%d elements at first, %d at most; heap %s", first, most, inPage[string](p, `Math.round(performance.memory.usedJSHeapSize / 2 ** 20) + " MiB"`))
	if most > 1200 {
		t.Errorf("%d elements in the page", most)
	}
	// The first of the tiles may be out of sight, and be made anew when a click brings
	// it into view: the first of the list, at the top, stays.
	inPage[bool](p, `(scrollTo(0, 0), true)`)
	p.wait(`scrollY === 0 && document.querySelector('.cell[aria-posinset="1"] .tile')`)
	p.do(chromedp.Click(`.cell[aria-posinset="1"] .tile`))
	p.wait(`document.querySelector("dialog[open] .facts")`)
}

// dragToOldest drags the scrubber to its end, as a hand would, and tells how long it took until the oldest picture was there.
func (p page) dragToOldest(count int) time.Duration {
	p.t.Helper()
	box := inPage[[]float64](p, `(() => { const box = document.querySelector(".scrubber").getBoundingClientRect(); return [box.left + box.width / 2, box.top, box.bottom]; })()`)
	began := time.Now()
	p.do(chromedp.MouseEvent(chromedp.MousePressed, box[0], box[1]+2, chromedp.ButtonLeft))
	for step := 1.0; step <= 4; step++ {
		p.do(chromedp.MouseEvent(chromedp.MouseMoved, box[0], box[1]+(box[2]-box[1])*step/4, chromedp.ButtonLeft))
	}
	p.do(chromedp.MouseEvent(chromedp.MouseReleased, box[0], box[2], chromedp.ButtonLeft))
	p.wait(fmt.Sprintf(`document.querySelector(".cell[aria-posinset='%d'] img.loaded")`, count))
	return time.Since(began)
}

// frames scrolls for three seconds, 40 pixels a frame, and logs how
// long frames took.
func (p page) frames() {
	p.t.Helper()
	inPage[bool](p, `(() => {
		const times = [];
		window.frameTimes = "";
		scrollTo(0, document.documentElement.scrollHeight / 2);
		const began = performance.now();
		let last = began;
		window.mostElements = 0;
		const frame = (now) => {
			window.mostElements = Math.max(window.mostElements, document.querySelectorAll("*").length);
			times.push(now - last);
			last = now;
			if (now - began < 3000) {
				scrollBy(0, 40);
				requestAnimationFrame(frame);
				return;
			}
			times.shift();
			times.sort((a, b) => a - b);
			const at = (share) => times[Math.min(times.length - 1, Math.floor(share * times.length))].toFixed(1);
			window.frameTimes = times.length + " frames: median " + at(0.5) + " ms, 95 % " + at(0.95) + " ms, longest " + at(1) + " ms";
		};
		requestAnimationFrame(frame);
		return true;
	})()`)
	p.wait("window.frameTimes")
	p.t.Log("scrolling: " + inPage[string](p, "window.frameTimes"))
}

// serveLargeLibrary serves a library of so many pictures, which share small thumbnails of
// the gallery and have no files, and returns the page's address.
func serveLargeLibrary(t *testing.T, count int) string {
	t.Helper()
	folder := t.TempDir()
	files, err := fs.Glob(builtin.Gallery(), "images/*")
	if err != nil {
		t.Fatal(err)
	}
	files = files[:50]
	thumbnails := make([][]byte, len(files))
	for i, name := range files {
		data, err := fs.ReadFile(builtin.Gallery(), name)
		if err != nil {
			t.Fatal(err)
		}
		picture, err := pixels.Decode(t.Context(), data, pixels.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if thumbnails[i], err = pixels.Thumbnail(picture, 120, 70); err != nil {
			t.Fatal(err)
		}
	}
	library, err := local.Open(t.Context(), filepath.Join(folder, "library"), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := library.Close(); err != nil {
			t.Error(err)
		}
	})
	shapes := []int{171, 384, 256, 171, 192, 341, 38} // heights, as of photographs of many cameras and of panoramas
	day := time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC)
	for done := 0; done < count; {
		var batch index.Batch
		for ; len(batch.Puts) < 5000 && done < count; done++ {
			own := index.File{Path: filepath.Join(folder, "gone", fmt.Sprintf("%d.webp", done)), Bytes: 1, Modified: day}
			if done >= count-withFiles {
				own = writeOriginal(t, filepath.Join(folder, fmt.Sprintf("%d.webp", done)), thumbnails[done%len(thumbnails)])
			}
			batch.Puts = append(batch.Puts, index.Put{Record: index.Record{
				Kind: index.KindImage, Hash: sha256.Sum256(fmt.Append(nil, done)), Files: []index.File{own}, Format: "webp", Width: 256, Height: shapes[done%len(shapes)], Bytes: 4000,
				Metadata: index.Metadata{Taken: day.Add(time.Duration(done) * 50 * time.Minute)}, Captions: []index.Caption{{Text: fmt.Sprintf("picture number %d", done), Match: 0.9, Model: "none"}},
			}, Thumbnail: thumbnails[done%len(thumbnails)]})
		}
		if _, err := library.Write(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	return serveLibrary(t, library)
}

// withFiles is how many of a large library's newest pictures have their files.
const withFiles = 10

func writeOriginal(t *testing.T, path string, data []byte) index.File {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return index.File{Path: path, Bytes: info.Size(), Modified: info.ModTime(), Inode: vfs.Inode(info)}
}

func serveLibrary(t *testing.T, library *local.Library) string {
	t.Helper()
	return servePage(t, server.Options{Searcher: unaskedSearcher{}, Ingester: unaskedIngester{}, Library: library})
}

// servePage serves the page at an address of its own, which it gives, until the test ends.
func servePage(t *testing.T, options server.Options) string {
	t.Helper()
	assets, err := ui.Files()
	if err != nil {
		t.Fatal(err)
	}
	options.Address, options.Page = "127.0.0.1:0", assets
	served, err := server.New(options)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	address, done := make(chan string, 1), make(chan error, 1)
	go func() { done <- served.Run(ctx, func(at net.Addr) { address <- at.String() }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	select {
	case at := <-address:
		return "http://" + at + "/"
	case err := <-done:
		t.Fatalf("the server does not start: %v", err)
		return ""
	}
}
