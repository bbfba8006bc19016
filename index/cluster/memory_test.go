package cluster

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"mekiki/index/cluster/objects"
)

// memory is a store in the memory of a test.
type memory struct {
	mutex   sync.Mutex
	objects map[string]memoryObject
	writes  int
}

type memoryObject struct {
	data []byte
	tag  string
}

var _ Store = (*memory)(nil)

func newMemory() *memory { return &memory{objects: map[string]memoryObject{}} }

func (m *memory) Put(ctx context.Context, key string, data []byte) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	m.put(key, data)
	return nil
}

func (m *memory) put(key string, data []byte) string {
	m.writes++
	tag := fmt.Sprint(m.writes)
	m.objects[key] = memoryObject{bytes.Clone(data), tag}
	return tag
}

func (m *memory) PutIf(ctx context.Context, key string, data []byte, tag string) (string, error) {
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

func (m *memory) Get(ctx context.Context, key string) ([]byte, error) {
	data, _, err := m.GetTagged(ctx, key)
	return data, err
}

func (m *memory) GetTagged(ctx context.Context, key string) ([]byte, string, error) {
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

func (m *memory) Range(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	data, err := m.Get(ctx, key)
	if err == nil && offset+length > int64(len(data)) {
		err = objects.ErrRange
	}
	if err != nil {
		return nil, err
	}
	return data[offset : offset+length], nil
}

func (m *memory) List(ctx context.Context, prefix string) iter.Seq2[objects.Info, error] {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	var found []objects.Info
	for key, object := range m.objects {
		if strings.HasPrefix(key, prefix) {
			found = append(found, objects.Info{Key: key, Size: int64(len(object.data))})
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

func (m *memory) Delete(ctx context.Context, keys ...string) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for _, key := range keys {
		delete(m.objects, key)
	}
	return ctx.Err()
}
