// Package deploy has no code: its tests look whether the examples fit the program.
package deploy

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"mekiki/index/cluster/settings"
	"mekiki/internal/clustertest"
)

// read gives the documents of a YAML file.
func read(t *testing.T, path string) (documents []map[string]any) {
	t.Helper()
	data, err := os.ReadFile(filepath.FromSlash(path))
	if err != nil {
		t.Fatal(err)
	}
	for decoder := yaml.NewDecoder(bytes.NewReader(data)); ; {
		var document map[string]any
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return documents
		} else if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		documents = append(documents, document)
	}
}

// at goes down into a document: names of maps and numbers of lists.
func at(t *testing.T, from any, way ...any) any {
	t.Helper()
	for _, step := range way {
		switch step := step.(type) {
		case string:
			from = from.(map[string]any)[step]
		case int:
			from = from.([]any)[step]
		}
		if from == nil {
			t.Fatalf("nothing at %v of %v", step, way)
		}
	}
	return from
}

func TestCompose(t *testing.T) {
	compose := read(t, "compose.yaml")[0]
	services, volumes := at(t, compose, "services").(map[string]any), at(t, compose, "volumes").(map[string]any)
	for name, service := range services {
		service := service.(map[string]any)
		for _, mount := range at(t, service, "volumes").([]any) {
			source, _, _ := strings.Cut(mount.(string), ":")
			if _, declared := volumes[source]; !declared && !strings.HasPrefix(source, ".") && !strings.HasPrefix(source, "$") {
				t.Errorf("%s mounts %s, which there is not", name, source)
			}
		}
		needed, _ := service["depends_on"].(map[string]any)
		for other := range needed {
			if services[other] == nil {
				t.Errorf("%s depends on %s, which there is not", name, other)
			}
		}
		checkImage(t, at(t, service, "image").(string))
		if service["image"] == "mekiki" {
			checkArguments(t, name, at(t, service, "command").([]any))
			environment := at(t, service, "environment").(map[string]any)
			for variable := range environment {
				checkVariable(t, variable)
			}
		}
	}
	text, err := os.ReadFile("cluster.toml")
	if err != nil {
		t.Fatal(err)
	}
	cluster := readSettings(t, string(text))
	for i, address := range cluster.Engine.Addresses {
		host := strings.TrimSuffix(strings.TrimPrefix(address, "http://"), ":8080")
		if at(t, services, host, "environment", "CLUSTER_HOSTNAME") != host {
			t.Errorf("node %d is not %s", i, host)
		}
	}
	if len(cluster.Engine.Addresses) != cluster.Engine.Replication {
		t.Errorf("%d nodes for replication %d", len(cluster.Engine.Addresses), cluster.Engine.Replication)
	}
}

func TestKubernetes(t *testing.T) {
	values := read(t, "kubernetes/weaviate-values.yaml")[0]
	if "v"+at(t, values, "image", "tag").(string) != clustertest.Weaviate.Version {
		t.Error("Weaviate's version is not the tested one")
	}
	kinds := map[string]int{}
	for _, item := range at(t, read(t, "kubernetes/mekiki.yaml")[0], "items").([]any) {
		kind := at(t, item, "kind").(string)
		kinds[kind]++
		if at(t, item, "metadata", "namespace") != "mekiki" {
			t.Errorf("a %s is in another namespace", kind)
		}
		if kind == "ConfigMap" {
			cluster := readSettings(t, at(t, item, "data", "cluster.toml").(string))
			if cluster.Engine.Replication != at(t, values, "replicas") {
				t.Error("another number of nodes than Weaviate has")
			}
		}
		if kind != "Job" && kind != "Deployment" {
			continue
		}
		pod := at(t, item, "spec", "template", "spec")
		volumes := map[any]bool{}
		for _, volume := range at(t, pod, "volumes").([]any) {
			volumes[at(t, volume, "name")] = true
		}
		container := at(t, pod, "containers", 0)
		for _, mount := range at(t, container, "volumeMounts").([]any) {
			if !volumes[at(t, mount, "name")] {
				t.Errorf("%s mounts %s, which there is not", kind, at(t, mount, "name"))
			}
		}
		checkArguments(t, kind, at(t, container, "args").([]any))
		for _, variable := range at(t, container, "env").([]any) {
			checkVariable(t, at(t, variable, "name").(string))
		}
		at(t, container, "resources", "limits", "memory")
		if kind == "Deployment" {
			for probe, path := range map[string]string{"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"} {
				if at(t, container, probe, "httpGet", "path") != path {
					t.Errorf("the %s asks another path", probe)
				}
			}
		}
	}
	for _, kind := range []string{"ConfigMap", "Job", "Deployment", "Service", "PodDisruptionBudget"} {
		if kinds[kind] == 0 {
			t.Errorf("there is no %s", kind)
		}
	}
}

// checkImage compares the version of an image with the one that tests run.
func checkImage(t *testing.T, image string) {
	t.Helper()
	for name, version := range map[string]string{"weaviate": clustertest.Weaviate.Version[1:], "versitygw": clustertest.Versitygw.Version} {
		if strings.Contains(image, "/"+name+":") && !strings.HasSuffix(image, ":"+version) {
			t.Errorf("%s is not the tested version, %s", image, version)
		}
	}
}

// readSettings reads settings as the program does.
func readSettings(t *testing.T, text string) settings.Cluster {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cluster.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("MEKIKI_CLUSTER_STORE_ACCESS_KEY", "a")
	t.Setenv("MEKIKI_CLUSTER_STORE_SECRET_KEY", "s")
	cluster, err := settings.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return cluster
}

// checkVariable looks whether a variable of the environment means something.
func checkVariable(t *testing.T, name string) {
	t.Helper()
	known := []string{"MEKIKI_CLUSTER", "MEKIKI_CACHE"}
	known = append(known, settings.Variables()...)
	for _, other := range known {
		if name == other {
			return
		}
	}
	t.Errorf("nothing reads %s", name)
}

// checkArguments looks whether docs/cli.md, which a test keeps, has the verb and the flags.
func checkArguments(t *testing.T, where string, arguments []any) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "docs", "cli.md"))
	if err != nil {
		t.Fatal(err)
	}
	verb := arguments[0].(string)
	if len(arguments) > 1 && regexp.MustCompile(`^[a-z]+$`).MatchString(arguments[1].(string)) {
		verb += " " + arguments[1].(string)
	}
	section := regexp.MustCompile(`(?ms)^#+ mekiki ` + verb + `\n.*?(^## |\z)`).FindString(string(page))
	if section == "" {
		t.Errorf("%s: there is no verb %q", where, verb)
	}
	for _, argument := range arguments {
		if flag := argument.(string); strings.HasPrefix(flag, "--") && !strings.Contains(section, "`"+flag+"`") {
			t.Errorf("%s: %s has no flag %s", where, verb, flag)
		}
	}
}
