package ort

import (
	"errors"
	"fmt"
	"io"
)

// cursor walks the fields of a protobuf message in a file without reading the
// bodies that nobody asks for.
type cursor struct {
	source io.ReaderAt
	at     int64 // offset of the next byte
	end    int64 // offset behind the message
	number uint64
	window *window
}

// window is a piece of the file, shared by the cursors of one walk.
type window struct {
	bytes    [4096]byte
	from, to int64 // offsets in the file
}

var errTruncated = errors.New("it ends in the middle of a field")

// fields calls visit with each field of the message: its number and a cursor over
// its body, or the value of a number.
func (c cursor) fields(visit func(number int, body cursor) error) error {
	if c.window == nil {
		c.window = new(window)
	}
	for c.at < c.end {
		tag, err := c.varint()
		if err != nil {
			return err
		}
		body := cursor{source: c.source, window: c.window}
		switch tag & 7 {
		case 0:
			if body.number, err = c.varint(); err != nil {
				return err
			}
		case 1:
			err = c.skip(8, &body)
		case 2:
			var length uint64
			if length, err = c.varint(); err != nil {
				return err
			}
			err = c.skip(length, &body)
		case 5:
			err = c.skip(4, &body)
		default:
			return fmt.Errorf("unknown wire type %d", tag&7)
		}
		if err != nil {
			return err
		}
		if tag>>3 == 0 || tag>>3 > 1<<29 {
			return fmt.Errorf("impossible field number %d", tag>>3)
		}
		if err := visit(int(tag>>3), body); err != nil {
			return err
		}
	}
	return nil
}

func (c *cursor) skip(length uint64, body *cursor) error {
	if length > uint64(c.end-c.at) {
		return errTruncated
	}
	body.at, body.end = c.at, c.at+int64(length)
	c.at = body.end
	return nil
}

func (c *cursor) varint() (uint64, error) {
	var value uint64
	for shift := 0; shift < 64; shift += 7 {
		b, err := c.next()
		if err != nil {
			return 0, err
		}
		value |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return value, nil
		}
	}
	return 0, errors.New("a number has more than 64 bits")
}

func (c *cursor) next() (byte, error) {
	if c.at >= c.end {
		return 0, errTruncated
	}
	held := c.window
	if c.at < held.from || c.at >= held.to {
		count, err := c.source.ReadAt(held.bytes[:min(int64(len(held.bytes)), c.end-c.at)], c.at)
		held.from, held.to = c.at, c.at+int64(count)
		if count == 0 {
			if err == nil || errors.Is(err, io.EOF) {
				err = errTruncated
			}
			return 0, err
		}
	}
	b := held.bytes[c.at-held.from]
	c.at++
	return b, nil
}

// text reads the whole body, which must be short.
func (c cursor) text() (string, error) {
	length := c.end - c.at
	if length > maximumText {
		return "", fmt.Errorf("a name has %d bytes", length)
	}
	text := make([]byte, length)
	if count, err := c.source.ReadAt(text, c.at); count < len(text) {
		if err == nil || errors.Is(err, io.EOF) {
			err = errTruncated
		}
		return "", err
	}
	return string(text), nil
}
