package settings

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"mekiki/internal/hint"
)

var (
	collectionName = regexp.MustCompile(`^[A-Z][A-Za-z0-9]{0,62}$`)
	bucketName     = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$`)
	regionName     = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)
)

var (
	levels        = []Consistency{ConsistencyOne, ConsistencyQuorum, ConsistencyAll}
	quantisations = []string{"none", "rq", "sq", "bq", "pq"}
	addressings   = []string{"auto", "path", "host"}
)

// check lists what is wrong, and completes the prefix by its slash.
func (c *Cluster) check() (problems []error) {
	wrong := func(remedy, format string, arguments ...any) {
		problems = append(problems, hint.Wrap(fmt.Errorf(format, arguments...), remedy))
	}
	if len(c.Engine.Addresses) == 0 {
		wrong(`set it to the addresses of Weaviate: addresses = ["http://node1:8080"]`, "engine.addresses is missing")
	}
	for i, address := range c.Engine.Addresses {
		c.Engine.Addresses[i] = strings.TrimRight(strings.TrimSpace(address), "/")
		if err := checkAddress(c.Engine.Addresses[i]); err != nil {
			wrong("write it like http://node1:8080", "engine.addresses: %w", err)
		}
	}
	if !collectionName.MatchString(c.Engine.Collection) {
		wrong("begin it with a letter in upper case, and go on with letters and digits", "engine.collection %q cannot be a name of collections", c.Engine.Collection)
	}
	if !slices.Contains(levels, c.Engine.Consistency) {
		wrong("write one, quorum or all", "engine.consistency %q is no level", c.Engine.Consistency)
	}
	if !slices.Contains(quantisations, c.Engine.Quantisation) {
		wrong("write one of "+strings.Join(quantisations, ", "), "engine.quantisation %q is not known", c.Engine.Quantisation)
	}
	for _, number := range []struct {
		key             string
		value, from, to int
	}{
		{"engine.replication", c.Engine.Replication, 1, maximumReplication},
		{"engine.shards", c.Engine.Shards, 0, maximumShards},
		{"engine.representatives", c.Engine.Representatives, 1, maximumRepresentatives},
	} {
		if number.value < number.from || number.value > number.to {
			wrong(fmt.Sprintf("write a number from %d to %d", number.from, number.to), "%s is %d", number.key, number.value)
		}
	}
	c.Store.check(wrong)
	if c.Cache.Size != 0 && c.Cache.Size < minimumCacheSize {
		wrong(`write a size such as "10 GiB", or 0 to keep nothing`, "cache.size is %s", c.Cache.Size)
	}
	return problems
}

// check tells what is wrong with the store.
func (s *Store) check(wrong func(remedy, format string, arguments ...any)) {
	s.Address = strings.TrimRight(strings.TrimSpace(s.Address), "/")
	if s.Address == "" {
		wrong(`set it to the address of the store: address = "https://s3.example.com"`, "store.address is missing")
	} else if err := checkAddress(s.Address); err != nil {
		wrong("write it like https://s3.example.com", "store.address: %w", err)
	}
	switch {
	case s.Bucket == "":
		wrong("set it to the bucket of the library, which must be there", "store.bucket is missing")
	case !bucketName.MatchString(s.Bucket):
		wrong("write 3 to 63 of: small letters, digits, dots, hyphens; first and last a letter or digit", "store.bucket %q cannot be a bucket's name", s.Bucket)
	}
	if !regionName.MatchString(s.Region) {
		wrong("write the region as the store names it, such as "+DefaultRegion, "store.region %q cannot be a region", s.Region)
	}
	if err := checkPrefix(s.Prefix); err != nil {
		wrong(`write it like "photographs/"`, "store.prefix %q: %w", s.Prefix, err)
	} else if s.Prefix != "" && !strings.HasSuffix(s.Prefix, "/") {
		s.Prefix += "/"
	}
	if !slices.Contains(addressings, s.Addressing) {
		wrong("write auto, path or host", "store.addressing %q is not known", s.Addressing)
	}
	if s.AccessKey == "" || s.SecretKey == "" {
		wrong("set both in the file, as MEKIKI_CLUSTER_STORE_ACCESS_KEY and MEKIKI_CLUSTER_STORE_SECRET_KEY, or as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
			"store.access-key or store.secret-key is missing")
	}
}

// checkAddress says what is wrong with the address of a server.
func checkAddress(address string) error {
	parsed, err := url.Parse(address)
	switch {
	case err != nil:
		return fmt.Errorf("%q is no address", address)
	case parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Hostname() == "":
		return fmt.Errorf("%q does not begin with http:// or https:// and a host", address)
	case parsed.User != nil:
		return errors.New("an address with credentials would show them in logs; credentials have keys of their own")
	case parsed.Path != "" || parsed.RawQuery != "" || parsed.Fragment != "":
		return fmt.Errorf("%q has something after the host", address)
	}
	return nil
}

// checkPrefix says what is wrong with the beginning of keys.
func checkPrefix(prefix string) error {
	if len(prefix) > maximumPrefix {
		return fmt.Errorf("it has more than %d bytes", maximumPrefix)
	}
	if prefix == "" {
		return nil
	}
	for part := range strings.SplitSeq(strings.TrimSuffix(prefix, "/"), "/") {
		if part == "" || part == "." || part == ".." {
			return errors.New("it begins with a slash, or has two in a row, or dots alone between them")
		}
	}
	for _, r := range prefix {
		if r <= ' ' || r > '~' {
			return errors.New("it has a space or a character that is not ASCII")
		}
	}
	return nil
}
