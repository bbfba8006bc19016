package pixels

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// thinPictures are small files of pictures that are as long as none should be, in
// both directions, and as many pixels as the limits let through.
func thinPictures() map[string][]byte {
	row := func(width, height int) []byte { return deflated((width + 1) * height) }
	return map[string][]byte{
		"64,000,000 x 1":     pngFile(64_000_000, 1, 8, 0, 0, row(64_000_000, 1)),
		"1 x 64,000,000":     pngFile(1, 64_000_000, 8, 0, 0, row(1, 64_000_000)),
		"65,536 x 1":         pngFile(65_536, 1, 8, 0, 0, row(65_536, 1)),
		"65,535 x 1,500":     pngFile(65_535, 1_500, 8, 0, 0, row(65_535, 1_500)),
		"1,500 x 65,535":     pngFile(1_500, 65_535, 8, 0, 0, row(1_500, 65_535)),
		"8,000 x 8,000 deep": pngFile(8_000, 8_000, 16, 6, 0, deflated((8*8_000+1)*8_000)),
	}
}

// TestThinPicturesAreRefused: what resizing takes grows with the longer side, so that
// one is bounded as well as the number of pixels.
func TestThinPicturesAreRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("makes large files, in one goroutine")
	}
	for name, data := range thinPictures() {
		_, err := Decode(t.Context(), data, Options{MaxPixels: 1})
		if !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s, one pixel allowed: %v", name, err)
		}
		if !strings.HasPrefix(name, "6") || strings.HasPrefix(name, "65,535") {
			continue
		}
		if _, err := Decode(t.Context(), data, Options{}); !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "longer side") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCrowdOfHostilePictures decodes, shrinks and resizes 64 of them at once with one
// decoder. In full, with MEKIKI_TEST_CROWD=1, it reports the peak memory of the
// process; otherwise the pictures take less memory to make, and with -short fewer pixels.
func TestCrowdOfHostilePictures(t *testing.T) {
	const crowd = 64
	side, memory := 4_000, int64(256<<20)
	if testing.Short() {
		side, memory = 1_000, 16<<20
	}
	pictures := map[string][]byte{"square": pngFile(uint32(side), uint32(side), 8, 2, 0, deflated((3*side+1)*side))}
	full := os.Getenv("MEKIKI_TEST_CROWD") != ""
	if full {
		memory, pictures = DefaultMemory, thinPictures()
	}
	decoder, err := NewDecoder(Options{Memory: NewMemory(memory)})
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	var held, most atomic.Int64
	names, files := []string{}, [][]byte{}
	for name, data := range pictures {
		names, files = append(names, name), append(files, data)
	}
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil && full { // the peak starts anew
		t.Skip("the system does not tell the peak memory of a process: ", err)
	}
	started := time.Now()
	var group sync.WaitGroup
	for i := range crowd {
		group.Go(func() {
			picture, release, err := decoder.Hold(context.Background(), files[i%len(files)])
			if errors.Is(err, ErrTooLarge) {
				return
			}
			if err != nil {
				t.Errorf("%s: %v", names[i%len(files)], err)
				return
			}
			defer release()
			size := held.Add(int64(len(picture.Pix)))
			defer held.Add(-int64(len(picture.Pix)))
			for known := most.Load(); size > known && !most.CompareAndSwap(known, size); known = most.Load() {
			}
			if _, err := Thumbnail(picture, 480, 82); err != nil {
				t.Errorf("%s: %v", names[i%len(files)], err)
			}
			if _, err := Resize(picture, 364, 364); err != nil {
				t.Errorf("%s: %v", names[i%len(files)], err)
			}
		})
	}
	group.Wait()
	if most.Load() > memory {
		t.Errorf("the pictures took %d MiB at one time, the bound is %d", most.Load()>>20, memory>>20)
	}
	if full {
		status, err := os.ReadFile(filepath.Join("/proc", "self", "status"))
		for line := range strings.Lines(string(status)) {
			if err == nil && strings.HasPrefix(line, "VmHWM") {
				t.Logf("%d pictures in %v; %s", crowd, time.Since(started).Round(time.Millisecond), strings.TrimSpace(line))
			}
		}
	}
}
