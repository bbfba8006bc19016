package ocr

import (
	"math"

	"mekiki/embed/pixels"
)

// cut takes a box out of a picture, upright, by cubic interpolation; a tall one is turned by a quarter, counterclockwise.
func cut(m *pixels.Image, q Quad) (*pixels.Image, error) {
	width := int(max(q[1].minus(q[0]).length(), q[2].minus(q[3]).length()))
	height := int(max(q[3].minus(q[0]).length(), q[2].minus(q[1]).length()))
	out, err := pixels.New(max(1, width), max(1, height))
	if err != nil {
		return nil, err
	}
	place := projection(q, float64(width), float64(height))
	for y := range out.Height {
		for x := range out.Width {
			at := place(float64(x), float64(y))
			sample(m, at, out.Pix[3*(y*out.Width+x):])
		}
	}
	if float64(out.Height) >= tallLine*float64(out.Width) {
		return quarter(out)
	}
	return out, nil
}

// projection maps places of a rectangle of a size onto a quad, corner by corner, as perspective does.
func projection(q Quad, width, height float64) func(x, y float64) Point {
	// Heckbert, Fundamentals of texture mapping and image warping (1989), 2.2.3: from the unit square to a quadrilateral.
	d1, d2 := q[1].minus(q[2]), q[3].minus(q[2])
	s := Point{q[0].X - q[1].X + q[2].X - q[3].X, q[0].Y - q[1].Y + q[2].Y - q[3].Y}
	var g, h float64
	if determinant := d1.cross(d2); math.Abs(determinant) > 1e-12 {
		g, h = s.cross(d2)/determinant, d1.cross(s)/determinant
	}
	a, b := q[1].X-q[0].X+g*q[1].X, q[3].X-q[0].X+h*q[3].X
	d, e := q[1].Y-q[0].Y+g*q[1].Y, q[3].Y-q[0].Y+h*q[3].Y
	return func(x, y float64) Point {
		u, v := x/max(1, width), y/max(1, height)
		w := g*u + h*v + 1
		return Point{(a*u + b*v + q[0].X) / w, (d*u + e*v + q[0].Y) / w}
	}
}

// sample is the colour at a place between pixels, by cubic convolution with -0.75 as OpenCV's INTER_CUBIC; beyond an edge the
// edge goes on.
func sample(m *pixels.Image, at Point, into []byte) {
	x, y := int(math.Floor(at.X)), int(math.Floor(at.Y))
	columns, rows := cubic(at.X-float64(x)), cubic(at.Y-float64(y))
	var sums [3]float64
	for j, down := range rows {
		row := min(max(y-1+j, 0), m.Height-1) * m.Width
		for i, along := range columns {
			pixel := m.Pix[3*(row+min(max(x-1+i, 0), m.Width-1)):]
			for c := range sums {
				sums[c] += down * along * float64(pixel[c])
			}
		}
	}
	for c, sum := range sums {
		into[c] = uint8(min(max(math.Round(sum), 0), 255))
	}
}

// cubic is the weights of the four pixels around a place that lies so far after the second.
func cubic(t float64) [4]float64 {
	const a = -0.75
	near := func(x float64) float64 { return ((a+2)*x-(a+3))*x*x + 1 }
	far := func(x float64) float64 { return ((a*x-5*a)*x+8*a)*x - 4*a }
	return [4]float64{far(1 + t), near(t), near(1 - t), far(2 - t)}
}

// quarter turns a picture by a quarter, counterclockwise.
func quarter(m *pixels.Image) (*pixels.Image, error) {
	out, err := pixels.New(m.Height, m.Width)
	if err != nil {
		return nil, err
	}
	for y := range out.Height {
		for x := range out.Width {
			copy(out.Pix[3*(y*out.Width+x):][:3], m.Pix[3*(x*m.Width+m.Width-1-y):][:3])
		}
	}
	return out, nil
}

// turned stands a picture on its head, in place.
func turned(m *pixels.Image) {
	for i, j := 0, m.Width*m.Height-1; i < j; i, j = i+1, j-1 {
		for c := range 3 {
			m.Pix[3*i+c], m.Pix[3*j+c] = m.Pix[3*j+c], m.Pix[3*i+c]
		}
	}
}
