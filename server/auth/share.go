package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Share is what a link shows to whoever has it: the pictures of one collection.
type Share struct {
	// Collection is the collection's name.
	Collection string
	// Details shows what is known of the pictures too, Originals lets their files be fetched.
	Details, Originals bool
}

// Members of a line of a tokens file that say what a share shows.
const (
	collectionMember = "collection="
	showsMember      = "shows="
)

// What a share may show beside the pictures.
const (
	showsDetails   = "details"
	showsOriginals = "originals"
)

// Shows lists what a share shows beside the pictures.
func (s Share) Shows() []string {
	shows := []string{}
	if s.Details {
		shows = append(shows, showsDetails)
	}
	if s.Originals {
		shows = append(shows, showsOriginals)
	}
	return shows
}

func (s Share) members() string {
	line := " " + collectionMember + url.QueryEscape(s.Collection)
	if shows := s.Shows(); len(shows) > 0 {
		line += " " + showsMember + strings.Join(shows, ",")
	}
	return line
}

// read reads a member of a line.
func (s *Share) read(member, text string) (err error) {
	switch member + "=" {
	case collectionMember:
		if s.Collection, err = url.QueryUnescape(text); err != nil || s.Collection == "" {
			return errors.New(collectionMember + " needs a collection's name, as in the query of a URL: Summer+2024")
		}
	case showsMember:
		for _, each := range strings.Split(text, ",") {
			switch each {
			case showsDetails:
				s.Details = true
			case showsOriginals:
				s.Originals = true
			default:
				return fmt.Errorf("%s may have %s and %s", showsMember, showsDetails, showsOriginals)
			}
		}
	default:
		return errors.New("after the SHA-256 may come made=, expires=, collection= and shows=, and nothing else")
	}
	return nil
}

// NewShare makes the token of a share and returns its secret, which is kept nowhere else. It has a random name.
func NewShare(share Share) (Token, string, error) {
	if share.Collection == "" {
		return Token{}, "", errors.New("a share needs a collection")
	}
	secret := newSecret()
	return Token{
		Name: "share-" + strings.ToLower(rand.Text()[:sharedNameLength]), Scope: ScopeShare, Hash: sha256.Sum256([]byte(secret)), Share: &share,
	}, secret, nil
}

// MakeShare makes the token of a share and gives its secret, which is kept nowhere. A zero time never comes.
func (s *Store) MakeShare(share Share, expires time.Time) (token Token, secret string, err error) {
	if token, secret, err = NewShare(share); err != nil {
		return token, "", err
	}
	return s.keep(token, secret, expires)
}

// RenameShared has the shares of a collection show it by another name, and gives how many these are. Names that differ by case
// alone are one.
func (s *Store) RenameShared(from, to string) (renamed int, err error) {
	tokens, _ := s.List()
	of := func(token Token) bool { return token.Share != nil && strings.EqualFold(token.Share.Collection, from) }
	if !slices.ContainsFunc(tokens, of) {
		return 0, nil
	}
	err = s.change(func(lines []string, tokens []Token) ([]string, error) {
		for _, token := range tokens {
			if !of(token) {
				continue
			}
			line, _, err := find(lines, tokens, token.Name)
			if err != nil {
				return nil, err
			}
			share := *token.Share
			share.Collection, token.Share = to, &share
			lines[line] = token.String()
			renamed++
		}
		return lines, nil
	})
	return renamed, err
}

// ParseNeed is ParseScope for what a request needs, or a line of a tokens file says, which may be a share.
func ParseNeed(name string) (Scope, error) {
	if name == ScopeShare.String() {
		return ScopeShare, nil
	}
	return ParseScope(name)
}
