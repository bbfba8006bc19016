package jpegfix

// scanKind says what a scan codes.
type scanKind int

const (
	// scanBaseline codes all of its blocks.
	scanBaseline scanKind = iota
	// scanDC codes the first bits of the DC values.
	scanDC
	// scanOther adds to what other scans coded.
	scanOther
)

// scan is a scan of which what is missing is filled in.
type scan struct {
	bitWriter
	kind       scanKind
	components []scanComponent
	mcus       int // in the whole scan
	restart    int
	// unencodable says that the tables have no code for what had to be filled in.
	unencodable bool
}

type scanComponent struct {
	blocks int // in an MCU
	dc, ac *huffman
	// predicted is the last DC value, and kept that at the end of the last whole MCU.
	predicted, kept int
}

// newScan reads a scan's header.
func (r *repair) newScan(header []byte) (*scan, error) {
	if len(header) < 1 || len(header) < 4+2*int(header[0]) || r.frame.components == nil {
		return nil, errNoScan
	}
	count := int(header[0])
	spectral := header[1+2*count:]
	s := &scan{restart: r.restart}
	switch {
	case !r.frame.progressive:
	case spectral[0] == 0 && spectral[2]>>4 == 0:
		s.kind = scanDC
	default:
		s.kind = scanOther
		return s, nil
	}
	for i := range count {
		selector, tables := int(header[1+2*i]), header[2+2*i]
		for _, component := range r.frame.components {
			if component.id != selector {
				continue
			}
			c := scanComponent{blocks: component.across * component.down, dc: r.tables[0][tables>>4&3], ac: r.tables[1][tables&3]}
			if count == 1 {
				c.blocks = 1
				s.mcus = r.frame.blocksOf(component)
			}
			if c.dc == nil || s.kind == scanBaseline && c.ac == nil {
				return nil, errNoScan
			}
			s.components = append(s.components, c)
		}
	}
	if len(s.components) != count || count == 0 {
		return nil, errNoScan
	}
	if count > 1 {
		s.mcus = divideUp(r.frame.width, 8*r.frame.across) * divideUp(r.frame.height, 8*r.frame.down)
	}
	return s, nil
}

// blocksOf counts the blocks of a component in a scan of its own.
func (f *frame) blocksOf(c component) int {
	return divideUp(divideUp(f.width*c.across, f.across), 8) * divideUp(divideUp(f.height*c.down, f.down), 8)
}

func divideUp(a, b int) int { return (a + b - 1) / b }

func (s *scan) blocksOfMCU() int {
	blocks := 0
	for _, c := range s.components {
		blocks += c.blocks
	}
	return blocks
}

// copy writes the whole scan: what the intervals hold, and grey for the rest. It gives
// the number of blocks that were filled in.
func (s *scan) copy(intervals []codedInterval) (filled int) {
	done, index := 0, 0
	for _, interval := range intervals {
		if done >= s.mcus {
			break
		}
		expected := s.mcus - done
		if s.restart > 0 {
			expected = min(expected, s.restart)
		}
		good, end := s.walk(interval.data, expected)
		s.copyBits(interval.data, end)
		s.fill(expected - good)
		filled += (expected - good) * s.blocksOfMCU()
		done += expected
		s.endInterval(&index, done)
		// Where intervals are gone, the number of the marker says how many.
		if s.restart > 0 && interval.restart >= 0 {
			for gone := (interval.restart - (index-1)%8 + 8) % 8; gone > 0 && done < s.mcus; gone-- {
				missing := min(s.restart, s.mcus-done)
				s.fill(missing)
				filled += missing * s.blocksOfMCU()
				done += missing
				s.endInterval(&index, done)
			}
		}
	}
	for done < s.mcus {
		missing := s.mcus - done
		if s.restart > 0 {
			missing = min(missing, s.restart)
		}
		s.fill(missing)
		filled += missing * s.blocksOfMCU()
		done += missing
		s.endInterval(&index, done)
	}
	s.flush()
	return filled
}

// endInterval ends a restart interval, unless it was the last.
func (s *scan) endInterval(index *int, done int) {
	if s.restart == 0 || done >= s.mcus {
		return
	}
	s.flush()
	s.out = append(s.out, 0xFF, RST0+byte(*index%8))
	*index++
	for i := range s.components {
		s.components[i].predicted, s.components[i].kept = 0, 0
	}
}

// walk goes through coded data and gives how many MCUs of it are whole, and where, in
// bits, the last of them ends.
func (s *scan) walk(data []byte, expected int) (good, end int) {
	reader := bitReader{data: data}
	for good < expected {
		if !s.walkMCU(&reader) {
			break
		}
		for i := range s.components {
			s.components[i].kept = s.components[i].predicted
		}
		good, end = good+1, reader.at
	}
	for i := range s.components {
		s.components[i].predicted = s.components[i].kept
	}
	return good, end
}

func (s *scan) walkMCU(reader *bitReader) bool {
	for i := range s.components {
		c := &s.components[i]
		for range c.blocks {
			if !s.walkBlock(reader, c) {
				return false
			}
		}
	}
	return true
}

func (s *scan) walkBlock(reader *bitReader, c *scanComponent) bool {
	size, ok := reader.symbol(c.dc)
	if !ok || size > 15 {
		return false
	}
	value, ok := reader.read(int(size))
	if !ok {
		return false
	}
	if size > 0 && value < 1<<(size-1) {
		value -= 1<<size - 1
	}
	c.predicted += value
	if s.kind == scanDC {
		return true
	}
	for k := 1; k < 64; k++ {
		symbol, ok := reader.symbol(c.ac)
		if !ok {
			return false
		}
		run, size := int(symbol>>4), int(symbol&15)
		if size == 0 && run != 15 {
			return true
		}
		if k += run; k > 63 {
			return false
		}
		if _, ok := reader.read(size); !ok {
			return false
		}
	}
	return true
}

// copyBits writes the first bits of some data.
func (s *scan) copyBits(data []byte, count int) {
	for _, value := range data[:count/8] {
		s.write(uint32(value), 8)
	}
	if rest := count % 8; rest > 0 {
		s.write(uint32(data[count/8]>>(8-rest)), rest)
	}
}

// fill writes MCUs of grey.
func (s *scan) fill(mcus int) {
	for range mcus {
		for i := range s.components {
			c := &s.components[i]
			for range c.blocks {
				size, code := magnitude(-c.predicted)
				if size > 15 || c.dc.lengths[size] == 0 {
					size, code = 0, 0 // it stays as it was before
				} else {
					c.predicted = 0
				}
				s.put(c.dc, byte(size))
				s.write(code, size)
				if s.kind == scanBaseline {
					s.put(c.ac, 0)
				}
			}
		}
	}
}

func (s *scan) put(h *huffman, symbol byte) {
	if h.lengths[symbol] == 0 {
		s.unencodable = true
	}
	s.write(uint32(h.codes[symbol]), int(h.lengths[symbol]))
}
