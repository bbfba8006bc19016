package transport

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"

	"mekiki/server/problem"
)

// net/http answers what is not HTTP, or more of it than it takes, by itself and in plain text, before any handler is
// asked. A protocolConn makes problems of these answers, so that every error has the one shape.
type protocolConn struct {
	*net.TCPConn // with what net/http looks for in it: sending files, closing one direction
}

// Listener gives connections that answer in problems.
type Listener struct{ net.Listener }

// Accept waits for the next connection.
func (l Listener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if tcp, ok := accepted.(*net.TCPConn); ok {
		return protocolConn{tcp}, err
	}
	return accepted, err
}

// What net/http writes in one piece, and the handlers of this server never do: each of their answers has more headers.
var (
	protocolStatus   = []byte("HTTP/1.1 ")
	protocolHeaders  = []byte("\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n")
	protocolExpected = []byte("HTTP/1.1 417 Expectation Failed\r\n")
)

// protocolProblems are the codes of the answers, and what to say of each.
var protocolProblems = map[int]struct {
	code   problem.Code
	detail string
}{
	http.StatusBadRequest:                  {problem.InvalidRequest, "this is not well-formed HTTP"},
	http.StatusExpectationFailed:           {problem.ExpectationFailed, "the only expectation that can be met is 100-continue"},
	http.StatusRequestHeaderFieldsTooLarge: {problem.HeadersTooLarge, "the limit is " + problem.SizeText(MaxHeaderBytes)},
	http.StatusNotImplemented:              {problem.Unsupported, "the only transfer encoding taken is chunked"},
	http.StatusHTTPVersionNotSupported:     {problem.VersionNotSupported, "use HTTP/1.1"},
}

// Write passes on what handlers answer, and writes a problem in place of an answer of net/http itself.
func (c protocolConn) Write(data []byte) (int, error) {
	status, raw := protocolError(data)
	if !raw {
		return c.TCPConn.Write(data)
	}
	if _, err := c.TCPConn.Write(protocolAnswer(status)); err != nil {
		return 0, err
	}
	return len(data), nil
}

// protocolError reports whether data is an answer of net/http itself, and its status.
func protocolError(data []byte) (status int, raw bool) {
	rest, isAnswer := bytes.CutPrefix(data, protocolStatus)
	if !isAnswer || len(rest) < 3 {
		return 0, false
	}
	line, _, _ := bytes.Cut(data, []byte("\r\n"))
	if !bytes.HasPrefix(data[len(line):], protocolHeaders) && !bytes.HasPrefix(data, protocolExpected) {
		return 0, false
	}
	status, err := strconv.Atoi(string(rest[:3]))
	_, known := protocolProblems[status]
	return status, err == nil && known
}

func protocolAnswer(status int) []byte {
	found := protocolProblems[status]
	p := problem.New(found.code, found.detail)
	p.Instance = RandomHex(8)
	// A Problem has nothing that cannot be encoded.
	body, _ := json.Marshal(p)
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\nCache-Control: no-store\r\n"+
		"X-Content-Type-Options: nosniff\r\nX-Request-ID: %s\r\nConnection: close\r\n\r\n%s",
		status, http.StatusText(status), len(body), p.Instance, body)
}
