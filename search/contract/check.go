package contract

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/filters"
)

// Prepare checks the options of a request and fills in those that it leaves out; rerankCount
// and rerankBudget are for a request that does not say.
func (r *Request) Prepare(rerankCount int, rerankBudget time.Duration) error {
	switch {
	case r.Limit < 0 || r.Limit > MaximumLimit:
		return InvalidOption("limit", fmt.Sprintf("give 1 to %d, and ask for further pages", MaximumLimit), "limit %d is out of range", r.Limit)
	case r.Offset < 0 || r.Offset > MaximumSkipped:
		return InvalidOption("offset", fmt.Sprintf("give 0 to %d", MaximumSkipped), "offset %d is out of range", r.Offset)
	case r.Weight != nil && !(*r.Weight >= 0 && *r.Weight <= 1):
		return InvalidOption("weight", "0 is words alone, 1 is meaning alone", "weight %v is not 0 to 1", *r.Weight)
	case !(r.MinimumProbability >= 0 && r.MinimumProbability <= 1):
		return InvalidOption("minimum_probability", "give a chance such as 0.5", "minimum probability %v is not 0 to 1", r.MinimumProbability)
	case r.RerankCount < 0 || r.RerankCount > MaximumRerankCount:
		return InvalidOption("rerank_count", fmt.Sprintf("give 1 to %d", MaximumRerankCount), "rerank count %d is out of range", r.RerankCount)
	case r.RerankBudget > MaximumBudget:
		return InvalidOption("rerank_budget", "give ten minutes at most", "rerank budget %v is out of range", r.RerankBudget)
	}
	if r.Limit == 0 {
		r.Limit = 20
	}
	if r.RerankCount == 0 {
		r.RerankCount = rerankCount
	}
	if r.RerankBudget == 0 {
		r.RerankBudget = rerankBudget
	}
	return r.prepareNames()
}

// prepareNames checks the options that are names.
func (r *Request) prepareNames() error {
	if r.Fusion == "" {
		r.Fusion = FusionConvex
	}
	if r.Sort == "" {
		r.Sort = SortRelevance
	}
	if r.Show == "" {
		r.Show = ShowWeak
	}
	switch {
	case r.Fusion != FusionConvex && r.Fusion != FusionReciprocalRank:
		return InvalidOption("fusion", "use convex or rrf", "there is no fusion %q", r.Fusion)
	case r.Sort != SortRelevance && r.Sort != SortDateDescending && r.Sort != SortDateAscending:
		return InvalidOption("sort", "use relevance, date_descending or date_ascending", "there is no order %q", r.Sort)
	case r.Show != ShowWeak && r.Show != ShowStrong && r.Show != ShowAll:
		return InvalidOption("show", "use strong, weak or all", "there is nothing to show called %q", r.Show)
	case r.Image != nil && r.Record != 0:
		return InvalidOption("record", "leave one of them out, or give the record in records", "an image and a record are given at once")
	case r.Pictures() > MaximumPictures:
		return InvalidOption("records", fmt.Sprintf("give %d pictures at most", MaximumPictures), "%d pictures are given", r.Pictures())
	case slices.ContainsFunc(append(r.Images[:len(r.Images):len(r.Images)], r.Image), hasNoPixels):
		return &Error{Code: CodeImageUndecodable, Field: "image", Message: "the image has no pixels", Remedy: "give a picture that can be decoded"}
	case r.Crop != nil && r.Pictures() > 1:
		return &Error{Code: CodeInvalidCrop, Field: "crop", Message: "a crop is given with several pictures", Remedy: "crop one picture, or leave the crop out"}
	case r.Crop != nil && r.Image == nil && r.Record == 0:
		return &Error{Code: CodeInvalidCrop, Field: "crop", Message: "a crop is given without a picture", Remedy: "give an image or a record with it"}
	case r.Crop != nil:
		return r.Crop.Validate()
	}
	return nil
}

// Pictures counts the pictures that a request has.
func (r *Request) Pictures() int {
	count := len(r.Records) + len(r.Images)
	if r.Image != nil {
		count++
	}
	if r.Record != 0 {
		count++
	}
	return count
}

func hasNoPixels(image *pixels.Image) bool {
	return image != nil && (image.Width < 1 || image.Height < 1 || len(image.Pix) != 3*image.Width*image.Height)
}

// InvalidOption gives the error of an option outside its range.
func InvalidOption(field, remedy, format string, arguments ...any) *Error {
	return &Error{Code: CodeInvalidOption, Field: field, Message: fmt.Sprintf(format, arguments...), Remedy: remedy}
}

// CheckFilter refuses what no record could pass.
func CheckFilter(f index.Filter) error {
	var wrong *filters.ValueError
	switch err := filters.Check(f); {
	case !errors.As(err, &wrong):
		return err
	case wrong.Date:
		return &Error{
			Code: CodeInvalidDate, Field: "filter.before", Message: "no date lies between after and before",
			Remedy: "after is the first moment wanted, before the first one no longer wanted",
		}
	}
	return InvalidOption("filter.near", wrong.Remedy, "there is no such place on the earth")
}

// Validate refuses a rectangle outside the picture, and an empty one.
func (r Rectangle) Validate() error {
	for _, value := range []float64{r.X, r.Y, r.Width, r.Height} {
		if math.IsNaN(value) || value < 0 || value > 1 {
			return &Error{Code: CodeInvalidCrop, Field: "crop", Message: "the crop lies outside the picture", Remedy: "give x, y, width and height as fractions from 0 to 1"}
		}
	}
	if r.Width == 0 || r.Height == 0 || r.X+r.Width > 1+1e-9 || r.Y+r.Height > 1+1e-9 {
		return &Error{Code: CodeInvalidCrop, Field: "crop", Message: "the crop is empty or reaches outside the picture", Remedy: "x+width and y+height must be at most 1"}
	}
	return nil
}
