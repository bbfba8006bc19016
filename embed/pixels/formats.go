package pixels

import (
	"context"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"

	"mekiki/embed/pixels/container"
	"mekiki/embed/pixels/heif"
)

// Format names the file format that an image was read from.
type Format string

// The formats that a Decoder reads. The name is what a user sees.
const (
	JPEG Format = "jpeg"
	PNG  Format = "png"
	GIF  Format = "gif"
	WebP Format = "webp"
	BMP  Format = "bmp"
	TIFF Format = "tiff"
	HEIC Format = "heic"
	AVIF Format = "avif"
	JXL  Format = "jxl"
	RAW  Format = "raw"
)

// kind is one row of the table of formats: all that is known of a format stands
// here, and everything that needs a format's name, ending or type asks the table.
type kind struct {
	name Format
	// title is what people call it in a sentence.
	title string
	// aliases are the other names by which people ask for it.
	aliases []string
	// extensions are the endings of its files, with a dot and in lower case; the
	// first is the usual one.
	extensions []string
	// mediaType is its type in HTTP (RFC 6838).
	mediaType string
	// shown says that browsers show it as a picture and that it cannot carry script.
	shown bool
	// reducible says that a picture of very many pixels is made smaller as it is read.
	reducible bool
	// begins reports whether a file is of this format, by its first bytes.
	begins func(data []byte) bool
	// inspect reads the header.
	inspect func(data []byte) (container.Header, error)
	// decode gives what is in the file to use, as an image of the standard library.
	decode func(d *Decoder, ctx context.Context, data []byte, h header, use func(image.Image) error) error
	// convert writes luma and chroma as red, green and blue.
	convert func(g ground, m *image.YCbCr, data []byte, row func(int) []byte)
}

// kinds returns the table, in the order in which files are tried against it.
func kinds() []kind {
	return []kind{
		{
			name: JPEG, title: "JPEG", aliases: []string{"jpg", "jpe", "jfif", "mpo"},
			extensions: []string{".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"},
			mediaType:  "image/jpeg", shown: true, reducible: true,
			begins: container.Prefixed("\xFF\xD8\xFF"), inspect: container.InspectJPEG,
			convert: convertJFIF,
			decode: func(d *Decoder, ctx context.Context, data []byte, h header, use func(image.Image) error) error {
				if h.Unmarked {
					data = container.WithAdobeMarker(data)
				}
				return whole(jpeg.Decode)(d, ctx, data, h, use)
			},
		},
		{
			name: PNG, title: "PNG", extensions: []string{".png"},
			mediaType: "image/png", shown: true, reducible: true,
			begins: container.Prefixed(container.PNGSignature), inspect: container.InspectPNG,
			decode: func(d *Decoder, ctx context.Context, data []byte, h header, use func(image.Image) error) error {
				return whole(png.Decode)(d, ctx, container.PNGWithoutDamagedExtras(data), h, use)
			},
		},
		{
			name: GIF, title: "GIF", extensions: []string{".gif"},
			mediaType: "image/gif", shown: true,
			begins: container.Prefixed("GIF87a", "GIF89a"), inspect: container.InspectGIF,
			decode: func(d *Decoder, ctx context.Context, data []byte, h header, use func(image.Image) error) error {
				return whole(gif.Decode)(d, ctx, d.opaqueGIF(data, h), h, use)
			},
		},
		{
			name: WebP, title: "WebP", extensions: []string{".webp"},
			mediaType: "image/webp", shown: true,
			begins: func(data []byte) bool {
				return len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP"
			},
			inspect: container.InspectWebP, convert: convertVP8,
			decode: func(d *Decoder, ctx context.Context, data []byte, h header, use func(image.Image) error) error {
				if h.Frame.Data != nil {
					data = h.Frame.Data
				}
				return whole(webp.Decode)(d, ctx, data, h, use)
			},
		},
		{
			name: BMP, title: "BMP", extensions: []string{".bmp"},
			mediaType: "image/bmp", shown: true, reducible: true,
			begins: container.IsBMP, inspect: container.InspectBMP, decode: whole(bmp.Decode),
		},
		{
			name: RAW, title: "camera RAW", aliases: []string{"dng", "cr2", "cr3", "nef", "nrw", "arw", "raf", "orf", "rw2", "pef", "srw"},
			extensions: []string{".dng", ".cr2", ".cr3", ".nef", ".nrw", ".arw", ".raf", ".orf", ".rw2", ".pef", ".srw"},
			mediaType:  "image/x-raw", reducible: true,
			begins: container.IsRAW, inspect: container.InspectRAW, decode: decodeRAW, convert: convertJFIF,
		},
		{
			name: TIFF, title: "TIFF", aliases: []string{"tif"}, extensions: []string{".tif", ".tiff"},
			mediaType: "image/tiff", reducible: true,
			begins: container.Prefixed("II*\x00", "MM\x00*"), inspect: container.InspectTIFF, decode: whole(tiff.Decode),
			convert: convertJFIF,
		},
		{
			name: HEIC, title: "HEIC", aliases: []string{"heif"}, extensions: []string{".heic", ".heif"},
			mediaType: "image/heic",
			begins:    container.IsHEIC, inspect: container.InspectHEIC, convert: convertHEIC,
			decode: func(d *Decoder, ctx context.Context, data []byte, h header, use func(image.Image) error) error {
				return heif.Decode(ctx, d.codecs, h.limits(), data, use)
			},
		},
		{
			name: AVIF, title: "AVIF", aliases: []string{"avifs"}, extensions: []string{".avif", ".avifs"},
			mediaType: "image/avif", shown: true,
			begins: container.IsAVIF, inspect: container.InspectAVIF, decode: decodeAVIF,
		},
		{
			name: JXL, title: "JPEG XL", extensions: []string{".jxl"},
			mediaType: "image/jxl",
			begins:    container.Prefixed(container.JXLSignature, container.JXLContainer), inspect: container.InspectJXL, decode: decodeJXL,
		},
	}
}

// whole makes a row's decoder of one that reads a file and returns its picture.
func whole(decode func(io.Reader) (image.Image, error)) func(*Decoder, context.Context, []byte, header, func(image.Image) error) error {
	return func(_ *Decoder, ctx context.Context, data []byte, _ header, use func(image.Image) error) error {
		decoded, err := decode(newSource(ctx, data))
		if err != nil {
			return err
		}
		return use(decoded)
	}
}

// kindOf returns the row of a format.
func kindOf(format Format) (kind, bool) {
	for _, k := range kinds() {
		if k.name == format {
			return k, true
		}
	}
	return kind{}, false
}

// Formats returns the formats that a Decoder reads, in the order of the documentation.
func Formats() []Format {
	var formats []Format
	for _, k := range kinds() {
		formats = append(formats, k.name)
	}
	return formats
}

// Titles lists the formats as a sentence does: "JPEG, PNG or GIF", with the given
// word before the last.
func Titles(conjunction string) string {
	var titles []string
	for _, k := range kinds() {
		titles = append(titles, k.title)
	}
	last := len(titles) - 1
	return strings.Join(titles[:last], ", ") + " " + conjunction + " " + titles[last]
}

// ParseFormat returns the format that a name, an alias or an ending stands for, with
// or without a dot and in letters of any case, such as "jpg" or ".TIFF".
func ParseFormat(name string) (Format, bool) {
	name = strings.TrimPrefix(strings.ToLower(name), ".")
	for _, k := range kinds() {
		if name == string(k.name) || slices.Contains(k.aliases, name) || slices.Contains(k.extensions, "."+name) {
			return k.name, true
		}
	}
	return "", false
}

// HasImageName reports whether a file may be an image by the ending of its name. What
// it is, a Decoder tells by its content.
func HasImageName(name string) bool {
	extension := strings.ToLower(filepath.Ext(name))
	return slices.ContainsFunc(kinds(), func(k kind) bool { return slices.Contains(k.extensions, extension) })
}

// MediaType returns the format's type in HTTP, such as "image/jpeg", or "" for a
// format that is not in the table.
func (f Format) MediaType() string {
	k, _ := kindOf(f)
	return k.mediaType
}

// Aliases lists the other names by which people ask for the format.
func (f Format) Aliases() []string {
	k, _ := kindOf(f)
	return k.aliases
}

// Shown reports whether browsers show files of this format as pictures, and whether
// they can do so without running what is inside.
func (f Format) Shown() bool {
	k, _ := kindOf(f)
	return k.shown
}
