package pixels

import "context"

// upright returns m turned by an EXIF orientation, 1 to 8; for 2 to 4 it turns
// m itself. The value says where the file's first row and column are seen. It stops
// with the context's error.
func upright(ctx context.Context, m *Image, orientation int) (*Image, error) {
	switch orientation {
	case 2:
		mirrorRows(m)
	case 3:
		mirrorRows(m)
		flipColumns(m)
	case 4:
		flipColumns(m)
	case 5, 6, 7, 8:
		// 5 is the transposed picture; the others turn or mirror that.
		out, err := transposed(ctx, m)
		if err != nil {
			return nil, err
		}
		if orientation == 6 || orientation == 7 {
			mirrorRows(out)
		}
		if orientation == 7 || orientation == 8 {
			flipColumns(out)
		}
		return out, nil
	}
	return m, nil
}

// mirrorRows reverses every row.
func mirrorRows(m *Image) {
	for y := range m.Height {
		row := m.Pix[3*y*m.Width : 3*(y+1)*m.Width]
		for left, right := 0, len(row)-3; left < right; left, right = left+3, right-3 {
			row[left], row[right] = row[right], row[left]
			row[left+1], row[right+1] = row[right+1], row[left+1]
			row[left+2], row[right+2] = row[right+2], row[left+2]
		}
	}
}

// flipColumns turns m upside down.
func flipColumns(m *Image) {
	stride := 3 * m.Width
	spare := make([]byte, stride)
	for top, bottom := 0, m.Height-1; top < bottom; top, bottom = top+1, bottom-1 {
		upper, lower := m.Pix[top*stride:(top+1)*stride], m.Pix[bottom*stride:(bottom+1)*stride]
		copy(spare, upper)
		copy(upper, lower)
		copy(lower, spare)
	}
}

// transposed returns m with rows and columns exchanged. It goes in squares,
// so that both images stay in the cache.
func transposed(ctx context.Context, m *Image) (*Image, error) {
	const side = 32
	out := &Image{Pix: make([]byte, len(m.Pix)), Width: m.Height, Height: m.Width, Format: m.Format, Damage: m.Damage,
		Reduced: m.Reduced, FullWidth: m.FullHeight, FullHeight: m.FullWidth}
	for top := 0; top < m.Height; top += side {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for left := 0; left < m.Width; left += side {
			for y := top; y < min(top+side, m.Height); y++ {
				from := 3 * (y*m.Width + left)
				for x := left; x < min(left+side, m.Width); x++ {
					to := 3 * (x*m.Height + y)
					out.Pix[to], out.Pix[to+1], out.Pix[to+2] = m.Pix[from], m.Pix[from+1], m.Pix[from+2]
					from += 3
				}
			}
		}
	}
	return out, nil
}
