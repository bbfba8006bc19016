package pixels

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"mekiki/embed/pixels/container"
	"mekiki/embed/pixels/jpegfix"
	"mekiki/embed/pixels/sandbox"
)

// Decoder turns image files into Images within the limits of its Options. It
// is safe for concurrent use. Close it to give back what its compiled codecs take.
type Decoder struct {
	options Options
	ground  ground
	codecs  *sandbox.Runtime
	// borrowed says that another decoder owns what this one holds.
	borrowed bool
}

// NewDecoder returns a Decoder, or every problem with the options.
func NewDecoder(options Options) (*Decoder, error) {
	if err := options.Validate(); err != nil {
		return nil, fmt.Errorf("image decoder options: %w", err)
	}
	options = options.withDefaults()
	return &Decoder{
		options: options,
		ground:  ground{drop: options.Alpha == DropAlpha, color: *options.Background},
		codecs:  sandbox.New(),
	}, nil
}

// Limited returns a decoder that refuses files of more than so many bytes or
// pixels, where that is less than this one takes, and shares all else with this
// one: the bound on memory and the compiled codecs. It need not be closed,
// and must not be used when this one is. Zero keeps a limit.
func (d *Decoder) Limited(maxBytes, maxPixels int64) *Decoder {
	limited := *d
	limited.borrowed = true
	if maxBytes > 0 {
		limited.options.MaxBytes = min(d.options.MaxBytes, maxBytes)
	}
	if maxPixels > 0 {
		limited.options.MaxPixels = min(d.options.MaxPixels, maxPixels)
	}
	return &limited
}

// Close releases what the decoder holds. No decoding may be going on.
func (d *Decoder) Close() error {
	if d.borrowed {
		return nil
	}
	return d.codecs.Close(context.Background())
}

// MaximumBytes is the size of the largest file that the decoder takes.
func (d *Decoder) MaximumBytes() int64 { return d.options.MaxBytes }

// Decode reads an image file from memory. The format is told from the content,
// never from a name. Of an animation or a file of several pictures it reads
// the first. It fails with ErrTooLarge, ErrUnsupported, ErrCorrupt or the
// context's error; whatever the bytes are, it does not panic, and it asks for
// no more memory than the limits allow.
//
// The memory that decoding takes is given back when Decode returns; that of the
// image is the caller's to bound. Hold is for callers that cannot.
func (d *Decoder) Decode(ctx context.Context, data []byte) (*Image, error) {
	m, release, err := d.Hold(ctx, data)
	if err == nil {
		release()
	}
	return m, err
}

// Hold is Decode, but the memory of the image stays taken until release is called,
// which has to be done once when there is no error.
func (d *Decoder) Hold(ctx context.Context, data []byte) (m *Image, release func(), err error) {
	h, err := d.admit(data)
	if err != nil {
		return nil, nil, err
	}
	return d.hold(ctx, data, h)
}

// hold decodes a file with the memory that its header asks for, or else with the most
// that it may need.
func (d *Decoder) hold(ctx context.Context, data []byte, h header) (m *Image, release func(), err error) {
	m, taken, err := d.decodeWithin(ctx, data, h)
	if errors.Is(err, sandbox.ErrMemory) && h.Most > h.Working {
		d.options.Memory.release(taken)
		h.Working = h.Most
		m, taken, err = d.decodeWithin(ctx, data, h)
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	} else if err != nil {
		err = describe(h.format, err)
	}
	if err != nil {
		d.options.Memory.release(taken)
		return nil, nil, err
	}
	held := min(int64(len(m.Pix)), taken)
	d.options.Memory.release(taken - held)
	return m, func() { d.options.Memory.release(held) }, nil
}

// decodeWithin takes the memory of a picture and decodes it. What it has taken is
// the caller's to release, whatever the error.
func (d *Decoder) decodeWithin(ctx context.Context, data []byte, h header) (m *Image, taken int64, err error) {
	taken = h.memory()
	if err := d.options.Memory.acquire(ctx, taken); err != nil {
		return nil, 0, err
	}
	m, err = d.decode(ctx, data, h)
	return m, taken, err
}

// admit looks at a file's header and holds it against the limits.
func (d *Decoder) admit(data []byte) (header, error) {
	if int64(len(data)) > d.options.MaxBytes {
		return header{}, fmt.Errorf("%w: %d bytes, the limit is %d", ErrTooLarge, len(data), d.options.MaxBytes)
	}
	h, err := inspect(data)
	if err != nil {
		return header{}, err
	}
	if err := h.check(len(data), d.options); err != nil {
		return header{}, err
	}
	if h.Most > 0 { // what may take all the memory there is can still be tried
		h.Most = min(h.Most, d.options.Memory.size-(h.memory()-h.Working))
		h.Working = min(h.Working, h.Most)
	}
	return h, nil
}

// describe gives a decoder's error a kind and the format's name.
func describe(format Format, err error) error {
	var jpegGap jpeg.UnsupportedError
	var pngGap png.UnsupportedError
	var tiffGap tiff.UnsupportedError
	switch {
	case errors.Is(err, ErrTooLarge), errors.Is(err, ErrUnsupported), errors.Is(err, ErrCorrupt):
		return fmt.Errorf("%s: %w", format, err)
	case errors.Is(err, sandbox.ErrMemory), errors.Is(err, sandbox.ErrTime):
		return fmt.Errorf("%s: %w: %w", format, ErrTooLarge, err)
	case errors.As(err, &jpegGap), errors.As(err, &pngGap), errors.As(err, &tiffGap),
		errors.Is(err, bmp.ErrUnsupported):
		return fmt.Errorf("%s: %w: %w", format, ErrUnsupported, err)
	}
	return fmt.Errorf("%s: %w: %w", format, ErrCorrupt, err)
}

// decode runs the format's decoder and makes upright RGB of what it gives.
func (d *Decoder) decode(ctx context.Context, data []byte, h header) (out *Image, err error) {
	out, err = d.runGuarded(ctx, data, h)
	if err != nil && h.format == JPEG && ctx.Err() == nil && !isUnsupported(err) {
		damage, repairErr := jpegfix.Repair(data, func(form []byte) bool {
			repaired, err := d.runGuarded(ctx, form, h)
			if err == nil {
				out = repaired
			}
			return err == nil || ctx.Err() != nil
		})
		if repairErr == nil && ctx.Err() == nil {
			out.Damage, err = damage, nil
		}
	}
	if err != nil {
		return nil, err
	}
	if h.Damage != "" {
		out.Damage = h.Damage
	}
	return upright(ctx, out, h.Orientation)
}

// isUnsupported reports whether a JPEG is whole, but of a kind that is not read.
func isUnsupported(err error) bool {
	var gap jpeg.UnsupportedError
	return errors.As(err, &gap) || errors.Is(err, ErrUnsupported)
}

// runGuarded runs the format's decoder and paints what it gives.
func (d *Decoder) runGuarded(ctx context.Context, data []byte, h header) (out *Image, err error) {
	err = guard(func() error {
		return d.run(ctx, data, h, func(decoded image.Image) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			out, err = d.paint(ctx, decoded, data, h)
			return err
		})
	})
	return out, err
}

// paint copies a decoder's image into an Image of the header's size.
func (d *Decoder) paint(ctx context.Context, decoded image.Image, data []byte, h header) (*Image, error) {
	size := decoded.Bounds().Size()
	want := image.Pt(h.Width, h.Height)
	if h.Frame.Width != 0 {
		want = image.Pt(h.Frame.Width, h.Frame.Height)
	}
	if h.OwnSize && int64(size.X)*int64(size.Y) <= h.Largest {
		h.Width, h.Height, want = size.X, size.Y, size
	}
	if size != want {
		return nil, container.Corrupt("the picture is %dx%d, its header says %dx%d", size.X, size.Y, want.X, want.Y)
	}
	if n := h.reduction(); n > 1 && size == image.Pt(h.Width, h.Height) {
		return d.paintReduced(ctx, decoded, data, h, n)
	}
	out, err := New(h.Width, h.Height)
	if err != nil {
		return nil, err
	}
	out.Format = h.format
	if size != image.Pt(h.Width, h.Height) {
		out.fill(d.ground.color)
	}
	left, top := h.Frame.X, h.Frame.Y
	row := func(y int) []byte {
		if y%checkedRows == 0 && ctx.Err() != nil {
			panic(ctx.Err()) // guard catches it, and Hold says why
		}
		return out.Pix[3*((top+y)*out.Width+left):][:3*size.X]
	}
	d.ground.convert(row, decoded, h, data)
	return out, nil
}

// run calls the decoder of the file's format and gives what it decodes to use.
func (d *Decoder) run(ctx context.Context, data []byte, h header, use func(image.Image) error) error {
	k, ok := kindOf(h.format)
	if !ok {
		return container.Unsupported("no decoder")
	}
	return k.decode(d, ctx, data, h, use)
}

// opaqueGIF returns the file without its transparent colour when transparency
// is to be dropped, because the decoder forgets what colour that was.
func (d *Decoder) opaqueGIF(data []byte, h header) []byte {
	if !d.ground.drop || h.Frame.Transparency == 0 {
		return data
	}
	data = append([]byte(nil), data...)
	data[h.Frame.Transparency] &^= 1
	return data
}

// paintReduced is paint for a picture of very many pixels: squares of n by n of them
// become one, their mean, as its rows are made.
func (d *Decoder) paintReduced(ctx context.Context, decoded image.Image, data []byte, h header, n int) (*Image, error) {
	out, err := New((h.Width+n-1)/n, (h.Height+n-1)/n)
	if err != nil {
		return nil, err
	}
	out.Format, out.Reduced, out.FullWidth, out.FullHeight = h.format, n, h.Width, h.Height
	r := reducer{out: out, n: n, width: h.Width, scratch: make([]byte, 3*h.Width), sums: make([]uint32, 3*out.Width)}
	row := func(y int) []byte {
		if y%checkedRows == 0 && ctx.Err() != nil {
			panic(ctx.Err()) // guard catches it, and Hold says why
		}
		r.next(y)
		return r.scratch
	}
	d.ground.convert(row, decoded, h, data)
	r.next(h.Height)
	return out, nil
}

// reducer makes one row of n.
type reducer struct {
	out     *Image
	n       int
	width   int
	scratch []byte
	sums    []uint32
	rows    int // in sums
}

// next takes the row that was written last, before row y is. Rows come in order.
func (r *reducer) next(y int) {
	if y == 0 {
		return
	}
	for x := range r.width {
		to, from := 3*(x/r.n), 3*x
		r.sums[to] += uint32(r.scratch[from])
		r.sums[to+1] += uint32(r.scratch[from+1])
		r.sums[to+2] += uint32(r.scratch[from+2])
	}
	if r.rows++; y%r.n != 0 && y != r.out.FullHeight {
		return
	}
	line := r.out.Pix[3*((y-1)/r.n)*r.out.Width:]
	for x := range r.out.Width {
		count := uint32(r.rows * min(r.n, r.width-x*r.n))
		for c := range 3 {
			line[3*x+c] = byte((r.sums[3*x+c] + count/2) / count)
		}
	}
	clear(r.sums)
	r.rows = 0
}

// guard runs a decoder and turns a panic of its into an error: a file that
// trips one must cost nothing but itself.
func guard(run func() error) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = container.Corrupt("the decoder gave up: %v", reason)
		}
	}()
	return run()
}

// Decode reads an image file from memory with a Decoder made for this one
// call. Use a Decoder to read many.
func Decode(ctx context.Context, data []byte, options Options) (*Image, error) {
	decoder, err := NewDecoder(options)
	if err != nil {
		return nil, err
	}
	m, err := decoder.Decode(ctx, data)
	return m, errors.Join(err, decoder.Close())
}
