package webhooks

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"syscall"
	"time"
)

// errAddress refuses an address that the operator has not allowed.
var errAddress = errors.New("the address is not one that the configuration allows")

// special are networks that are neither private nor public: shared, for tests, for documents, or ways into IPv4.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("::/64"), netip.MustParsePrefix("fec0::/10"), netip.MustParsePrefix("3fff::/20"),
}

// allowed reports whether a hook may send to an address.
func (h Hook) allowed(address netip.Addr) bool {
	address = address.Unmap().WithZone("")
	if len(h.Allow) > 0 {
		return contains(h.Allow, address)
	}
	return address.IsGlobalUnicast() && !address.IsPrivate() && !contains(special, address)
}

func contains(networks []netip.Prefix, address netip.Addr) bool {
	for _, network := range networks {
		if network.Contains(address) {
			return true
		}
	}
	return false
}

// client sends for a hook. The address is looked at when it is dialled, after its name has been resolved, so that no name
// leads elsewhere; there is no proxy, and redirections are answers like others.
func (h Hook) client() *http.Client {
	dialer := &net.Dialer{Timeout: attemptTime, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !h.allowed(at.Addr()) {
			return errAddress
		}
		return nil
	}}
	return &http.Client{
		Timeout: attemptTime,
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: attemptTime, ResponseHeaderTimeout: attemptTime, MaxResponseHeaderBytes: answerBytes,
			DisableKeepAlives: true, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// sign gives the signature of a message: "v1," and the HMAC-SHA256 of its id, its time and itself, as Standard Webhooks has it.
func sign(secret []byte, id string, at time.Time, payload []byte) string {
	mac := hmac.New(sha256.New, secret)
	_, _ = fmt.Fprintf(mac, "%s.%d.", id, at.Unix()) // a hash takes everything
	_, _ = mac.Write(payload)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// send makes one attempt. The status is 0 where there was no answer.
func send(ctx context.Context, client *http.Client, hook Hook, id string, at time.Time, payload []byte) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, hook.URL, bytes.NewReader(payload))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "mekiki-webhooks")
	request.Header.Set("webhook-id", id)
	request.Header.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	request.Header.Set("webhook-signature", sign(hook.Secret, id, at, payload))
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, answerBytes) // what it says is of no interest
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return response.StatusCode, fmt.Errorf("the answer was %s", response.Status)
	}
	return response.StatusCode, nil
}
