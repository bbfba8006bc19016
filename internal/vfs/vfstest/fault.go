package vfstest

import (
	"io"
	"io/fs"
	"sync/atomic"

	"mekiki/internal/vfs"
)

// Faulty passes everything on to another file system, counts the operations
// that touch the disk, and makes chosen ones fail.
type Faulty struct {
	// Base does the work.
	Base vfs.FS
	// Fail decides, from 1 for the first operation, whether it fails, and how;
	// nil lets all pass. A failing write may be Short.
	Fail func(number int64, operation Operation) error
	// Short makes a failing write leave the first half of its bytes behind.
	Short bool

	count atomic.Int64
}

// Operation is one thing done to a Faulty file system.
type Operation struct {
	// Verb is the method's name in lower case: "create", "write", "sync", ...
	Verb string
	// Name is the path.
	Name string
}

var _ vfs.FS = (*Faulty)(nil)

// Count is the number of operations so far.
func (f *Faulty) Count() int64 { return f.count.Load() }

func (f *Faulty) check(verb, name string) error {
	number := f.count.Add(1)
	if f.Fail == nil {
		return nil
	}
	if err := f.Fail(number, Operation{Verb: verb, Name: name}); err != nil {
		return &fs.PathError{Op: verb, Path: name, Err: err}
	}
	return nil
}

func (f *Faulty) wrap(file vfs.File, err error, name string) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return &faultyFile{File: file, owner: f, name: name}, nil
}

// Create implements FS.
func (f *Faulty) Create(name string) (vfs.File, error) {
	if err := f.check("create", name); err != nil {
		return nil, err
	}
	file, err := f.Base.Create(name)
	return f.wrap(file, err, name)
}

// Open implements FS.
func (f *Faulty) Open(name string) (vfs.File, error) {
	if err := f.check("open", name); err != nil {
		return nil, err
	}
	file, err := f.Base.Open(name)
	return f.wrap(file, err, name)
}

// OpenWrite implements FS.
func (f *Faulty) OpenWrite(name string) (vfs.File, error) {
	if err := f.check("openwrite", name); err != nil {
		return nil, err
	}
	file, err := f.Base.OpenWrite(name)
	return f.wrap(file, err, name)
}

// Remove implements FS.
func (f *Faulty) Remove(name string) error {
	if err := f.check("remove", name); err != nil {
		return err
	}
	return f.Base.Remove(name)
}

// Rename implements FS.
func (f *Faulty) Rename(oldName, newName string) error {
	if err := f.check("rename", newName); err != nil {
		return err
	}
	return f.Base.Rename(oldName, newName)
}

// MkdirAll implements FS.
func (f *Faulty) MkdirAll(name string) error {
	if err := f.check("mkdir", name); err != nil {
		return err
	}
	return f.Base.MkdirAll(name)
}

// Mkdir implements FS.
func (f *Faulty) Mkdir(name string) error {
	if err := f.check("mkdir", name); err != nil {
		return err
	}
	return f.Base.Mkdir(name)
}

// ReadDir implements FS.
func (f *Faulty) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := f.check("readdir", name); err != nil {
		return nil, err
	}
	return f.Base.ReadDir(name)
}

// Stat implements FS.
func (f *Faulty) Stat(name string) (fs.FileInfo, error) {
	if err := f.check("stat", name); err != nil {
		return nil, err
	}
	return f.Base.Stat(name)
}

// SyncDir implements FS.
func (f *Faulty) SyncDir(name string) error {
	if err := f.check("syncdir", name); err != nil {
		return err
	}
	return f.Base.SyncDir(name)
}

// Lock implements FS.
func (f *Faulty) Lock(name string) (io.Closer, error) {
	if err := f.check("lock", name); err != nil {
		return nil, err
	}
	return f.Base.Lock(name)
}

type faultyFile struct {
	vfs.File
	owner *Faulty
	name  string
}

func (f *faultyFile) ReadAt(p []byte, offset int64) (int, error) {
	if err := f.owner.check("read", f.name); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, offset)
}

func (f *faultyFile) WriteAt(p []byte, offset int64) (int, error) {
	if err := f.owner.check("write", f.name); err != nil {
		if !f.owner.Short {
			return 0, err
		}
		n, _ := f.File.WriteAt(p[:len(p)/2], offset)
		return n, err
	}
	return f.File.WriteAt(p, offset)
}

func (f *faultyFile) Sync() error {
	if err := f.owner.check("sync", f.name); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *faultyFile) Truncate(size int64) error {
	if err := f.owner.check("truncate", f.name); err != nil {
		return err
	}
	return f.File.Truncate(size)
}
