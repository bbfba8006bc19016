// The client that .ci/clients compiles against what oapi-codegen makes of openapi.json, and runs: it uploads a picture,
// searches by words and by the picture, tags it, and fetches what it uploaded.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"os"
)

func main() {
	if err := run(context.Background(), os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, address, picture string) error {
	client, err := NewClientWithResponses(address)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(picture)
	if err != nil {
		return err
	}
	kind, body, err := form(data, map[string]any{"tags": []string{"generated"}})
	if err != nil {
		return err
	}
	added, err := client.AddRecordWithBodyWithResponse(ctx, kind, body)
	if err != nil {
		return err
	}
	record := added.JSON201
	if added.StatusCode() == http.StatusOK {
		record = added.JSON200
	}
	if record == nil {
		return fmt.Errorf("upload: %s: %s", added.Status(), added.Body)
	}
	words := "a picture"
	found, err := client.SearchWithResponse(ctx, &SearchParams{Q: &words})
	if err != nil {
		return err
	}
	if found.JSON200 == nil {
		return fmt.Errorf("search: %s: %s", found.Status(), found.Body)
	}
	if kind, body, err = form(data, map[string]any{"limit": 3}); err != nil {
		return err
	}
	alike, err := client.SearchFullWithBodyWithResponse(ctx, kind, body)
	if err != nil {
		return err
	}
	if alike.JSON200 == nil || len(alike.JSON200.Hits) == 0 || alike.JSON200.Hits[0].Id != record.Id {
		return fmt.Errorf("search by the picture that was uploaded: %s: %s", alike.Status(), alike.Body)
	}
	tagged, err := client.TagRecordWithResponse(ctx, record.Id, "red car", nil)
	if err != nil {
		return err
	}
	if tagged.JSON200 == nil {
		return fmt.Errorf("tag: %s: %s", tagged.Status(), tagged.Body)
	}
	original, err := client.GetOriginalWithResponse(ctx, record.Id, nil)
	if err != nil {
		return err
	}
	if !bytes.Equal(original.Body, data) {
		return fmt.Errorf("original: %s, %d bytes where %d were uploaded", original.Status(), len(original.Body), len(data))
	}
	missing, err := client.GetRecordWithResponse(ctx, "9999", nil)
	if err != nil {
		return err
	}
	if missing.ApplicationproblemJSON4XX == nil || missing.ApplicationproblemJSON4XX.Code != "not_found" {
		return fmt.Errorf("a record that is not there: %s: %s", missing.Status(), missing.Body)
	}
	fmt.Printf("Go: uploaded record %s, %d hits by words, tags %v\n", record.Id, len(found.JSON200.Hits), tagged.JSON200.Tags)
	return nil
}

// form makes a form of an image and the JSON that goes with it.
func form(image []byte, request map[string]any) (kind string, body *bytes.Buffer, err error) {
	body = &bytes.Buffer{}
	writer := multipart.NewWriter(body)
	part, err := writer.CreateFormFile("image", "picture")
	if err == nil {
		_, err = part.Write(image)
	}
	if err != nil {
		return "", nil, err
	}
	details, err := json.Marshal(request)
	if err != nil {
		return "", nil, err
	}
	if err := writer.WriteField("request", string(details)); err != nil {
		return "", nil, err
	}
	return writer.FormDataContentType(), body, writer.Close()
}
