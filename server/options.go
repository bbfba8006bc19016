package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/server/answers"
	"mekiki/server/auth"
	"mekiki/server/jobs"
	"mekiki/server/queries"
	"mekiki/server/status"
	"mekiki/server/translations"
	"mekiki/server/uploads"
	"mekiki/server/webhooks"
)

// Options say what a server serves, to whom, and how much at a time. Only
// Searcher and Library are needed.
type Options struct {
	// Address is where to listen, such as "0.0.0.0:80"; "" means [DefaultAddress].
	// Port 0 takes a free one. Anything but loopback needs Tokens.
	Address string
	// Hosts are further names under which the server may be asked for, in lower
	// case and without a port; see docs/api.md.
	Hosts []string
	// Origins are origins whose pages may call the API with a token, such as https://photos.example; none by default.
	Origins []string
	// Tokens are who may come. Without any, everyone may do everything, which
	// only loopback allows.
	Tokens []auth.Token
	// TokenFile is the file that Tokens are of, if they are: tokens are made and revoked there, and what somebody else
	// changes in it holds within seconds.
	TokenFile string

	// Searcher and Library answer. The server owns neither.
	Searcher queries.Searcher
	Library  index.Library
	// Asker answers questions about pictures; nil means that none are answered. Questions are some
	// that the page suggests.
	Asker     answers.Asker
	Questions []string
	// Interpreter translates texts; nil means that none are translated.
	Interpreter translations.Interpreter
	// LibraryFolder is where the library lies, to be shown to admin.
	LibraryFolder string
	// RenditionFolder is where the larger pictures are kept that were made for viewers, below
	// LibraryFolder; "" keeps a few in memory.
	RenditionFolder string
	// Ingester brings in files; nil means that nothing can be added.
	Ingester Ingester
	// Chores are the jobs besides reading files; nil means none.
	Chores jobs.Chores
	// ReadWords has the words in pictures read that were not read yet, by a job whenever there are some.
	ReadWords bool
	// Switch makes searches use another space of the library, with its model; nil where that cannot be.
	Switch func(ctx context.Context, space embed.Space) error
	// OwnerSecret lets commands of the user who runs the server do everything, outside of Roots too; "" lets nobody. See
	// package handover.
	OwnerSecret string
	// Writable says why the library cannot be changed at present, if it cannot: its
	// error is shown, and one that is index.ErrLocked may pass. It is asked for each
	// request that would change something. nil means that it can.
	Writable func() error
	// Models lists the models there are; nil means none.
	Models func() []status.Model
	// Ready says why searches cannot be answered, if they cannot; its error is
	// shown. nil means that they can.
	Ready func(ctx context.Context) error

	// Roots are the folders that may be indexed over HTTP: absolute, existing.
	Roots []string
	// UploadFolder is where uploaded images are kept, absolute; "" means that
	// none are taken. NoUploads takes none either, but still deletes those of
	// records that are deleted. See package originals: what a crash left in the
	// folder is to be swept before the server is made.
	UploadFolder string
	NoUploads    bool
	// UploadKeeper keeps uploaded images in the place of UploadFolder, for a library of several servers; nil for none.
	// TemporaryFolder is where files lie while they are brought in; "" is the system's.
	UploadKeeper    uploads.Keeper
	TemporaryFolder string
	// JobsFile keeps the indexing jobs, so that they and their ids survive the
	// server; absolute, in a folder that exists; "" keeps none.
	JobsFile string
	// Webhooks are told of jobs and new pictures; WebhooksFile keeps what is on its way to them, absolute, in a folder that
	// exists; "" keeps it in memory.
	Webhooks     []webhooks.Hook
	WebhooksFile string
	// Captions is how many captions to write for an image; 0 means the
	// ingester's default, negative none.
	Captions int

	// Page is the built web page, with index.html at its top; nil means none.
	Page fs.FS
	// Limits bound what requests may take.
	Limits Limits
	// Version is the program's, to be shown.
	Version string
	// Decoder reads uploaded pictures, within the limits; nil means one of its own.
	// Give the library's, so that one bound on memory holds for all decoding.
	Decoder *pixels.Decoder
	// Logger gets a record of every request; nil means none.
	Logger *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	o.Address = orDefault(o.Address, DefaultAddress)
	o.Limits = o.Limits.withDefaults()
	o.Version = orDefault(o.Version, "unknown")
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	hosts := make([]string, len(o.Hosts))
	for i, host := range o.Hosts {
		hosts[i] = strings.ToLower(strings.TrimSuffix(host, "."))
	}
	o.Hosts = hosts
	o.Roots = slices.Clone(o.Roots)
	return o
}

// Validate reports everything that is wrong with the options.
func (o Options) Validate() error {
	problems := []error{o.Limits.Validate()}
	if o.Searcher == nil {
		problems = append(problems, errors.New("a server needs a Searcher"))
	}
	if o.Library == nil {
		problems = append(problems, errors.New("a server needs a Library"))
	}
	for _, root := range o.Roots {
		if !filepath.IsAbs(root) {
			problems = append(problems, fmt.Errorf("root %q is not an absolute path", root))
		}
	}
	if o.UploadFolder != "" && !filepath.IsAbs(o.UploadFolder) {
		problems = append(problems, fmt.Errorf("upload folder %q is not an absolute path", o.UploadFolder))
	}
	if o.RenditionFolder != "" && !filepath.IsAbs(o.RenditionFolder) {
		problems = append(problems, fmt.Errorf("rendition folder %q is not an absolute path", o.RenditionFolder))
	}
	if o.JobsFile != "" && !filepath.IsAbs(o.JobsFile) {
		problems = append(problems, fmt.Errorf("jobs file %q is not an absolute path", o.JobsFile))
	}
	if o.WebhooksFile != "" && !filepath.IsAbs(o.WebhooksFile) {
		problems = append(problems, fmt.Errorf("webhooks file %q is not an absolute path", o.WebhooksFile))
	}
	for _, host := range o.Hosts {
		if host == "" || strings.ContainsAny(host, "/ []") {
			problems = append(problems, fmt.Errorf("host %q is not a name without a port", host))
		}
	}
	for _, origin := range o.Origins {
		problems = append(problems, auth.CheckOrigin(origin))
	}
	if len(o.Origins) > 0 && len(o.Tokens) == 0 {
		problems = append(problems, errors.New("pages of other origins may call the API only where it needs tokens"))
	}
	names := map[string]bool{}
	for _, token := range o.Tokens {
		if token.Scope < auth.ScopeShare || token.Scope > auth.ScopeAdmin || (token.Scope == auth.ScopeShare) != (token.Share != nil) || token.Hash == [len(token.Hash)]byte{} {
			problems = append(problems, fmt.Errorf("token %q has no scope or no hash", token.Name))
		}
		if names[token.Name] {
			problems = append(problems, fmt.Errorf("there are two tokens named %q", token.Name))
		}
		names[token.Name] = true
	}
	return errors.Join(problems...)
}

// realRoots follows the links in the roots, so that paths can be compared.
func (o Options) realRoots() ([]string, error) {
	roots := make([]string, len(o.Roots))
	for i, root := range o.Roots {
		real, err := filepath.EvalSymlinks(root)
		if err != nil {
			return nil, fmt.Errorf("root: %w", err)
		}
		roots[i] = real
	}
	return roots, nil
}
