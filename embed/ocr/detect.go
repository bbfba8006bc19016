package ocr

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"mekiki/embed/ort"
	"mekiki/embed/pixels"
)

// box is a line that was found.
type box struct {
	Quad
	score float64
}

// detect finds the boxes of lines in a picture, from top to bottom and from left to right.
func (r *Reader) detect(ctx context.Context, m *pixels.Image) ([]box, error) {
	width, height := detectedSize(m.Width, m.Height)
	small, err := scaled(m, width, height)
	if err != nil {
		return nil, err
	}
	values := make([]float32, 3*width*height)
	planesInto(values, small, width)
	outputs, err := r.detector.Run(ctx, ort.Float32Tensor(values, 1, 3, int64(height), int64(width)))
	if err != nil {
		return nil, err
	}
	scores := scoreMap{outputs[0].Float32(), width, height}
	if len(scores.values) != width*height {
		return nil, fmt.Errorf("the detector gives %v scores for %dx%d pixels", outputs[0].Shape(), width, height)
	}
	boxes := scores.boxes(float64(m.Width)/float64(width), float64(m.Height)/float64(height))
	boxes = slices.DeleteFunc(boxes, func(b box) bool { return !b.fit(m.Width, m.Height) })
	for i := range boxes {
		boxes[i].clip(m.Width, m.Height)
	}
	inReadingOrder(boxes)
	return boxes, nil
}

// detectedSize is the size in which lines are looked for.
func detectedSize(width, height int) (int, int) {
	ratio := 1.0
	if shorter := min(width, height); shorter < detectedSide {
		ratio = max(1, min(detectedSide/float64(shorter), mostDetected/float64(max(width, height))))
	}
	multiple := func(side int) int {
		return max(sideStep, int(math.RoundToEven(float64(int(float64(side)*ratio))/sideStep))*sideStep)
	}
	return multiple(width), multiple(height)
}

// scoreMap is what the detector gives: for each pixel how likely it belongs to the heart of a line.
type scoreMap struct {
	values        []float32
	width, height int
}

// boxes are the rectangles around regions of likely pixels, in pixels of the picture, which is so many times larger.
func (s scoreMap) boxes(scaleX, scaleY float64) []box {
	var boxes []box
	for _, region := range s.regions() {
		if len(boxes) == mostBoxes {
			break
		}
		tight := rectangle(region)
		width, height := tight.sides()
		if min(width, height) < leastSide {
			continue
		}
		score := s.mean(tight)
		if !(score >= boxThreshold) {
			continue
		}
		grown := tight.grow(width * height * unclip / (2 * (width + height)))
		if w, h := grown.sides(); min(w, h) < leastGrownSide {
			continue
		}
		for i, corner := range grown {
			grown[i] = Point{math.Round(corner.X * scaleX), math.Round(corner.Y * scaleY)}
		}
		boxes = append(boxes, box{ordered(grown), score})
	}
	return boxes
}

// regions are the connected regions of likely pixels, spread by a pixel to the right and down; each is listed by the ends of its
// rows, which is all that its hull depends on.
func (s scoreMap) regions() [][]Point {
	mask := s.mask()
	seen := make([]bool, len(mask))
	var regions [][]Point
	var open []int
	for start := range mask {
		if !mask[start] || seen[start] {
			continue
		}
		ends := map[int][2]int{} // by row
		open = append(open[:0], start)
		seen[start] = true
		for len(open) > 0 {
			at := open[len(open)-1]
			open = open[:len(open)-1]
			x, y := at%s.width, at/s.width
			if row, ok := ends[y]; ok {
				ends[y] = [2]int{min(row[0], x), max(row[1], x)}
			} else {
				ends[y] = [2]int{x, x}
			}
			for dy := max(y-1, 0); dy <= min(y+1, s.height-1); dy++ {
				for dx := max(x-1, 0); dx <= min(x+1, s.width-1); dx++ {
					if next := dy*s.width + dx; mask[next] && !seen[next] {
						seen[next] = true
						open = append(open, next)
					}
				}
			}
		}
		var region []Point
		for y, row := range ends {
			region = append(region, Point{float64(row[0]), float64(y)}, Point{float64(row[1]), float64(y)})
		}
		regions = append(regions, region)
	}
	return regions
}

// mask marks the likely pixels, and those to the right of them, below and between.
func (s scoreMap) mask() []bool {
	mask := make([]bool, len(s.values))
	for y := range s.height {
		for x := range s.width {
			if !(s.values[y*s.width+x] > pixelThreshold) { // nor where it is no number
				continue
			}
			for dy := y; dy <= min(y+1, s.height-1); dy++ {
				for dx := x; dx <= min(x+1, s.width-1); dx++ {
					mask[dy*s.width+dx] = true
				}
			}
		}
	}
	return mask
}

// mean is the mean score in a box, its edge included.
func (s scoreMap) mean(q Quad) float64 {
	left, top, right, bottom := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	whole := q
	for i, corner := range q {
		left, right = min(left, corner.X), max(right, corner.X)
		top, bottom = min(top, corner.Y), max(bottom, corner.Y)
		whole[i] = Point{math.Trunc(corner.X), math.Trunc(corner.Y)}
	}
	sum, count := 0.0, 0
	for y := max(0, int(math.Floor(top))); y <= min(s.height-1, int(math.Ceil(bottom))); y++ {
		for x := max(0, int(math.Floor(left))); x <= min(s.width-1, int(math.Ceil(right))); x++ {
			if whole.covers(Point{float64(x), float64(y)}) {
				sum += float64(s.values[y*s.width+x])
				count++
			}
		}
	}
	return sum / float64(max(1, count))
}

// clip moves corners into the picture.
func (b *box) clip(width, height int) {
	for i, corner := range b.Quad {
		b.Quad[i] = Point{min(max(corner.X, 0), float64(width-1)), min(max(corner.Y, 0), float64(height-1))}
	}
}

// fit reports whether a box is large enough to be read once it is clipped.
func (b box) fit(width, height int) bool {
	b.clip(width, height)
	w, h := b.sides()
	return int(w) > leastSide && int(h) > leastSide
}

// inReadingOrder sorts boxes from top to bottom, those that begin at about one height from left to right.
func inReadingOrder(boxes []box) {
	slices.SortStableFunc(boxes, func(a, b box) int { return cmp.Compare(a.Quad[0].Y, b.Quad[0].Y) })
	for from := 0; from < len(boxes); {
		to := from + 1
		for to < len(boxes) && boxes[to].Quad[0].Y-boxes[to-1].Quad[0].Y < sameLine {
			to++
		}
		slices.SortStableFunc(boxes[from:to], func(a, b box) int { return cmp.Compare(a.Quad[0].X, b.Quad[0].X) })
		from = to
	}
}
