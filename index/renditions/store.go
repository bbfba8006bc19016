package renditions

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sync/singleflight"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/pictures"
	"mekiki/internal/lru"
)

// The endings of files.
const (
	pictureSuffix = "1600"
	tilesSuffix   = "tiles"
)

// Options say where renditions come from and where they are kept. Library and Decoder are needed.
type Options struct {
	// Library is asked for the originals, and Decoder reads them.
	Library index.Source
	Decoder *pixels.Decoder
	// Folder is where renditions are kept, below LibraryFolder, which is never made. With
	// Folder "", nothing is kept but a little in memory.
	Folder, LibraryFolder string
	// MaxBytes is what they may take on disk; 0 means [DefaultCacheBytes], and below zero
	// nothing is kept there. What is being written comes on top, and so does a sixteenth
	// for each further process that uses the folder.
	MaxBytes int64
	// Admit waits until another one may be made, and gives the function that says that it
	// was; nil admits all.
	Admit func(ctx context.Context) (leave func(), err error)
}

// Store makes renditions and keeps them. Its methods may be called from any goroutine.
type Store struct {
	options Options
	files   cache
	memory  *lru.Cache[string, []byte] // what could not be kept on disk
	making  singleflight.Group

	ctx   context.Context // of all that is being made
	stop  context.CancelFunc
	mutex sync.Mutex // guards what follows
	work  sync.WaitGroup
	ended bool
}

// New makes a store. Close it before the library and the decoder.
func New(options Options) *Store {
	s := &Store{options: options, memory: lru.New[string, []byte](memoryBytes)}
	s.files = newCache(options.Folder, options.LibraryFolder, cmp.Or(options.MaxBytes, DefaultCacheBytes))
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// Close ends what is being made, and waits for it.
func (s *Store) Close() {
	s.mutex.Lock()
	s.ended = true
	s.mutex.Unlock()
	s.stop()
	s.work.Wait()
}

// Picture gives a JPEG of an image record, its longest side at most [Side] pixels. Errors are those
// of [pictures.Read], of Admit and of the context.
func (s *Store) Picture(ctx context.Context, record *index.Record) ([]byte, error) {
	return s.part(ctx, record, pictureSuffix, 0, func(_ context.Context, to io.Writer, m *pixels.Image) error {
		return writePicture(to, m)
	})
}

// Tile gives a JPEG of a tile of an image record. The error is [index.ErrNotFound] where
// its pyramid has no such tile, or one of those of [Store.Picture].
func (s *Store) Tile(ctx context.Context, record *index.Record, tile Tile) ([]byte, error) {
	pyramid := PyramidOf(record.Width, record.Height)
	number, inside := pyramid.position(tile)
	if !inside {
		return nil, fmt.Errorf("tile %+v of record %d: %w", tile, record.ID, index.ErrNotFound)
	}
	return s.part(ctx, record, tilesSuffix, number, func(ctx context.Context, to io.Writer, m *pixels.Image) error {
		// The decoder makes a picture of very many pixels smaller just so. Only a record of an
		// older decoder can have another size.
		if finest := pyramid.Levels[0]; m.Width != finest.Width || m.Height != finest.Height {
			resized, err := pixels.Resize(m, finest.Width, finest.Height)
			if err != nil {
				return err
			}
			m = resized
		}
		return writeTiles(ctx, to, m, pyramid)
	})
}

// maker writes the parts of a picture, which it may overwrite.
type maker func(ctx context.Context, to io.Writer, m *pixels.Image) error

// part gives a part of a file, which is made if it is not there or damaged.
func (s *Store) part(ctx context.Context, record *index.Record, suffix string, number int, write maker) ([]byte, error) {
	if part, err := s.read(record.Hash, suffix, number); err == nil {
		return part, nil
	}
	making := s.making.DoChan(record.Hash.String()+suffix, func() (any, error) {
		if !s.begin() {
			return nil, index.ErrClosed
		}
		defer s.work.Done()
		if _, err := s.read(record.Hash, suffix, number); err == nil {
			return nil, nil // it was finished between the two looks
		}
		return nil, s.make(record, suffix, write)
	})
	select {
	case made := <-making:
		if made.Err != nil {
			return nil, made.Err
		}
		part, err := s.read(record.Hash, suffix, number)
		if err != nil {
			return nil, fmt.Errorf("read the rendition of record %d: %w", record.ID, err)
		}
		return part, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *Store) begin() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if !s.ended {
		s.work.Add(1)
	}
	return !s.ended
}

func (s *Store) read(hash index.Hash, suffix string, number int) ([]byte, error) {
	part, err := s.files.read(hash, suffix, number)
	if err == nil {
		return part, nil
	}
	if kept, there := s.memory.Get(hash.String() + suffix); there {
		return readPart(bytes.NewReader(kept), int64(len(kept)), number)
	}
	return nil, err
}

// make makes a file of a record.
func (s *Store) make(record *index.Record, suffix string, write maker) error {
	ctx, cancel := context.WithTimeout(s.ctx, makeTime)
	defer cancel()
	if s.options.Admit != nil {
		leave, err := s.options.Admit(ctx)
		if err != nil {
			return err
		}
		defer leave()
	}
	m, release, err := s.decode(ctx, record)
	if err != nil {
		return err
	}
	defer release()
	begun := false
	err = s.files.write(record.Hash, suffix, func(to io.Writer) error {
		begun = true
		return write(ctx, to, m)
	})
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case begun && suffix == tilesSuffix: // of the picture there is nothing left
		return fmt.Errorf("make the tiles of record %d: %w", record.ID, err)
	}
	return s.keepInMemory(ctx, record, suffix, m, write)
}

// keepInMemory makes a file that cannot be kept on disk.
func (s *Store) keepInMemory(ctx context.Context, record *index.Record, suffix string, m *pixels.Image, write maker) error {
	file := bounded{left: memoryBytes}
	if err := write(ctx, &file, m); err != nil {
		return fmt.Errorf("make the rendition of record %d: %w", record.ID, err)
	}
	s.memory.Put(record.Hash.String()+suffix, file.Bytes(), int64(file.Len()))
	return nil
}

// bounded is a buffer that takes only so much.
type bounded struct {
	bytes.Buffer
	left int
}

func (b *bounded) Write(data []byte) (int, error) {
	if b.left -= len(data); b.left < 0 {
		return 0, fmt.Errorf("%w: its rendition can be kept neither on disk nor in memory", pixels.ErrTooLarge)
	}
	return b.Buffer.Write(data)
}

// decode reads the original of a record.
func (s *Store) decode(ctx context.Context, record *index.Record) (*pixels.Image, func(), error) {
	reader, err := s.options.Library.Reader(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer reader.Close()
	found, err := index.One(reader.Records(ctx, []index.ID{record.ID}))
	if err != nil {
		return nil, nil, err
	}
	if found == nil || found.Hash != record.Hash {
		return nil, nil, fmt.Errorf("record %d has changed: %w", record.ID, index.ErrNotFound)
	}
	return pictures.Hold(ctx, reader, s.options.Decoder, record.ID)
}
