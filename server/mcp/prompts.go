package mcp

import (
	"context"
	"fmt"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

const curateText = `Choose images of my library for this: %s

1. Search with search_images in several wordings, and with find_similar from good hits. Take strong hits first.
2. Look at the candidates with get_image, eight at a time. Leave out those that do not fit, are blurred or badly framed, and of near-duplicates keep the best one.
3. Choose %s that belong together and differ from each other.
4. Show me the choice as a list: id, file, one line why. Name what you could not find.
%s`

const auditText = `Check how well my library is described%s, without changing anything.

1. Call library_status and list_facets to see what there is: files that failed, images without date, tags and folders that look misspelt or double.
2. Take a sample of images with search_images (different queries and folders; at least twenty images) and look at them with get_image.
3. Compare each with its caption and tags (describe_image): note wrong captions, missing or wrong tags, images that are unusable or nearly the same (find_similar).
4. Report: what is right, what is wrong with examples (id, file, what should be there), and the three changes that would help most. Give counts, and say how many images you looked at.`

// addPrompts adds what a person can start a conversation with.
func addPrompts(server *sdk.Server, writes bool) {
	server.AddPrompt(&sdk.Prompt{
		Name: "curate", Title: "Choose images for a purpose",
		Description: "Search, look and choose the images that serve a purpose best.",
		Arguments: []*sdk.PromptArgument{
			{Name: "purpose", Title: "Purpose", Description: "what the images are for, such as: a calendar of our garden", Required: true},
			{Name: "count", Title: "How many", Description: "how many images to choose; a dozen if left out"},
			{Name: "collection", Title: "Collection", Description: "a collection to put them into, once you agree"},
		},
	}, func(_ context.Context, request *sdk.GetPromptRequest) (*sdk.GetPromptResult, error) {
		given := request.Params.Arguments
		count, last := "a dozen", ""
		if given["count"] != "" {
			count = oneLine(given["count"])
		}
		switch collection := oneLine(given["collection"]); {
		case collection == "":
		case writes:
			last = fmt.Sprintf("5. When I have agreed, put them into the collection %q with add_to_collection.", collection)
		default:
			last = fmt.Sprintf("5. I will put them into the collection %q myself: give me the ids in one line.", collection)
		}
		return said("Choose images", fmt.Sprintf(curateText, oneLine(given["purpose"]), count, last)), nil
	})
	server.AddPrompt(&sdk.Prompt{
		Name: "audit", Title: "Check how the library is described",
		Description: "Look at a sample of images and compare them with their captions and tags.",
		Arguments:   []*sdk.PromptArgument{{Name: "part", Title: "Part", Description: "a query or filter that limits the check, such as: folder:2024; all images if left out"}},
	}, func(_ context.Context, request *sdk.GetPromptRequest) (*sdk.GetPromptResult, error) {
		part := oneLine(request.Params.Arguments["part"])
		if part != "" {
			part = fmt.Sprintf(", as far as %q goes", part)
		}
		return said("Check the library", fmt.Sprintf(auditText, part)), nil
	})
}

func said(description, text string) *sdk.GetPromptResult {
	return &sdk.GetPromptResult{Description: description, Messages: []*sdk.PromptMessage{{Role: "user", Content: &sdk.TextContent{Text: strings.TrimSpace(text)}}}}
}

// oneLine keeps what a person typed from looking like further steps.
func oneLine(text string) string {
	words := []rune(strings.Join(strings.Fields(text), " "))
	return string(words[:min(len(words), maximumWords)])
}
