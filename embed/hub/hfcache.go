package hub

import (
	"errors"
	"io"
	"mekiki/internal/bounded"
	"os"
	"path/filepath"
	"strings"
)

// repositoryFolder is where the Hugging Face cache keeps a repository: blobs named by their hash, and snapshots that refer
// to them.
func repositoryFolder(cache, repository string) string {
	return filepath.Join(cache, "models--"+strings.ReplaceAll(repository, "/", "--"))
}

// cachedBlob returns the path of a file's content in the Hugging Face cache, or "".
func (c *Client) cachedBlob(file remoteFile) string {
	cache := c.options.Environment.CacheDir
	if cache == "" || file.repository == "" || file.digest.Algorithm != SHA256 && file.digest.Algorithm != GitSHA1 {
		return ""
	}
	path := filepath.Join(repositoryFolder(cache, file.repository), "blobs", file.digest.Value)
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() != file.size {
		return ""
	}
	return path
}

// cachedSnapshot lists the files of a repository as the Hugging Face cache has them, for use without the network.
func (c *Client) cachedSnapshot(request request) ([]remoteFile, error) {
	cache := c.options.Environment.CacheDir
	if cache == "" || request.repository == "" {
		return nil, ErrOffline
	}
	folder := repositoryFolder(cache, request.repository)
	commit := request.revision
	if !commitPattern.MatchString(commit) {
		data, err := bounded.ReadFile(filepath.Join(folder, "refs", filepath.FromSlash(request.revision)), 256)
		commit = strings.TrimSpace(string(data))
		if err != nil || !commitPattern.MatchString(commit) {
			return nil, ErrOffline
		}
	}
	snapshot := filepath.Join(folder, "snapshots", commit)
	entries, err := os.ReadDir(snapshot)
	if err != nil {
		return nil, ErrOffline
	}
	var names []string
	for _, entry := range entries {
		if plainName(entry.Name()) {
			names = append(names, entry.Name())
		}
	}
	chosen, err := chooseFiles(names, request)
	if err != nil {
		return nil, errors.Join(ErrOffline, err)
	}
	files := make([]remoteFile, len(chosen))
	for i, name := range chosen {
		path, err := filepath.EvalSymlinks(filepath.Join(snapshot, name))
		if err != nil {
			return nil, errors.Join(ErrOffline, err)
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, errors.Join(ErrOffline, err)
		}
		files[i] = remoteFile{
			name: name, size: info.Size(), digest: hexDigest(filepath.Base(path)), pinned: true,
			repository: request.repository, revision: commit, address: path,
		}
	}
	return files, nil
}

// link makes a file of the cache appear under another name: as a hard link, which outlives the cache, or else as a
// symbolic link, or else as a copy. Whatever has the name is replaced.
func link(source, target string) error {
	source, err := filepath.EvalSymlinks(source)
	if err != nil {
		return err
	}
	temporary := target + ".link" + partSuffix
	if err := os.RemoveAll(temporary); err != nil {
		return err
	}
	if err := os.Link(source, temporary); err != nil {
		if err := os.Symlink(source, temporary); err != nil {
			if err := copyFile(source, temporary); err != nil {
				return err
			}
		}
	}
	return os.Rename(temporary, target)
}

func copyFile(source, target string) error {
	from, err := os.Open(source)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.Create(target)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Sync(), to.Close())
}
