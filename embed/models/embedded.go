package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"sync"

	"mekiki/embed/blip2"
	"mekiki/embed/checkpoint"
)

// Embedded returns the model of a checkpoint that is part of the program, compiling
// it when this machine does not have it yet. The model's name is label, the
// precision, whether tokens are merged, and a hash of the checkpoint's files, so that
// another checkpoint or precision gets another model. Of several processes that need it at once, one
// compiles and the others wait. Samples, when not nil, gives the images and texts
// by which int8 is chosen; it is called only to compile.
func Embedded(ctx context.Context, label string, files fs.FS, options Options,
	samples func(context.Context, *checkpoint.Checkpoint) (images [][]float32, texts [][]int64, err error),
) (Model, error) {
	return compileEmbedded(ctx, embedded{label: label, files: files, prepare: func(ctx context.Context, source *checkpoint.Checkpoint, compile *blip2.CompileOptions) (err error) {
		if samples != nil && options.Precision.Sampled() {
			compile.Samples, compile.Texts, err = samples(ctx, source)
		}
		return err
	}}, options)
}

// embedded is a checkpoint that is part of the program.
type embedded struct {
	label string
	files fs.FS
	// vision is the folder of the checkpoint that gives the vision encoder, and visionLabel
	// its label; nil for the checkpoint's own.
	vision      fs.FS
	visionLabel string
	// prepare completes how it is compiled.
	prepare func(ctx context.Context, source *checkpoint.Checkpoint, compile *blip2.CompileOptions) error
}

// open opens the checkpoint. The caller closes what it gives.
func (e embedded) open(ctx context.Context, options Options) (source *checkpoint.Checkpoint, closing func() error, err error) {
	opening := checkpoint.Options{FS: e.files, Name: e.label, Logger: options.Logger}
	closing = func() error { return source.Close() }
	if e.vision != nil {
		vision, err := checkpoint.Open(ctx, checkpoint.Options{FS: e.vision, Logger: options.Logger})
		if err != nil {
			return nil, nil, err
		}
		opening.Vision = vision
		closing = func() error { return errors.Join(source.Close(), vision.Close()) }
	}
	source, err = checkpoint.Open(ctx, opening)
	if err != nil && opening.Vision != nil {
		err = errors.Join(err, opening.Vision.Close())
	}
	return source, closing, err
}

// compileEmbedded gives the model of a checkpoint that is part of the program. One
// that lacks the hash of its vision encoder, as builds before there were second stages
// made them, is compiled again.
func compileEmbedded(ctx context.Context, e embedded, options Options) (Model, error) {
	found, err := e.model(ctx, &options)
	usable := func(model Model) bool { return model.Problem == nil && model.Manifest.Vision != "" }
	if err != nil || usable(found) {
		return found, err
	}
	lock, err := options.lock(ctx, found.Name)
	if err != nil {
		return Model{}, err
	}
	defer lock.Close()
	if model := read(filepath.Join(options.Dir, found.Name)); usable(model) {
		return model, nil // another process made it
	}
	source, closing, err := e.open(ctx, options)
	if err != nil {
		return Model{}, err
	}
	defer closing()
	var compile blip2.CompileOptions
	if err := e.prepare(ctx, source, &compile); err != nil {
		return Model{}, fmt.Errorf("model %s: samples: %w", e.label, err)
	}
	return options.compile(ctx, source, found.Name, compile)
}

// model says which model belongs to the checkpoint, with a Problem while it is not
// compiled, and completes options.
func (e embedded) model(ctx context.Context, options *Options) (Model, error) {
	var err error
	if *options, err = options.withDefaults(); err != nil {
		return Model{}, err
	}
	sum, err := options.Sums.of(ctx, e.label, e.files)
	if err == nil && e.vision != nil {
		var vision string
		vision, err = options.Sums.of(ctx, e.visionLabel, e.vision)
		sum = fmt.Sprintf("%x", sha256.Sum256([]byte(sum+vision)))
	}
	if err != nil {
		return Model{}, fmt.Errorf("model %s: %w", e.label, err)
	}
	form := string(options.Precision)
	if options.Fast {
		form += "-fast"
	}
	name := fmt.Sprintf("%s-%s-%.12s", e.label, form, sum)
	if err := ValidateName(name); err != nil {
		return Model{}, err
	}
	options.restore(name)
	return read(filepath.Join(options.Dir, name)), nil
}

// Sums remembers hashes of checkpoints inside the program by their labels. It is safe
// for concurrent use; the zero value is ready.
type Sums struct{ known sync.Map }

func (s *Sums) of(ctx context.Context, label string, files fs.FS) (string, error) {
	if s == nil {
		return hashFolder(ctx, files)
	}
	if sum, there := s.known.Load(label); there {
		return sum.(string), nil
	}
	sum, err := hashFolder(ctx, files)
	if err == nil {
		s.known.Store(label, sum)
	}
	return sum, err
}

// hashFolder hashes the names and contents of all files.
func hashFolder(ctx context.Context, files fs.FS) (string, error) {
	digest := sha256.New()
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		file, err := files.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		content := sha256.New()
		if _, err := io.Copy(content, file); err != nil {
			return err
		}
		fmt.Fprintf(digest, "%q %x\n", path, content.Sum(nil))
		return nil
	})
	return hex.EncodeToString(digest.Sum(nil)), err
}
