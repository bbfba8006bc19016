package page

import _ "embed" // for the page that shows the API

// The page that shows the API and tries it, without anything from elsewhere.
var (
	//go:embed document/index.html
	documentHTML []byte
	//go:embed document/document.js
	documentScript []byte
	//go:embed document/document.css
	documentStyle []byte
)

// Documentation gives the files of the page that shows the API, by their address below /api/docs.
func Documentation() map[string]Asset {
	files := map[string]Asset{
		"":              {Kind: mediaTypes[".html"], Data: documentHTML},
		"/document.js":  {Kind: mediaTypes[".js"], Data: documentScript},
		"/document.css": {Kind: mediaTypes[".css"], Data: documentStyle},
	}
	for path, file := range files {
		file.Tag = Tag(file.Data)
		files[path] = file
	}
	return files
}
