package cluster

import (
	"errors"
	"strings"

	"mekiki/index/cluster/form"
	"mekiki/index/cluster/objects"
)

// Store is what this package needs of an object store.
type Store = objects.Store

// Unchanging reports whether the object of a key never changes, so that a cache may keep it.
func Unchanging(key string) bool {
	return strings.HasPrefix(key, form.VectorPrefix) || strings.HasPrefix(key, form.TokenPrefix) || strings.HasPrefix(key, form.ThumbnailPrefix)
}

func isAbsent(err error) bool { return errors.Is(err, objects.ErrAbsent) }
