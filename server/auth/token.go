// Package auth says who may ask for what: tokens with scopes, the sessions of browsers that have shown one, and which
// sites a request may come from.
package auth

import (
	"bufio"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// Scope is what a token allows. Each scope includes the ones before it.
type Scope int

// The scopes.
const (
	// ScopeNone asks for nothing: everyone may.
	ScopeNone Scope = iota
	// ScopeShare allows looking at and searching in the pictures of one collection: see [Share].
	ScopeShare
	// ScopeRead allows searching and looking.
	ScopeRead
	// ScopeWrite allows adding, tagging and deleting records too.
	ScopeWrite
	// ScopeAdmin allows everything, such as indexing folders of the server.
	ScopeAdmin
)

// String gives the scope's name.
func (s Scope) String() string {
	switch s {
	case ScopeNone:
		return "none"
	case ScopeShare:
		return "share"
	case ScopeRead:
		return "read"
	case ScopeWrite:
		return "write"
	case ScopeAdmin:
		return "admin"
	}
	return fmt.Sprintf("scope(%d)", int(s))
}

// ParseScope reads the name of a scope that a token for all of a library can have.
func ParseScope(name string) (Scope, error) {
	for _, scope := range []Scope{ScopeRead, ScopeWrite, ScopeAdmin} {
		if name == scope.String() {
			return scope, nil
		}
	}
	return ScopeNone, fmt.Errorf("%q is not a scope: expected read, write or admin", name)
}

// Names lists the scopes that s includes, narrow to wide. Those that show all of a library do not name the share of it.
func (s Scope) Names() []string {
	if s == ScopeShare {
		return []string{s.String()}
	}
	names := []string{}
	for scope := ScopeRead; scope <= s; scope++ {
		names = append(names, scope.String())
	}
	return names
}

// Token is what the server knows of a bearer token: never the secret itself.
type Token struct {
	// Name says in logs who came.
	Name string
	// Scope is what the token allows.
	Scope Scope
	// Hash is the SHA-256 of the secret.
	Hash [sha256.Size]byte
	// Made is when it was made, where that is known; Expires is when it ends, and zero for never.
	Made, Expires time.Time
	// Share is what a token with [ScopeShare] shows; nil for every other one.
	Share *Share
}

// Members of a line of a tokens file that may follow the three fields.
const (
	madeMember    = "made="
	expiresMember = "expires="
)

// String gives the token's line in a tokens file.
func (t Token) String() string {
	line := fmt.Sprintf("%s %s %s", t.Name, t.Scope, hex.EncodeToString(t.Hash[:]))
	if !t.Made.IsZero() {
		line += " " + madeMember + t.Made.UTC().Format(time.RFC3339)
	}
	if !t.Expires.IsZero() {
		line += " " + expiresMember + t.Expires.UTC().Format(time.RFC3339)
	}
	if t.Share != nil {
		line += t.Share.members()
	}
	return line
}

// ExpiredAt reports whether the token is no longer good at a moment.
func (t Token) ExpiredAt(moment time.Time) bool {
	return !t.Expires.IsZero() && !moment.Before(t.Expires)
}

// secretPrefix makes a secret recognisable to people and to scanners for
// leaked secrets.
const secretPrefix = "mekiki_"

// NewToken makes a token with 256 random bits and returns its secret, which is
// kept nowhere else.
func NewToken(name string, scope Scope) (Token, string, error) {
	if !tokenName.MatchString(name) {
		return Token{}, "", fmt.Errorf("%q is not a token's name: expected letters, digits, '.', '_' or '-', at most 64", name)
	}
	if scope < ScopeRead || scope > ScopeAdmin {
		return Token{}, "", fmt.Errorf("a token cannot have the scope %s", scope)
	}
	secret := newSecret()
	return Token{Name: name, Scope: scope, Hash: sha256.Sum256([]byte(secret))}, secret, nil
}

func newSecret() string {
	data := make([]byte, 32)
	rand.Read(data)
	return secretPrefix + base64.RawURLEncoding.EncodeToString(data)
}

var tokenName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// ParseTokens reads a tokens file: a name, a scope and the SHA-256 of the secret
// in hexadecimal on each line, parted by blanks, and then perhaps made= and
// expires= with a time (RFC 3339), and what a share shows. Empty lines and lines that
// begin with # are passed over. Errors name the line and never show a hash.
func ParseTokens(reader io.Reader) ([]Token, error) {
	var tokens []Token
	names := map[string]bool{}
	limited := &io.LimitedReader{R: reader, N: maximumTokenBytes + 1}
	scanner := bufio.NewScanner(limited)
	scanner.Buffer(make([]byte, 0, maximumTokenLine), maximumTokenLine)
	for number := 1; scanner.Scan(); number++ {
		line := strings.TrimSpace(scanner.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		token, err := parseToken(line)
		if err != nil {
			return nil, fmt.Errorf("tokens, line %d: %w", number, err)
		}
		if names[token.Name] {
			return nil, fmt.Errorf("tokens, line %d: the name %q is there already", number, token.Name)
		}
		if len(tokens) == maximumTokens {
			return nil, fmt.Errorf("tokens: more than %d", maximumTokens)
		}
		names[token.Name] = true
		tokens = append(tokens, token)
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("read tokens: %w", err)
	}
	if limited.N == 0 {
		return nil, fmt.Errorf("tokens: more than %d bytes", maximumTokenBytes)
	}
	return tokens, nil
}

func parseToken(line string) (Token, error) {
	fields := strings.Fields(line)
	if len(fields) < 3 {
		return Token{}, errors.New("expected a name, a scope and a SHA-256 (mekiki token new writes such a line)")
	}
	if !tokenName.MatchString(fields[0]) {
		return Token{}, errors.New("the name may have letters, digits, '.', '_' and '-', at most 64")
	}
	scope, err := ParseNeed(fields[1])
	if err != nil {
		return Token{}, err
	}
	hash, err := hex.DecodeString(fields[2])
	if err != nil || len(hash) != sha256.Size {
		return Token{}, errors.New("the third field is not a SHA-256 in hexadecimal")
	}
	token := Token{Name: fields[0], Scope: scope, Hash: [sha256.Size]byte(hash)}
	share := Share{}
	for _, field := range fields[3:] {
		member, text, _ := strings.Cut(field, "=")
		switch member + "=" {
		case madeMember:
			token.Made, err = parseTime(text)
		case expiresMember:
			token.Expires, err = parseTime(text)
		default:
			err = share.read(member, text)
		}
		if err != nil {
			return Token{}, err
		}
	}
	if (share != Share{}) || scope == ScopeShare {
		token.Share = &share
	}
	if (token.Share != nil) != (scope == ScopeShare) || token.Share != nil && token.Share.Collection == "" {
		return Token{}, errors.New("a token with the scope share, and no other, needs " + collectionMember + " with the name of a collection")
	}
	return token, nil
}

func parseTime(text string) (time.Time, error) {
	moment, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, errors.New("made= and expires= need a time such as 2027-01-31T00:00:00Z")
	}
	return moment, nil
}

// IsOwner reports whether an Authorization header shows the secret of the user who runs the server. A secret of "" is
// nobody's.
func IsOwner(secret, header string) bool {
	kind, presented, _ := strings.Cut(header, " ")
	if secret == "" || !strings.EqualFold(kind, "Bearer") {
		return false
	}
	// Sums are of one length, so that time tells nothing of the secret's.
	want, got := sha256.Sum256([]byte(secret)), sha256.Sum256([]byte(strings.TrimSpace(presented)))
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1
}

// Find gives the token whose secret is presented. It compares with every
// token in constant time, so that time tells nothing.
func Find(tokens []Token, secret string) (Token, bool) {
	presented := sha256.Sum256([]byte(secret))
	found := -1
	for i := range tokens {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(tokens[i].Hash[:], presented[:]), i, found)
	}
	if found < 0 {
		return Token{}, false
	}
	return tokens[found], true
}
