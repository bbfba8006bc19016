package storetest

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"testing"
)

// Fault is what a proxy does to a request or its answer.
type Fault int

// The faults: the store answers 500 or 503; says nothing until the client leaves; its answer
// is lost, or ends in the middle; a bit of the answer, or of what is sent, is flipped; a range is
// answered with the whole object.
const (
	None Fault = iota
	InternalError
	Unavailable
	Stalled
	LostAnswer
	CutOff
	FlippedAnswer
	FlippedRequest
	WholeObject
)

// Proxy stands before a store.
type Proxy struct {
	// URL is its address.
	URL     string
	forward *httputil.ReverseProxy

	mutex    sync.Mutex
	faults   []Fault
	bit      int
	requests int
}

// StartProxy starts a proxy before the store at an address. It ends with the test.
func StartProxy(tb testing.TB, address string) *Proxy {
	tb.Helper()
	target, err := url.Parse(address)
	if err != nil {
		tb.Fatal(err)
	}
	// The header Host stays as the client has signed it.
	proxy := &Proxy{forward: &httputil.ReverseProxy{ErrorLog: log.New(io.Discard, "", 0), Rewrite: func(request *httputil.ProxyRequest) {
		request.Out.URL.Scheme, request.Out.URL.Host = target.Scheme, target.Host
	}}}
	server := httptest.NewServer(proxy)
	proxy.URL = server.URL
	tb.Cleanup(server.Close)
	return proxy
}

// Next makes the next requests meet a fault, after those that were to meet one before.
func (p *Proxy) Next(count int, fault Fault) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for range count {
		p.faults = append(p.faults, fault)
	}
}

// FlipBit says which bit of bodies is flipped, counted from their beginning, as long as they have it.
func (p *Proxy) FlipBit(bit int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.bit = bit
}

// Reset forgets faults, and gives how many requests there were since the last time.
func (p *Proxy) Reset() (requests int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	requests, p.requests, p.faults = p.requests, 0, nil
	return requests
}

func (p *Proxy) take() (Fault, int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.requests++
	if len(p.faults) == 0 {
		return None, p.bit
	}
	fault := p.faults[0]
	p.faults = p.faults[1:]
	return fault, p.bit
}

// ServeHTTP passes a request on, or does what the fault says.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	fault, bit := p.take()
	switch fault {
	case InternalError:
		http.Error(w, "failed", http.StatusInternalServerError)
		return
	case Unavailable:
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")
		return
	case Stalled:
		_, _ = io.Copy(io.Discard, request.Body) // so that the server notices that the client leaves
		<-request.Context().Done()
		return
	case FlippedRequest:
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return
		}
		flip(body, bit)
		request.Body = io.NopCloser(bytes.NewReader(body))
	case WholeObject:
		request.Header.Del("Range")
	case LostAnswer, CutOff, FlippedAnswer:
		p.spoil(w, request, fault, bit)
		return
	}
	p.forward.ServeHTTP(w, request)
}

// spoil changes an answer.
func (p *Proxy) spoil(w http.ResponseWriter, request *http.Request, fault Fault, bit int) {
	recorder := httptest.NewRecorder()
	p.forward.ServeHTTP(recorder, request)
	if fault == LostAnswer {
		panic(http.ErrAbortHandler) // which closes the connection
	}
	body := recorder.Body.Bytes()
	for name, values := range recorder.Header() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(recorder.Code)
	if fault == CutOff {
		body = body[:len(body)/2] // fewer than announced: the server closes the connection
	} else {
		flip(body, bit)
	}
	_, _ = w.Write(body)
}

func flip(body []byte, bit int) {
	if len(body) > 0 {
		body[bit/8%len(body)] ^= 1 << (bit % 8)
	}
}
