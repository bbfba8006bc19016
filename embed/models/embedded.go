package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"mekiki/embed/blip2"
	"mekiki/embed/checkpoint"
	"mekiki/embed/manifest"
)

// Embedded returns the model of a checkpoint that is part of the program, compiling
// it when this machine does not have it yet. The model's name is label, the
// precision and a hash of the checkpoint's files, so that another checkpoint or
// precision gets another model. Of several processes that need it at once, one
// compiles and the others wait. Samples, when not nil, gives the images and texts
// by which int8 is chosen; it is called only to compile.
func Embedded(ctx context.Context, label string, files fs.FS, options Options,
	samples func(context.Context, *checkpoint.Checkpoint) (images [][]float32, texts [][]int64, err error),
) (Model, error) {
	found, err := embeddedModel(ctx, label, files, &options)
	if err != nil || found.Problem == nil {
		return found, err
	}
	name := found.Name
	lock, err := options.lock(ctx, name)
	if err != nil {
		return Model{}, err
	}
	defer lock.Close()
	if model := read(filepath.Join(options.Dir, name)); model.Problem == nil {
		return model, nil // another process made it
	}
	source, err := checkpoint.Open(ctx, checkpoint.Options{FS: files, Name: label, Logger: options.Logger})
	if err != nil {
		return Model{}, err
	}
	defer source.Close()
	var compile blip2.CompileOptions
	if samples != nil && options.Precision == manifest.Int8 {
		if compile.Samples, compile.Texts, err = samples(ctx, source); err != nil {
			return Model{}, fmt.Errorf("model %s: samples: %w", label, err)
		}
	}
	return options.compile(ctx, source, name, compile)
}

// embeddedModel says which model belongs to a checkpoint that is part of the
// program, with a Problem while it is not compiled, and completes options.
func embeddedModel(ctx context.Context, label string, files fs.FS, options *Options) (Model, error) {
	var err error
	if *options, err = options.withDefaults(); err != nil {
		return Model{}, err
	}
	sum, err := hashFolder(ctx, files)
	if err != nil {
		return Model{}, fmt.Errorf("model %s: %w", label, err)
	}
	name := fmt.Sprintf("%s-%s-%.12s", label, options.Precision, sum)
	if err := ValidateName(name); err != nil {
		return Model{}, err
	}
	options.restore(name)
	return read(filepath.Join(options.Dir, name)), nil
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
