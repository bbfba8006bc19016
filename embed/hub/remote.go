package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mekiki/internal/bounded"
	"mekiki/internal/hint"
)

// remoteFile is a file to have, and where it is.
type remoteFile struct {
	name    string
	address string
	size    int64
	digest  Digest
	etag    string
	// pinned files are named by a commit: they cannot change, and their entity tag may differ between servers.
	pinned bool
	// repository and revision are those of the Hugging Face repository, if any.
	repository, revision string
}

// listing is the part of the hub's answer about a repository that matters.
type listing struct {
	Commit string `json:"sha"`
	Files  []struct {
		Name   string `json:"rfilename"`
		Size   *int64 `json:"size"`
		BlobID string `json:"blobId"`
		Large  *struct {
			Digest string `json:"sha256"`
			Size   int64  `json:"size"`
		} `json:"lfs"`
	} `json:"siblings"`
}

var commitPattern = regexp.MustCompile(`^[0-9a-f]{40}$`)

// resolve turns a request into files.
func (c *Client) resolve(ctx context.Context, request request) ([]remoteFile, error) {
	if request.address != "" {
		file, err := c.inspect(ctx, remoteFile{name: path.Base(mustPath(request.address)), address: request.address})
		if request.sha256 != "" {
			file.digest = Digest{Algorithm: SHA256, Value: request.sha256}
		}
		return []remoteFile{file}, err
	}
	answer, err := c.list(ctx, request)
	if err != nil {
		return nil, err
	}
	files, err := c.filesOf(request, answer)
	if err != nil {
		return nil, err
	}
	for i, file := range files {
		if file.size < 0 { // a mirror that does not tell
			if files[i], err = c.inspect(ctx, file); err != nil {
				return nil, err
			}
		}
	}
	return files, nil
}

// mustPath returns the path of an address that has been parsed before.
func mustPath(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return parsed.Path
}

// list asks the hub what a repository holds.
func (c *Client) list(ctx context.Context, request request) (listing, error) {
	address := fmt.Sprintf("%s/api/models/%s/revision/%s?blobs=true",
		c.options.Environment.Endpoint, request.repository, url.PathEscape(request.revision))
	var answer listing
	what := "look up " + request.repository + " at " + request.revision
	err := c.retry(ctx, what, c.lookupAttempts(), func() (bool, error) {
		data, err := c.readAll(ctx, address)
		if err != nil {
			return false, err
		}
		if answer, err = parseListing(data); err != nil {
			return false, local(fmt.Errorf("%s did not answer as a Hugging Face hub does: %w", c.options.Environment.Endpoint, err))
		}
		return false, nil
	})
	return answer, explain(err, request.repository)
}

func parseListing(data []byte) (listing, error) {
	var answer listing
	err := json.Unmarshal(data, &answer)
	return answer, err
}

// readAll fetches a small answer.
func (c *Client) readAll(ctx context.Context, address string) ([]byte, error) {
	watched, _, stop := c.watch(ctx)
	defer stop()
	response, err := c.send(watched, http.MethodGet, address, nil)
	if err != nil {
		return nil, cause(watched, err)
	}
	defer response.Body.Close()
	data, err := bounded.Read(response.Body, maximumListing)
	if errors.Is(err, bounded.ErrTooLong) {
		return nil, local(fmt.Errorf("the answer is %w", err))
	}
	if err != nil {
		return nil, cause(watched, err)
	}
	return data, nil
}

// filesOf chooses the files of a repository that a checkpoint needs.
func (c *Client) filesOf(request request, answer listing) ([]remoteFile, error) {
	commit := request.revision
	pinned := commitPattern.MatchString(answer.Commit)
	if pinned {
		commit = answer.Commit
	}
	var names []string
	byName := map[string]remoteFile{}
	for _, entry := range answer.Files {
		if !plainName(entry.Name) {
			continue // files in folders, and those such as .gitattributes, are of no use
		}
		if _, taken := byName[entry.Name]; taken {
			return nil, fmt.Errorf("%s lists %s twice", request.repository, entry.Name)
		}
		file := remoteFile{
			name: entry.Name, pinned: pinned, repository: request.repository, revision: commit, size: -1,
			digest: hexDigest(entry.BlobID),
			address: fmt.Sprintf("%s/%s/resolve/%s/%s", c.options.Environment.Endpoint, request.repository,
				url.PathEscape(commit), url.PathEscape(entry.Name)),
		}
		if entry.Size != nil {
			file.size = *entry.Size
		}
		if entry.Large != nil {
			file.size, file.digest = entry.Large.Size, hexDigest(entry.Large.Digest)
		}
		if file.size > maximumFile || entry.Size != nil && *entry.Size < 0 {
			return nil, fmt.Errorf("%s lists %s with a size of %d bytes", request.repository, entry.Name, file.size)
		}
		byName[entry.Name] = file
		names = append(names, entry.Name)
	}
	chosen, err := chooseFiles(names, request)
	if err != nil {
		return nil, err
	}
	files := make([]remoteFile, len(chosen))
	for i, name := range chosen {
		files[i] = byName[name]
	}
	return files, nil
}

// sideFiles are the small files beside the weights, config.json first because it can forbid the rest. The last ones are a
// language model's: its tokenizer and how its texts end.
var sideFiles = []string{
	configName, "processor_config.json", "preprocessor_config.json", "vocab.txt", "added_tokens.json", "tokenizer_config.json", "special_tokens_map.json",
	"tokenizer.json", "calibration.json",
	"generation_config.json", "vocab.json", "merges.txt", "spiece.model", "tokenizer.model", "prompts.json",
	"source.spm", "target.spm",
}

const (
	configName  = "config.json"
	weightsName = "model.safetensors"
	indexName   = "model.safetensors.index.json"
	torchName   = "pytorch_model.bin"
	torchIndex  = "pytorch_model.bin.index.json"
)

var (
	shardPattern      = regexp.MustCompile(`^model-[0-9]+-of-[0-9]+\.safetensors$`)
	torchShardPattern = regexp.MustCompile(`^pytorch_model-[0-9]+-of-[0-9]+\.bin$`)
)

// smallFile reports whether a file describes a checkpoint rather than being its weights.
func smallFile(name string) bool {
	return name == indexName || name == torchIndex || slices.Contains(sideFiles, name)
}

// chooseFiles picks, out of the names in a repository, those that a checkpoint needs.
func chooseFiles(names []string, request request) ([]string, error) {
	has := func(name string) bool { return slices.Contains(names, name) }
	if request.only != "" {
		if !has(request.only) {
			return nil, fmt.Errorf("%s has no %s: %w", request.repository, request.only, ErrNotFound)
		}
		return []string{request.only}, nil
	}
	var chosen, torchFiles, shards, torchShards []string
	for _, name := range sideFiles {
		if has(name) {
			chosen = append(chosen, name)
		}
	}
	for _, name := range names {
		switch {
		case shardPattern.MatchString(name):
			shards = append(shards, name)
		case torchShardPattern.MatchString(name):
			torchShards = append(torchShards, name)
		case strings.HasSuffix(name, ".pth"):
			torchFiles = append(torchFiles, name)
		}
	}
	slices.Sort(shards)
	slices.Sort(torchShards)
	switch {
	case has(configName) && has(weightsName):
		return append(chosen, weightsName), nil
	case has(configName) && has(indexName) && len(shards) > 0:
		return append(append(chosen, indexName), shards...), nil
	case has(configName) && has(torchName):
		return append(chosen, torchName), nil
	case has(configName) && has(torchIndex) && len(torchShards) > 0:
		return append(append(chosen, torchIndex), torchShards...), nil
	case len(torchFiles) == 1 || len(torchFiles) == 2:
		return append(chosen, torchFiles...), nil
	}
	return nil, hint.Wrap(fmt.Errorf("%s holds no weights that can be read (%s, shards of it, or %s, with %s)",
		request.repository, weightsName, torchName, configName),
		"choose a checkpoint of BLIP-2 such as "+vocabularyRepository)
}

// inspect asks the server for the size, the entity tag and the hash of a file.
func (c *Client) inspect(ctx context.Context, file remoteFile) (remoteFile, error) {
	var header http.Header
	var size int64
	err := c.retry(ctx, "look up "+file.name, c.lookupAttempts(), func() (bool, error) {
		var err error
		header, size, err = c.head(ctx, file.address)
		return false, err
	})
	if err != nil {
		return file, explain(err, file.name)
	}
	if linked, err := strconv.ParseInt(header.Get("X-Linked-Size"), 10, 64); err == nil {
		size = linked
	}
	if size < 0 || size > maximumFile {
		return file, fmt.Errorf("%s: the server does not tell how large it is, or tells %d bytes", file.name, size)
	}
	file.size, file.etag = size, header.Get("ETag")
	if digest := digestOf(header); digest.Algorithm != "" {
		file.digest = digest
	}
	return file, nil
}

// head asks for the headers of a file, with a range of one byte where the server does not know the method HEAD.
func (c *Client) head(ctx context.Context, address string) (http.Header, int64, error) {
	watched, _, stop := c.watch(ctx)
	defer stop()
	response, err := c.send(watched, http.MethodHead, address, nil)
	var status *statusError
	if errors.As(err, &status) && (status.status == http.StatusMethodNotAllowed || status.status == http.StatusNotImplemented ||
		status.status == http.StatusForbidden) {
		response, err = c.send(watched, http.MethodGet, address, http.Header{"Range": {"bytes=0-0"}})
	}
	if err != nil {
		return nil, 0, cause(watched, err)
	}
	defer response.Body.Close()
	size := response.ContentLength
	if response.StatusCode == http.StatusPartialContent {
		if _, _, total, err := parseContentRange(response.Header.Get("Content-Range")); err == nil {
			size = total
		}
	}
	return response.Header, size, nil
}

// parseContentRange reads "bytes first-last/total"; the total is -1 when it is not told.
func parseContentRange(value string) (start, last, total int64, err error) {
	failure := fmt.Errorf("the server sent the range %q", value)
	rest, ok := strings.CutPrefix(value, "bytes ")
	positions, totalText, hasTotal := strings.Cut(rest, "/")
	startText, lastText, hasLast := strings.Cut(positions, "-")
	if !ok || !hasTotal || !hasLast {
		return 0, 0, 0, failure
	}
	if start, err = strconv.ParseInt(startText, 10, 64); err != nil {
		return 0, 0, 0, failure
	}
	if last, err = strconv.ParseInt(lastText, 10, 64); err != nil {
		return 0, 0, 0, failure
	}
	if start < 0 || last < start {
		return 0, 0, 0, failure
	}
	if totalText == "*" {
		return start, last, -1, nil
	}
	if total, err = strconv.ParseInt(totalText, 10, 64); err != nil || total <= last {
		return 0, 0, 0, failure
	}
	return start, last, total, nil
}
