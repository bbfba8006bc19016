package client

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"net"
	"net/http"
	"path/filepath"
	"testing"

	"mekiki/index/local"
	"mekiki/search"
	"mekiki/server"
	"mekiki/server/auth"
)

// plain is a PNG of one colour.
func plain(t *testing.T, paint color.Color) []byte {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, 16, 16))
	for at := range 256 {
		picture.Set(at%16, at/16, paint)
	}
	var buffer bytes.Buffer
	if err := png.Encode(&buffer, picture); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

// serve runs a server over an empty library on disk, with a token, and gives a
// client of it.
func serve(t *testing.T) *Client {
	t.Helper()
	folder := t.TempDir()
	library, err := local.Open(t.Context(), filepath.Join(folder, "library"), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	searcher, err := search.New(library, colours{}, search.Options{})
	if err != nil {
		t.Fatal(err)
	}
	token, secret, err := auth.NewToken("example", auth.ScopeWrite)
	if err != nil {
		t.Fatal(err)
	}
	served, err := server.New(server.Options{
		Address: "127.0.0.1:0", Tokens: []auth.Token{token}, Searcher: searcher, Library: library,
		Ingester: server.IngesterOf(library, colours{}, 0), UploadFolder: filepath.Join(folder, "uploads"),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	address, ended := make(chan net.Addr, 1), make(chan error, 1)
	go func() { ended <- served.Run(ctx, func(at net.Addr) { address <- at }) }()
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		cancel()
		if err := errors.Join(<-ended, library.Close()); err != nil {
			t.Error(err)
		}
	})
	select {
	case at := <-address:
		return &Client{Address: "http://" + at.String(), Token: secret, HTTP: &http.Client{Transport: transport}}
	case err := <-ended:
		ended <- err
		t.Fatal(err)
	}
	return nil
}

// TestClient goes the whole way: pictures in by upload, found by words and by an
// image, through a real server, search and library.
func TestClient(t *testing.T) {
	client := serve(t)
	ctx := t.Context()
	ids := map[string]string{}
	for name, paint := range map[string]color.Color{
		"red": color.RGBA{230, 10, 10, 255}, "green": color.RGBA{10, 230, 10, 255}, "blue": color.RGBA{10, 10, 230, 255},
	} {
		id, err := client.Add(ctx, Upload{Image: plain(t, paint), Name: "plate.png", Folder: "Kitchen/" + name + "ware", Tags: []string{"plain", name + "dish"}})
		if err != nil {
			t.Fatal(err)
		}
		ids[name] = id
	}
	for name, id := range ids {
		answer, err := client.Search(ctx, "something "+name, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(answer.Hits) == 0 || answer.Hits[0].ID != id {
			t.Errorf("%s: %+v, want record %s first", name, answer, id)
		}
	}
	answer, err := client.SearchByImage(ctx, plain(t, color.RGBA{200, 30, 30, 255}), "")
	if err != nil || len(answer.Hits) == 0 || answer.Hits[0].ID != ids["red"] {
		t.Errorf("by image: %+v, %v", answer, err)
	}
	var stages []string
	if err := client.Stream(ctx, "blue", func(answer Response) { stages = append(stages, answer.Stage) }); err != nil {
		t.Fatal(err)
	}
	if len(stages) != 2 || stages[0] != "first" || stages[1] != "reranked" {
		t.Errorf("stages %v", stages)
	}
	filtered, err := client.Search(ctx, "tag:greendish", 5)
	if err != nil || len(filtered.Hits) != 1 || filtered.Hits[0].ID != ids["green"] {
		t.Errorf("by tag: %+v, %v", filtered, err)
	}
	filed, err := client.Search(ctx, "folder:blueware", 5)
	if err != nil || len(filed.Hits) != 1 || filed.Hits[0].ID != ids["blue"] || filed.Hits[0].Name != "Kitchen/blueware/plate.png" {
		t.Errorf("by folder: %+v, %v", filed, err)
	}
}

func TestClientProblems(t *testing.T) {
	client := serve(t)
	_, err := client.Search(t.Context(), `"never closed`, 5)
	var problem *Problem
	if !errors.As(err, &problem) || problem.Code != "unbalanced_quote" || problem.Status != 400 || problem.Hint == "" {
		t.Errorf("problem %+v, %v", problem, err)
	}
	if _, err := client.Add(t.Context(), Upload{Image: []byte("no image")}); !errors.As(err, &problem) || problem.Code != "invalid_image" {
		t.Errorf("problem %v", err)
	}
	client.Token = "wrong"
	if err := client.Stream(t.Context(), "red", func(Response) {}); !errors.As(err, &problem) || problem.Code != "unauthorized" {
		t.Errorf("problem %v", err)
	}
}
