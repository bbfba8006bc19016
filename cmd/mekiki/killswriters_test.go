package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"
)

// write changes the writer's items at random until the server is gone.
func (w *killedWriter) write(ctx context.Context, k *killed, random *rand.Rand) {
	for step := 0; ctx.Err() == nil; step++ {
		picture, text := w.pictures[random.IntN(len(w.pictures))], w.texts[random.IntN(len(w.texts))]
		if len(picture.may) > 1 || len(text.may) > 1 {
			continue // an upload of it was broken off
		}
		there := picture.may[0] != nil
		ok := true
		switch choice := random.IntN(10); {
		case choice < 3:
			ok = w.addText(ctx, k, text, fmt.Sprintf("words %d of %s", random.IntN(1<<30), text.name))
		case choice == 3 && text.may[0] != nil:
			ok = k.change(ctx, text, nil, http.MethodDelete, "/api/v1/records/"+text.id+"?permanent=true")
		case choice < 6 && there:
			ok = k.change(ctx, picture, nil, http.MethodDelete, "/api/v1/records/"+picture.id+"?permanent=true")
		case choice < 8 && there:
			tag := "tag-" + strconv.Itoa(random.IntN(5))
			ok = w.changeTag(ctx, k, picture, tag, random.IntN(3) > 0)
		default:
			ok = w.upload(ctx, k, picture, random)
		}
		if !ok {
			return
		}
	}
}

// change makes one change and notes what may be afterwards. It reports whether the
// server is still there.
func (k *killed) change(ctx context.Context, item *killedItem, state []string, method, path string) bool {
	item.may = append(item.may, state)
	status, body := k.ask(ctx, method, path, nil, "")
	if status == 0 {
		return false
	}
	if status >= 300 {
		k.Errorf("%s %s: %d %s", method, path, status, body)
	}
	k.acknowledge(item, state)
	return true
}

func (k *killed) acknowledge(item *killedItem, state []string) {
	k.acknowledged.Add(1)
	item.may = [][]string{state}
}

func (w *killedWriter) changeTag(ctx context.Context, k *killed, item *killedItem, tag string, add bool) bool {
	tags := slices.DeleteFunc(append([]string{}, item.may[0]...), func(each string) bool { return each == tag })
	method := http.MethodDelete
	if add {
		method = http.MethodPut
		tags = append(tags, tag)
		slices.Sort(tags)
	}
	return k.change(ctx, item, tags, method, "/api/v1/records/"+item.id+"/tags/"+url.PathEscape(tag))
}

func (w *killedWriter) addText(ctx context.Context, k *killed, item *killedItem, words string) bool {
	body, err := json.Marshal(map[string]any{"texts": []map[string]string{{"text": words, "external_id": item.name}}})
	if err != nil {
		k.Error(err)
		return false
	}
	state := []string{words}
	item.may = append(item.may, state)
	status, answer := k.ask(ctx, http.MethodPost, "/api/v1/texts", bytes.NewReader(body), "application/json")
	var added struct {
		Records []killedRecord `json:"records"`
	}
	if status == 0 {
		return false
	}
	if err := json.Unmarshal(answer, &added); err != nil || status != http.StatusOK || len(added.Records) != 1 {
		k.Errorf("text: %d %s", status, answer)
		return false
	}
	item.id = added.Records[0].ID
	k.acknowledge(item, state)
	return true
}

// upload sends a picture, sometimes twice at once. Some uploads are broken off:
// nobody knows what came of those before the next start.
func (w *killedWriter) upload(ctx context.Context, k *killed, item *killedItem, random *rand.Rand) bool {
	state := append([]string{}, item.may[0]...)
	item.may = append(item.may, state)
	if random.IntN(8) == 0 {
		short, cancel := context.WithTimeout(ctx, time.Duration(random.IntN(30))*time.Millisecond)
		defer cancel()
		k.sendPicture(short, item.data)
		return true
	}
	var other sync.WaitGroup
	defer other.Wait()
	if random.IntN(3) == 0 {
		other.Go(func() { k.sendPicture(ctx, item.data) })
	}
	status, answer := k.sendPicture(ctx, item.data)
	if status == 0 {
		return false
	}
	var record killedRecord
	if err := json.Unmarshal(answer, &record); err != nil || status >= 300 {
		k.Errorf("upload: %d %s", status, answer)
		return false
	}
	item.id = record.ID
	k.acknowledge(item, state)
	return true
}

func (k *killed) sendPicture(ctx context.Context, data []byte) (int, []byte) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("image", "picture.png")
	if err == nil {
		_, err = part.Write(data)
	}
	if err == nil {
		err = form.WriteField("request", `{"folder":"killed"}`)
	}
	if err = errors.Join(err, form.Close()); err != nil {
		k.Error(err)
		return 0, nil
	}
	return k.ask(ctx, http.MethodPost, "/api/v1/records", &body, form.FormDataContentType())
}
