package journal

import (
	"errors"
	"fmt"

	"mekiki/internal/vfs"
)

// Writer appends frames to a journal. It is for one goroutine at a time.
type Writer struct {
	file   vfs.File
	name   string
	number uint64
	size   int64
	buffer []byte
	err    error
}

// Create makes a journal, or empties the one there is. Its header is durable
// when it returns; its name is once the folder is synced.
func Create(fsys vfs.FS, name string, header Header) (*Writer, error) {
	file, err := fsys.Create(name)
	if err != nil {
		return nil, fmt.Errorf("create journal: %w", err)
	}
	return Start(file, name, header)
}

// Start begins a journal in an empty file, which the writer takes over.
func Start(file vfs.File, name string, header Header) (*Writer, error) {
	writer := &Writer{file: file, name: name, number: header.Number, size: headerSize}
	_, err := file.WriteAt(encodeHeader(header), 0)
	if err == nil {
		err = file.Sync()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("write journal header: %w", err), file.Close())
	}
	return writer, nil
}

// OpenAppend opens a journal to go on after end, and cuts off what lies beyond.
func OpenAppend(fsys vfs.FS, name string, header Header, end int64) (*Writer, error) {
	file, err := fsys.OpenWrite(name)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	size, err := file.Size()
	if err == nil && size > end {
		if err = file.Truncate(end); err == nil {
			err = file.Sync()
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cut journal %s to %d bytes: %w", name, end, err), file.Close())
	}
	return &Writer{file: file, name: name, number: header.Number, size: end}, nil
}

// Size is the length of the journal.
func (w *Writer) Size() int64 { return w.size }

// Number is the journal's number.
func (w *Writer) Number() uint64 { return w.number }

// Append writes one frame; [Writer.Sync] makes it durable. When it fails the
// journal is as before, unless that cannot be had, and then every later call
// fails too.
func (w *Writer) Append(frame Frame) error {
	if w.err != nil {
		return w.err
	}
	if len(frame.Payload) > MaxPayload {
		return fmt.Errorf("frame of %d bytes is too long", len(frame.Payload))
	}
	w.buffer = appendFrame(w.buffer[:0], w.number, frame)
	if _, err := w.file.WriteAt(w.buffer, w.size); err != nil {
		err = fmt.Errorf("append to journal %s: %w", w.name, err)
		if cut := w.file.Truncate(w.size); cut != nil {
			w.err = errors.Join(err, fmt.Errorf("undo: %w", cut))
			return w.err
		}
		return err
	}
	w.size += int64(len(w.buffer))
	if cap(w.buffer) > 8<<20 {
		w.buffer = nil
	}
	return nil
}

// Sync makes everything appended durable. After a failure it is unknown what
// is on the disk, and every later call fails.
func (w *Writer) Sync() error {
	if w.err != nil {
		return w.err
	}
	if err := w.file.Sync(); err != nil {
		w.err = fmt.Errorf("sync journal %s: %w", w.name, err)
	}
	return w.err
}

// Attached reports whether the journal's name still means the file that is
// written. It may be called from any goroutine.
func (w *Writer) Attached() (bool, error) { return w.file.IsAt(w.name) }

// Failed gives the error after which the writer cannot go on, if any.
func (w *Writer) Failed() error { return w.err }

// Close closes the file without syncing it.
func (w *Writer) Close() error { return w.file.Close() }
