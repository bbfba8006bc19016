package queries

import (
	"os"
	"testing"

	"mekiki/server/api"
	"mekiki/server/openapi"
)

// BenchmarkSearchBody reads and checks the body of a search.
func BenchmarkSearchBody(b *testing.B) {
	file, err := os.ReadFile("../openapi.json")
	if err != nil {
		b.Fatal(err)
	}
	document, err := openapi.Parse(file)
	if err != nil {
		b.Fatal(err)
	}
	schema := document.Schema("SearchRequest")
	body := []byte(`{"text":"two cats on a sofa","limit":60,"offset":0,"rerank_ms":250,"show":"all","explain":true,"filter":{"after":"2024-01-01",` +
		`"before":"2024-12-31","tags":["pet","home"],"kinds":["image"],"folders":["/photos/2024"],"near":{"latitude":35.6,"longitude":139.7,"kilometres":25}}}`)
	b.Run("whole", func(b *testing.B) {
		for b.Loop() {
			var target searchJSON
			if err := api.DecodeJSON(body, schema, "", &target); err != nil {
				b.Fatal(err)
			}
		}
	})
	value, err := openapi.Decode(body)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("check", func(b *testing.B) {
		for b.Loop() {
			if violations := schema.Validate(value); len(violations) > 0 {
				b.Fatal(violations)
			}
		}
	})
}
