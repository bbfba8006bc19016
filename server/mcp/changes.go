package mcp

import (
	"context"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"mekiki/server/editing"
)

// tagInput is what add_tags and remove_tags take.
type tagInput struct {
	IDs  []string `json:"ids" jsonschema:"The ids of the images, as other tools give them."`
	Tags []string `json:"tags" jsonschema:"The tags. A slash makes levels: Places/Japan/Kyoto."`
}

// collectInput is what add_to_collection and remove_from_collection take.
type collectInput struct {
	IDs        []string `json:"ids" jsonschema:"The ids of the images, as other tools give them."`
	Collection string   `json:"collection" jsonschema:"The name of the collection."`
}

// changed is an answer of a tool that changes something.
type changed struct {
	Changed int `json:"changed" jsonschema:"images that are not as before; those that were so already are not counted"`
}

func (t *Tools) addChanges(server *sdk.Server) {
	ids := list(1, maximumChanged, id)
	tagging := bounds{"ids": ids, "tags": list(1, maximumTags, text(maximumTagRunes))}
	collecting := bounds{"ids": ids, "collection": text(maximumTagRunes)}
	for _, one := range []struct {
		name, title, description string
		edit                     func(asked tagInput) editing.Edit
	}{
		{"add_tags", "Add tags", "Give images tags. Look at them first. Files are not touched; remove_tags takes tags off again.",
			func(asked tagInput) editing.Edit { return editing.Edit{IDs: asked.IDs, AddTags: asked.Tags} }},
		{"remove_tags", "Remove tags", "Take tags off images that were given in this library. Keywords in the files themselves stay.",
			func(asked tagInput) editing.Edit { return editing.Edit{IDs: asked.IDs, RemoveTags: asked.Tags} }},
	} {
		add(t, server, t.Read, tool{name: one.name, title: one.title, description: one.description, changes: true, bounds: tagging},
			func(ctx context.Context, asked tagInput) (changed, []sdk.Content, error) {
				return t.edit(ctx, one.edit(asked))
			})
	}
	for _, one := range []struct {
		name, title, description string
		edit                     func(asked collectInput) editing.Edit
	}{
		{"add_to_collection", "Add to a collection", "Put images into a collection, which is made if it is not there. Files are not touched.",
			func(asked collectInput) editing.Edit {
				return editing.Edit{IDs: asked.IDs, AddCollections: []string{asked.Collection}}
			}},
		{"remove_from_collection", "Take out of a collection", "Take images out of a collection. They stay in the library.",
			func(asked collectInput) editing.Edit {
				return editing.Edit{IDs: asked.IDs, RemoveCollections: []string{asked.Collection}}
			}},
	} {
		add(t, server, t.Read, tool{name: one.name, title: one.title, description: one.description, changes: true, bounds: collecting},
			func(ctx context.Context, asked collectInput) (changed, []sdk.Content, error) {
				return t.edit(ctx, one.edit(asked))
			})
	}
}

func (t *Tools) edit(ctx context.Context, asked editing.Edit) (changed, []sdk.Content, error) {
	if err := t.ReadOnly(); err != nil {
		return changed{}, nil, err
	}
	done, err := t.Edit(ctx, asked)
	return changed{Changed: done.Changed}, nil, err
}
