package catalog

import (
	"fmt"
	"hash/crc32"
	"io"
	"path/filepath"

	"mekiki/internal/vfs"
)

// discard removes a file of the library, or keeps it aside when it is damaged.
func (c *Writer) discard(name string) error {
	path := filepath.Join(c.folder, name)
	if !c.Damaged[name] {
		return c.fsys.Remove(path)
	}
	target := filepath.Join(c.folder, QuarantineFolder, filepath.Base(name))
	if err := vfs.MkdirBelow(c.fsys, c.folder, filepath.Dir(target)); err != nil {
		return err
	}
	if err := c.fsys.Rename(path, target); err != nil {
		return err
	}
	return c.fsys.SyncDir(filepath.Dir(target))
}

// KeepTail copies an unfinished frame to the quarantine, unless it is empty. Its
// checksum is in its name, so that it takes the place of none but itself.
func KeepTail(fsys vfs.FS, folder, name string, offset, length int64) error {
	source, err := fsys.Open(filepath.Join(folder, name))
	if err != nil {
		return fmt.Errorf("keep the unfinished end of %s: %w", name, err)
	}
	defer source.Close()
	sum := &tailSum{}
	if _, err = io.Copy(sum, io.NewSectionReader(source, offset, length)); err == nil && sum.used {
		target := filepath.Join(folder, QuarantineFolder, fmt.Sprintf("%s-%d-%08x.tail", filepath.Base(name), offset, sum.crc))
		err = vfs.CopyDurably(fsys, target, io.NewSectionReader(source, offset, length))
	}
	if err != nil {
		return fmt.Errorf("keep the unfinished end of %s: %w", name, err)
	}
	return nil
}

// tailSum sums what is written to it, and notes whether any of it is not zero.
type tailSum struct {
	crc  uint32
	used bool
}

func (s *tailSum) Write(data []byte) (int, error) {
	s.crc = crc32.Update(s.crc, crc32.MakeTable(crc32.Castagnoli), data)
	for _, value := range data {
		s.used = s.used || value != 0
	}
	return len(data), nil
}
