// Package photoprism reads the YAML files that PhotoPrism keeps of photos and albums: storage/sidecar (or beside the
// originals) and storage/albums. Their members are those of internal/entity/photo.go, details.go and album.go of
// photoprism/photoprism, as their yaml tags say.
package photoprism

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"mekiki/index/bring"
)

// photo is what a file says of one photo. The source of a value, such as "manual", is what PhotoPrism calls its Src.
type photo struct {
	UID            string    `yaml:"UID"`
	Type           string    `yaml:"Type"`
	Title          string    `yaml:"Title"`
	TitleSrc       string    `yaml:"TitleSrc"`
	Caption        string    `yaml:"Caption"`
	CaptionSrc     string    `yaml:"CaptionSrc"`
	Description    string    `yaml:"Description"` // before 2025
	DescriptionSrc string    `yaml:"DescriptionSrc"`
	Favorite       bool      `yaml:"Favorite"`
	TakenAtLocal   time.Time `yaml:"TakenAtLocal"`
	TakenAt        time.Time `yaml:"TakenAt"`
	TakenSrc       string    `yaml:"TakenSrc"`
	Details        struct {
		Keywords    string `yaml:"Keywords"`
		KeywordsSrc string `yaml:"KeywordsSrc"`
		Subject     string `yaml:"Subject"`
		SubjectSrc  string `yaml:"SubjectSrc"`
	} `yaml:"Details"`
	DeletedAt *time.Time `yaml:"DeletedAt"`
}

// album is what a file says of one album.
type album struct {
	UID    string `yaml:"UID"`
	Type   string `yaml:"Type"`
	Title  string `yaml:"Title"`
	Photos []struct {
		UID    string `yaml:"UID"`
		Hidden bool   `yaml:"Hidden"`
	} `yaml:"Photos"`
}

// byPeople reports whether a value with this source is one that people gave: the others PhotoPrism made up itself, or read
// in the file, where Mekiki reads it too.
func byPeople(source string) bool {
	return slices.Contains([]string{"manual", "batch", "admin"}, source)
}

// Source gives what the files in some folders say: those of photos, and those of albums.
func Source(folders ...string) bring.Source {
	return func(ctx context.Context, sink bring.Sink) error {
		albums := map[string][]string{} // titles, by photo
		if err := eachFile(ctx, folders, sink, func(name string, data []byte) error {
			return readAlbum(data, albums)
		}); err != nil {
			return err
		}
		return eachFile(ctx, folders, nilProblems(sink), func(name string, data []byte) error {
			item, ok, err := readPhoto(name, data, albums)
			if err != nil || !ok {
				return err
			}
			if err := sink.Item(item); err != nil {
				return &stop{err}
			}
			return nil
		})
	}
}

// nilProblems reports nothing again.
func nilProblems(sink bring.Sink) bring.Sink {
	sink.Problem = func(bring.Problem) {}
	return sink
}

// stop is an error that ends reading, and not only that of one file.
type stop struct{ err error }

func (s *stop) Error() string { return s.err.Error() }
func (s *stop) Unwrap() error { return s.err }

// eachFile calls do with each YAML file in and below folders.
func eachFile(ctx context.Context, folders []string, sink bring.Sink, do func(name string, data []byte) error) error {
	for _, folder := range folders {
		absolute, err := filepath.Abs(folder)
		if err != nil {
			return err
		}
		err = filepath.WalkDir(absolute, func(name string, entry fs.DirEntry, err error) error {
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case err != nil && name == absolute:
				return err
			case err != nil:
				sink.Problem(bring.Problem{Where: name, Reason: err.Error()})
				return nil
			case !entry.Type().IsRegular() || !strings.EqualFold(filepath.Ext(name), ".yml"):
				return nil
			}
			data, err := readFile(name)
			if err == nil {
				err = do(name, data)
			}
			if fatal := (*stop)(nil); errors.As(err, &fatal) {
				return fatal.err
			}
			if err != nil {
				sink.Problem(bring.Problem{Where: name, Reason: err.Error()})
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("read PhotoPrism's files: %w", err)
		}
	}
	return nil
}

func readFile(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maximumFile+1))
	if err == nil && len(data) > maximumFile {
		err = fmt.Errorf("it has more than %d MiB", maximumFile>>20)
	}
	return data, err
}

// unmarshal reads YAML. A panic of the reader is this file's failure.
func unmarshal(data []byte, into any) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("it cannot be read: %v", reason)
		}
	}()
	return yaml.Unmarshal(data, into)
}

func readAlbum(data []byte, albums map[string][]string) error {
	var a album
	if err := unmarshal(data, &a); err != nil {
		return fmt.Errorf("it is no YAML of PhotoPrism: %w", err)
	}
	if a.Type != "album" || a.Title == "" {
		return nil
	}
	for i, each := range a.Photos {
		if i < maximumAlbumPhotos && each.UID != "" && !each.Hidden && len(albums[each.UID]) < bring.MaximumValues {
			albums[each.UID] = append(albums[each.UID], a.Title)
		}
	}
	return nil
}

// readPhoto reads a file about a photo; false for one about something else.
func readPhoto(name string, data []byte, albums map[string][]string) (bring.Item, bool, error) {
	var p photo
	if err := unmarshal(data, &p); err != nil {
		return bring.Item{}, false, fmt.Errorf("it is no YAML of PhotoPrism: %w", err)
	}
	if !strings.HasPrefix(p.UID, "p") || p.DeletedAt != nil || p.TakenAt.IsZero() && p.Type == "" || p.Type == "album" {
		return bring.Item{}, false, nil
	}
	item := bring.Item{
		Path: filepath.ToSlash(strings.TrimSuffix(name, filepath.Ext(name))), Stem: true,
		Favourite: p.Favorite, Albums: albums[p.UID], People: split(p.Details.Subject),
	}
	if byPeople(p.TitleSrc) {
		item.Title = p.Title
	}
	if byPeople(p.DescriptionSrc) {
		item.Description = p.Description
	}
	if byPeople(p.CaptionSrc) {
		item.Description = p.Caption
	}
	if byPeople(p.Details.KeywordsSrc) {
		item.Tags = split(p.Details.Keywords)
	}
	if byPeople(p.TakenSrc) {
		item.Date = p.TakenAtLocal
		if item.Date.IsZero() {
			item.Date = p.TakenAt
		}
	}
	return item, true, nil
}

// split parts a list that is one text.
func split(text string) (words []string) {
	for word := range strings.SplitSeq(text, ",") {
		if word = strings.TrimSpace(word); word != "" && len(words) < bring.MaximumValues {
			words = append(words, word)
		}
	}
	return words
}
