package openapi

import (
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"strings"
	"testing"
)

const sample = `{"openapi":"3.1.0","paths":{"/a/{id}":{"get":{"operationId":"a","x-scope":"read","parameters":[
	{"name":"id","in":"path","required":true,"schema":{"type":"string","pattern":"^[0-9]+$"}},
	{"name":"limit","in":"query","schema":{"type":"integer","minimum":1,"maximum":9,"default":5}},
	{"name":"tag","in":"query","schema":{"type":"array","maxItems":2,"items":{"type":"string","maxLength":3}}},
	{"name":"deep","in":"query","required":true,"schema":{"type":"boolean"}},
	{"$ref":"#/components/parameters/ratio"}],
	"responses":{"200":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Tree"}}}},"default":{"$ref":"#/components/responses/Bad"}}}}},
	"components":{"parameters":{"ratio":{"name":"ratio","in":"query","schema":{"type":"number","exclusiveMinimum":0}}},
	"responses":{"Bad":{"content":{}}},
	"schemas":{"Tree":{"type":"object","required":["name"],"additionalProperties":false,"properties":{
		"name":{"type":"string","minLength":1,"maxLength":4,"enum":["oak","elm","日本語樹"]},"age":{"type":"integer","minimum":0},"planted":{"type":"string","format":"date-time"},"felled":{"type":["integer","null"],"minimum":1900},
		"branches":{"type":"array","maxItems":3,"items":{"$ref":"#/components/schemas/Tree"}},"notes":{"type":"object","additionalProperties":{"type":"string"}}}},
		"Open":{"type":"object","properties":{"name":{"type":"string"}}}}}}`

func parse(t testing.TB, text string) *Document {
	t.Helper()
	document, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func decode(t testing.TB, text string) any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestValidate(t *testing.T) {
	tree := parse(t, sample).Schema("Tree")
	for text, want := range map[string]string{
		`{"name":"oak"}`:  "",
		`{"name":"日本語樹"}`: "",
		`{"name":"oak","age":3,"planted":"2024-05-01T12:00:00.5Z","branches":[{"name":"elm"}],"notes":{"a":"b"}}`: "",
		`{"name":"oak","felled":null}`:              "",
		`{"name":"oak","felled":1950}`:              "",
		`{"name":"oak","felled":18}`:                "felled must be at least 1900",
		`{"name":"oak","felled":"x"}`:               "felled must be a whole number, not a string",
		`{}`:                                        "name is missing",
		`[]`:                                        " must be an object, not a list",
		`null`:                                      " must be an object, not null",
		`{"name":""}`:                               "name must have at least 1 character",
		`{"name":"birch"}`:                          "name must have at most 4 characters, not 5",
		`{"name":"fir"}`:                            `name must be one of ["oak" "elm" "日本語樹"]`,
		`{"name":3}`:                                "name must be a string, not a number",
		`{"name":"oak","age":-1}`:                   "age must be at least 0",
		`{"name":"oak","age":1.5}`:                  "age must be a whole number",
		`{"name":"oak","age":1e2}`:                  "",
		`{"name":"oak","age":1.0}`:                  "",
		`{"name":"oak","age":0.1e1}`:                "",
		`{"name":"oak","age":1e-1}`:                 "age must be a whole number",
		`{"name":"oak","age":1e-999999999}`:         "age must be a whole number",
		`{"name":"oak","age":1e400}`:                "age is out of range",
		`{"name":"oak","age":18446744073709551616}`: "age must be a whole number",
		`{"name":"oak","age":"1"}`:                  "age must be a whole number, not a string",
		`{"name":"oak","height":1}`:                 "height is not a known member",
		`{"name":"oak","planted":"yesterday"}`:      "planted must be a time such as 2024-05-01T12:00:00Z",
		`{"name":"oak","notes":{"a":1}}`:            "notes.a must be a string, not a number",
		`{"name":"oak","branches":[{"name":"elm"},{"name":"fir"}]}`:       `branches[1].name must be one of ["oak" "elm" "日本語樹"]`,
		`{"name":"oak","branches":[{},{},{},{}]}`:                         "branches must have at most 3 entries, not 4",
		`{"name":"oak","branches":[{"name":"elm","branches":[{"x":1}]}]}`: "branches[0].branches[0].name is missing",
	} {
		got := ""
		if violations := tree.Validate(decode(t, text)); len(violations) > 0 {
			got = violations[0].Field + " " + violations[0].Detail
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	open := parse(t, sample).Schema("Open")
	extra := decode(t, `{"name":"x","more":1}`)
	if len(open.Validate(extra)) != 0 || len(open.ValidateStrict(extra)) != 1 {
		t.Error("an open schema takes more members, unless strictly")
	}
	many := decode(t, `{"name":"oak","a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"k":1,"l":1}`)
	if got := len(tree.Validate(many)); got != maximumViolations {
		t.Errorf("%d violations", got)
	}
}

func TestQuery(t *testing.T) {
	operation := parse(t, sample).Operation("GET", "/a/{id}")
	for query, want := range map[string]string{
		"deep=true":                      `{"deep":true,"limit":5}`,
		"deep=false&limit=9&tag=a&tag=b": `{"deep":false,"limit":9,"tag":["a","b"]}`,
		"deep=1&ratio=0.25":              `{"deep":true,"limit":5,"ratio":0.25}`,
		"":                               "deep is missing",
		"deep=true&deep=true":            "deep must be given only once",
		"deep=true&limit=10":             "limit must be at most 9",
		"deep=true&limit=1.0":            `{"deep":true,"limit":1}`,
		"deep=true&limit=0.5e1":          `{"deep":true,"limit":5}`,
		"deep=true&limit=1.5":            "limit must be a whole number",
		"deep=":                          "deep must be a boolean, not a string",
		"deep=true&limit=%221%22":        "limit must be a whole number, not a string",
		"deep=true&ratio=0":              "ratio must be more than 0",
		"deep=true&ratio=Inf":            "ratio must be a number, not a string",
		"deep=true&tag=a&tag=b&tag=c":    "tag must have at most 2 entries, not 3",
		"deep=true&tag=long":             "tag[0] must have at most 3 characters, not 4",
		"deep=true&color=red":            "color is not a parameter of this operation",
		"deep=true&" + strings.Repeat("x", 99) + "=1": strings.Repeat("x", 64) + " is not a parameter of this operation",
	} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		object, violations := operation.Query(values)
		data, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		got := string(data)
		if len(violations) > 0 {
			got = violations[0].Field + " " + violations[0].Detail
		}
		if got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	if len(operation.Segment("id", "12")) != 0 || len(operation.Segment("id", "x")) != 1 {
		t.Error("the path's parameter is not checked")
	}
}

func TestParseRefuses(t *testing.T) {
	schema := func(text string) string {
		return `{"openapi":"3.1.0","components":{"schemas":{"A":` + text + `}}}`
	}
	for name, text := range map[string]string{
		"not JSON":           "{",
		"older version":      `{"openapi":"3.0.3"}`,
		"unknown keyword":    schema(`{"type":"string","contains":{}}`),
		"unknown type":       schema(`{"type":"text"}`),
		"unknown reference":  schema(`{"$ref":"#/components/schemas/B"}`),
		"bad pattern":        schema(`{"type":"string","pattern":"("}`),
		"required, unnamed":  schema(`{"type":"object","required":["x"]}`),
		"bad items":          schema(`{"type":"array","items":{"type":"?"}}`),
		"bad additional":     schema(`{"type":"object","additionalProperties":{"type":"?"}}`),
		"parameter, nowhere": `{"openapi":"3.1.0","paths":{"/":{"get":{"parameters":[{"name":"a","in":"cookie","schema":{}}]}}}}`,
		"parameter, unnamed": `{"openapi":"3.1.0","paths":{"/":{"get":{"parameters":[{"$ref":"#/components/parameters/x"}]}}}}`,
		"response, unnamed":  `{"openapi":"3.1.0","paths":{"/":{"get":{"responses":{"200":{"$ref":"#/components/responses/x"}}}}}}`,
		"body, no schema":    `{"openapi":"3.1.0","paths":{"/":{"get":{"requestBody":{"content":{"a/b":{}}}}}}}`,
	} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%s: was taken", name)
		}
	}
}

func TestDecode(t *testing.T) {
	for text, want := range map[string]error{
		`{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}],"d":"a"}`: nil,
		`[["a","a"],"a",null,true]`:                         nil,
		`{"a":"a","b":"a"}`:                                 nil,
		`{"a":1,"a":2}`:                                     ErrRepeated,
		`{"b":[{"c":{},"d":[],"c":1}]}`:                     ErrRepeated,
		`{"a":1,"\u0061":2}`:                                ErrRepeated,
		`{"a":1} {"a":2}`:                                   ErrTrailing,
		`{"a":1}]`:                                          ErrTrailing,
	} {
		if _, err := Decode([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
}

func TestNormalize(t *testing.T) {
	tree := parse(t, sample).Schema("Tree")
	value := decode(t, `{"name":"oak","age":1e2,"branches":[{"name":"elm","age":3.0}],"notes":{"a":"1.0"}}`)
	data, err := json.Marshal(tree.Normalize(value))
	if want := `{"age":100,"branches":[{"age":3,"name":"elm"}],"name":"oak","notes":{"a":"1.0"}}`; err != nil || string(data) != want {
		t.Errorf("%s (%v), want %s", data, err, want)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(`{"a":[1,{"b":2}],"c":{"d":[]}}`)
	f.Add(`{"a":1,"a":2}`)
	f.Add("9E900") // JSON's grammar knows no largest number; the schema refuses it
	f.Fuzz(func(t *testing.T, text string) {
		value, err := Decode([]byte(text))
		if err != nil {
			return
		}
		plain := json.NewDecoder(strings.NewReader(text))
		plain.UseNumber()
		if err := plain.Decode(new(any)); err != nil {
			t.Errorf("%q was taken: %v, %v", text, value, err)
		}
	})
}

func FuzzValidate(f *testing.F) {
	data, err := os.ReadFile("../openapi.json")
	if err != nil {
		f.Fatal(err)
	}
	document := parse(f, string(data))
	schema := document.Schema("SearchRequest")
	f.Add(`{"text":"two cats","filter":{"near":{"latitude":1,"longitude":2,"kilometres":3}}}`)
	f.Add(`{"limit":1e999999999,"crop":[]}`)
	f.Fuzz(func(t *testing.T, text string) {
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		var value any
		if decoder.Decode(&value) != nil {
			return
		}
		if loose, strict := schema.Validate(value), schema.ValidateStrict(value); len(loose) > len(strict) {
			t.Errorf("%d violations, strictly %d", len(loose), len(strict))
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(sample)
	f.Add(`{"openapi":"3.1.0","components":{"schemas":{"A":{"$ref":"#/components/schemas/A"}}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		document, err := Parse([]byte(text))
		if err != nil {
			return
		}
		for _, operation := range document.Operations() {
			operation.Query(url.Values{"a": {"b"}})
		}
	})
}
