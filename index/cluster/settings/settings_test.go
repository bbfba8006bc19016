package settings

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mekiki/internal/hint"
)

// none is an environment in which nothing is set.
func none(string) string { return "" }

const least = `
[engine]
addresses = ["http://node1:8080"]
[store]
address = "http://127.0.0.1:7070"
bucket = "mekiki"
access-key = "a"
secret-key = "secret"
`

func TestExample(t *testing.T) {
	variables := map[string]string{"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"}
	read, err := decode(Example, func(name string) string { return variables[name] })
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.Engine.Addresses = []string{"http://node1:8080", "http://node2:8080", "http://node3:8080"}
	want.Store.Address, want.Store.Bucket = "https://s3.example.com", "mekiki"
	want.Store.AccessKey, want.Store.SecretKey, want.Store.SessionToken = "a", "s", "t"
	if diff := cmp.Diff(want, read); diff != "" {
		t.Error(diff)
	}
	// Every setting stands in the example, and what is commented out is what holds without it.
	commented := regexp.MustCompile(`(?m)^# ([a-z-]+ = )`).ReplaceAllString(Example, "$1")
	for _, key := range keys() {
		if !regexp.MustCompile(`(?m)^` + key.name + ` = `).MatchString(commented) {
			t.Errorf("the example is without %s", key)
		}
	}
	again, err := decode(commented, func(name string) string { return variables[name] })
	if diff := cmp.Diff(read, again); err != nil || diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
}

// TestExampleIsDocumented: the page has the example as it is.
func TestExampleIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../docs/cluster.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "```toml\n"+Example+"```\n") {
		t.Error("docs/cluster.md does not have index/cluster/settings/example.toml as it is")
	}
}

func TestWrongSettings(t *testing.T) {
	for _, test := range []struct{ text, problem, remedy string }{
		{"", "engine.addresses is missing", "addresses = ["},
		{least + `buckt = "x"`, "store.buckt is no setting", "write store.bucket"},
		{`bucket = "x"` + least, "bucket is no setting", "write store.bucket"},
		{strings.Replace(least, "[store]", "[stoer]", 1), "stoer is no setting", "write [store]"},
		{least + "[cache]\nreplication = 3", "cache.replication is no setting", "write engine.replication"},
		{least + "whatever = 1", "store.whatever is no setting", "docs/cluster.md"},
		{least + "bucket", "expected key separator", "correct the file"},
		{least + "region = 1", "incompatible types", "correct the file"},
		{strings.Replace(least, `"mekiki"`, `"My Bucket"`, 1), `store.bucket "My Bucket"`, "small letters"},
		{strings.Replace(least, `bucket = "mekiki"`, "", 1), "store.bucket is missing", "must be there"},
		{strings.Replace(least, "http://127.0.0.1:7070", "127.0.0.1:7070", 1), "store.address", "https://s3.example.com"},
		{strings.Replace(least, "http://127.0.0.1:7070", "http://a:b@c", 1), "credentials have keys of their own", "https://s3"},
		{strings.Replace(least, "http://127.0.0.1:7070", "http://c/mekiki", 1), "after the host", "https://s3"},
		{strings.Replace(least, "http://node1:8080", "node1", 1), "engine.addresses", "http://node1:8080"},
		{strings.Replace(least, `secret-key = "secret"`, "", 1), "store.secret-key is missing", "MEKIKI_CLUSTER_STORE_SECRET_KEY"},
		{least + `prefix = "/a"`, "store.prefix", "photographs/"},
		{least + `prefix = "a/../b"`, "store.prefix", "photographs/"},
		{least + `region = "a b"`, "store.region", "us-east-1"},
		{least + `addressing = "dns"`, "store.addressing", "auto, path or host"},
		{least + "[cache]\nsize = \"much\"", "no size", "correct the file"},
		{least + "[cache]\nsize = \"12 B\"", "cache.size", "10 GiB"},
		{strings.Replace(least, "[engine]", "[engine]\nreplication = 0", 1), "engine.replication is 0", "from 1 to"},
		{strings.Replace(least, "[engine]", "[engine]\nshards = -1", 1), "engine.shards is -1", "from 0 to"},
		{strings.Replace(least, "[engine]", "[engine]\nrepresentatives = 1000", 1), "engine.representatives is 1000", "from 1 to"},
		{strings.Replace(least, "[engine]", "[engine]\nconsistency = \"most\"", 1), "engine.consistency", "quorum"},
		{strings.Replace(least, "[engine]", "[engine]\nquantisation = \"int3\"", 1), "engine.quantisation", "none, rq"},
		{strings.Replace(least, "[engine]", "[engine]\ncollection = \"mekiki\"", 1), "engine.collection", "upper case"},
	} {
		_, err := decode(test.text, none)
		if err == nil || !strings.Contains(err.Error(), test.problem) {
			t.Errorf("%s\n%v, want %q", test.text, err, test.problem)
		} else if got := hint.Of(err); !strings.Contains(got, test.remedy) {
			t.Errorf("%v: remedy %q, want %q", err, got, test.remedy)
		}
	}
}

func TestEnvironmentOverridesFile(t *testing.T) {
	variables := map[string]string{}
	for _, key := range keys() {
		variables[key.variable()] = map[string]string{
			"addresses": "http://a,http://b", "consistency": "all", "quantisation": "none", "replication": "2", "shards": "7", "representatives": "1",
			"size": "3MiB", "address": "http://c/", "bucket": "other", "prefix": "p", "addressing": "path", "collection": "Other", "region": "eu",
		}[key.name]
		if variables[key.variable()] == "" {
			variables[key.variable()] = "value"
		}
	}
	got, err := decode(least, func(name string) string { return variables[name] })
	if err != nil {
		t.Fatal(err)
	}
	want := Cluster{
		Engine:        Engine{Addresses: []string{"http://a", "http://b"}, APIKey: "value", CAFile: "value", Collection: "Other", Consistency: "all", Replication: 2, Shards: 7, Quantisation: "none", Representatives: 1},
		Store:         Store{Address: "http://c", Bucket: "other", Region: "eu", Prefix: "p/", AccessKey: "value", SecretKey: "value", SessionToken: "value", CAFile: "value", Addressing: "path"},
		Cache:         Cache{Folder: "value", Size: 3 << 20},
		SecretsInFile: true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for name, wrong := range map[string]string{"MEKIKI_CLUSTER_ENGINE_SHARDS": "two", "MEKIKI_CLUSTER_CACHE_SIZE": "big"} {
		_, err := decode(least, func(asked string) string {
			if asked == name {
				return wrong
			}
			return ""
		})
		if err == nil || !strings.Contains(err.Error(), name) || hint.Of(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSecretsDoNotShow(t *testing.T) {
	cluster, err := decode(strings.Replace(least, `"secret"`, `"xyzzy"`, 1), none)
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(cluster)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{fmt.Sprint(cluster), fmt.Sprintf("%+v", cluster), fmt.Sprintf("%#v", cluster), string(asJSON), cluster.Store.SecretKey.LogValue().String()} {
		if strings.Contains(shown, "xyzzy") {
			t.Errorf("the secret shows: %s", shown)
		}
	}
	if cluster.Store.SecretKey.Reveal() != "xyzzy" {
		t.Error("the secret is lost")
	}
}

func TestRead(t *testing.T) {
	folder := t.TempDir()
	if _, err := Read(filepath.Join(folder, "none.toml")); !os.IsNotExist(err) && hint.Of(err) == "" {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := Read(folder); err == nil || hint.Of(err) == "" {
		t.Errorf("a folder: %v", err)
	}
	path := filepath.Join(folder, "cluster.toml")
	if err := os.WriteFile(path, []byte(least), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if err != nil || got.Path != path || got.Cache.Size.String() != "10 GiB" {
		t.Errorf("%v, %v", got, err)
	}
}
