// Package cli has what the verbs of the mekiki command share: the standard streams and global flags ([App]), settings, exit
// statuses, and the opening of the runtime, a model and a library.
//
// A verb is a constructor of a cobra command in one of the packages beside this one:
//
//	func NewCompactCommand(app *cli.App) *cobra.Command {
//		return &cobra.Command{
//			Use: "compact",
//			RunE: func(command *cobra.Command, _ []string) error {
//				return app.WithExistingLibrary(command.Context(), false, func(library *local.Library) error { … })
//			},
//		}
//	}
package cli
