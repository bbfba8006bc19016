package askverbs

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/internal/hint"
	"mekiki/search/ask"
)

// target is a picture that is to be asked: a file, or a record of the library.
type target struct {
	name   string // of the file, or the id as it was given
	record index.ID
}

// findTargets finds the pictures that arguments name: files, folders with all that is in them, and ids of
// records where there is no such file. What is not there is a problem of its own.
func findTargets(ctx context.Context, arguments []string) (targets []target, problems []problem, err error) {
	for _, argument := range arguments {
		one, err := findTarget(argument)
		found := []target{one}
		if errors.Is(err, errFolder) {
			found, err = walk(ctx, argument)
		} else if err != nil {
			found = nil
		}
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if err != nil {
			problems = append(problems, problem{argument, err})
		}
		targets = append(targets, found...)
	}
	return targets, problems, nil
}

// errFolder means that a folder was named where one picture is wanted.
var errFolder = errors.New("a folder, not a picture")

// findTarget finds the one picture that an argument names: a file or, where there is no such file, a record.
func findTarget(argument string) (target, error) {
	info, err := os.Stat(argument)
	switch id, parseErr := index.ParseID(argument); {
	case err == nil && info.IsDir():
		return target{}, hint.Wrap(cli.UsageError("%s is %w", argument, errFolder), "give one picture")
	case err == nil:
		return target{name: argument}, nil
	case errors.Is(err, fs.ErrNotExist) && parseErr == nil:
		return target{name: argument, record: id}, nil
	case errors.Is(err, fs.ErrNotExist):
		return target{}, hint.Wrap(fmt.Errorf("%s is neither a file nor the id of a record", argument), `"mekiki search --json" gives ids`)
	}
	return target{}, err
}

// walk lists the pictures in a folder and below it, by their names, but for what is hidden.
func walk(ctx context.Context, folder string) (targets []target, err error) {
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		hidden := path != folder && entry != nil && entry.Name()[0] == '.'
		switch {
		case err != nil:
			return err
		case hidden && entry.IsDir():
			return filepath.SkipDir
		case !hidden && entry.Type().IsRegular() && pixels.HasImageName(path):
			targets = append(targets, target{name: path})
		}
		return nil
	})
	if err == nil && len(targets) == 0 {
		err = errors.New("there are no pictures in " + folder)
	}
	return targets, err
}

// readFile reads a picture of a file.
func readFile(ctx context.Context, asker *ask.Asker, name string) (ask.Picture, error) {
	data, err := cli.ReadPictureFile(name)
	if err != nil {
		return ask.Picture{}, err
	}
	image, err := cli.DecodePicture(ctx, name, data)
	if err != nil {
		return ask.Picture{}, err
	}
	return asker.Image(ctx, image, sha256.Sum256(data))
}

// problem is what is wrong with one picture.
type problem struct {
	name string
	err  error
}

// report writes problems and gives the exit status that they mean.
func report(app *cli.App, problems []problem) error {
	for _, one := range problems {
		cli.WriteError(app.Stderr, app.AsJSON, cli.ExitPartial, one.err)
	}
	if len(problems) == 0 {
		return nil
	}
	return cli.WithStatus(cli.ExitPartial, nil)
}
