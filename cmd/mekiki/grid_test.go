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

// TestGrid scrolls through a large library in Chromium: every picture comes once,
// and the page never holds more than the tiles in sight.
func TestGrid(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a browser")
	}
	count := testsize.Of(t, gridVariable, 3000)
	p := openPage(t, serveLargeLibrary(t, count))
	p.visit("")
	p.wait(`document.querySelectorAll(".tile img.loaded").length > 5`)
	first := inPage[int](p, `document.querySelectorAll("*").length`)
	began := time.Now()
	// To the end, as fast as the pictures' names come.
	inPage[bool](p, `(() => {
		window.most = 0;
		const timer = setInterval(() => {
			window.most = Math.max(window.most, document.querySelectorAll("*").length);
			scrollTo(0, document.documentElement.scrollHeight);
		}, 20);
		window.halt = () => clearInterval(timer);
		return true;
	})()`)
	end := fmt.Sprintf(`document.querySelector(".cell[aria-posinset='%d']")`, count)
	for deadline := time.Now().Add(time.Duration(60+count/100) * time.Second); !inPage[bool](p, "Boolean("+end+")"); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the last of %d pictures never comes; at %s", count, inPage[string](p, `document.querySelector(".cell:last-child").getAttribute("aria-setsize")`))
		}
	}
	inPage[bool](p, "window.halt(); true")
	most := inPage[int](p, "window.most")
	t.Logf("%d pictures: all listed in %s; %d elements at first, %d at most", count, time.Since(began).Round(100*time.Millisecond), first, most)
	if size := inPage[string](p, `document.querySelector(".cell").getAttribute("aria-setsize")`); size != strconv.Itoa(count) {
		t.Errorf("%s pictures, want %d", size, count)
	}
	if most > 800 {
		t.Errorf("%d elements in the page", most)
	}
	p.frames()
	// The first of the tiles may be out of sight, and be made anew when a click brings
	// it into view: the first of the list, at the top, stays.
	inPage[bool](p, `(scrollTo(0, 0), true)`)
	p.wait(`scrollY === 0 && document.querySelector('.cell[aria-posinset="1"] .tile')`)
	p.do(chromedp.Click(`.cell[aria-posinset="1"] .tile`))
	p.wait(`document.querySelector("dialog[open] .facts")`)
}

// frames scrolls for three seconds, a quarter of a screen a frame, and logs how
// long frames took.
func (p page) frames() {
	p.t.Helper()
	inPage[bool](p, `(() => {
		const times = [];
		window.frameTimes = "";
		scrollTo(0, document.documentElement.scrollHeight / 2);
		const began = performance.now();
		let last = began;
		const frame = (now) => {
			times.push(now - last);
			last = now;
			if (now - began < 3000) {
				scrollBy(0, innerHeight / 4);
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

// serveLargeLibrary serves a library of so many pictures, which share the files of
// the gallery, and returns the page's address.
func serveLargeLibrary(t *testing.T, count int) string {
	t.Helper()
	folder := t.TempDir()
	files, err := fs.Glob(builtin.Gallery(), "images/*")
	if err != nil {
		t.Fatal(err)
	}
	files = files[:50]
	stats := make([]index.File, len(files))
	for i, name := range files {
		data, err := fs.ReadFile(builtin.Gallery(), name)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder, filepath.Base(name))
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		stat, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		stats[i] = index.File{Path: path, Bytes: stat.Size(), Modified: stat.ModTime(), Inode: vfs.Inode(stat)}
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
	day := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for done := 0; done < count; {
		var batch index.Batch
		for ; len(batch.Puts) < 5000 && done < count; done++ {
			// Each has a path of its own that is not there, and one that is.
			own := index.File{Path: filepath.Join(folder, "gone", fmt.Sprintf("%d.webp", done)), Bytes: 1, Modified: day}
			batch.Puts = append(batch.Puts, index.Put{Record: index.Record{
				Kind: index.KindImage, Hash: sha256.Sum256(fmt.Append(nil, done)), Files: []index.File{own, stats[done%len(stats)]}, Format: "webp", Width: 256, Height: 256, Bytes: 4000,
				Metadata: index.Metadata{Taken: day.Add(time.Duration(done) * time.Minute)}, Captions: []index.Caption{{Text: fmt.Sprintf("picture number %d", done), Match: 0.9, Model: "none"}},
			}})
		}
		if _, err := library.Write(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	return serveLibrary(t, library)
}

func serveLibrary(t *testing.T, library *local.Library) string {
	t.Helper()
	assets, err := ui.Files()
	if err != nil {
		t.Fatal(err)
	}
	served, err := server.New(server.Options{Address: "127.0.0.1:0", Searcher: unaskedSearcher{}, Ingester: unaskedIngester{}, Library: library, Page: assets})
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
