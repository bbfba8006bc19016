package jpegfix

// Markers of JPEG (ITU-T T.81, table B.1), without the 0xFF before each.
const (
	// TEM is for temporary use; it has no segment.
	TEM = 0x01
	// SOF0 starts the header of a baseline frame, the first of the headers of frames.
	SOF0 = 0xC0
	// SOF2 starts the header of a progressive frame.
	SOF2 = 0xC2
	// DHT defines Huffman tables.
	DHT = 0xC4
	// JPG is reserved.
	JPG = 0xC8
	// DAC defines conditions of arithmetic coding.
	DAC = 0xCC
	// SOF15 is the last marker of a frame's header.
	SOF15 = 0xCF
	// RST0 is the first of eight markers between the restart intervals of a scan.
	RST0 = 0xD0
	// RST7 is the last of them.
	RST7 = 0xD7
	// SOI starts the file.
	SOI = 0xD8
	// EOI ends it.
	EOI = 0xD9
	// SOS starts a scan.
	SOS = 0xDA
	// DRI defines the restart interval.
	DRI = 0xDD
	// APP1 starts a segment of Exif or XMP.
	APP1 = 0xE1
	// APP14 starts a segment of Adobe.
	APP14 = 0xEE
)
