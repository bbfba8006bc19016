package hub

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"mekiki/internal/sorted"
)

const (
	// DefaultEndpoint is the Hugging Face hub.
	DefaultEndpoint = "https://huggingface.co"
	// DefaultLavisEndpoint is the folder of LAVIS's BLIP-2 files.
	DefaultLavisEndpoint = "https://storage.googleapis.com/sfr-vision-language-research/LAVIS/models/BLIP2"
)

// Environment is what the process's environment says about downloads.
type Environment struct {
	// Endpoint is the base address of the Hugging Face hub or of a mirror (HF_ENDPOINT).
	Endpoint string
	// LavisEndpoint is the folder of LAVIS's files or of a mirror (MEKIKI_LAVIS_ENDPOINT).
	LavisEndpoint string
	// Token is sent to Endpoint; empty for none (HF_TOKEN, or the file that "hf auth login" writes).
	Token string
	// CacheDir is the Hugging Face cache to take files from (HF_HUB_CACHE, or hub in HF_HOME); empty for none.
	CacheDir string
	// Offline forbids all network access (HF_HUB_OFFLINE).
	Offline bool
}

// FromEnvironment reads the environment of the process.
func FromEnvironment() (Environment, error) { return fromLookup(os.Getenv) }

// fromLookup reads an environment given as a function that returns "" for what is not set.
func fromLookup(lookup func(name string) string) (Environment, error) {
	environment := Environment{
		Endpoint:      strings.TrimRight(first(lookup("HF_ENDPOINT"), DefaultEndpoint), "/"),
		LavisEndpoint: strings.TrimRight(first(lookup("MEKIKI_LAVIS_ENDPOINT"), DefaultLavisEndpoint), "/"),
		Token:         strings.TrimSpace(first(lookup("HF_TOKEN"), lookup("HUGGING_FACE_HUB_TOKEN"))),
		Offline:       isTrue(lookup("HF_HUB_OFFLINE")) || isTrue(lookup("TRANSFORMERS_OFFLINE")),
	}
	home := lookup("HF_HOME")
	if home == "" {
		base := lookup("XDG_CACHE_HOME")
		if base == "" {
			if user, err := os.UserHomeDir(); err == nil {
				base = filepath.Join(user, ".cache")
			}
		}
		if base != "" {
			home = filepath.Join(base, "huggingface")
		}
	}
	if home != "" {
		environment.CacheDir = filepath.Join(home, "hub")
	}
	environment.CacheDir = first(lookup("HF_HUB_CACHE"), lookup("HUGGINGFACE_HUB_CACHE"), environment.CacheDir)
	if environment.Token == "" && home != "" && !isTrue(lookup("HF_HUB_DISABLE_IMPLICIT_TOKEN")) {
		token, err := readToken(first(lookup("HF_TOKEN_PATH"), filepath.Join(home, "token")))
		if err != nil {
			return environment, err
		}
		environment.Token = token
	}
	return environment, environment.Validate()
}

// Validate reports addresses that cannot be used and a token that cannot be sent.
func (e Environment) Validate() error {
	var problems []error
	for name, address := range sorted.All(map[string]string{"HF_ENDPOINT": e.Endpoint, "MEKIKI_LAVIS_ENDPOINT": e.LavisEndpoint}) {
		parsed, err := url.Parse(address)
		if err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https" {
			problems = append(problems, fmt.Errorf("%s is %q; an address such as %s is expected", name, address, DefaultEndpoint))
		}
	}
	if strings.ContainsFunc(e.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		problems = append(problems, errors.New("the Hugging Face token holds characters that no token has; set HF_TOKEN again"))
	}
	return errors.Join(problems...)
}

// first returns the first text that is not empty.
func first(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// isTrue reads a switch as the Hugging Face client does.
func isTrue(value string) bool {
	switch strings.ToUpper(value) {
	case "1", "ON", "YES", "TRUE":
		return true
	}
	return false
}

// readToken reads a token file; a missing one gives no token.
func readToken(path string) (string, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil || info.Size() > maximumToken || !info.Mode().IsRegular() {
		return "", fmt.Errorf("read the Hugging Face token from %s: %w", path, errors.Join(err, errTokenFile))
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the Hugging Face token: %w", err)
	}
	return strings.TrimSpace(string(data)), nil
}

var errTokenFile = errors.New("it cannot be a token; set HF_TOKEN or remove the file")
