package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/internal/bounded"
	"mekiki/internal/hint"
)

// UntilDone gives a reader of source whose reads fail when the context ends, although
// source, such as a terminal, goes on waiting. Nothing of source is read before.
func UntilDone(ctx context.Context, source io.Reader) io.Reader {
	return &interruptible{source: source, open: sync.OnceValue(func() *io.PipeReader {
		reader, writer := io.Pipe()
		context.AfterFunc(ctx, func() { _ = writer.CloseWithError(ctx.Err()) })
		go func() {
			_, err := io.Copy(writer, source)
			_ = writer.CloseWithError(err)
		}()
		return reader
	})}
}

type interruptible struct {
	source io.Reader
	open   func() *io.PipeReader
}

// Fd gives the descriptor of the file that is read, as *os.File does; where there is none, that of no file.
func (i *interruptible) Fd() uintptr {
	if file, ok := i.source.(*os.File); ok {
		return file.Fd()
	}
	return ^uintptr(0)
}

// IsTerminal reports whether a stream of the program, such as what [UntilDone] gives of one, is a terminal.
func IsTerminal(stream any) bool {
	file, ok := stream.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(file.Fd()))
}

// Read implements io.Reader.
func (i *interruptible) Read(data []byte) (int, error) { return i.open().Read(data) }

// ReadPicture reads an image file, or the id of a record where there is no
// such file.
func ReadPicture(ctx context.Context, argument string) (*pixels.Image, index.ID, error) {
	data, err := ReadPictureFile(argument)
	if errors.Is(err, os.ErrNotExist) {
		if id, parseErr := index.ParseID(argument); parseErr == nil {
			return nil, id, nil
		}
		return nil, 0, hint.Wrap(fmt.Errorf("%s is neither a file nor the id of a record", argument), `"mekiki search --json" gives ids`)
	}
	if err != nil {
		return nil, 0, err
	}
	picture, err := DecodePicture(ctx, argument, data)
	return picture, 0, err
}

// ReadPictureFile reads the bytes of an image file, as many as a decoder takes.
func ReadPictureFile(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return nil, hint.Wrap(fmt.Errorf("%s is a folder, not an image", name), "give an image file, or the id of a record")
	}
	data, err := io.ReadAll(io.LimitReader(file, pixels.DefaultMaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return data, nil
}

// DecodePicture decodes the bytes of the image file of a name.
func DecodePicture(ctx context.Context, name string, data []byte) (*pixels.Image, error) {
	picture, err := pixels.Decode(ctx, data, pixels.Options{})
	if err != nil {
		return nil, hint.Wrap(fmt.Errorf("decode %s: %w", name, err), "give a "+pixels.Titles("or")+" file")
	}
	return picture, nil
}

// ReadLabels reads one label a line; empty lines count for nothing.
func (a *App) ReadLabels(name string) ([]string, error) {
	reader := a.In
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("read labels: %w", err)
		}
		defer file.Close()
		reader = file
	}
	data, err := bounded.Read(reader, MaximumLabelBytes)
	if errors.Is(err, bounded.ErrTooLong) {
		return nil, hint.Wrap(UsageError("%s is %w", name, err), "give fewer labels, one a line, or add them to the library as texts")
	}
	if err != nil {
		return nil, fmt.Errorf("read labels %s: %w", name, err)
	}
	var labels []string
	for line := range strings.Lines(strings.TrimPrefix(string(data), "\ufeff")) {
		if label := strings.TrimSpace(line); label != "" {
			labels = append(labels, label)
		}
	}
	if len(labels) == 0 {
		return nil, hint.Wrap(UsageError("%s holds no labels", name), "write one text a line")
	}
	return labels, nil
}
