package local

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/internal/vfs"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"
)

// maximumThumbnail bounds the length of a thumbnail file.
const maximumThumbnail = 4 << 20

// thumbnails keeps a file for each image content. A file is a JPEG followed by
// 8 bytes: "MKTH" and the CRC-32C of the JPEG, little-endian. Image programs
// ignore what follows a JPEG's end.
type thumbnails struct {
	fsys     vfs.FS
	folder   string
	readOnly bool
	// library is the folder of the whole library, and present fails when that is
	// not the one that was opened any more.
	library string
	present func() error
	decoder *pixels.Decoder
	// making keeps a thumbnail that several ask for from being made more than once.
	making singleflight.Group
}

func newThumbnails(l *Library) *thumbnails {
	return &thumbnails{
		fsys: l.fsys, folder: filepath.Join(l.folder, derivedFolder, "thumbnails"), readOnly: l.readOnly.Load(),
		library: l.folder, present: l.present, decoder: l.decoder,
	}
}

func (t *thumbnails) path(hash index.Hash) string {
	name := hash.String()
	return filepath.Join(t.folder, name[:2], name+".jpg")
}

var thumbnailMagic = []byte("MKTH")

func castagnoli(data []byte) uint32 {
	return crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
}

// read gives a thumbnail, or an error when there is none that is as written.
func (t *thumbnails) read(hash index.Hash) ([]byte, error) {
	data, err := vfs.ReadFile(t.fsys, t.path(hash), maximumThumbnail)
	if err != nil {
		return nil, err
	}
	jpeg, trailer := data[:max(0, len(data)-8)], data[max(0, len(data)-8):]
	if len(trailer) < 8 || !bytes.Equal(trailer[:4], thumbnailMagic) || binary.LittleEndian.Uint32(trailer[4:]) != castagnoli(jpeg) {
		return nil, fmt.Errorf("thumbnail %s: %w", hash, index.ErrDamaged)
	}
	return jpeg, nil
}

// write keeps a thumbnail. It is not synced: a lost one is made again.
func (t *thumbnails) write(hash index.Hash, jpeg []byte) error {
	if t.readOnly || len(jpeg) == 0 || len(jpeg) > maximumThumbnail-8 {
		return nil
	}
	name := t.path(hash)
	err := t.present()
	if err == nil {
		err = makeFolder(t.fsys, t.library, filepath.Dir(name))
	}
	if err != nil {
		return fmt.Errorf("write thumbnail: %w", err)
	}
	file, err := t.fsys.Create(name)
	if err != nil {
		return fmt.Errorf("write thumbnail: %w", err)
	}
	data := append(bytes.Clone(jpeg), thumbnailMagic...)
	data = binary.LittleEndian.AppendUint32(data, castagnoli(jpeg))
	_, err = file.WriteAt(data, 0)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write thumbnail: %w", errors.Join(err, t.fsys.Remove(name)))
	}
	return nil
}

// purge deletes the thumbnails that are not to be kept. One that cannot be deleted
// is left for the next time.
func (t *thumbnails) purge(ctx context.Context, logger *slog.Logger, keep func(index.Hash) bool) {
	folders, err := t.fsys.ReadDir(t.folder)
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
		entries, err := t.fsys.ReadDir(filepath.Join(t.folder, folder.Name()))
		if err != nil {
			logger.Warn("list thumbnails", "error", err)
		}
		for _, entry := range entries {
			var hash index.Hash
			name, isJPEG := strings.CutSuffix(entry.Name(), ".jpg")
			if n, err := hex.Decode(hash[:], []byte(name[:min(len(name), 2*len(hash))])); !isJPEG || err != nil || n != len(hash) || keep(hash) {
				continue
			}
			if path := filepath.Join(t.folder, folder.Name(), entry.Name()); path == t.path(hash) {
				if err := t.fsys.Remove(path); err != nil {
					logger.Warn("delete the thumbnail of a record that is gone", "error", err)
				}
			}
		}
	}
}

// Thumbnail gives a JPEG of the image, its longest side [index.ThumbnailSide] pixels
// at most. One that is missing or damaged is made again from the original.
func (s *Snapshot) Thumbnail(ctx context.Context, id index.ID) ([]byte, error) {
	if s.err != nil {
		return nil, fmt.Errorf("thumbnail of record %d: %w", id, s.err)
	}
	record, there := s.Record(id)
	if !there || record.Kind != index.KindImage {
		return nil, fmt.Errorf("thumbnail of record %d: %w", id, index.ErrNotFound)
	}
	if jpeg, err := s.view.thumbs.read(record.Hash); err == nil {
		return jpeg, nil
	}
	jpeg, err := s.view.thumbs.make(ctx, record)
	if err != nil {
		return nil, fmt.Errorf("thumbnail of record %d: %w", id, err)
	}
	return jpeg, nil
}

// thumbnailTime bounds the making of one thumbnail, which goes on when whoever asked
// first has left: others may wait for it too.
const thumbnailTime = time.Minute

// make makes a record's thumbnail and keeps it. Whoever asks for the same one
// meanwhile gets it too.
func (t *thumbnails) make(ctx context.Context, record *index.Record) ([]byte, error) {
	making := t.making.DoChan(record.Hash.String(), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), thumbnailTime)
		defer cancel()
		jpeg, err := t.fromOriginal(ctx, record)
		if err == nil {
			// Failing to keep it costs making it again, and nothing else.
			_ = t.write(record.Hash, jpeg)
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

func (t *thumbnails) fromOriginal(ctx context.Context, record *index.Record) ([]byte, error) {
	file, err := openOriginal(record)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, pixels.DefaultMaxBytes+1))
	if err != nil {
		return nil, err
	}
	image, release, err := t.decoder.Hold(ctx, data)
	if err != nil {
		return nil, err
	}
	defer release()
	return pixels.Thumbnail(image, index.ThumbnailSide, index.ThumbnailQuality)
}
