package listing

import (
	"encoding/base64"
	"sort"
	"strings"

	"mekiki/server/problem"
)

// Keys pages through a list of things that are in the order of a key of their own. A page goes on behind the key that the
// one before ended with, whether or not anything has it still, so that nothing is skipped or repeated when things come
// and go meanwhile.
//
//	page, next, err := listing.Keys[Tag]{Name: "tags", KeyOf: keyOf, Behind: behind}.Page(tags, limit, cursor)
type Keys[T any] struct {
	// Name keeps the cursors of one list and order from being used for another.
	Name string
	// KeyOf is the key of a thing, and Behind reports whether a thing stands behind a key in the list.
	KeyOf  func(T) string
	Behind func(thing T, key string) bool
}

// keysFormat begins what a cursor says.
const keysFormat = "3:"

// Page gives at most limit things behind a cursor; "" is the beginning. next is the cursor of the following page, "" at the
// end. The page shares the list's memory.
func (k Keys[T]) Page(list []T, limit int, cursor string) (page []T, next string, err error) {
	page = list
	if cursor != "" {
		data, err := base64.RawURLEncoding.DecodeString(cursor)
		name, key, whole := strings.Cut(strings.TrimPrefix(string(data), keysFormat), ":")
		switch {
		case err != nil || !whole || !strings.HasPrefix(string(data), keysFormat):
			return nil, "", problem.Invalid("cursor", "was not issued by this server")
		case name != k.Name:
			return nil, "", problem.Invalid("cursor", "belongs to a different list or order")
		}
		page = list[sort.Search(len(list), func(i int) bool { return k.Behind(list[i], key) }):]
	}
	left := len(page)
	page = page[:min(left, limit)]
	if len(page) > 0 && len(page) < left {
		last := k.KeyOf(page[len(page)-1])
		next = base64.RawURLEncoding.EncodeToString([]byte(keysFormat + k.Name + ":" + last))
	}
	return page, next, nil
}
