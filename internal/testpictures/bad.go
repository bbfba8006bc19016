package testpictures

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// File is a file of the zoo.
type File struct {
	// Name is its path below the zoo.
	Name string
	// Good says that the file holds a picture after all.
	Good bool
	// Damaged says that it is good, but read only in part.
	Damaged bool
	// Linked says that it counts only when symbolic links are followed.
	Linked bool
	// Private says that nobody but the superuser can read it.
	Private bool
	// Special says that it was made by the system's own means, such as a named
	// pipe; see [Zoo].
	Special bool
}

// Zoo fills a folder with everything that folders of pictures hold and that is
// no picture, or is one in spite of its looks, and lists what must become of
// each. Special makes a file that package os cannot; nil leaves those out.
func Zoo(folder, samples string, special func(path string) error) ([]File, error) {
	z := &zoo{folder: folder, samples: samples}
	z.damaged()
	z.bombs()
	z.odd()
	z.links()
	z.private()
	if special != nil {
		z.problems = append(z.problems, special(filepath.Join(folder, "pipe.jpg")))
		z.files = append(z.files, File{Name: "pipe.jpg", Special: true})
	}
	if err := errors.Join(z.problems...); err != nil {
		return nil, fmt.Errorf("make bad files: %w", err)
	}
	return z.files, nil
}

type zoo struct {
	folder, samples string
	files           []File
	problems        []error
}

func (z *zoo) write(file File, data []byte) {
	path := filepath.Join(z.folder, file.Name)
	z.problems = append(z.problems, os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, data, 0o666))
	z.files = append(z.files, file)
}

func (z *zoo) bad(name string, data []byte)  { z.write(File{Name: name}, data) }
func (z *zoo) good(name string, data []byte) { z.write(File{Name: name, Good: true}, data) }

func (z *zoo) sample(name string) []byte {
	data, err := os.ReadFile(filepath.Join(z.samples, name))
	z.problems = append(z.problems, err)
	return data
}

// picture gives a good picture of the format, which no other call gives.
func (z *zoo) picture(number uint64, format string) []byte {
	for number += 1 << 32; formatOf(number) != format; number++ {
	}
	_, data, err := Good(number, z.samples)
	z.problems = append(z.problems, err)
	return data
}

// damaged are files that were cut off, never written or overwritten.
func (z *zoo) damaged() {
	for _, format := range []string{"jpg", "png", "gif", "bmp", "tiff", "webp", "heic"} {
		whole := z.picture(1000, format)
		if name, half := "truncated."+format, whole[:len(whole)/2]; format == "jpg" {
			z.write(File{Name: name, Good: true, Damaged: true}, half)
		} else {
			z.bad(name, half)
		}
		z.bad("header-only."+format, whole[:12])
		z.bad("empty."+format, nil)
		z.bad("zeros."+format, make([]byte, len(whole)))
		z.bad("text."+format, []byte("this is not a picture\n"))
	}
	heic := z.picture(2000, "heic")
	for at := 64; at < len(heic)/2; at++ { // beyond the signature
		heic[at] ^= 0x5A
	}
	z.bad("broken.heic", heic)
	z.bad("page.jpg", []byte("<!doctype html><title>404 Not Found</title>"))
	z.bad("archive.jpg", append([]byte("PK\x03\x04"), make([]byte, 300)...))
}

// bombs are small files that ask for far more memory than they are worth.
func (z *zoo) bombs() {
	wide := binary.BigEndian.AppendUint32(nil, 1<<30)
	wide = append(binary.BigEndian.AppendUint32(wide, 1<<30), 8, 2, 0, 0, 0)
	z.bad("bomb.png", append(append([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", wide)...), pngChunk("IDAT", nil)...))
	large := binary.BigEndian.AppendUint32(nil, 60_000)
	large = append(binary.BigEndian.AppendUint32(large, 60_000), 8, 2, 0, 0, 0)
	z.bad("deflate-bomb.png", append(append([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", large)...), pngChunk("IDAT", deflated(64<<20))...))
	z.bad("bomb.gif", []byte("GIF89a\xff\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\xff\xff\xff\xff\x00\x02\x02\x44\x01\x00;"))
	z.bad("bomb.bmp", append([]byte("BM\x00\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00\xff\xff\xff\x7f\xff\xff\xff\x7f\x01\x00\x18\x00"), make([]byte, 64)...))
	z.bad("bomb.webp", []byte("RIFF\x1e\x00\x00\x00WEBPVP8L\x11\x00\x00\x00\x2f\xff\xff\xff\x0f\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	z.bad("bomb.jpg", []byte("\xFF\xD8\xFF\xC0\x00\x11\x08\xFF\xFF\xFF\xFF\x03\x01\x11\x00\x02\x11\x00\x03\x11\x00\xFF\xDA\x00\x0C\x03\x01\x00\x02\x00\x03\x00\x00\x3F\x00\x12\x34\xFF\xD9"))
}

func deflated(count int) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	_, err := w.Write(make([]byte, count))
	if err = errors.Join(err, w.Close()); err != nil {
		return nil
	}
	return out.Bytes()
}

// odd are pictures in spite of their looks.
func (z *zoo) odd() {
	z.good("really-a-png.jpg", z.picture(3000, "png"))
	z.good("really-a-jpeg.png", z.picture(3000, "jpg"))
	z.good("SHOUTING.JPG", z.picture(3100, "jpg"))
	z.good("no utf8 \xff\xfe.jpg", z.picture(3200, "jpg"))
	z.good("line\nbreak.jpg", z.picture(3300, "jpg"))
	z.good("目利き 画像.jpg", z.picture(3400, "jpg"))
	z.good("folder.jpg/inside.jpg", z.picture(3500, "jpg"))
	whole := z.picture(3600, "jpg")
	garbage := append([]byte("\xFF\xD8\xFF\xE1\x10\x02Exif\x00\x00MM\x00*\xFF\xFF\xFF\xF0"), bytes.Repeat([]byte{0xA5}, 0x1000-14)...)
	z.good("exif-garbage.jpg", append(garbage, whole[2:]...))
	for orientation := 1; orientation <= 8; orientation++ {
		z.good(fmt.Sprintf("orientation_%d.jpg", orientation), z.sample(fmt.Sprintf("orientation_%d.jpg", orientation)))
	}
	for _, name := range []string{"gif_animated.gif", "webp_animated_lossy.webp", "jpeg_cmyk.jpg", "png_rgb16.png", "tiff_gray16.tif", "tiff_pages.tif"} {
		z.good(name, z.sample(name))
	}
}

// links are symbolic links that lead nowhere or round in a circle.
func (z *zoo) links() {
	for name, target := range map[string]string{"dangling.jpg": "not-there.jpg", "self.jpg": "self.jpg", "circle": "."} {
		z.problems = append(z.problems, os.Symlink(target, filepath.Join(z.folder, name)))
	}
	z.files = append(z.files, File{Name: "dangling.jpg", Linked: true}, File{Name: "self.jpg", Linked: true})
}

func (z *zoo) private() {
	z.write(File{Name: "private.jpg", Private: true}, z.picture(4000, "jpg"))
	z.problems = append(z.problems, os.Chmod(filepath.Join(z.folder, "private.jpg"), 0))
	z.write(File{Name: "private-folder/inside.jpg", Private: true}, z.picture(4100, "jpg"))
	z.problems = append(z.problems, os.Chmod(filepath.Join(z.folder, "private-folder"), 0))
}
