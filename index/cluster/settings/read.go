package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"

	"mekiki/internal/bounded"
	"mekiki/internal/hint"
	"mekiki/internal/nearname"
)

// Read reads the file and the environment. Its errors name every wrong key and carry a hint.
func Read(path string) (Cluster, error) { return read(path, os.Getenv) }

// read is Read in an environment given as a function that gives "" for what is not set.
func read(path string, lookup func(string) string) (Cluster, error) {
	data, err := bounded.ReadFile(path, maximumFile)
	if errors.Is(err, fs.ErrNotExist) {
		return Cluster{}, hint.Wrap(fmt.Errorf("settings of the cluster: %w", err), "name the file with --cluster or "+FileVariable+"; docs/cluster.md has an example")
	}
	if err != nil {
		return Cluster{}, hint.Wrap(fmt.Errorf("settings of the cluster: %w", err), "make it a text file that you may read")
	}
	cluster, err := decode(string(data), lookup)
	if err != nil {
		return Cluster{}, fmt.Errorf("settings of the cluster, %s: %w", path, err)
	}
	cluster.Path = path
	return cluster, nil
}

// decode reads the text of a file.
func decode(text string, lookup func(string) string) (Cluster, error) {
	cluster := defaults()
	meta, err := toml.Decode(text, &cluster)
	if err != nil {
		return Cluster{}, hint.Wrap(err, "correct the file; docs/cluster.md has an example")
	}
	cluster.SecretsInFile = cluster.Engine.APIKey != "" || cluster.Store.SecretKey != ""
	problems := unknown(meta.Undecoded())
	for _, key := range keys() {
		if value := lookup(key.variable()); value != "" {
			if err := key.set(&cluster, value); err != nil {
				problems = append(problems, hint.Wrap(fmt.Errorf("%s: %w", key.variable(), err), "correct or remove the environment variable"))
			}
		}
	}
	if cluster.Store.AccessKey == "" && cluster.Store.SecretKey == "" {
		cluster.Store.AccessKey, cluster.Store.SecretKey = lookup("AWS_ACCESS_KEY_ID"), Secret(lookup("AWS_SECRET_ACCESS_KEY"))
		cluster.Store.SessionToken = Secret(lookup("AWS_SESSION_TOKEN"))
	}
	problems = append(problems, cluster.check()...)
	return cluster, errors.Join(problems...)
}

func defaults() Cluster {
	return Cluster{
		Engine: Engine{
			Collection: DefaultCollection, Consistency: DefaultConsistency, Replication: DefaultReplication,
			Shards: DefaultShards, Quantisation: DefaultQuantisation, Representatives: DefaultRepresentatives,
		},
		Store: Store{Region: DefaultRegion, Addressing: DefaultAddressing},
		Cache: Cache{Size: DefaultCacheSize},
	}
}

// unknown says which settings there are not, and what was meant.
func unknown(undecoded []toml.Key) (problems []error) {
	said := map[string]bool{}
	for _, key := range undecoded {
		if said[key[0]] {
			continue // the table is what there is not
		}
		said[key[0]] = len(key) == 1
		remedy := "remove it; docs/cluster.md lists the settings"
		if near := meant(key); near != "" {
			remedy = "write " + near
		}
		problems = append(problems, hint.Wrap(fmt.Errorf("%s is no setting", key), remedy))
	}
	return problems
}

// meant is the setting or the table that a key was probably meant as, or "".
func meant(unknown toml.Key) string {
	table, name := unknown[0], unknown[len(unknown)-1]
	var tables, names, elsewhere []string
	for _, known := range keys() {
		tables = append(tables, known.table)
		if known.table == table {
			names = append(names, known.name)
		}
		if known.name == name {
			elsewhere = append(elsewhere, known.String())
		}
	}
	if near := nearname.Nearest(name, names); near != "" {
		return table + "." + near
	}
	if len(elsewhere) == 1 {
		return elsewhere[0]
	}
	if near := nearname.Nearest(table, tables); near != "" && len(names) == 0 {
		return "[" + near + "]"
	}
	return ""
}

// A key is a setting: its table, its name, and where it lies in [Cluster].
type key struct {
	table, name string
	field       []int
}

func (k key) String() string { return k.table + "." + k.name }

// variable is the environment variable of a setting.
func (k key) variable() string {
	return FileVariable + "_" + strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(k.String()))
}

// keys lists the settings, as the types declare them.
func keys() (all []key) {
	tables := reflect.TypeFor[Cluster]()
	for i := range tables.NumField() {
		table := tables.Field(i)
		if table.Type.Kind() != reflect.Struct {
			continue
		}
		for j := range table.Type.NumField() {
			all = append(all, key{table.Tag.Get("toml"), table.Type.Field(j).Tag.Get("toml"), []int{i, j}})
		}
	}
	return all
}

// Variables are the environment variables that override the file.
func Variables() (names []string) {
	for _, key := range keys() {
		names = append(names, key.variable())
	}
	return names
}

// set gives a setting the value that the environment has.
func (k key) set(cluster *Cluster, value string) error {
	field := reflect.ValueOf(cluster).Elem().FieldByIndex(k.field)
	if text, ok := field.Addr().Interface().(interface{ UnmarshalText([]byte) error }); ok {
		return text.UnmarshalText([]byte(value))
	}
	switch field.Kind() {
	case reflect.Int:
		number, err := strconv.Atoi(value)
		if err != nil {
			return fmt.Errorf("%q is no whole number", value)
		}
		field.SetInt(int64(number))
	case reflect.Slice:
		field.Set(reflect.ValueOf(strings.Split(value, ",")))
	default:
		field.SetString(value)
	}
	return nil
}
