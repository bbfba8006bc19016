package auth

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"mekiki/internal/bounded"
	"mekiki/internal/vfs"
)

// Errors of changing tokens.
var (
	// ErrFixed says that the tokens came with the server's start, and no file keeps them.
	ErrFixed = errors.New("the tokens of this server are not kept in a file")
	// ErrTokenExists and ErrNoToken are about a name.
	ErrTokenExists = errors.New("there is a token of this name")
	ErrNoToken     = errors.New("there is no token of this name")
	// ErrLastAdmin refuses what would leave nobody to make tokens.
	ErrLastAdmin = errors.New("it is the last token with the scope admin that is good")
	// ErrTooManyTokens refuses one more.
	ErrTooManyTokens = fmt.Errorf("there are %d tokens, and no more can be", maximumTokens)
)

// Store has the tokens of a server: those of a file, as the file is now, or some that never change. A file that cannot be
// read, or is wrong, changes nothing until it is right again. Safe for concurrent use.
type Store struct {
	path   string // "" where the tokens never change
	now    func() time.Time
	report func(err error)

	mutex   sync.Mutex
	tokens  []Token
	stamp   stamp
	checked time.Time
	used    map[[len(Token{}.Hash)]byte]time.Time
}

// stamp tells one state of a file from another.
type stamp struct {
	modified time.Time
	bytes    int64
}

// NewStore makes a store of tokens that are those of the file at path, or never change where path is "". report, which may
// be nil, is told when the file cannot be read.
func NewStore(tokens []Token, path string, now func() time.Time, report func(err error)) *Store {
	if report == nil {
		report = func(error) {}
	}
	s := &Store{path: path, now: now, report: report, tokens: slices.Clone(tokens), used: map[[len(Token{}.Hash)]byte]time.Time{}}
	if path != "" {
		if info, err := os.Stat(path); err == nil {
			s.stamp = stamp{info.ModTime(), info.Size()}
		}
		s.checked = now()
	}
	return s
}

// Required reports whether requests need a token at all. It never changes: a file that loses its last token lets nobody in.
func (s *Store) Required() bool { return s.path != "" || len(s.tokens) > 0 }

// Writable reports whether tokens can be made and revoked.
func (s *Store) Writable() bool { return s.path != "" }

// Find gives the token whose secret is presented, if it is still good.
func (s *Store) Find(secret string) (Token, bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.refresh()
	token, found := Find(s.tokens, secret)
	return token, found && s.use(token)
}

// Current gives a token as it is now, if it is still good.
func (s *Store) Current(token Token) (Token, bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.refresh()
	at := slices.IndexFunc(s.tokens, func(each Token) bool { return each.Name == token.Name && each.Hash == token.Hash })
	if at < 0 {
		return Token{}, false
	}
	return s.tokens[at], s.use(s.tokens[at])
}

// use notes that a token is used, coarsely, and reports whether it may be. The mutex is held.
func (s *Store) use(token Token) bool {
	now := s.now()
	if token.ExpiredAt(now) {
		return false
	}
	s.used[token.Hash] = now.UTC().Truncate(usedWithin)
	return true
}

// List gives the tokens by name, and for each when it was last used since the server began, to the hour; zero if never.
func (s *Store) List() (tokens []Token, used []time.Time) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.refresh()
	tokens = slices.SortedFunc(slices.Values(s.tokens), func(a, b Token) int { return cmp.Compare(a.Name, b.Name) })
	for _, token := range tokens {
		used = append(used, s.used[token.Hash])
	}
	return tokens, used
}

// Make makes a token and gives its secret, which is kept nowhere. A zero time never comes.
func (s *Store) Make(name string, scope Scope, expires time.Time) (token Token, secret string, err error) {
	if token, secret, err = NewToken(name, scope); err != nil {
		return token, "", err
	}
	return s.keep(token, secret, expires)
}

// keep adds a token to the file.
func (s *Store) keep(token Token, secret string, expires time.Time) (Token, string, error) {
	token.Made, token.Expires = s.now().UTC().Truncate(time.Second), expires.UTC().Truncate(time.Second)
	err := s.change(func(lines []string, tokens []Token) ([]string, error) {
		switch {
		case slices.ContainsFunc(tokens, func(each Token) bool { return each.Name == token.Name }):
			return nil, ErrTokenExists
		case len(tokens) >= maximumTokens:
			return nil, ErrTooManyTokens
		}
		return append(lines, token.String()), nil
	})
	return token, secret, err
}

// Expire sets when a token ends; a zero time never comes.
func (s *Store) Expire(name string, at time.Time) (token Token, err error) {
	err = s.change(func(lines []string, tokens []Token) ([]string, error) {
		line, known, err := find(lines, tokens, name)
		if err != nil {
			return nil, err
		}
		token = known
		token.Expires = at.UTC().Truncate(time.Second)
		if token.ExpiredAt(s.now()) && s.lastAdmin(tokens, known) {
			return nil, ErrLastAdmin
		}
		lines[line] = token.String()
		return lines, nil
	})
	return token, err
}

// Revoke removes a token.
func (s *Store) Revoke(name string) error {
	return s.change(func(lines []string, tokens []Token) ([]string, error) {
		line, known, err := find(lines, tokens, name)
		if err != nil {
			return nil, err
		}
		if s.lastAdmin(tokens, known) {
			return nil, ErrLastAdmin
		}
		return slices.Delete(lines, line, line+1), nil
	})
}

// lastAdmin reports whether a token is good, and no other is with the scope admin.
func (s *Store) lastAdmin(tokens []Token, token Token) bool {
	good := func(each Token) bool { return each.Scope == ScopeAdmin && !each.ExpiredAt(s.now()) }
	return good(token) && !slices.ContainsFunc(tokens, func(each Token) bool { return each.Name != token.Name && good(each) })
}

// find gives the line of a token, and the token.
func find(lines []string, tokens []Token, name string) (line int, token Token, err error) {
	at := slices.IndexFunc(tokens, func(each Token) bool { return each.Name == name })
	if at < 0 {
		return 0, token, ErrNoToken
	}
	line = slices.IndexFunc(lines, func(line string) bool {
		fields := strings.Fields(line)
		return len(fields) > 0 && fields[0] == name
	})
	if line < 0 {
		return 0, token, ErrNoToken
	}
	return line, tokens[at], nil
}

// refresh takes over a file that has changed. The mutex is held.
func (s *Store) refresh() {
	if s.path == "" {
		return
	}
	now := s.now()
	if now.Sub(s.checked).Abs() < lookInterval {
		return
	}
	s.checked = now
	info, err := os.Stat(s.path)
	if err != nil {
		if s.stamp != (stamp{}) {
			s.report(fmt.Errorf("tokens: %w", err))
		}
		s.stamp = stamp{}
		return
	}
	if found := (stamp{info.ModTime(), info.Size()}); found != s.stamp {
		s.stamp = found
		if _, tokens, err := s.read(); err != nil {
			s.report(err)
		} else {
			s.tokens = tokens
		}
	}
}

// read reads the file.
func (s *Store) read() (lines []string, tokens []Token, err error) {
	file, err := os.Open(s.path)
	if err != nil {
		return nil, nil, fmt.Errorf("tokens: %w", err)
	}
	defer file.Close()
	data, err := bounded.Read(file, maximumTokenBytes)
	if err != nil {
		return nil, nil, fmt.Errorf("tokens: %w", err)
	}
	if tokens, err = ParseTokens(bytes.NewReader(data)); err != nil {
		return nil, nil, err
	}
	text := strings.TrimSuffix(string(data), "\n")
	if text == "" {
		return nil, tokens, nil
	}
	return strings.Split(text, "\n"), tokens, nil
}

// change writes the file anew, with the lines that edit makes of those there are now.
func (s *Store) change(edit func(lines []string, tokens []Token) ([]string, error)) error {
	if s.path == "" {
		return ErrFixed
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	lines, tokens, err := s.read()
	if err != nil {
		return err
	}
	if lines, err = edit(lines, tokens); err != nil {
		return err
	}
	text := strings.Join(lines, "\n") + "\n"
	if tokens, err = ParseTokens(strings.NewReader(text)); err != nil {
		return err
	}
	info, err := replaceFile(s.path, []byte(text))
	if err != nil {
		return fmt.Errorf("write tokens: %w", err)
	}
	s.tokens, s.stamp = tokens, stamp{info.ModTime(), info.Size()}
	return nil
}

// replaceFile puts a file in place of another, durably and with its permissions: who reads it has all of one of the two.
func replaceFile(path string, data []byte) (info fs.FileInfo, err error) {
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return nil, err
	}
	former, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.new")
	if err != nil {
		return nil, err
	}
	_, err = file.Write(data)
	if err == nil {
		err = file.Chmod(former.Mode().Perm())
	}
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return nil, errors.Join(err, os.Remove(file.Name()))
	}
	if err := vfs.SyncFolder(filepath.Dir(path)); err != nil {
		return nil, err
	}
	return os.Stat(path)
}
