package modelverbs

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/embed/manifest"
	"mekiki/embed/models"
	"mekiki/internal/progress"
)

// NewModelsCommand makes the verb "models".
func NewModelsCommand(app *cli.App) *cobra.Command {
	command := &cobra.Command{
		Use:   "models",
		Short: "List, show, verify and remove compiled models",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return runModelsList(app) },
	}
	command.AddCommand(
		&cobra.Command{
			Use: "show NAME", Short: "Show what a model is and how it was compiled", Args: cobra.ExactArgs(1),
			RunE: func(command *cobra.Command, arguments []string) error {
				return runModelsShow(command.Context(), app, arguments[0])
			},
		},
		newModelsVerifyCommand(app),
		&cobra.Command{
			Use: "remove NAME...", Short: "Delete compiled models", Args: cobra.MinimumNArgs(1),
			RunE: func(command *cobra.Command, names []string) error {
				return runModelsRemove(command.Context(), app, names)
			},
		},
	)
	return command
}

// modelSummary is a model in JSON.
type modelSummary struct {
	Name      string `json:"name"`
	Dir       string `json:"dir"`
	Bytes     int64  `json:"bytes"`
	Precision string `json:"precision,omitempty"`
	ImageSize int    `json:"image_size,omitempty"`
	// Fast says that the vision encoder merges tokens.
	Fast     bool `json:"fast,omitempty"`
	Captions bool `json:"captions"`
	// Family and Capabilities are absent where the model cannot be used.
	Family       string                 `json:"family,omitempty"`
	Capabilities *manifest.Capabilities `json:"capabilities,omitempty"`
	Fingerprint  string                 `json:"fingerprint,omitempty"`
	Problem      string                 `json:"problem,omitempty"`
}

func summarize(model models.Model) modelSummary {
	summary := modelSummary{
		Name: model.Name, Dir: model.Dir, Bytes: model.Bytes, Precision: string(model.Manifest.Precision),
		ImageSize: model.Manifest.Config.Vision.ImageSize, Fast: model.Manifest.Fast(), Fingerprint: model.Manifest.Fingerprint,
	}
	if model.Problem != nil {
		summary.Problem = model.Problem.Error()
		return summary
	}
	capabilities := model.Manifest.Capabilities()
	summary.Family, summary.Capabilities, summary.Captions = model.Manifest.FamilyName(), &capabilities, capabilities.Caption
	return summary
}

func runModelsList(app *cli.App) error {
	options, err := app.ModelOptions(nil, app.Progress())
	if err != nil {
		return err
	}
	list, err := models.List(options)
	if err != nil {
		return err
	}
	if app.AsJSON {
		summaries := make([]modelSummary, len(list))
		for i, model := range list {
			summaries[i] = summarize(model)
		}
		return app.PrintJSON(summaries)
	}
	table := tabwriter.NewWriter(app.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tSIZE\tPRECISION\tPIXELS\tCAN\t")
	fmt.Fprintf(table, "%s\t\t\t\t\tinside the program\n", models.BuiltinName)
	for _, model := range list {
		if model.Problem != nil {
			fmt.Fprintf(table, "%s\t%s\t\t\t\tcannot be used: %v\n", model.Name, progress.Count(model.Bytes, progress.Bytes), model.Problem)
			continue
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t\n", model.Name, progress.Count(model.Bytes, progress.Bytes),
			model.Manifest.Form(), pixelsColumn(model.Manifest.Config.Vision.ImageSize), model.Manifest.Capabilities())
	}
	return table.Flush()
}
