package objects

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// transport answers calls without a network.
type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(request *http.Request) (*http.Response, error) { return t(request) }

func response(status int, body string, header ...string) *http.Response {
	r := &http.Response{StatusCode: status, Status: http.StatusText(status), Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// TestAddressing: where requests name the bucket, and what is signed.
func TestAddressing(t *testing.T) {
	for _, test := range []struct{ address, addressing, want string }{
		{"http://127.0.0.1:7070", "auto", "http://127.0.0.1:7070/bucket/library/a%2Bb%3Dc~/%40d"},
		{"https://s3.eu-west-1.amazonaws.com", "auto", "https://bucket.s3.eu-west-1.amazonaws.com/library/a%2Bb%3Dc~/%40d"},
		{"https://s3.eu-west-1.amazonaws.com", "path", "https://s3.eu-west-1.amazonaws.com/bucket/library/a%2Bb%3Dc~/%40d"},
		{"https://store.example:9000", "host", "https://bucket.store.example:9000/library/a%2Bb%3Dc~/%40d"},
		{"https://store.example", "", "https://store.example/bucket/library/a%2Bb%3Dc~/%40d"},
	} {
		where := at(test.address)
		where.Addressing, where.SessionToken = test.addressing, "lent"
		c, err := newClient(where, transport(func(request *http.Request) (*http.Response, error) {
			if got := request.URL.String(); got != test.want {
				t.Errorf("%s, %s: %s, expected %s", test.address, test.addressing, got, test.want)
			}
			if authorization := request.Header.Get("Authorization"); !strings.Contains(authorization, "AWS4-HMAC-SHA256 Credential=access/") || !strings.Contains(authorization, "/us-east-1/s3/aws4_request") {
				t.Errorf("authorization %q", authorization)
			}
			if request.Header.Get("X-Amz-Security-Token") != "lent" || request.Header.Get("X-Amz-Content-Sha256") == "" {
				t.Errorf("headers %v", request.Header)
			}
			return response(http.StatusOK, ""), nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		found, err := c.do(t.Context(), request{method: http.MethodGet, name: "library/a+b=c~/@d", alive: func() {}})
		if err != nil {
			t.Fatal(err)
		}
		found.Body.Close()
	}
}

// TestAnswers: what is made of the errors of stores, and of what stands before them.
func TestAnswers(t *testing.T) {
	store := open(t, at("https://s3.eu-west-1.amazonaws.com"))
	for _, test := range []struct {
		response *http.Response
		code     string
		kind     kind
		passes   bool
		remedy   string
	}{
		{response(404, ""), codeNoSuchKey, kindAbsent, false, ""},
		{response(404, "<Error><Code>NoSuchBucket</Code></Error>"), codeNoSuchBucket, kindBucket, false, "make the bucket"},
		{response(403, ""), "AccessDenied", kindRights, false, "rights"},
		{response(403, "<Error><Code>ExpiredToken</Code></Error>"), "ExpiredToken", kindCredentials, false, "session-token"},
		{response(412, ""), codePreconditionFailed, kindOther, false, "log"},
		{response(416, "<Error><Code>InvalidRange</Code></Error>"), "InvalidRange", kindRange, false, ""},
		{response(301, "", "X-Amz-Bucket-Region", "ap-south-1"), "PermanentRedirect", kindRegion, false, "https://s3.ap-south-1.amazonaws.com"},
		{response(400, "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-3</Region></Error>"), "AuthorizationHeaderMalformed", kindRegion, false, "eu-west-3"},
		{response(507, "<Error><Code>InsufficientStorage</Code></Error>"), "InsufficientStorage", kindFull, false, "make room in the store"},
		{response(502, "<html><body>Bad Gateway"), "Bad Gateway", kindOther, true, "log"},
		{response(503, "<Error><Code>SlowDown</Code></Error>"), "SlowDown", kindOther, true, "log"},
		{response(429, ""), "Too Many Requests", kindOther, true, "log"},
		{response(501, "<Error><Code>NotImplemented</Code></Error>"), "NotImplemented", kindOther, false, "log"},
		{response(409, "<Error><Code>ConditionalRequestConflict</Code></Error>"), "ConditionalRequestConflict", kindOther, true, "log"},
		{response(400, "<Error><Code>BadDigest</Code></Error>"), "BadDigest", kindOther, true, ""},
		{response(400, strings.Repeat("x", 1<<20)), "Bad Request", kindOther, false, "log"},
	} {
		given := answerOf(test.response, true)
		found := store.faultOf(given)
		if given.Code != test.code || found.kind != test.kind || found.passes != test.passes || !strings.Contains(found.remedy, test.remedy) || len(found.err.Error()) > 1000 {
			t.Errorf("%d: %+v: %+v", test.response.StatusCode, given, found)
		}
	}
	if given := answerOf(response(404, ""), false); given.Code != codeNoSuchBucket {
		t.Errorf("a bucket that is not there: %+v", given)
	}
	theirs := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	if given := answerOf(response(403, "", "Date", theirs.Format(http.TimeFormat)), true); !given.Date.Equal(theirs) {
		t.Errorf("the time is %s", given.Date)
	}
}

// TestStrangeLists: a list that is none, is out of order, or has keys of others, is an error and never taken for one that ends.
func TestStrangeLists(t *testing.T) {
	for body, want := range map[string]string{
		"":                   "EOF",
		"<html>":             "read the list",
		"<ListBucketResult>": "read the list",
		"<ListBucketResult><Contents><Key>library/b</Key></Contents><Contents><Key>library/a</Key></Contents></ListBucketResult>":          "after",
		"<ListBucketResult><Contents><Key>other/b</Key></Contents></ListBucketResult>":                                                     "it lists",
		"<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>library/%zz</Key></Contents></ListBucketResult>":                 "invalid URL escape",
		"<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>library/a%2Bb</Key><Size>5</Size></Contents></ListBucketResult>": "",
		"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>":                                                             "",
	} {
		store := open(t, at("http://store.example"))
		store.client.http.Transport = transport(func(*http.Request) (*http.Response, error) { return response(http.StatusOK, body), nil })
		for info, err := range store.List(t.Context(), "") {
			if want == "" && (err != nil || info.Key != "a+b" || info.Size != 5) {
				t.Errorf("%s: %+v, %v", body, info, err)
			}
			if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%s: %+v, %v, expected %q", body, info, err, want)
			}
		}
	}
}
