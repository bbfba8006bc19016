package objects

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
	"unicode/utf8"

	"mekiki/index"
)

// Errors that callers branch on; test with errors.Is. What is read and not as it was written
// is [index.ErrDamaged].
var (
	// ErrAbsent: there is no such object.
	ErrAbsent = errors.New("object is not in the store")
	// ErrConflict: somebody else wrote the object meanwhile.
	ErrConflict = errors.New("object was changed meanwhile")
	// ErrUnavailable: the store cannot be reached or does not answer properly, again and
	// again. It is an [index.ErrUnavailable], too.
	ErrUnavailable error = unavailable("store is unavailable")
	// ErrRefused: the store does not let us: bucket, credentials, rights, region or clock are
	// wrong, or it is full. It is an [index.ErrUnavailable], too.
	ErrRefused error = unavailable("store refuses")
	// ErrRange: the object ends before what was asked for.
	ErrRange = errors.New("object is shorter than the range")
	// ErrKey: no object can have this key.
	ErrKey = errors.New("wrong key")
)

// unavailable is an error of which callers need only know that the library is unavailable.
type unavailable string

func (u unavailable) Error() string        { return string(u) }
func (u unavailable) Is(target error) bool { return target == index.ErrUnavailable }

// Store keeps bytes by key. Keys are like paths: parts of visible ASCII, with slashes
// between; no key may be the beginning of another one's path ("a" beside "a/b"), because
// stores that lie on a file system cannot keep both. All methods may be called from any
// goroutine, and fail with the context's error once that has ended.
type Store interface {
	// Put keeps an object, in place of one that has the key. It is durable, whole, and
	// seen by everybody when Put returns without an error; after an error it may be there or not, but never in part.
	Put(ctx context.Context, key string, data []byte) error
	// Get gives an object whole. The error is [ErrAbsent] when there is none.
	Get(ctx context.Context, key string) ([]byte, error)
	// PutIf is Put on a condition: that the object still has the tag with which it was read
	// or written, or, for the tag "", that there is none. It gives the new tag; each PutIf
	// has another one, whatever the data. Otherwise the error is [ErrConflict], also where the
	// write was done, its acknowledgement lost, and another write came after it: read again, and decide.
	PutIf(ctx context.Context, key string, data []byte, tag string) (newTag string, err error)
	// GetTagged is Get, and gives the tag of the object too.
	GetTagged(ctx context.Context, key string) (data []byte, tag string, err error)
	// Range gives length bytes of an object, from an offset on, and reads little more.
	// Where the object ends before, the error is [ErrRange].
	Range(ctx context.Context, key string, offset, length int64) ([]byte, error)
	// List goes through the objects whose keys begin with a prefix, in order of key. An
	// error ends it.
	List(ctx context.Context, prefix string) iter.Seq2[Info, error]
	// Delete deletes objects; those that there are not count as deleted. After an error
	// some may be.
	Delete(ctx context.Context, keys ...string) error
}

// Info describes an object.
type Info struct {
	Key string
	// Size is what the object takes in the store: its data and some bytes more.
	Size     int64
	Modified time.Time
}

// checkKey says what is wrong with a key.
func checkKey(key string) error {
	if key == "" || len(key) > maximumKey || !utf8.ValidString(key) {
		return fmt.Errorf("%w: %.40q has no bytes or more than %d, or is not UTF-8", ErrKey, key, maximumKey)
	}
	for _, r := range key {
		if r <= ' ' || r > '~' || r == '\\' {
			return fmt.Errorf("%w: %.40q has a character that is not allowed", ErrKey, key)
		}
	}
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || part == "." || part == ".." {
			return fmt.Errorf("%w: %.40q has an empty part, or one of dots", ErrKey, key)
		}
	}
	return nil
}
