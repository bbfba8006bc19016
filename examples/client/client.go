// Package client shows how a program uses Mekiki's HTTP API with nothing but the
// standard library: search by words, search by an image, follow the two stages of
// an answer, add an image. Copy what you need.
package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Client speaks to one server. It is safe for concurrent use.
type Client struct {
	// Address is the server's, such as "http://127.0.0.1:8080".
	Address string
	// Token is sent when it is not empty; a server on loopback asks for none.
	Token string
	// HTTP sends the requests; nil means http.DefaultClient.
	HTTP *http.Client
}

// Hit is one answer to a search; the API has more members than these.
type Hit struct {
	ID          string  `json:"id"`
	Path        string  `json:"path"`
	Name        string  `json:"name"` // of an upload
	Caption     string  `json:"caption"`
	Probability float64 `json:"probability"`
	Verdict     string  `json:"verdict"`
}

// Response is a ranked list of hits. Stage is "first", "reranked" or "final";
// Verdict "none" means that nothing in the library answers the query.
type Response struct {
	Query   string `json:"query"`
	Hits    []Hit  `json:"hits"`
	Total   int    `json:"total"`
	Stage   string `json:"stage"`
	Verdict string `json:"verdict"`
}

// Problem is how the API says that something went wrong (RFC 9457). It is an
// error; branch on its Code.
type Problem struct {
	Status   int    `json:"status"`
	Code     string `json:"code"`
	Title    string `json:"title"`
	Detail   string `json:"detail"`
	Hint     string `json:"hint"`
	Instance string `json:"instance"`
}

// Error gives the title, the detail and the code.
func (p *Problem) Error() string {
	return fmt.Sprintf("%s: %s (%s, request %s)", p.Title, p.Detail, p.Code, p.Instance)
}

// Search looks for images by words.
func (c *Client) Search(ctx context.Context, text string, limit int) (Response, error) {
	query := url.Values{"q": {text}, "limit": {strconv.Itoa(limit)}}
	var answer Response
	err := c.do(ctx, http.MethodGet, "/api/v1/search?"+query.Encode(), "", nil, &answer)
	return answer, err
}

// SearchByImage looks for images like an image file and, if text is not empty,
// answering the text too.
func (c *Client) SearchByImage(ctx context.Context, image []byte, text string) (Response, error) {
	body, kind, err := form("image", image, map[string]any{"text": text})
	if err != nil {
		return Response{}, err
	}
	var answer Response
	err = c.do(ctx, http.MethodPost, "/api/v1/search", kind, body, &answer)
	return answer, err
}

// Upload is an image file to add.
type Upload struct {
	// Image is the file's content, and Name what it is called.
	Image []byte
	Name  string
	// Folder is where to put it, such as "Holiday 2024/Beach"; it may be empty.
	Folder string
	Tags   []string
}

// Add adds an image file and returns the record's id. After an error it may be in
// or not; adding it again is always right.
func (c *Client) Add(ctx context.Context, upload Upload) (string, error) {
	body, kind, err := form(upload.Name, upload.Image, map[string]any{"tags": append([]string{}, upload.Tags...), "folder": upload.Folder})
	if err != nil {
		return "", err
	}
	var record struct {
		ID string `json:"id"`
	}
	err = c.do(ctx, http.MethodPost, "/api/v1/records", kind, body, &record)
	return record.ID, err
}

// Stream looks for images by words and calls show with the first answer, which
// comes at once, and with the reranked one, which replaces it.
func (c *Client) Stream(ctx context.Context, text string, show func(Response)) error {
	request, err := c.request(ctx, http.MethodGet, "/api/v1/search?"+url.Values{"q": {text}}.Encode(), "", nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "text/event-stream")
	response, err := c.client().Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return readProblem(response)
	}
	event := ""
	scanner := bufio.NewScanner(response.Body)
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		if name, ok := strings.CutPrefix(scanner.Text(), "event: "); ok {
			event = name
		}
		data, ok := strings.CutPrefix(scanner.Text(), "data: ")
		if !ok {
			continue
		}
		switch event {
		case "result":
			var answer Response
			if err := json.Unmarshal([]byte(data), &answer); err != nil {
				return fmt.Errorf("read event: %w", err)
			}
			show(answer)
		case "problem":
			problem := &Problem{}
			if err := json.Unmarshal([]byte(data), problem); err != nil {
				return fmt.Errorf("read event: %w", err)
			}
			return problem
		case "done":
			return nil
		}
	}
	if err := scanner.Err(); err != nil {
		return err
	}
	return io.ErrUnexpectedEOF
}

func (c *Client) client() *http.Client {
	if c.HTTP != nil {
		return c.HTTP
	}
	return http.DefaultClient
}

func (c *Client) request(ctx context.Context, method, path, kind string, body io.Reader) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.Address+path, body)
	if err != nil {
		return nil, err
	}
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	return request, nil
}

func (c *Client) do(ctx context.Context, method, path, kind string, body io.Reader, answer any) error {
	request, err := c.request(ctx, method, path, kind, body)
	if err != nil {
		return err
	}
	response, err := c.client().Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		return readProblem(response)
	}
	return json.NewDecoder(response.Body).Decode(answer)
}

func readProblem(response *http.Response) error {
	problem := &Problem{Status: response.StatusCode}
	if err := json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(problem); err != nil {
		return fmt.Errorf("status %s", response.Status)
	}
	return problem
}

// form makes the body of an upload: the file is the part "image", everything else
// is JSON in the part "request".
func form(name string, image []byte, request map[string]any) (body io.Reader, kind string, err error) {
	data, err := json.Marshal(request)
	if err != nil {
		return nil, "", err
	}
	var buffer bytes.Buffer
	writer := multipart.NewWriter(&buffer)
	if err := writer.WriteField("request", string(data)); err != nil {
		return nil, "", err
	}
	part, err := writer.CreateFormFile("image", name)
	if err != nil {
		return nil, "", err
	}
	if _, err := part.Write(image); err != nil {
		return nil, "", err
	}
	return &buffer, writer.FormDataContentType(), writer.Close()
}
