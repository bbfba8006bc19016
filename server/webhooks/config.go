package webhooks

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"mekiki/internal/bounded"
)

// Hook is where events go.
type Hook struct {
	// Name is the operator's for it.
	Name string
	URL  string
	// Secret signs what is sent.
	Secret []byte
	// Events are the types that are sent; none means all.
	Events []string
	// Allow are the networks that the address may be in; none means all that are public.
	Allow []netip.Prefix
}

// wants reports whether the hook takes events of a type.
func (h Hook) wants(event string) bool {
	return event == EventTest || len(h.Events) == 0 || slices.Contains(h.Events, event)
}

// hookJSON is a hook in the file.
type hookJSON struct {
	Name   string         `json:"name"`
	URL    string         `json:"url"`
	Secret string         `json:"secret"`
	Events []string       `json:"events"`
	Allow  []netip.Prefix `json:"allow"`
}

var hookName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// secretPrefix begins a secret in the form of Standard Webhooks; the rest is base64.
const secretPrefix = "whsec_"

// ReadConfig reads the operator's file: {"webhooks": [{"name", "url", "secret", "events", "allow"}]}. No error shows a secret.
func ReadConfig(path string) ([]Hook, error) {
	data, err := bounded.ReadFile(path, configBytes)
	if err != nil {
		return nil, err
	}
	hooks, err := parseConfig(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return hooks, nil
}

func parseConfig(data []byte) ([]Hook, error) {
	var file struct {
		Webhooks []hookJSON `json:"webhooks"`
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("read webhooks: %w", err)
	}
	if len(file.Webhooks) > maximumHooks {
		return nil, fmt.Errorf("there are %d webhooks, and at most %d can be", len(file.Webhooks), maximumHooks)
	}
	var hooks []Hook
	for i, raw := range file.Webhooks {
		hook, err := raw.hook()
		if err == nil && slices.ContainsFunc(hooks, func(h Hook) bool { return h.Name == hook.Name }) {
			err = errors.New("another has its name")
		}
		if err != nil {
			return nil, fmt.Errorf("webhook %d: %w", i+1, err)
		}
		hooks = append(hooks, hook)
	}
	return hooks, nil
}

func (j hookJSON) hook() (Hook, error) {
	if !hookName.MatchString(j.Name) {
		return Hook{}, errors.New("its name needs 1 to 64 letters, digits, '.', '_' and '-'")
	}
	address, err := url.Parse(j.URL)
	switch {
	case err != nil || address.Host == "" || address.User != nil || address.Fragment != "":
		return Hook{}, errors.New("its url is not an address such as https://example.com/hook, without a password in it")
	case address.Scheme == "http" && len(j.Allow) == 0:
		return Hook{}, errors.New("its url is http, which anybody on the way can read: use https, or name the networks that it may be in under allow")
	case address.Scheme != "https" && address.Scheme != "http":
		return Hook{}, errors.New("its url must be https")
	}
	encoded, prefixed := strings.CutPrefix(j.Secret, secretPrefix)
	secret, err := base64.StdEncoding.DecodeString(encoded)
	if !prefixed || err != nil || len(secret) < secretLeast || len(secret) > secretMost {
		return Hook{}, fmt.Errorf("its secret must be %s and %d to %d random bytes in base64 (openssl rand -base64 32)", secretPrefix, secretLeast, secretMost)
	}
	for _, event := range j.Events {
		if !slices.Contains([]string{EventJobFinished, EventRecordsAdded}, event) {
			return Hook{}, fmt.Errorf("there is no event %q: expected %s or %s", event, EventJobFinished, EventRecordsAdded)
		}
	}
	return Hook{Name: j.Name, URL: j.URL, Secret: secret, Events: j.Events, Allow: j.Allow}, nil
}
