package server

import (
	"mekiki/server/problem"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// checkSite keeps other web sites out. A browser that shows one of them will
// send requests here on its behalf; against that stand two rules.
//
// The Host must be one of ours. On loopback without tokens that is a loopback
// name or one of Options.Hosts: a foreign name that resolves to 127.0.0.1 (DNS
// rebinding) is refused. With tokens any name will do unless Options.Hosts says
// otherwise, since a foreign name brings no credentials.
//
// A request that a browser says comes from elsewhere (Sec-Fetch-Site, Origin) is
// refused, unless it only opens a page.
func (s *Server) checkSite(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		request := c.Request()
		if !s.isOurs(request.Host) {
			p := problem.Newf(problem.CrossSite, "%q is not a name of this server", request.Host)
			p.Hint = "ask for http://127.0.0.1, or start the server with this name among its --host names"
			return p
		}
		if isForeign(request) {
			return problem.New(problem.CrossSite, "the request comes from a page of another site")
		}
		return next(c)
	}
}

func (s *Server) isOurs(host string) bool {
	name := hostName(host)
	if slices.Contains(s.options.Hosts, name) {
		return true
	}
	if len(s.options.Tokens) > 0 {
		return len(s.options.Hosts) == 0 || isLoopback(name)
	}
	return isLoopback(name)
}

// hostName gives the name in a Host header: without port, brackets and final
// dot, in lower case.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// isLoopback reports whether a name or address always means this machine.
func isLoopback(name string) bool {
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	address, err := netip.ParseAddr(name)
	return err == nil && address.Unmap().IsLoopback()
}

// isForeign reports whether a browser sent the request for a page of another
// origin. Programs send none of these headers.
func isForeign(request *http.Request) bool {
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
