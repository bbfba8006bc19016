package jpegfix

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

var errBeyondRepair = errors.New("too little of the picture is left")

// repair is a JPEG taken apart.
type repair struct {
	data       []byte
	out        []byte
	frame      frame
	tables     [2][4]*huffman // by class (DC, AC) and number
	restart    int            // MCUs between restart markers; 0 means none
	filled     int            // blocks that were made up
	total      int            // blocks of all scans
	ended      bool           // the end marker was there
	scanStarts []int          // in out, of the scans of a progressive file
}

type frame struct {
	progressive   bool
	width, height int
	components    []component
	across, down  int // the largest sampling factors
}

type component struct{ id, across, down int }

// Repair gives forms of a damaged file that may be read to try, the most complete
// first, until it reports success. It says what is wrong with the file, in words for
// whoever looks at the picture; an error where too little is left of it. data starts
// with SOI; a form is valid during the call of try alone.
func Repair(data []byte, try func(form []byte) bool) (damage string, err error) {
	r := &repair{data: data, out: append(make([]byte, 0, len(data)+1024), data[:2]...)}
	if err := r.segments(); err != nil {
		return "", err
	}
	if r.total == 0 || r.total-r.filled < max(r.total/leastLeft, 1) {
		return "", errBeyondRepair
	}
	// Each form is cut from the one before it, in its place.
	cuts := append([]int(nil), r.scanStarts[min(len(r.scanStarts), 1):]...)
	cuts = append(cuts, len(r.out))
	for tried := 0; ; tried++ {
		if tried == min(len(cuts), maximumRepairs) {
			return "", errBeyondRepair
		}
		if form := append(r.out[:cuts[len(cuts)-1-tried]], 0xFF, EOI); try(form) {
			return r.damage(tried), nil
		}
	}
}

// damage says what is wrong with the file, of which some scans were left out.
func (r *repair) damage(left int) string {
	switch lost := 100 * float64(r.filled) / float64(r.total); {
	case r.filled > 0 && !r.ended:
		return fmt.Sprintf("the file ends early: %s of the picture is missing", percentage(lost))
	case r.filled > 0:
		return fmt.Sprintf("part of the file is damaged: %s of the picture is missing", percentage(lost))
	case left > 0 && !r.ended:
		return "the file ends early: the finest detail of the picture is missing"
	case left > 0:
		return "part of the file is damaged: the finest detail of the picture is missing"
	case !r.ended:
		return "the file ends early: its end marker is missing"
	}
	return "part of the file is damaged"
}

func percentage(share float64) string {
	if share < 1 {
		return "less than 1 %"
	}
	return fmt.Sprintf("%.0f %%", share)
}

// segments goes through the file up to its end, or to where it is cut.
func (r *repair) segments() error {
	for at := 2; ; {
		skip := bytes.IndexByte(r.data[at:], 0xFF)
		if skip < 0 || at+skip+1 >= len(r.data) {
			return nil
		}
		at += skip + 1
		marker := r.data[at]
		if marker == 0xFF {
			continue
		}
		at++
		switch {
		case marker == EOI:
			r.ended = true
			return nil
		case marker == 0 || marker == TEM || marker == SOI || marker >= RST0 && marker <= RST7:
			continue
		}
		if at+2 > len(r.data) {
			return nil
		}
		length := int(binary.BigEndian.Uint16(r.data[at:]))
		if length < 2 || at+length > len(r.data) {
			return nil
		}
		segment := r.data[at+2 : at+length]
		start := len(r.out)
		r.out = append(append(r.out, 0xFF, marker), r.data[at:at+length]...)
		at += length
		switch {
		case marker == SOS:
			next, whole, err := r.scan(segment, at)
			if errors.Is(err, errNoScan) && r.total > 0 { // what was read before it will do
				r.out = r.out[:start]
				return nil
			}
			if err != nil {
				return err
			}
			if r.frame.progressive {
				r.scanStarts = append(r.scanStarts, start)
			}
			if at = next; !whole {
				return nil
			}
		case marker == DHT:
			r.readTables(segment)
		case marker == DRI && len(segment) >= 2:
			r.restart = int(binary.BigEndian.Uint16(segment))
		case marker >= SOF0 && marker <= SOF2:
			if err := r.readFrame(marker, segment); err != nil {
				return err
			}
		}
	}
}

func (r *repair) readFrame(marker byte, segment []byte) error {
	if len(segment) < 6 || len(segment) < 6+3*int(segment[5]) || r.frame.components != nil {
		return errBeyondRepair
	}
	f := frame{progressive: marker == SOF2, height: int(binary.BigEndian.Uint16(segment[1:])), width: int(binary.BigEndian.Uint16(segment[3:]))}
	for i := range int(segment[5]) {
		c := component{int(segment[6+3*i]), int(segment[7+3*i] >> 4), int(segment[7+3*i] & 15)}
		if c.across < 1 || c.down < 1 || c.across > 4 || c.down > 4 {
			return errBeyondRepair
		}
		f.across, f.down = max(f.across, c.across), max(f.down, c.down)
		f.components = append(f.components, c)
	}
	r.frame = f
	return nil
}

// readTables reads the Huffman tables of a segment, as far as they are whole.
func (r *repair) readTables(segment []byte) {
	for len(segment) >= 17 {
		class, number := segment[0]>>4, segment[0]&15
		count := 0
		for _, n := range segment[1:17] {
			count += int(n)
		}
		if class > 1 || number > 3 || count > 256 || len(segment) < 17+count {
			return
		}
		r.tables[class][number] = newHuffman([16]byte(segment[1:17]), segment[17:17+count])
		segment = segment[17+count:]
	}
}

// errNoScan: a scan that cannot be mended, and is left out.
var errNoScan = errors.New("the scan cannot be mended")

// scan copies a scan's coded data, which starts at a place of the file, and fills in
// what is missing of it. It gives the place behind it, and whether the file goes on.
func (r *repair) scan(header []byte, at int) (next int, whole bool, err error) {
	intervals, next := splitScan(r.data, at)
	whole = next < len(r.data)
	s, err := r.newScan(header)
	if err != nil {
		return 0, false, err
	}
	if s.kind == scanOther {
		r.out = append(r.out, bytes.TrimSuffix(r.data[at:next], []byte{0xFF})...)
		return next, whole, nil
	}
	filled := s.copy(intervals)
	r.filled, r.total = r.filled+filled, r.total+s.mcus*s.blocksOfMCU()
	if s.unencodable {
		return 0, false, errBeyondRepair
	}
	r.out = append(r.out, s.out...)
	return next, whole, nil
}

// codedInterval is the coded data up to a restart marker, without stuffing, and the
// number of that marker, or -1 at the end.
type codedInterval struct {
	data    []byte
	restart int
}

// splitScan takes coded data apart and gives the place of the marker behind it.
func splitScan(data []byte, at int) (intervals []codedInterval, end int) {
	var current []byte
	for {
		i := bytes.IndexByte(data[at:], 0xFF)
		if i < 0 || at+i+1 >= len(data) {
			current = append(current, bytes.TrimSuffix(data[at:], []byte{0xFF})...)
			return append(intervals, codedInterval{current, -1}), len(data)
		}
		current = append(current, data[at:at+i]...)
		at += i
		switch marker := data[at+1]; {
		case marker == 0:
			current = append(current, 0xFF)
			at += 2
		case marker == 0xFF:
			at++
		case marker >= RST0 && marker <= RST7:
			intervals = append(intervals, codedInterval{current, int(marker - RST0)})
			current = nil
			at += 2
		default:
			return append(intervals, codedInterval{current, -1}), at
		}
	}
}

// huffman is a table of codes, for reading and for writing.
type huffman struct {
	// least and first are, by length, the least code and the place of its symbol;
	// count how many there are.
	least, first, count [17]int
	symbols             []byte
	// codes are by symbol; a length of 0 means none.
	codes   [256]uint16
	lengths [256]byte
}

func newHuffman(counts [16]byte, symbols []byte) *huffman {
	h := &huffman{symbols: symbols}
	code, place := 0, 0
	for length := 1; length <= 16; length++ {
		count := int(counts[length-1])
		h.least[length], h.first[length], h.count[length] = code, place, count
		for range count {
			symbol := symbols[place]
			h.codes[symbol], h.lengths[symbol] = uint16(code), byte(length)
			code, place = code+1, place+1
		}
		code <<= 1
	}
	return h
}

// bitReader reads bits, the highest of each byte first.
type bitReader struct {
	data []byte
	at   int // in bits
}

// read gives n bits; false when there are no more.
func (b *bitReader) read(n int) (value int, ok bool) {
	if b.at+n > 8*len(b.data) {
		return 0, false
	}
	for range n {
		value = value<<1 | int(b.data[b.at>>3]>>(7-b.at&7)&1)
		b.at++
	}
	return value, true
}

// symbol reads a code; false when there is none such.
func (b *bitReader) symbol(h *huffman) (symbol byte, ok bool) {
	code := 0
	for length := 1; length <= 16; length++ {
		bit, ok := b.read(1)
		if !ok {
			return 0, false
		}
		code = code<<1 | bit
		if place := code - h.least[length]; place >= 0 && place < h.count[length] {
			return h.symbols[h.first[length]+place], true
		}
	}
	return 0, false
}

// bitWriter writes coded data, with stuffing.
type bitWriter struct {
	out    []byte
	buffer uint32
	count  int
}

func (w *bitWriter) write(value uint32, n int) {
	for n > 0 {
		take := min(n, 8-w.count)
		n -= take
		w.buffer = w.buffer<<take | value>>n&(1<<take-1)
		if w.count += take; w.count == 8 {
			w.out = append(w.out, byte(w.buffer))
			if byte(w.buffer) == 0xFF {
				w.out = append(w.out, 0)
			}
			w.buffer, w.count = 0, 0
		}
	}
}

// flush fills up the last byte with ones.
func (w *bitWriter) flush() {
	if w.count > 0 {
		w.write(1<<(8-w.count)-1, 8-w.count)
	}
}

// magnitude gives the number of bits of a difference, and the bits that code it.
func magnitude(difference int) (size int, code uint32) {
	if difference < 0 {
		size = bits.Len(uint(-difference))
		return size, uint32(difference + 1<<size - 1)
	}
	return bits.Len(uint(difference)), uint32(difference)
}
