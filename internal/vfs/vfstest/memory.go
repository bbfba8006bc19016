package vfstest

import (
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"mekiki/internal/vfs"
)

// Memory is a file system in memory that knows what would survive a power
// failure: file contents as of their last Sync, and names as of the last
// SyncDir of their folder. [Memory.Crash] gives what may be left.
type Memory struct {
	mutex   sync.Mutex
	names   map[string]*memoryNode // live
	durable map[string]*memoryNode // names as last synced
	folders map[string]bool
	locks   map[string]bool
}

// sector is the unit in which unsynced writes may reach the disk or not.
const sector = 512

type memoryNode struct {
	mutex  sync.RWMutex
	data   []byte
	synced []byte
}

var _ vfs.FS = (*Memory)(nil)

// NewMemory makes an empty file system.
func NewMemory() *Memory {
	return &Memory{
		names:   map[string]*memoryNode{},
		durable: map[string]*memoryNode{},
		folders: map[string]bool{},
		locks:   map[string]bool{},
	}
}

// Crash gives the file system as a power failure right now may leave it. What
// was synced is there. With a nil random source everything unsynced is gone;
// otherwise each sector of unsynced data and each unsynced name is kept or lost
// by chance. The file system itself goes on unchanged.
func (m *Memory) Crash(random *rand.Rand) *Memory {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	after := NewMemory()
	for folder := range m.folders {
		after.folders[folder] = true
	}
	chosen := map[string]*memoryNode{}
	for _, name := range m.allNames() {
		node, wasDurable := m.durable[name]
		live, isLive := m.names[name]
		if random != nil && node != live && random.IntN(2) == 0 {
			node, wasDurable = live, isLive
		}
		if wasDurable && node != nil {
			chosen[name] = node
		}
	}
	for name, node := range chosen {
		survivor := &memoryNode{data: node.crash(random)}
		survivor.synced = slices.Clone(survivor.data)
		after.names[name], after.durable[name] = survivor, survivor
	}
	return after
}

func (m *Memory) allNames() []string {
	var all []string
	for name := range m.names {
		all = append(all, name)
	}
	for name := range m.durable {
		if _, both := m.names[name]; !both {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

func (n *memoryNode) crash(random *rand.Rand) []byte {
	n.mutex.RLock()
	defer n.mutex.RUnlock()
	if random == nil {
		return slices.Clone(n.synced)
	}
	size := len(n.synced)
	if len(n.data) != size && random.IntN(2) == 0 {
		size = len(n.data)
	}
	result := make([]byte, size)
	copy(result, n.synced)
	for start := 0; start < size; start += sector {
		end := min(start+sector, size)
		if random.IntN(2) == 0 && start < len(n.data) {
			copy(result[start:end], n.data[start:min(end, len(n.data))])
		}
	}
	return result
}

// Files gives the live files' contents by name; a test may change them with
// [Memory.Put].
func (m *Memory) Files() map[string][]byte {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	files := map[string][]byte{}
	for name, node := range m.names {
		node.mutex.RLock()
		files[name] = slices.Clone(node.data)
		node.mutex.RUnlock()
	}
	return files
}

// Put sets a file's content, durably.
func (m *Memory) Put(name string, data []byte) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	node := &memoryNode{data: slices.Clone(data), synced: slices.Clone(data)}
	m.names[name], m.durable[name] = node, node
	for folder := filepath.Dir(name); !m.folders[folder]; folder = filepath.Dir(folder) {
		m.folders[folder] = true
	}
}

func pathError(operation, name string, err error) error {
	return &fs.PathError{Op: operation, Path: name, Err: err}
}

// Create implements FS.
func (m *Memory) Create(name string) (vfs.File, error) {
	name = filepath.Clean(name)
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if !m.folders[filepath.Dir(name)] {
		return nil, pathError("create", name, fs.ErrNotExist)
	}
	if node, there := m.names[name]; there {
		node.mutex.Lock()
		node.data = nil
		node.mutex.Unlock()
		return &memoryFile{owner: m, node: node, name: name, writable: true}, nil
	}
	node := &memoryNode{}
	m.names[name] = node
	return &memoryFile{owner: m, node: node, name: name, writable: true}, nil
}

func (m *Memory) open(name string, writable bool) (vfs.File, error) {
	name = filepath.Clean(name)
	m.mutex.Lock()
	defer m.mutex.Unlock()
	node, there := m.names[name]
	if !there {
		return nil, pathError("open", name, fs.ErrNotExist)
	}
	return &memoryFile{owner: m, node: node, name: name, writable: writable}, nil
}

// Open implements FS.
func (m *Memory) Open(name string) (vfs.File, error) { return m.open(name, false) }

// OpenWrite implements FS.
func (m *Memory) OpenWrite(name string) (vfs.File, error) { return m.open(name, true) }

// Remove implements FS.
func (m *Memory) Remove(name string) error {
	name = filepath.Clean(name)
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.folders[name] {
		delete(m.folders, name)
		return nil
	}
	if _, there := m.names[name]; !there {
		return pathError("remove", name, fs.ErrNotExist)
	}
	delete(m.names, name)
	return nil
}

// Rename implements FS.
func (m *Memory) Rename(oldName, newName string) error {
	oldName, newName = filepath.Clean(oldName), filepath.Clean(newName)
	m.mutex.Lock()
	defer m.mutex.Unlock()
	node, there := m.names[oldName]
	if !there {
		return pathError("rename", oldName, fs.ErrNotExist)
	}
	delete(m.names, oldName)
	m.names[newName] = node
	return nil
}

// MkdirAll implements FS; folders are durable at once.
func (m *Memory) MkdirAll(name string) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for name = filepath.Clean(name); !m.folders[name]; name = filepath.Dir(name) {
		m.folders[name] = true
	}
	return nil
}

// Mkdir implements FS; the folder is durable at once.
func (m *Memory) Mkdir(name string) error {
	name = filepath.Clean(name)
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if !m.folders[filepath.Dir(name)] {
		return pathError("mkdir", name, fs.ErrNotExist)
	}
	m.folders[name] = true
	return nil
}

// RenameFolder gives a folder with all that is in it another name, durably; what
// was there before is gone. It stands for what people do to a library behind its
// back.
func (m *Memory) RenameFolder(oldName, newName string) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.removeFolder(newName)
	for _, names := range []map[string]*memoryNode{m.names, m.durable} {
		for name, node := range names {
			if relative, below := below(oldName, name); below {
				delete(names, name)
				names[filepath.Join(newName, relative)] = node
			}
		}
	}
	for folder := range m.folders {
		if relative, below := below(oldName, folder); below {
			delete(m.folders, folder)
			m.folders[filepath.Join(newName, relative)] = true
		}
	}
}

// RemoveFolder deletes a folder with all that is in it, durably.
func (m *Memory) RemoveFolder(name string) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.removeFolder(name)
}

func (m *Memory) removeFolder(name string) {
	for _, names := range []map[string]*memoryNode{m.names, m.durable} {
		maps.DeleteFunc(names, func(path string, _ *memoryNode) bool { _, inside := below(name, path); return inside })
	}
	maps.DeleteFunc(m.folders, func(path string, _ bool) bool { _, inside := below(name, path); return inside })
}

// below gives a path relative to a folder that it is, or lies in.
func below(folder, path string) (string, bool) {
	relative, err := filepath.Rel(folder, path)
	return relative, err == nil && filepath.IsLocal(relative)
}

// ReadDir implements FS.
func (m *Memory) ReadDir(name string) ([]fs.DirEntry, error) {
	name = filepath.Clean(name)
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if !m.folders[name] {
		return nil, pathError("readdir", name, fs.ErrNotExist)
	}
	var entries []fs.DirEntry
	for path, node := range m.names {
		if filepath.Dir(path) == name {
			node.mutex.RLock()
			entries = append(entries, info{name: filepath.Base(path), size: int64(len(node.data))})
			node.mutex.RUnlock()
		}
	}
	for folder := range m.folders {
		if filepath.Dir(folder) == name && folder != name {
			entries = append(entries, info{name: filepath.Base(folder), isDir: true})
		}
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}

// Stat implements FS.
func (m *Memory) Stat(name string) (fs.FileInfo, error) {
	name = filepath.Clean(name)
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.folders[name] {
		return info{name: filepath.Base(name), isDir: true}, nil
	}
	node, there := m.names[name]
	if !there {
		return nil, pathError("stat", name, fs.ErrNotExist)
	}
	node.mutex.RLock()
	defer node.mutex.RUnlock()
	return info{name: filepath.Base(name), size: int64(len(node.data))}, nil
}

// SyncDir implements FS.
func (m *Memory) SyncDir(name string) error {
	name = filepath.Clean(name)
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for path := range m.durable {
		if _, live := m.names[path]; !live && filepath.Dir(path) == name {
			delete(m.durable, path)
		}
	}
	for path, node := range m.names {
		if filepath.Dir(path) == name {
			m.durable[path] = node
		}
	}
	return nil
}

// Lock implements FS.
func (m *Memory) Lock(name string) (io.Closer, error) {
	name = filepath.Clean(name)
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.locks[name] {
		return nil, vfs.ErrLocked
	}
	m.locks[name] = true
	return memoryLock{owner: m, name: name}, nil
}

type memoryLock struct {
	owner *Memory
	name  string
}

func (l memoryLock) Close() error {
	l.owner.mutex.Lock()
	defer l.owner.mutex.Unlock()
	delete(l.owner.locks, l.name)
	return nil
}

type memoryFile struct {
	owner    *Memory
	node     *memoryNode
	name     string
	writable bool
}

func (f *memoryFile) ReadAt(p []byte, offset int64) (int, error) {
	f.node.mutex.RLock()
	defer f.node.mutex.RUnlock()
	if offset >= int64(len(f.node.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.node.data[offset:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memoryFile) WriteAt(p []byte, offset int64) (int, error) {
	if !f.writable {
		return 0, pathError("write", f.name, fs.ErrPermission)
	}
	f.node.mutex.Lock()
	defer f.node.mutex.Unlock()
	if end := offset + int64(len(p)); end > int64(len(f.node.data)) {
		f.node.data = append(f.node.data, make([]byte, end-int64(len(f.node.data)))...)
	}
	copy(f.node.data[offset:], p)
	return len(p), nil
}

func (f *memoryFile) Sync() error {
	f.node.mutex.Lock()
	defer f.node.mutex.Unlock()
	f.node.synced = slices.Clone(f.node.data)
	return nil
}

func (f *memoryFile) Truncate(size int64) error {
	if !f.writable {
		return pathError("truncate", f.name, fs.ErrPermission)
	}
	f.node.mutex.Lock()
	defer f.node.mutex.Unlock()
	if size <= int64(len(f.node.data)) {
		f.node.data = f.node.data[:size:size]
		return nil
	}
	f.node.data = append(f.node.data, make([]byte, size-int64(len(f.node.data)))...)
	return nil
}

func (f *memoryFile) Size() (int64, error) {
	f.node.mutex.RLock()
	defer f.node.mutex.RUnlock()
	return int64(len(f.node.data)), nil
}

func (f *memoryFile) IsAt(name string) (bool, error) {
	f.owner.mutex.Lock()
	defer f.owner.mutex.Unlock()
	return f.owner.names[filepath.Clean(name)] == f.node, nil
}

func (f *memoryFile) Close() error { return nil }
