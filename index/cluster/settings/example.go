package settings

import _ "embed"

// Example is a commented file of settings.
//
//go:embed example.toml
var Example string
