// Package takeout reads a Google Takeout of Google Photos, as it lies in folders once its archives are unpacked: a folder
// for each album and each year, JSON beside each picture, and a metadata.json that names the album.
package takeout

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"mekiki/embed/pixels"
	"mekiki/index/bring"
	"mekiki/index/ingest/drives"
	"mekiki/index/metadata"
)

// favourite is the keyword by which package metadata knows favourites.
const favourite = "favorite"

// yearFolder matches the titles of the folders that are no albums: "Photos from 2019", "Fotos von 2019".
var yearFolder = regexp.MustCompile(`^\pL+( \pL+){0,3} (19|20)\d\d$`)

// Source gives what an unpacked Takeout says.
func Source(folder string) bring.Source {
	return func(ctx context.Context, sink bring.Sink) error {
		root, err := filepath.Abs(folder)
		if err != nil {
			return err
		}
		err = filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case err != nil && name == root:
				return err
			case err != nil:
				sink.Problem(bring.Problem{Where: name, Reason: err.Error()})
				return nil
			case entry.IsDir():
				return readFolder(ctx, name, sink)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("read the Takeout: %w", err)
		}
		return nil
	}
}

// readFolder reads what lies in one folder.
func readFolder(ctx context.Context, folder string, sink bring.Sink) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		sink.Problem(bring.Problem{Where: folder, Reason: err.Error()})
		return nil
	}
	var names []string
	for _, entry := range entries {
		if entry.Type().IsRegular() {
			names = append(names, entry.Name())
		}
	}
	finder, used := metadata.NewFinder(names), map[string]bool{}
	var items []bring.Item
	for _, name := range names {
		if !pixels.HasImageName(name) {
			continue
		}
		for _, label := range finder.Of(name) {
			if !strings.EqualFold(filepath.Ext(label), ".json") {
				continue
			}
			used[label] = true
			item, err := readPicture(ctx, folder, name, label)
			if err != nil {
				sink.Problem(bring.Problem{Where: filepath.Join(folder, label), Reason: err.Error()})
				continue
			}
			items = append(items, item)
		}
	}
	album := albumOf(folder, names, used)
	for _, item := range items {
		if album != "" {
			item.Albums = []string{album}
		}
		if err := sink.Item(item); err != nil {
			return err
		}
	}
	return nil
}

// readPicture reads the JSON of a picture, as package metadata does.
func readPicture(ctx context.Context, folder, name, label string) (bring.Item, error) {
	data, err := readFile(filepath.Join(folder, label), metadata.MaxSidecarBytes)
	if err != nil {
		return bring.Item{}, err
	}
	path := filepath.Join(folder, name)
	stat, err := os.Stat(path)
	if err != nil {
		return bring.Item{}, err
	}
	said := metadata.Read(ctx, metadata.Source{Sidecars: []metadata.Sidecar{{Name: label, Data: data}}})
	return bring.Item{
		Path: filepath.ToSlash(path), Name: name, Bytes: stat.Size(), File: path,
		Description: said.Description, People: said.People, Favourite: slices.Contains(said.Keywords, favourite),
	}, nil
}

func readFile(name string, limit int64) ([]byte, error) {
	file, err := drives.OpenToRead(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, limit))
}

// albumOf gives the title of the album that a folder is, or "": that of its metadata.json, which is called otherwise in
// other languages.
func albumOf(folder string, names []string, used map[string]bool) string {
	for _, name := range names {
		if used[name] || !strings.EqualFold(filepath.Ext(name), ".json") {
			continue
		}
		data, err := readFile(filepath.Join(folder, name), maximumAlbum)
		if err != nil {
			continue
		}
		if title := albumTitle(data); title != "" {
			return title
		}
	}
	return ""
}

// albumTitle reads the JSON about an album; "" for another one, and for the folder of a year.
func albumTitle(data []byte) string {
	var said map[string]json.RawMessage
	if json.Unmarshal(data, &said) != nil || said["photoTakenTime"] != nil {
		return ""
	}
	for _, member := range []string{"access", "date", "albumData"} { // one of which each has had
		if said[member] == nil {
			continue
		}
		var album struct {
			Title     string
			AlbumData struct{ Title string }
		}
		_ = json.Unmarshal(data, &album) // a member of another type costs only itself
		title := album.Title
		if title == "" {
			title = album.AlbumData.Title
		}
		if title = bring.Text(title, bring.MaximumWord); !yearFolder.MatchString(title) {
			return title
		}
	}
	return ""
}
