// Package objectstest has a store for tests.
package objectstest

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"mekiki/index/cluster/objects"
)

// Memory is a store in the memory of a test. Its methods may be called from any goroutine.
type Memory struct {
	mutex   sync.Mutex
	objects map[string]memoryObject
	writes  int
}

type memoryObject struct {
	data []byte
	tag  string
	at   time.Time
}

var _ objects.Store = (*Memory)(nil)

// New makes an empty store.
func New() *Memory { return &Memory{objects: map[string]memoryObject{}} }

// Put implements [objects.Store].
func (m *Memory) Put(ctx context.Context, key string, data []byte) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	m.put(key, data)
	return nil
}

func (m *Memory) put(key string, data []byte) string {
	m.writes++
	tag := fmt.Sprint(m.writes)
	m.objects[key] = memoryObject{bytes.Clone(data), tag, time.Now()}
	return tag
}

// PutIf implements [objects.Store].
func (m *Memory) PutIf(ctx context.Context, key string, data []byte, tag string) (string, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if m.objects[key].tag != tag {
		return "", objects.ErrConflict
	}
	return m.put(key, data), nil
}

// Get implements [objects.Store].
func (m *Memory) Get(ctx context.Context, key string) ([]byte, error) {
	data, _, err := m.GetTagged(ctx, key)
	return data, err
}

// GetTagged implements [objects.Store].
func (m *Memory) GetTagged(ctx context.Context, key string) ([]byte, string, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, "", err
	}
	object, there := m.objects[key]
	if !there {
		return nil, "", fmt.Errorf("%s: %w", key, objects.ErrAbsent)
	}
	return bytes.Clone(object.data), object.tag, nil
}

// Range implements [objects.Store].
func (m *Memory) Range(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	data, err := m.Get(ctx, key)
	if err == nil && offset+length > int64(len(data)) {
		err = objects.ErrRange
	}
	if err != nil {
		return nil, err
	}
	return data[offset : offset+length], nil
}

// List implements [objects.Store].
func (m *Memory) List(ctx context.Context, prefix string) iter.Seq2[objects.Info, error] {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	var found []objects.Info
	for key, object := range m.objects {
		if strings.HasPrefix(key, prefix) {
			found = append(found, objects.Info{Key: key, Size: int64(len(object.data)), Modified: object.at})
		}
	}
	slices.SortFunc(found, func(a, b objects.Info) int { return strings.Compare(a.Key, b.Key) })
	return func(yield func(objects.Info, error) bool) {
		for _, info := range found {
			if !yield(info, ctx.Err()) {
				return
			}
		}
	}
}

// Delete implements [objects.Store].
func (m *Memory) Delete(ctx context.Context, keys ...string) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for _, key := range keys {
		delete(m.objects, key)
	}
	return ctx.Err()
}
