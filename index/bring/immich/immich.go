// Package immich asks an Immich server, by its HTTP API and with a key of a user's, what it says of that user's pictures.
// What it calls and reads are operations and schemas of the API document that Immich publishes
// (open-api/immich-openapi-specs.json of immich-app/immich, versions 1.106 to 2): searchAssets, getAllTags, getAllAlbums
// and getAlbumInfo. It changes nothing there.
package immich

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"mekiki/index/bring"
	"mekiki/internal/hint"
)

// Server is an Immich server and the key for it.
type Server struct {
	// Address is such as "http://photos.local:2283", with "/api" or without.
	Address string
	// Key is an API key, which needs the permissions asset.read, album.read, tag.read and person.read.
	Key string
	// Client asks; nil means one of its own, which follows no redirects, so that the key goes nowhere else.
	Client *http.Client
}

// asset is what is read of AssetResponseDto.
type asset struct {
	ID               string `json:"id"`
	Type             string `json:"type"`
	Checksum         string `json:"checksum"`
	OriginalPath     string `json:"originalPath"`
	OriginalFileName string `json:"originalFileName"`
	IsFavorite       bool   `json:"isFavorite"`
	IsTrashed        bool   `json:"isTrashed"`
	LocalDateTime    string `json:"localDateTime"`
	ExifInfo         *struct {
		Description      string  `json:"description"`
		Rating           float64 `json:"rating"`
		FileSizeInByte   int64   `json:"fileSizeInByte"`
		DateTimeOriginal string  `json:"dateTimeOriginal"`
	} `json:"exifInfo"`
	People []struct {
		Name string `json:"name"`
	} `json:"people"`
}

// found is what is read of SearchResponseDto.
type found struct {
	Assets struct {
		Items    []json.RawMessage `json:"items"`
		NextPage *string           `json:"nextPage"`
	} `json:"assets"`
}

type tag struct {
	ID    string `json:"id"`
	Value string `json:"value"`
	Name  string `json:"name"`
}

type album struct {
	ID     string            `json:"id"`
	Name   string            `json:"albumName"`
	Assets []json.RawMessage `json:"assets"`
}

// errStatus is an answer that is none; its text is what the server says.
type errStatus struct {
	status int
	text   string
}

func (e *errStatus) Error() string { return e.text }

// Source gives what a server says.
func Source(server Server) bring.Source {
	return func(ctx context.Context, sink bring.Sink) error {
		base, err := baseOf(server.Address)
		if err != nil {
			return err
		}
		r := reader{server: server, base: base, tags: map[string][]string{}, albums: map[string][]string{}}
		if r.server.Client == nil {
			r.server.Client = &http.Client{Timeout: requestTime, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			defer r.server.Client.CloseIdleConnections()
		}
		if err := r.readTags(ctx, sink); err != nil {
			return err
		}
		if err := r.readAlbums(ctx); err != nil {
			return err
		}
		for _, visibility := range []string{"timeline", "archive"} {
			err := r.readAssets(ctx, sink, "visibility", visibility)
			if old := (*errStatus)(nil); errors.As(err, &old) && old.status == http.StatusBadRequest && visibility == "timeline" {
				return r.readAssets(ctx, sink, "withArchived", true) // a version that knows no visibility
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// readAssets gives the pictures of a search.
func (r *reader) readAssets(ctx context.Context, sink bring.Sink, condition string, value any) error {
	query := map[string]any{"withExif": true, "withPeople": true, "type": "IMAGE", condition: value}
	return r.search(ctx, query, func(data json.RawMessage) error {
		item, ok, err := r.item(data)
		if err != nil { // it costs only itself
			sink.Problem(bring.Problem{Where: "an answer of Immich", Reason: err.Error()})
			return nil
		}
		if !ok {
			return nil
		}
		return sink.Item(item)
	})
}

func baseOf(address string) (*url.URL, error) {
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" || base.User != nil {
		return nil, hint.Wrap(fmt.Errorf("%q is no address of a server", address), "write it such as http://photos.local:2283")
	}
	base.Path = strings.TrimSuffix(strings.TrimSuffix(base.Path, "/"), "/api") + "/api/"
	base.RawQuery, base.Fragment = "", ""
	return base, nil
}

type reader struct {
	server Server
	base   *url.URL
	tags   map[string][]string // by asset
	albums map[string][]string
}

// call asks one thing and decodes the answer.
func (r *reader) call(ctx context.Context, method, path string, body, into any) error {
	var sent io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, r.base.JoinPath(path).String(), sent)
	if err != nil {
		return err
	}
	request.Header.Set("X-Api-Key", r.server.Key)
	request.Header.Set("Accept", "application/json")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := r.server.Client.Do(request)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("ask Immich: %w", err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, maximumAnswer+1))
	switch {
	case err != nil:
		return fmt.Errorf("ask Immich: %w", err)
	case response.StatusCode == http.StatusUnauthorized || response.StatusCode == http.StatusForbidden:
		return hint.Wrap(fmt.Errorf("ask Immich: %s %s: %s", method, path, response.Status),
			"make an API key in Immich's account settings, with the permissions asset.read, album.read, tag.read and person.read, and give it in MEKIKI_BRING_IMMICH_KEY or with --key-file")
	case response.StatusCode < 200 || response.StatusCode > 299:
		return &errStatus{response.StatusCode, fmt.Sprintf("ask Immich: %s %s: %s", method, path, response.Status)}
	case len(data) > maximumAnswer:
		return fmt.Errorf("ask Immich: %s %s: the answer has more than %d MiB", method, path, maximumAnswer>>20)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("ask Immich: %s %s: the answer cannot be read: %w", method, path, err)
	}
	return nil
}

// search calls do with each asset that a search finds.
func (r *reader) search(ctx context.Context, query map[string]any, do func(json.RawMessage) error) error {
	query["size"] = pageSize
	for page := 1; page <= maximumPages; page++ {
		query["page"] = page
		var answer found
		if err := r.call(ctx, http.MethodPost, "search/metadata", query, &answer); err != nil {
			return err
		}
		for _, each := range answer.Assets.Items {
			if err := do(each); err != nil {
				return err
			}
		}
		if answer.Assets.NextPage == nil || len(answer.Assets.Items) == 0 {
			return nil
		}
	}
	return fmt.Errorf("ask Immich: a search has more than %d pages", maximumPages)
}

// idOf gives an asset's id, or "".
func idOf(data json.RawMessage) string {
	var a struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(data, &a) // one without an id is passed over
	return a.ID
}

func add(to map[string][]string, id, name string) {
	if id != "" && len(to[id]) < bring.MaximumValues && (to[id] != nil || len(to) < bring.MaximumItems) {
		to[id] = append(to[id], name)
	}
}

func (r *reader) readTags(ctx context.Context, sink bring.Sink) error {
	var tags []tag
	err := r.call(ctx, http.MethodGet, "tags", nil, &tags)
	if old := (*errStatus)(nil); errors.As(err, &old) && old.status == http.StatusNotFound {
		sink.Problem(bring.Problem{Where: "tags", Reason: "this version of Immich has none"})
		return nil
	}
	if err != nil {
		return err
	}
	for _, each := range tags[:min(len(tags), maximumNames)] {
		name := each.Value
		if name == "" {
			name = each.Name
		}
		err := r.search(ctx, map[string]any{"tagIds": []string{each.ID}}, func(data json.RawMessage) error {
			add(r.tags, idOf(data), name)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// readAlbums asks which assets albums have: by a search, or the albums themselves where searches know none.
func (r *reader) readAlbums(ctx context.Context) error {
	var albums []album
	if err := r.call(ctx, http.MethodGet, "albums", nil, &albums); err != nil {
		return err
	}
	for _, each := range albums[:min(len(albums), maximumNames)] {
		note := func(data json.RawMessage) error {
			add(r.albums, idOf(data), each.Name)
			return nil
		}
		err := r.search(ctx, map[string]any{"albumIds": []string{each.ID}}, note)
		if old := (*errStatus)(nil); errors.As(err, &old) && old.status == http.StatusBadRequest {
			var whole album
			if err = r.call(ctx, http.MethodGet, "albums/"+url.PathEscape(each.ID), nil, &whole); err == nil {
				for _, data := range whole.Assets {
					_ = note(data) // it never fails
				}
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// item reads an asset; false for one that is no picture, or in the trash.
func (r *reader) item(data json.RawMessage) (bring.Item, bool, error) {
	var a asset
	if err := json.Unmarshal(data, &a); err != nil {
		return bring.Item{}, false, err
	}
	if a.Type != "IMAGE" || a.IsTrashed {
		return bring.Item{}, false, nil
	}
	item := bring.Item{
		Path: a.OriginalPath, Name: a.OriginalFileName, Favourite: a.IsFavorite, Sum: sumOf(a.Checksum),
		Tags: bring.Leaves(r.tags[a.ID]), Albums: r.albums[a.ID],
	}
	for _, person := range a.People {
		item.People = append(item.People, person.Name)
	}
	if info := a.ExifInfo; info != nil {
		item.Description, item.Bytes = info.Description, info.FileSizeInByte
		if stars := int(info.Rating); stars >= 1 && stars <= 5 {
			item.Rating = &stars
		}
		if date, err := time.Parse(time.RFC3339, a.LocalDateTime); err == nil && info.DateTimeOriginal != "" {
			item.Date = date.UTC() // it is what the clock showed, as if it were UTC
		}
	}
	return item, true, nil
}

// sumOf reads a checksum: SHA-1 in base64, or SHA-256 of newer versions.
func sumOf(checksum string) bring.Sum {
	data, err := base64.StdEncoding.DecodeString(checksum)
	switch {
	case err == nil && len(data) == 20:
		return bring.Sum{Kind: bring.SHA1, Hex: hex.EncodeToString(data)}
	case err == nil && len(data) == 32:
		return bring.Sum{Kind: bring.SHA256, Hex: hex.EncodeToString(data)}
	}
	return bring.Sum{}
}
