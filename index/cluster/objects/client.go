package objects

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7/pkg/s3utils"
	"github.com/minio/minio-go/v7/pkg/signer"

	"mekiki/index/cluster/settings"
	"mekiki/internal/bounded"
)

// A client makes the six calls of S3 that a library needs, each once. Signatures are
// minio-go's. The rest of it, which knows of policies, lifecycles, replication and uploads
// in parts, would make up a twentieth of the time that building the whole program takes:
// docs/measurements/cluster.md.
type client struct {
	http    *http.Client
	where   settings.Store
	address url.URL // of the bucket
}

func newClient(where settings.Store, transport http.RoundTripper) (*client, error) {
	address, err := url.Parse(where.Address)
	if err != nil {
		return nil, err
	}
	host := where.Addressing == "host" || where.Addressing == "auto" && s3utils.IsVirtualHostSupported(*address, where.Bucket)
	if host {
		address.Host = where.Bucket + "." + address.Host
		address.Path = "/"
	} else {
		address.Path = "/" + where.Bucket + "/"
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // it is signed for one host
	return &client{http: &http.Client{Transport: transport, CheckRedirect: stay}, where: where, address: *address}, nil
}

// A request is one call.
type request struct {
	method, name string // name is that of an object, or "" for the bucket
	query        url.Values
	header       map[string]string
	body         []byte
	// digests of the body that were made before; else they are made.
	digests *digests
	// alive is called whenever bytes move.
	alive func()
}

// digests are checksums of a body, which the store compares with what arrives.
type digests struct{ sha256, md5 string }

func digestsOf(body []byte) *digests {
	strong, weak := sha256.Sum256(body), md5.Sum(body)
	return &digests{hex.EncodeToString(strong[:]), base64.StdEncoding.EncodeToString(weak[:])}
}

// do makes a call. The error is an [answer] where the store gave one. The caller closes the body.
func (c *client) do(ctx context.Context, r request) (*http.Response, error) {
	target := c.address
	target.Path += r.name
	target.RawPath = s3utils.EncodePath(target.Path)
	target.RawQuery = strings.ReplaceAll(r.query.Encode(), "+", "%20")
	var body io.Reader
	if r.body != nil {
		body = &watched{bytes.NewReader(r.body), r.alive}
	}
	call, err := http.NewRequestWithContext(ctx, r.method, target.String(), body)
	if err != nil {
		return nil, err
	}
	call.ContentLength = int64(len(r.body))
	for name, value := range r.header {
		call.Header.Set(name, value)
	}
	if r.digests == nil {
		r.digests = digestsOf(r.body)
	}
	call.Header.Set("User-Agent", "mekiki")
	call.Header.Set("X-Amz-Content-Sha256", r.digests.sha256)
	if r.body != nil {
		call.Header.Set("Content-Md5", r.digests.md5)
		call.Header.Set("Content-Type", "application/octet-stream")
	}
	call = signer.SignV4(*call, c.where.AccessKey, c.where.SecretKey.Reveal(), c.where.SessionToken.Reveal(), c.where.Region)
	response, err := c.http.Do(call)
	if err != nil {
		return nil, err
	}
	r.alive()
	if response.StatusCode/100 != 2 {
		defer response.Body.Close()
		return nil, answerOf(response, r.name != "")
	}
	return response, nil
}

// An answer is an error that a store gives.
type answer struct {
	Status                int `xml:"-"`
	Code, Message, Region string
	// Date is the time of the store's clock; zero if it did not say.
	Date time.Time `xml:"-"`
}

func (a answer) Error() string {
	if a.Message == "" || a.Message == a.Code {
		return fmt.Sprintf("%d %s", a.Status, a.Code)
	}
	return fmt.Sprintf("%d %s: %.300s", a.Status, a.Code, strings.TrimSpace(a.Message))
}

// bareCodes are what statuses without a body mean, of an object.
var bareCodes = map[int]string{
	http.StatusNotFound: codeNoSuchKey, http.StatusForbidden: "AccessDenied", http.StatusPreconditionFailed: codePreconditionFailed,
	http.StatusRequestedRangeNotSatisfiable: "InvalidRange", http.StatusMovedPermanently: "PermanentRedirect", http.StatusTemporaryRedirect: "TemporaryRedirect",
}

// The codes of S3's errors that calls ask for.
const (
	codeNoSuchKey          = "NoSuchKey"
	codeNoSuchBucket       = "NoSuchBucket"
	codePreconditionFailed = "PreconditionFailed"
)

// answerOf reads the error that a response is.
func answerOf(response *http.Response, ofObject bool) answer {
	text, _ := io.ReadAll(io.LimitReader(response.Body, maximumErrorText)) // what there is of it has to do
	found := answer{Status: response.StatusCode}
	if xml.Unmarshal(text, &found) != nil || found.Code == "" {
		found.Code, found.Message = bareCodes[response.StatusCode], strings.TrimSpace(string(text))
		if found.Code == codeNoSuchKey && !ofObject {
			found.Code = codeNoSuchBucket
		}
		if found.Code == "" {
			found.Code = http.StatusText(response.StatusCode)
		}
	}
	if region := response.Header.Get("X-Amz-Bucket-Region"); region != "" {
		found.Region = region
	}
	found.Date, _ = http.ParseTime(response.Header.Get("Date")) // zero where it says none
	return found
}

// put sends an object and gives its tag.
func (c *client) put(ctx context.Context, name string, framed []byte, sums *digests, condition map[string]string, alive func()) (tag string, err error) {
	response, err := c.do(ctx, request{method: http.MethodPut, name: name, header: condition, body: framed, digests: sums, alive: alive})
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	_, err = bounded.Read(response.Body, maximumErrorText)
	return tagOf(response), err
}

func tagOf(response *http.Response) string { return strings.Trim(response.Header.Get("Etag"), `"`) }

// list gives objects after a name, and whether there are more.
func (c *client) list(ctx context.Context, prefix, after string, most int, alive func()) (found []listed, more bool, err error) {
	query := url.Values{"list-type": {"2"}, "prefix": {prefix}, "max-keys": {strconv.Itoa(most)}, "encoding-type": {"url"}}
	if after != "" {
		query.Set("start-after", after)
	}
	response, err := c.do(ctx, request{method: http.MethodGet, query: query, alive: alive})
	if err != nil {
		return nil, false, err
	}
	defer response.Body.Close()
	text, err := bounded.Read(&watched{response.Body, alive}, maximumList)
	if err != nil {
		return nil, false, err
	}
	var page struct {
		XMLName      xml.Name `xml:"ListBucketResult"`
		IsTruncated  bool
		EncodingType string
		Contents     []listed
	}
	if err := xml.Unmarshal(text, &page); err != nil {
		return nil, false, fmt.Errorf("read the list: %w", err)
	}
	for i := range page.Contents {
		if page.EncodingType != "url" {
			break
		}
		if page.Contents[i].Key, err = url.QueryUnescape(page.Contents[i].Key); err != nil {
			return nil, false, fmt.Errorf("read the list: %w", err)
		}
	}
	return page.Contents, page.IsTruncated, nil
}

// listed is an object in a list.
type listed struct {
	Key          string
	Size         int64
	LastModified time.Time
}

// remove deletes one object.
func (c *client) remove(ctx context.Context, name string, alive func()) error {
	response, err := c.do(ctx, request{method: http.MethodDelete, name: name, alive: alive})
	if err != nil {
		return absentIs(err, nil)
	}
	return response.Body.Close()
}

// removeAll deletes several objects in one call.
func (c *client) removeAll(ctx context.Context, names []string, alive func()) error {
	type object struct{ Key string }
	type deletion struct {
		XMLName xml.Name `xml:"Delete"`
		Quiet   bool
		Object  []object
	}
	asked := deletion{Quiet: true}
	for _, name := range names {
		asked.Object = append(asked.Object, object{name})
	}
	body, err := xml.Marshal(asked)
	if err != nil {
		return err
	}
	response, err := c.do(ctx, request{method: http.MethodPost, query: url.Values{"delete": {""}}, body: body, alive: alive})
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := bounded.Read(&watched{response.Body, alive}, maximumList)
	if err != nil {
		return err
	}
	var result struct {
		XMLName xml.Name
		Error   []answer
		answer  // the whole may be an error, too
	}
	if err := xml.Unmarshal(text, &result); err != nil {
		return fmt.Errorf("read what was deleted: %w", err)
	}
	if result.XMLName.Local == "Error" {
		result.Error = append(result.Error, result.answer)
	}
	for _, wrong := range result.Error {
		if wrong.Code != codeNoSuchKey {
			wrong.Status = http.StatusOK
			return wrong
		}
	}
	return nil
}
