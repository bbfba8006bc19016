package auth

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"mekiki/server/problem"
)

// Sites says for which names the server answers.
type Sites struct {
	// Hosts are names of the server beside the loopback ones, in lower case.
	Hosts []string
	// Tokens says that requests need a token.
	Tokens bool
	// Origins are those whose pages may call the API, and nothing else.
	Origins []string
}

// Check keeps other web sites out: it gives a problem or nil. A browser that shows one of them will
// send requests here on its behalf; against that stand two rules.
//
// The Host must be one of ours. On loopback without tokens that is a loopback
// name or one of Hosts: a foreign name that resolves to 127.0.0.1 (DNS
// rebinding) is refused. With tokens any name will do unless Hosts says
// otherwise, since a foreign name brings no credentials.
//
// A request that a browser says comes from elsewhere (Sec-Fetch-Site, Origin) is
// refused, unless it only opens a page, or calls the API from one of Origins.
func (s Sites) Check(request *http.Request) error {
	if !s.isOurs(request.Host) {
		p := problem.Newf(problem.CrossSite, "%q is not a name of this server", request.Host)
		p.Hint = "ask for http://127.0.0.1, or start the server with this name among its --host names"
		return p
	}
	if IsForeign(request) && !s.allows(request) {
		return problem.New(problem.CrossSite, "the request comes from a page of another site")
	}
	return nil
}

// allows reports whether the request is a call of the API from an allowed origin. Browsers name the origin of every such call.
func (s Sites) allows(request *http.Request) bool {
	origins := request.Header.Values("Origin")
	return len(origins) == 1 && slices.Contains(s.Origins, origins[0]) && strings.HasPrefix(request.URL.Path, "/api/v1/")
}

// CheckOrigin fails for what is not one exact origin as browsers write it, such as https://photos.example.
func CheckOrigin(text string) error {
	parsed, err := url.Parse(text)
	switch {
	case err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https":
	case parsed.Scheme+"://"+parsed.Host != text || text != strings.ToLower(text) || strings.ContainsAny(parsed.Host, "*?@"):
	case parsed.Scheme == "http" && parsed.Port() == "80" || parsed.Scheme == "https" && parsed.Port() == "443":
		return fmt.Errorf("%q is not an origin: browsers leave out the usual port", text)
	default:
		return nil
	}
	return fmt.Errorf("%q is not an origin: expected a scheme, a host and perhaps a port, in lower case and without wildcards, such as https://photos.example", text)
}

func (s Sites) isOurs(host string) bool {
	name := HostName(host)
	if slices.Contains(s.Hosts, name) {
		return true
	}
	if s.Tokens {
		return len(s.Hosts) == 0 || IsLoopback(name)
	}
	return IsLoopback(name)
}

// HostName gives the name in a Host header: without port, brackets and final
// dot, in lower case.
func HostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// IsLoopback reports whether a name or address always means this machine.
func IsLoopback(name string) bool {
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	address, err := netip.ParseAddr(name)
	return err == nil && address.Unmap().IsLoopback()
}

// IsForeign reports whether a browser sent the request for a page of another
// origin. Programs send none of these headers.
func IsForeign(request *http.Request) bool {
	reading := request.Method == http.MethodGet || request.Method == http.MethodHead
	switch request.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return false
	case "":
	default:
		// Following a link to the page is no harm; any other use is refused.
		opens := reading && request.Header.Get("Sec-Fetch-Mode") == "navigate" && request.Header.Get("Sec-Fetch-Dest") == "document"
		return !opens || strings.HasPrefix(request.URL.Path, "/api/v1/")
	}
	origin := request.Header.Get("Origin")
	if origin == "" {
		return false
	}
	parsed, err := url.Parse(origin)
	return err != nil || parsed.Host == "" || !strings.EqualFold(parsed.Host, request.Host)
}
