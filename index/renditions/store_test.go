package renditions_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/image/tiff"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local"
	"mekiki/index/pictures"
	"mekiki/index/renditions"
	"mekiki/internal/vfs"
	"mekiki/internal/vfs/vfstest"
)

const samples = "../../embed/pixels/testdata/files/"

// fixture is a library in memory whose originals, and the renditions of them, are on disk.
type fixture struct {
	testing.TB
	folder  string
	library *local.Library
	decoder *pixels.Decoder
	made    atomic.Int64
	store   *renditions.Store
}

func start(t testing.TB, edit ...func(*renditions.Options)) *fixture {
	t.Helper()
	f := &fixture{TB: t, folder: t.TempDir()}
	var err error
	f.library, err = local.Open(context.Background(), "/library", local.Options{FileSystem: vfstest.NewMemory()})
	indextest.Must(t, err)
	f.decoder, err = pixels.NewDecoder(pixels.Options{})
	indextest.Must(t, err)
	f.store = f.open(edit...)
	t.Cleanup(func() {
		f.store.Close()
		indextest.Must(t, errors.Join(f.library.Close(), f.decoder.Close()))
	})
	return f
}

// open opens another store over the same folder.
func (f *fixture) open(edit ...func(*renditions.Options)) *renditions.Store {
	options := renditions.Options{
		Library: f.library, Decoder: f.decoder, Folder: filepath.Join(f.folder, "derived", "renditions"), LibraryFolder: f.folder,
		Admit: func(context.Context) (func(), error) { f.made.Add(1); return func() {}, nil },
	}
	for _, change := range edit {
		change(&options)
	}
	return renditions.New(options)
}

// add puts a file into the library as ingestion would.
func (f *fixture) add(name string, data []byte) *index.Record {
	f.Helper()
	path := filepath.Join(f.TempDir(), name)
	indextest.Must(f, os.WriteFile(path, data, 0o600))
	stat, err := os.Stat(path)
	indextest.Must(f, err)
	record := index.Record{
		Kind: index.KindImage, Hash: sha256.Sum256(data), Bytes: stat.Size(), Width: 700, Height: 700,
		Files: []index.File{{Path: path, Bytes: stat.Size(), Modified: stat.ModTime(), Inode: vfs.Inode(stat)}},
	}
	if m, err := f.decoder.Decode(context.Background(), data); err == nil {
		record.Format = string(m.Format)
		record.Width, record.Height = m.FullSize()
	}
	written, err := f.library.Write(context.Background(), index.Batch{Puts: []index.Put{{Record: record}}})
	indextest.Must(f, err)
	reader, err := f.library.Reader(context.Background())
	indextest.Must(f, err)
	defer reader.Close()
	found, err := index.One(reader.Records(context.Background(), written.IDs))
	indextest.Must(f, err)
	return found
}

// gradient is a picture of which every pixel says where it is.
func gradient(width, height int) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.SetRGBA(x, y, color.RGBA{uint8(x * 255 / width), uint8(y * 255 / height), 128, 255})
		}
	}
	return m
}

func jpegOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var file bytes.Buffer
	indextest.Must(t, jpeg.Encode(&file, m, &jpeg.Options{Quality: 95}))
	return file.Bytes()
}

func decoded(t testing.TB, file []byte, err error) image.Image {
	t.Helper()
	indextest.Must(t, err)
	m, err := jpeg.Decode(bytes.NewReader(file))
	indextest.Must(t, err)
	return m
}

// near fails unless a pixel of a rendition is that of the gradient at some place, in shares of its sides.
func near(t testing.TB, m image.Image, x, y int, wantX, wantY float64) {
	t.Helper()
	r, g, _, _ := m.At(x, y).RGBA()
	if off := max(abs(float64(r>>8)-255*wantX), abs(float64(g>>8)-255*wantY)); off > 4 {
		t.Errorf("pixel (%d, %d) is %d, %d, expected %.0f, %.0f", x, y, r>>8, g>>8, 255*wantX, 255*wantY)
	}
}

func abs(x float64) float64 { return max(x, -x) }

func TestPictures(t *testing.T) {
	f := start(t)
	var tiffFile bytes.Buffer
	indextest.Must(t, tiff.Encode(&tiffFile, gradient(3000, 2000), &tiff.Options{Compression: tiff.Deflate}))
	for name, want := range map[string]struct {
		data []byte
		size image.Point
	}{
		"photo.tif":    {tiffFile.Bytes(), image.Pt(1600, 1067)},
		"panorama.jpg": {jpegOf(t, gradient(6000, 900)), image.Pt(1600, 240)},
		"tower.jpg":    {jpegOf(t, gradient(30, 4000)), image.Pt(12, 1600)},
		"small.jpg":    {jpegOf(t, gradient(64, 48)), image.Pt(64, 48)},
		"phone.heic":   {readFile(t, samples+"heic_orientation_6.heic"), image.Pt(0, 0)},
		"web.avif":     {readFile(t, samples+"avif_420.avif"), image.Pt(0, 0)},
	} {
		record := f.add(name, want.data)
		m := shown(t, f.store, record)
		if want.size == (image.Point{}) {
			want.size = image.Pt(record.Width, record.Height)
		}
		if m.Bounds().Size() != want.size {
			t.Errorf("%s is shown as %v, expected %v", name, m.Bounds().Size(), want.size)
		}
		if strings.HasSuffix(name, ".heic") || strings.HasSuffix(name, ".avif") {
			continue
		}
		x, y := want.size.X/2, want.size.Y/4
		near(t, m, x, y, (float64(x)+0.5)/float64(want.size.X), (float64(y)+0.5)/float64(want.size.Y))
	}
	if made := f.made.Load(); made != 6 {
		t.Errorf("%d were made", made)
	}
}

func shown(t testing.TB, store *renditions.Store, record *index.Record) image.Image {
	t.Helper()
	file, err := store.Picture(context.Background(), record)
	return decoded(t, file, err)
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	indextest.Must(t, err)
	return data
}

// TestTiles: every tile of every level shows its part of the picture.
func TestTiles(t *testing.T) {
	f := start(t)
	record := f.add("large.jpg", jpegOf(t, gradient(1601, 1100)))
	pyramid := renditions.PyramidOf(record.Width, record.Height)
	if len(pyramid.Levels) != 3 || pyramid.Levels[1] != (renditions.Level{Number: 1, Width: 801, Height: 550, Columns: 2, Rows: 2}) {
		t.Fatalf("%+v", pyramid)
	}
	for _, level := range pyramid.Levels {
		for y := range level.Rows {
			for x := range level.Columns {
				file, err := f.store.Tile(t.Context(), record, renditions.Tile{Level: level.Number, X: x, Y: y})
				m := decoded(t, file, err)
				want := image.Pt(min(512, level.Width-512*x), min(512, level.Height-512*y))
				if m.Bounds().Size() != want {
					t.Fatalf("tile %d, %d of level %d is %v, expected %v", x, y, level.Number, m.Bounds().Size(), want)
				}
				near(t, m, want.X/2, want.Y/2, float64(512*x+want.X/2)/float64(level.Width), float64(512*y+want.Y/2)/float64(level.Height))
			}
		}
	}
	if made := f.made.Load(); made != 1 {
		t.Errorf("the picture was read %d times", made)
	}
	for _, tile := range []renditions.Tile{{Level: 3}, {Level: -1}, {X: 4}, {Y: 3}, {X: -1}, {Level: 1, X: 2}, {Level: 1 << 60, X: 1 << 60, Y: 1 << 60}} {
		if _, err := f.store.Tile(t.Context(), record, tile); !errors.Is(err, index.ErrNotFound) {
			t.Errorf("tile %+v: %v", tile, err)
		}
	}
}

// TestOldRecord: tiles have the size that the record says, whatever the decoder gives.
func TestOldRecord(t *testing.T) {
	f := start(t)
	record := *f.add("old.jpg", jpegOf(t, gradient(700, 600)))
	record.Width, record.Height = 1400, 1200
	file, err := f.store.Tile(t.Context(), &record, renditions.Tile{X: 2, Y: 2})
	if m := decoded(t, file, err); m.Bounds().Size() != image.Pt(376, 176) {
		t.Errorf("%v", m.Bounds())
	}
}

func TestFailures(t *testing.T) {
	f := start(t)
	broken := f.add("broken.tif", readFile(t, samples+"tiff_lzw.tif")[:60])
	gone := f.add("gone.jpg", jpegOf(t, gradient(90, 60)))
	indextest.Must(t, os.Remove(gone.Path()))
	unknown := *gone
	unknown.ID = 77
	changed := *f.add("changed.jpg", jpegOf(t, gradient(91, 60)))
	changed.Hash[0]++
	for name, of := range map[string]struct {
		record *index.Record
		want   error
	}{
		"broken": {broken, pictures.ErrUndecodable}, "gone": {gone, pictures.ErrNoOriginal}, "unknown": {&unknown, index.ErrNotFound}, "changed": {&changed, index.ErrNotFound},
	} {
		if _, err := f.store.Picture(t.Context(), of.record); !errors.Is(err, of.want) {
			t.Errorf("picture, %s: %v", name, err)
		}
		if _, err := f.store.Tile(t.Context(), of.record, renditions.Tile{}); !errors.Is(err, of.want) {
			t.Errorf("tile, %s: %v", name, err)
		}
	}
	files, err := filepath.Glob(filepath.Join(f.folder, "derived", "renditions", "*", "*"))
	indextest.Must(t, err)
	if len(files) > 0 {
		t.Errorf("kept: %v", files)
	}
}

// TestOneIsMadeOnce: those who ask for a picture at a time get it made once, also when the
// first of them leaves.
func TestOneIsMadeOnce(t *testing.T) {
	entered, proceed := make(chan struct{}, 9), make(chan struct{})
	f := start(t, func(o *renditions.Options) {
		o.Admit = func(context.Context) (func(), error) { entered <- struct{}{}; <-proceed; return func() {}, nil }
	})
	record := f.add("one.jpg", jpegOf(t, gradient(900, 600)))
	first, leave := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() {
		if _, err := f.store.Picture(first, record); !errors.Is(err, context.Canceled) {
			t.Errorf("who left got %v", err)
		}
	})
	<-entered
	for range 5 {
		group.Go(func() {
			if _, err := f.store.Picture(t.Context(), record); err != nil {
				t.Error(err)
			}
		})
	}
	leave()
	close(proceed)
	group.Wait()
	if len(entered) > 0 {
		t.Error("it was made again")
	}
}

// TestRefused: who is not admitted is told, and the next one may try again.
func TestRefused(t *testing.T) {
	refused := errors.New("too many")
	f := start(t, func(o *renditions.Options) {
		o.Admit = func(context.Context) (func(), error) { return nil, refused }
	})
	record := f.add("one.jpg", jpegOf(t, gradient(90, 60)))
	for range 2 {
		if _, err := f.store.Picture(t.Context(), record); !errors.Is(err, refused) {
			t.Error(err)
		}
	}
	f.store.Close()
	if _, err := f.store.Picture(t.Context(), record); !errors.Is(err, index.ErrClosed) {
		t.Error(err)
	}
}

// TestDamage: a file that is not as written, as after a power failure, is made again.
func TestDamage(t *testing.T) {
	f := start(t)
	record := f.add("one.jpg", jpegOf(t, gradient(700, 600)))
	tile := renditions.Tile{X: 1, Y: 1}
	want, err := f.store.Tile(t.Context(), record, tile)
	indextest.Must(t, err)
	name := filepath.Join(f.folder, "derived", "renditions", record.Hash.String()[:2], record.Hash.String()+".tiles")
	whole := readFile(t, name)
	random := rand.New(rand.NewPCG(1, 1))
	damages := [][]byte{nil, make([]byte, len(whole)), whole[:len(whole)-1], whole[1:], whole[:20], append(bytes.Clone(whole), 0), bytes.Repeat([]byte{255}, 64)}
	for range 60 {
		flipped := bytes.Clone(whole)
		at := random.IntN(len(whole))
		if random.IntN(2) == 0 { // in the table or the trailer
			at = len(whole) - 1 - random.IntN(16+16*5)
		}
		flipped[at] ^= 1 << random.IntN(8)
		damages = append(damages, flipped)
	}
	for number, damage := range damages {
		indextest.Must(t, os.WriteFile(name, damage, 0o600))
		got, err := f.store.Tile(t.Context(), record, tile)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("damage %d: %d bytes, %v", number, len(got), err)
		}
	}
	indextest.Must(t, os.Mkdir(strings.TrimSuffix(name, "tiles")+"1600", 0o700))
	if _, err := f.store.Picture(t.Context(), record); err != nil {
		t.Error(err)
	}
}

// TestBounded: the folder keeps what was used last, and what processes that ended early left goes.
func TestBounded(t *testing.T) {
	f := start(t)
	sizeOf := func(folder string) (bytes int64, count int) {
		files, err := filepath.Glob(filepath.Join(folder, "*", "*"))
		indextest.Must(t, err)
		for _, file := range files {
			stat, err := os.Stat(file)
			indextest.Must(t, err)
			bytes, count = bytes+stat.Size(), count+1
		}
		return bytes, count
	}
	records := make([]*index.Record, 40)
	for i := range records {
		records[i] = f.add("picture.jpg", jpegOf(t, gradient(300+i, 200)))
	}
	folder := filepath.Join(f.folder, "derived", "renditions")
	shown(t, f.store, records[0])
	one, _ := sizeOf(folder)
	left := filepath.Join(folder, "00")
	indextest.Must(t, os.MkdirAll(left, 0o700))
	now := time.Now()
	for name, age := range map[string]time.Duration{"left.new": 2 * time.Hour, "being-written.new": 0} {
		indextest.Must(t, errors.Join(os.WriteFile(filepath.Join(left, name), nil, 0o600), os.Chtimes(filepath.Join(left, name), now.Add(-age), now.Add(-age))))
	}
	limit := 10 * one
	small := f.open(func(o *renditions.Options) { o.MaxBytes = limit })
	defer small.Close()
	favourite := filepath.Join(folder, records[0].Hash.String()[:2], records[0].Hash.String()+".1600")
	for i, record := range records {
		shown(t, small, record)
		// As if an hour had passed: times of files tell only so much within one test.
		old := now.Add(time.Duration(i-100) * time.Hour)
		for _, file := range []string{filepath.Join(folder, record.Hash.String()[:2], record.Hash.String()+".1600"), favourite} {
			if err := os.Chtimes(file, old, old); err != nil && file != favourite {
				t.Fatal(err)
			}
		}
		if i > 0 {
			shown(t, small, records[0])
		}
		if used, count := sizeOf(folder); used > limit+one {
			t.Fatalf("%d files of %d bytes after %d pictures, the limit is %d", count, used, i+1, limit)
		}
	}
	before := f.made.Load()
	shown(t, small, records[0])
	shown(t, small, records[len(records)-1])
	if f.made.Load() != before {
		t.Error("what was used last is not kept")
	}
	if _, err := os.Stat(filepath.Join(left, "left.new")); !os.IsNotExist(err) {
		t.Errorf("a temporary file is still there: %v", err)
	}
	if _, err := os.Stat(filepath.Join(left, "being-written.new")); err != nil {
		t.Errorf("what another process writes is gone: %v", err)
	}
}

// TestNowhereToKeep: pictures are shown also when nothing can be written.
func TestNowhereToKeep(t *testing.T) {
	for name, edit := range map[string]func(*renditions.Options){
		"no folder":         func(o *renditions.Options) { o.Folder = "" },
		"nothing allowed":   func(o *renditions.Options) { o.MaxBytes = -1 },
		"library gone":      func(o *renditions.Options) { o.LibraryFolder += "/gone"; o.Folder = o.LibraryFolder + "/derived" },
		"a file in the way": func(o *renditions.Options) { o.Folder = filepath.Join(o.LibraryFolder, "file") },
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t)
			indextest.Must(t, os.WriteFile(filepath.Join(f.folder, "file"), []byte("x"), 0o600))
			store := f.open(edit)
			defer store.Close()
			record := f.add("one.jpg", jpegOf(t, gradient(700, 600)))
			for range 2 {
				shown(t, store, record)
				for x := range 2 {
					file, err := store.Tile(t.Context(), record, renditions.Tile{X: x})
					decoded(t, file, err)
				}
			}
			if made := f.made.Load(); made != 2 {
				t.Errorf("made %d times", made)
			}
			if _, err := os.Stat(filepath.Join(f.folder, "gone")); err == nil {
				t.Error("the folder of the library was made anew")
			}
		})
	}
}

// TestTwoProcesses: two stores over one folder make and remove files side by side, and never give anything broken.
func TestTwoProcesses(t *testing.T) {
	f := start(t)
	records := make([]*index.Record, 12)
	for i := range records {
		records[i] = f.add("picture.jpg", jpegOf(t, gradient(200+i, 200)))
	}
	var group sync.WaitGroup
	for number := range 2 {
		store := f.open(func(o *renditions.Options) { o.MaxBytes = 30_000 })
		defer store.Close()
		group.Go(func() {
			for i := range 60 {
				record := records[(i*(number+5))%len(records)]
				file, err := store.Picture(context.Background(), record)
				if errors.Is(err, os.ErrNotExist) {
					continue // the other one needed the room just then
				}
				if m, decodeErr := jpeg.Decode(bytes.NewReader(file)); err != nil || decodeErr != nil || m.Bounds().Dx() != record.Width {
					t.Errorf("%v, %v", err, decodeErr)
				}
			}
		})
	}
	group.Wait()
}

func TestPyramids(t *testing.T) {
	if p := renditions.PyramidOf(0, 5); len(p.Levels) != 0 {
		t.Errorf("%+v", p)
	}
	for size, want := range map[image.Point][2]int{ // the finest level and how many there are
		image.Pt(1, 1): {0, 1}, image.Pt(512, 512): {0, 1}, image.Pt(513, 1): {0, 2}, image.Pt(65_535, 1): {0, 8},
		image.Pt(10_000, 10_000): {0, 6}, image.Pt(10_001, 10_000): {1, 5}, image.Pt(40_000, 25_000): {2, 6},
	} {
		p := renditions.PyramidOf(size.X, size.Y)
		last := p.Levels[len(p.Levels)-1]
		if p.Levels[0].Number != want[0] || len(p.Levels) != want[1] || last.Columns != 1 || last.Rows != 1 {
			t.Errorf("%v: %+v", size, p)
		}
	}
}

// BenchmarkTiles makes the tiles of a picture of 24 megapixels from its decoded pixels, and of one of 100 with -bench
// of that name.
func BenchmarkTiles(b *testing.B) {
	for name, size := range map[string]image.Point{"24MP": image.Pt(6000, 4000), "100MP": image.Pt(10_000, 10_000)} {
		b.Run(name, func(b *testing.B) {
			f := start(b)
			record := f.add("large.jpg", jpegOf(b, gradient(size.X, size.Y)))
			for b.Loop() {
				indextest.Must(b, os.RemoveAll(filepath.Join(f.folder, "derived")))
				if _, err := f.store.Tile(b.Context(), record, renditions.Tile{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
