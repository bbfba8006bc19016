package container

import "image"

// Header is what the first look at a file finds, before anything is decoded.
type Header struct {
	// Width and Height are of the whole picture as it is stored.
	Width, Height int
	// Orientation is the EXIF value, 1 to 8.
	Orientation int
	// Working is the memory, in bytes, that the decoder needs for its own
	// image, at most.
	Working int64
	// Most is what the decoder may need of a rare file where Working is what it
	// needs of others, and it keeps to what it is given; 0 where Working is all.
	Most int64
	// Largest is the number of pixels in the largest picture inside the file,
	// where that can be more than width times height.
	Largest int64
	// Least is the smallest number of bytes that a whole file of this size and
	// kind can have.
	Least int64
	// Negative says that the decoder takes black for white.
	Negative bool
	// OwnSize says that the decoder crops and turns as it sees fit.
	OwnSize bool
	// Stored is the size of the decoder's image, and Crop what is shown of it, where
	// that is not all.
	Stored image.Point
	Crop   image.Rectangle
	// Depth is how many bits a sample has, where the decoder has to know.
	Depth int
	// Associated says that colours are multiplied by their alpha, where the decoder
	// does not say.
	Associated bool
	// Unmarked says that a JPEG of four inks does not say what they are.
	Unmarked bool
	// Damage says what is missing of a file that is read all the same, or "".
	Damage string
	// Frame is the first picture inside the canvas, for formats that have one.
	Frame Frame
}

// Frame says where the first picture of an animation lies.
type Frame struct {
	X, Y, Width, Height int
	// Data is a file of its own with just this picture, when one had to be
	// made.
	Data []byte
	// Transparency is the offset of the byte in a GIF that makes a colour
	// transparent, or 0.
	Transparency int
}
