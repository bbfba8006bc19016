package thumbnail

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/content"
	"mekiki/internal/vfs"
)

// Folder holds the thumbnails, in the folder of what is derived.
const Folder = "thumbnails"

// Store keeps a file for each image content. A file is a JPEG followed by
// 8 bytes: "MKTH" and the CRC-32C of the JPEG, little-endian. Image programs
// ignore what follows a JPEG's end.
type Store struct {
	Fsys     vfs.FS
	Folder   string
	ReadOnly bool
	// Library is the folder of the whole library, and Present fails when that is
	// not the one that was opened any more.
	Library string
	Present func() error
	Decoder *pixels.Decoder
	// making keeps a thumbnail that several ask for from being made more than once.
	making singleflight.Group
}

// Path is where the thumbnail of a content is.
func (t *Store) Path(hash index.Hash) string {
	name := hash.String()
	return filepath.Join(t.Folder, name[:2], name+".jpg")
}

var thumbnailMagic = []byte("MKTH")

func castagnoli(data []byte) uint32 {
	return crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
}

// Read gives a thumbnail, or an error when there is none that is as written.
func (t *Store) Read(hash index.Hash) ([]byte, error) {
	data, err := vfs.ReadFile(t.Fsys, t.Path(hash), maximumThumbnail)
	if err != nil {
		return nil, err
	}
	jpeg, trailer := data[:max(0, len(data)-8)], data[max(0, len(data)-8):]
	if len(trailer) < 8 || !bytes.Equal(trailer[:4], thumbnailMagic) || binary.LittleEndian.Uint32(trailer[4:]) != castagnoli(jpeg) {
		return nil, fmt.Errorf("thumbnail %s: %w", hash, index.ErrDamaged)
	}
	return jpeg, nil
}

// Write keeps a thumbnail. It is not synced: a lost one is made again.
func (t *Store) Write(hash index.Hash, jpeg []byte) error {
	if t.ReadOnly || len(jpeg) == 0 || len(jpeg) > maximumThumbnail-8 {
		return nil
	}
	name := t.Path(hash)
	err := t.Present()
	if err == nil {
		err = vfs.MkdirBelow(t.Fsys, t.Library, filepath.Dir(name))
	}
	if err != nil {
		return fmt.Errorf("write thumbnail: %w", err)
	}
	file, err := t.Fsys.Create(name)
	if err != nil {
		return fmt.Errorf("write thumbnail: %w", err)
	}
	data := append(bytes.Clone(jpeg), thumbnailMagic...)
	data = binary.LittleEndian.AppendUint32(data, castagnoli(jpeg))
	_, err = file.WriteAt(data, 0)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write thumbnail: %w", errors.Join(err, t.Fsys.Remove(name)))
	}
	return nil
}

// Purge deletes the thumbnails that are not to be kept. One that cannot be deleted
// is left for the next time.
func (t *Store) Purge(ctx context.Context, logger *slog.Logger, keep func(index.Hash) bool) {
	folders, err := t.Fsys.ReadDir(t.Folder)
	if err != nil {
		return // there are none
	}
	for _, folder := range folders {
		if ctx.Err() != nil {
			return
		}
		if !folder.IsDir() {
			continue
		}
		entries, err := t.Fsys.ReadDir(filepath.Join(t.Folder, folder.Name()))
		if err != nil {
			logger.Warn("list thumbnails", "error", err)
		}
		for _, entry := range entries {
			var hash index.Hash
			name, isJPEG := strings.CutSuffix(entry.Name(), ".jpg")
			if n, err := hex.Decode(hash[:], []byte(name[:min(len(name), 2*len(hash))])); !isJPEG || err != nil || n != len(hash) || keep(hash) {
				continue
			}
			if path := filepath.Join(t.Folder, folder.Name(), entry.Name()); path == t.Path(hash) {
				if err := t.Fsys.Remove(path); err != nil {
					logger.Warn("delete the thumbnail of a record that is gone", "error", err)
				}
			}
		}
	}
}

// Get gives a record's thumbnail. One that is missing or damaged is made again from
// the original.
func (t *Store) Get(ctx context.Context, record *index.Record) ([]byte, error) {
	if jpeg, err := t.Read(record.Hash); err == nil {
		return jpeg, nil
	}
	return t.make(ctx, record)
}

// thumbnailTime bounds the making of one thumbnail, which goes on when whoever asked
// first has left: others may wait for it too.
const thumbnailTime = time.Minute

// make makes a record's thumbnail and keeps it. Whoever asks for the same one
// meanwhile gets it too.
func (t *Store) make(ctx context.Context, record *index.Record) ([]byte, error) {
	making := t.making.DoChan(record.Hash.String(), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), thumbnailTime)
		defer cancel()
		jpeg, err := content.Thumbnail(ctx, t.Decoder, record)
		if err == nil {
			// Failing to keep it costs making it again, and nothing else.
			_ = t.Write(record.Hash, jpeg)
		}
		return jpeg, err
	})
	select {
	case made := <-making:
		jpeg, _ := made.Val.([]byte)
		return jpeg, made.Err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
