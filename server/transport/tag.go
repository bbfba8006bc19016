package transport

import (
	"net/http"
	"strings"
)

// MatchesTag reports whether If-None-Match names the tag, weakly compared.
func MatchesTag(request *http.Request, tag string) bool {
	for part := range strings.SplitSeq(request.Header.Get("If-None-Match"), ",") {
		part = strings.TrimSpace(part)
		if part == "*" || part != "" && strings.TrimPrefix(part, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}
