package index

import "errors"

// Errors that callers branch on; test with errors.Is.
var (
	// ErrLocked: another process is writing to the library.
	ErrLocked = errors.New("library is in use")
	// ErrNotLibrary: the folder holds no library.
	ErrNotLibrary = errors.New("not a library")
	// ErrReadOnly: the library was opened for reading.
	ErrReadOnly = errors.New("library is open for reading only")
	// ErrClosed: the library or the snapshot is closed.
	ErrClosed = errors.New("library is closed")
	// ErrNotFound: no such record, or the record has no such part.
	ErrNotFound = errors.New("not found")
	// ErrDamaged: bytes on disk are not what was written.
	ErrDamaged = errors.New("damaged")
	// ErrVersion: the library was written by a newer version.
	ErrVersion = errors.New("unsupported library version")
	// ErrSpace: vectors of a space that the library does not have, or the
	// wrong number or width of vectors for it.
	ErrSpace = errors.New("wrong vector space")
	// ErrMoved: the library's folder was removed, renamed or replaced since it
	// was opened.
	ErrMoved = errors.New("the library's folder was removed, moved or replaced")
	// ErrUnavailable: what the library lies in, such as a store on other machines, does not
	// answer, or not as it should. It may later; nothing of the library is lost.
	ErrUnavailable = errors.New("library is unavailable at present")
	// ErrWriter: an earlier write failed in a way that leaves it unknown what
	// reached the disk; close the library and open it again.
	ErrWriter = errors.New("writer stopped after a failed write")
)
