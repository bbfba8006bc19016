package openapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"mekiki/internal/sorted"
)

// raw forms of the document, as far as this package reads it.
type (
	rawDocument struct {
		OpenAPI    string                             `json:"openapi"`
		Paths      map[string]map[string]rawOperation `json:"paths"`
		Components struct {
			Schemas    map[string]json.RawMessage `json:"schemas"`
			Parameters map[string]rawParameter    `json:"parameters"`
			Responses  map[string]rawResponse     `json:"responses"`
		} `json:"components"`
	}
	rawOperation struct {
		ID          string                 `json:"operationId"`
		Summary     string                 `json:"summary"`
		Scope       string                 `json:"x-scope"`
		Parameters  []rawParameter         `json:"parameters"`
		RequestBody *rawBody               `json:"requestBody"`
		Responses   map[string]rawResponse `json:"responses"`
	}
	rawParameter struct {
		Reference string          `json:"$ref"`
		Name      string          `json:"name"`
		In        string          `json:"in"`
		Required  bool            `json:"required"`
		Schema    json.RawMessage `json:"schema"`
	}
	rawBody struct {
		Content map[string]rawMedia `json:"content"`
	}
	rawMedia struct {
		Schema json.RawMessage `json:"schema"`
	}
	rawResponse struct {
		Reference string              `json:"$ref"`
		Content   map[string]rawMedia `json:"content"`
	}
	rawSchema struct {
		Reference        string                     `json:"$ref"`
		Type             rawType                    `json:"type"`
		Properties       map[string]json.RawMessage `json:"properties"`
		Required         []string                   `json:"required"`
		Additional       json.RawMessage            `json:"additionalProperties"`
		Items            json.RawMessage            `json:"items"`
		MinItems         int                        `json:"minItems"`
		MaxItems         int                        `json:"maxItems"`
		MinLength        int                        `json:"minLength"`
		MaxLength        int                        `json:"maxLength"`
		Pattern          string                     `json:"pattern"`
		PatternMeaning   string                     `json:"x-pattern"` // completes "the value must …"
		Enum             []string                   `json:"enum"`
		Minimum          *float64                   `json:"minimum"`
		Maximum          *float64                   `json:"maximum"`
		ExclusiveMinimum *float64                   `json:"exclusiveMinimum"`
		Format           string                     `json:"format"`
		Default          any                        `json:"default"`
		// Read by people only.
		Description      string `json:"description"`
		Examples         []any  `json:"examples"`
		ContentMediaType string `json:"contentMediaType"`
	}
)

const (
	schemaReference    = "#/components/schemas/"
	parameterReference = "#/components/parameters/"
	responseReference  = "#/components/responses/"
)

// reader turns raw forms into ready ones. Schemas by name are made once, so that
// references may go round in circles.
type reader struct {
	raw   rawDocument
	named map[string]*Schema
}

// Parse reads a document.
func Parse(data []byte) (*Document, error) {
	r := &reader{named: map[string]*Schema{}}
	if err := json.Unmarshal(data, &r.raw); err != nil {
		return nil, fmt.Errorf("read OpenAPI document: %w", err)
	}
	if !strings.HasPrefix(r.raw.OpenAPI, "3.1.") {
		return nil, fmt.Errorf("read OpenAPI document: version %q is not 3.1", r.raw.OpenAPI)
	}
	document := &Document{operations: map[string]*Operation{}, schemas: r.named}
	var problems []error
	for name := range sorted.All(r.raw.Components.Schemas) {
		if _, err := r.reference(schemaReference + name); err != nil {
			problems = append(problems, fmt.Errorf("schema %s: %w", name, err))
		}
	}
	for path, methods := range sorted.All(r.raw.Paths) {
		for method, raw := range sorted.All(methods) {
			operation, err := r.operation(strings.ToUpper(method), path, raw)
			if err != nil {
				problems = append(problems, fmt.Errorf("%s %s: %w", method, path, err))
				continue
			}
			document.operations[operation.Method+" "+path] = operation
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("read OpenAPI document: %w", err)
	}
	return document, nil
}

func (r *reader) operation(method, path string, raw rawOperation) (*Operation, error) {
	operation := &Operation{Method: method, Path: path, ID: raw.ID, Summary: raw.Summary, Scope: raw.Scope, Responses: map[string]map[string]*Schema{}}
	for _, rawParameter := range raw.Parameters {
		parameter, err := r.parameter(rawParameter)
		if err != nil {
			return nil, err
		}
		operation.Parameters = append(operation.Parameters, parameter)
	}
	if raw.RequestBody != nil {
		bodies, err := r.content(raw.RequestBody.Content)
		if err != nil {
			return nil, fmt.Errorf("request body: %w", err)
		}
		operation.Bodies = bodies
	}
	for status, response := range sorted.All(raw.Responses) {
		if response.Reference != "" {
			found, known := r.raw.Components.Responses[strings.TrimPrefix(response.Reference, responseReference)]
			if !known {
				return nil, fmt.Errorf("there is no %s", response.Reference)
			}
			response = found
		}
		content, err := r.content(response.Content)
		if err != nil {
			return nil, fmt.Errorf("response %s: %w", status, err)
		}
		operation.Responses[status] = content
	}
	return operation, nil
}

func (r *reader) parameter(raw rawParameter) (Parameter, error) {
	if raw.Reference != "" {
		found, known := r.raw.Components.Parameters[strings.TrimPrefix(raw.Reference, parameterReference)]
		if !known {
			return Parameter{}, fmt.Errorf("there is no %s", raw.Reference)
		}
		raw = found
	}
	if raw.In != "query" && raw.In != "path" && raw.In != "header" {
		return Parameter{}, fmt.Errorf("parameter %s is in %q: expected query, path or header", raw.Name, raw.In)
	}
	schema, err := r.schema(raw.Schema)
	if err != nil {
		return Parameter{}, fmt.Errorf("parameter %s: %w", raw.Name, err)
	}
	return Parameter{Name: raw.Name, In: raw.In, Required: raw.Required, Schema: schema}, nil
}

func (r *reader) content(raw map[string]rawMedia) (map[string]*Schema, error) {
	content := map[string]*Schema{}
	for kind, media := range sorted.All(raw) {
		schema, err := r.schema(media.Schema)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
		content[kind] = schema
	}
	return content, nil
}

func (r *reader) reference(address string) (*Schema, error) {
	name, ok := strings.CutPrefix(address, schemaReference)
	raw, known := r.raw.Components.Schemas[name]
	if !ok || !known {
		return nil, fmt.Errorf("there is no %s", address)
	}
	if made, found := r.named[name]; found {
		return made, nil
	}
	made := &Schema{}
	r.named[name] = made
	schema, err := r.schema(raw)
	if err != nil {
		return nil, err
	}
	*made = *schema
	return made, nil
}

// rawType is a type, or ["type", "null"] where there may be no value.
type rawType struct {
	kind     string
	nullable bool
}

// UnmarshalJSON reads both forms.
func (t *rawType) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &t.kind) == nil {
		return nil
	}
	var kinds []string
	if err := json.Unmarshal(data, &kinds); err != nil || len(kinds) != 2 || kinds[1] != "null" {
		return fmt.Errorf("%s is neither a type nor a type and \"null\"", data)
	}
	t.kind, t.nullable = kinds[0], true
	return nil
}

func (r *reader) schema(data json.RawMessage) (*Schema, error) {
	if len(data) == 0 {
		return nil, errors.New("the schema is missing")
	}
	var raw rawSchema
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	if err := decoder.Decode(&raw); err != nil {
		return nil, err
	}
	if raw.Reference != "" {
		target, err := r.reference(raw.Reference)
		return &Schema{reference: target}, err
	}
	if !slices.Contains([]string{"", "string", "integer", "number", "boolean", "array", "object"}, raw.Type.kind) {
		return nil, fmt.Errorf("there is no type %q", raw.Type.kind)
	}
	schema := &Schema{
		kind: raw.Type.kind, nullable: raw.Type.nullable, required: raw.Required, minItems: raw.MinItems, maxItems: raw.MaxItems,
		minLength: raw.MinLength, maxLength: raw.MaxLength, enum: raw.Enum, format: raw.Format, patternMeaning: raw.PatternMeaning,
		minimum: raw.Minimum, maximum: raw.Maximum, exclusiveMinimum: raw.ExclusiveMinimum, fallback: raw.Default,
	}
	return schema, r.nested(schema, raw)
}

// nested fills in the parts of a schema that are schemas or expressions.
func (r *reader) nested(schema *Schema, raw rawSchema) (err error) {
	if raw.Pattern != "" {
		if schema.pattern, err = regexp.Compile(raw.Pattern); err != nil {
			return err
		}
	}
	if raw.Items != nil {
		if schema.items, err = r.schema(raw.Items); err != nil {
			return fmt.Errorf("items: %w", err)
		}
	}
	switch string(raw.Additional) {
	case "", "true":
	case "false":
		schema.closed = true
	default:
		if schema.additional, err = r.schema(raw.Additional); err != nil {
			return fmt.Errorf("additionalProperties: %w", err)
		}
	}
	if raw.Properties != nil {
		schema.properties = map[string]*Schema{}
	}
	for _, name := range slices.Sorted(maps.Keys(raw.Properties)) {
		if schema.properties[name], err = r.schema(raw.Properties[name]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, name := range raw.Required {
		if schema.properties[name] == nil {
			return fmt.Errorf("%s is required and not described", name)
		}
	}
	return nil
}
