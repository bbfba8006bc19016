package ocr

import (
	"cmp"
	"math"
	"slices"
)

// Point is a place in a picture, in pixels from its upper left corner.
type Point struct{ X, Y float64 }

func (p Point) minus(q Point) Point            { return Point{p.X - q.X, p.Y - q.Y} }
func (p Point) plus(q Point, by float64) Point { return Point{p.X + by*q.X, p.Y + by*q.Y} }
func (p Point) dot(q Point) float64            { return p.X*q.X + p.Y*q.Y }
func (p Point) cross(q Point) float64          { return p.X*q.Y - p.Y*q.X }
func (p Point) length() float64                { return math.Hypot(p.X, p.Y) }

// Quad is a box: its corners from the upper left one on, clockwise.
type Quad [4]Point

// sides are the lengths of the upper and of the left edge.
func (q Quad) sides() (width, height float64) {
	return q[1].minus(q[0]).length(), q[3].minus(q[0]).length()
}

// hull is the convex hull of points, counterclockwise, without points on its edges (Andrew's monotone chain).
func hull(points []Point) []Point {
	points = slices.Clone(points)
	slices.SortFunc(points, func(a, b Point) int { return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(a.Y, b.Y)) })
	points = slices.Compact(points)
	if len(points) < 3 {
		return points
	}
	half := func(chain []Point, from []Point) []Point {
		first := len(chain)
		for _, p := range from {
			for len(chain)-first >= 2 && chain[len(chain)-1].minus(chain[len(chain)-2]).cross(p.minus(chain[len(chain)-1])) <= 0 {
				chain = chain[:len(chain)-1]
			}
			chain = append(chain, p)
		}
		return chain[:len(chain)-1]
	}
	lower := half(nil, points)
	slices.Reverse(points)
	return half(lower, points)
}

// rectangle is the smallest rectangle around points: one of its edges lies on an edge of their hull.
func rectangle(points []Point) Quad {
	corners := hull(points)
	if len(corners) == 0 {
		return Quad{}
	}
	if len(corners) < 3 {
		return ordered(Quad{corners[0], corners[0], corners[len(corners)-1], corners[len(corners)-1]})
	}
	var best Quad
	least := math.Inf(1)
	for i, from := range corners {
		edge := corners[(i+1)%len(corners)].minus(from)
		along := Point{edge.X / edge.length(), edge.Y / edge.length()}
		across := Point{-along.Y, along.X}
		low, high, far := math.Inf(1), math.Inf(-1), math.Inf(-1)
		for _, p := range corners {
			d := p.minus(from)
			low, high, far = min(low, d.dot(along)), max(high, d.dot(along)), max(far, d.dot(across))
		}
		if area := (high - low) * far; area < least {
			least = area
			best = Quad{from.plus(along, low), from.plus(along, high), from.plus(along, high).plus(across, far), from.plus(along, low).plus(across, far)}
		}
	}
	return ordered(best)
}

// ordered puts corners in order: of the two on the left the upper one is the first and the lower one the last.
func ordered(q Quad) Quad {
	points := q[:]
	slices.SortStableFunc(points, func(a, b Point) int { return cmp.Compare(a.X, b.X) })
	left, right := points[:2], points[2:]
	byHeight := func(a, b Point) int { return cmp.Compare(a.Y, b.Y) }
	slices.SortStableFunc(left, byHeight)
	slices.SortStableFunc(right, byHeight)
	return Quad{left[0], right[0], right[1], left[1]}
}

// grow moves the edges of a rectangle outwards.
func (q Quad) grow(by float64) Quad {
	width, height := q.sides()
	along, down := Point{1, 0}, Point{0, 1}
	if width > 0 {
		along = Point{(q[1].X - q[0].X) / width, (q[1].Y - q[0].Y) / width}
	}
	if height > 0 {
		down = Point{(q[3].X - q[0].X) / height, (q[3].Y - q[0].Y) / height}
	}
	return Quad{
		q[0].plus(along, -by).plus(down, -by), q[1].plus(along, by).plus(down, -by),
		q[2].plus(along, by).plus(down, by), q[3].plus(along, -by).plus(down, by),
	}
}

// covers reports whether a pixel belongs to a convex quad, those that its edges run through included: as polygons are filled.
func (q Quad) covers(p Point) bool {
	for i, from := range q {
		edge := q[(i+1)%4].minus(from)
		if edge.cross(p.minus(from)) < -0.5*max(math.Abs(edge.X), math.Abs(edge.Y)) {
			return false
		}
	}
	return true
}
