package pixels

import (
	"errors"
	"fmt"
)

// Alpha says what to do with transparency.
type Alpha int

const (
	// BlendAlpha lays the image on Options.Background, which is what a viewer
	// shows.
	BlendAlpha Alpha = iota
	// DropAlpha ignores transparency and keeps the colours that lie under it,
	// as Pillow's convert("RGB") does.
	DropAlpha
)

// Options bounds what a Decoder accepts and says how it treats colour. The
// zero value is ready to use.
type Options struct {
	// MaxBytes is the largest file, in bytes; 0 means DefaultMaxBytes.
	MaxBytes int64
	// MaxPixels is the largest width times height; 0 means DefaultMaxPixels.
	MaxPixels int64
	// MaxSide is the largest width and height; 0 means DefaultMaxSide.
	MaxSide int
	// Alpha says what to do with transparency. The default is BlendAlpha.
	Alpha Alpha
	// Background is the colour, red, green, blue, under a transparent image;
	// nil means white.
	Background *[3]uint8
	// Memory is shared by everything that decodes in this process and bounds
	// the bytes that decoding takes at one time; nil means DefaultMemory for this
	// decoder alone.
	Memory *Memory
}

// withDefaults returns o with its zero fields set.
func (o Options) withDefaults() Options {
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.MaxPixels == 0 {
		o.MaxPixels = DefaultMaxPixels
	}
	if o.MaxSide == 0 {
		o.MaxSide = DefaultMaxSide
	}
	if o.Memory == nil {
		o.Memory = NewMemory(DefaultMemory)
	}
	if o.Background == nil {
		o.Background = &[3]uint8{255, 255, 255}
	}
	return o
}

// Validate reports every option that is out of range.
func (o Options) Validate() error {
	var problems []error
	if o.MaxBytes < 0 {
		problems = append(problems, fmt.Errorf("maximum bytes %d is negative", o.MaxBytes))
	}
	if o.MaxPixels < 0 {
		problems = append(problems, fmt.Errorf("maximum pixels %d is negative", o.MaxPixels))
	}
	if o.MaxSide < 0 {
		problems = append(problems, fmt.Errorf("maximum side %d is negative", o.MaxSide))
	}
	if o.Alpha != BlendAlpha && o.Alpha != DropAlpha {
		problems = append(problems, fmt.Errorf("alpha %d is neither blend nor drop", o.Alpha))
	}
	return errors.Join(problems...)
}
