package clusterverbs

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/index"
	"mekiki/index/cluster"
	"mekiki/index/cluster/engine"
	"mekiki/index/cluster/maintain"
	"mekiki/index/local"
	"mekiki/internal/hint"
	"mekiki/internal/progress"
)

const clusterLong = `Look after a library on several machines: an S3-compatible store has it, and
Weaviate finds it. --cluster (or MEKIKI_CLUSTER) names its file of settings; see
docs/cluster.md.

Other verbs work on it with --cluster: index, search, lookup, similar, why, texts,
remove, trash, export, spaces, serve, mcp and doctor.`

// NewClusterCommand makes the verb "cluster".
func NewClusterCommand(app *cli.App) *cobra.Command {
	command := &cobra.Command{
		Use:   "cluster",
		Short: "Look after a library on several machines",
		Long:  clusterLong,
		Example: `  mekiki cluster init --cluster cluster.toml
  mekiki index /mnt/photos --cluster cluster.toml
  mekiki cluster status --cluster cluster.toml`,
	}
	command.AddCommand(newInitCommand(app), newStatusCommand(app), newRebuildCommand(app), newCheckCommand(app), newMigrateCommand(app))
	return command
}

func newInitCommand(app *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "init",
		Short: "Make an empty library in the store and the engine",
		Long: `Make an empty library in the store and its collection in the engine. What is there
already is left as it is.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			options, _, err := app.ClusterParts()
			if err != nil {
				return err
			}
			defer options.Engine.Close()
			if err := cluster.Init(command.Context(), options); err != nil {
				return err
			}
			return status(command.Context(), app)
		},
	}
}

func newStatusCommand(app *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show the nodes, the collection and how full the library is",
		Args:  cobra.NoArgs,
		RunE:  func(command *cobra.Command, _ []string) error { return status(command.Context(), app) },
	}
}

// nodeLine and statusLines are what status writes as JSON.
type nodeLine struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Status  string `json:"status"`
	Objects int64  `json:"objects"`
	Shards  int    `json:"shards"`
}

type spaceLine struct {
	Model   string `json:"model"`
	Role    string `json:"role"`
	Records int    `json:"records"`
	Total   int    `json:"total"`
}

type statusLines struct {
	Nodes      []nodeLine  `json:"nodes"`
	Collection string      `json:"collection"`
	Filling    string      `json:"filling,omitempty"`
	Images     int         `json:"images"`
	Texts      int         `json:"texts"`
	Spaces     []spaceLine `json:"spaces"`
}

func status(ctx context.Context, app *cli.App) error {
	return with(ctx, app, func(library *cli.OnCluster) error {
		u := library.Upkeep()
		nodes, err := u.Engine().Nodes(ctx)
		if err != nil {
			return err
		}
		s, err := u.State(ctx)
		if err != nil {
			return err
		}
		reader, err := library.Reader(ctx)
		if err != nil {
			return hint.Wrap(err, "if the engine was emptied: mekiki cluster rebuild")
		}
		defer reader.Close()
		lines := statusLines{Collection: s.Collection, Filling: s.Filling, Images: reader.Count(index.KindImage), Texts: reader.Count(index.KindText), Spaces: []spaceLine{}}
		for _, node := range nodes {
			lines.Nodes = append(lines.Nodes, nodeLine(node))
		}
		for _, space := range reader.Spaces() {
			lines.Spaces = append(lines.Spaces, spaceLine{space.Space.Fingerprint, space.Role(), space.Records, space.Total})
		}
		return printStatus(app, lines)
	})
}

var _ = engine.Node(nodeLine{})

func printStatus(app *cli.App, lines statusLines) error {
	if app.AsJSON {
		return app.PrintJSON(lines)
	}
	table := tabwriter.NewWriter(app.Out, 0, 0, 2, ' ', 0)
	for _, node := range lines.Nodes {
		fmt.Fprintf(table, "%s\t%s\tWeaviate %s\t%s in %s\n", node.Name, node.Status, node.Version,
			cli.Counted(int(node.Objects), "object", "objects"), cli.Counted(node.Shards, "shard", "shards"))
	}
	fmt.Fprintf(table, "%s\tserves\t%s\t%s\n", lines.Collection, cli.Counted(lines.Images, "image", "images"), cli.Counted(lines.Texts, "text", "texts"))
	if lines.Filling != "" {
		fmt.Fprintf(table, "%s\tis filled\t\t\n", lines.Filling)
	}
	for _, space := range lines.Spaces {
		fmt.Fprintf(table, "%.12s\t%s\t%d of %s\t\n", space.Model, space.Role, space.Records, cli.Counted(space.Total, "record", "records"))
	}
	return table.Flush()
}

func newRebuildCommand(app *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "rebuild",
		Short: "Fill the engine from the store alone",
		Long: `Fill a new collection of the engine from the store, while the old one serves, and
let it serve. Others may search and write meanwhile. The model is not needed. Run
it after the engine was lost or restored, and after settings such as
quantisation, shards or representatives were changed.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			ctx := command.Context()
			return with(ctx, app, func(library *cli.OnCluster) error {
				rebuilt, err := maintain.Rebuild(ctx, library.Library, report(app, "rebuild"))
				if err != nil {
					return err
				}
				if app.AsJSON {
					err = app.PrintJSON(rebuilt)
				} else {
					_, err = fmt.Fprintf(app.Out, "%s serves, with %s\n", rebuilt.Collection, cli.Counted(rebuilt.Records, "record", "records"))
				}
				if err == nil && len(rebuilt.Damaged) > 0 {
					err = hint.Wrap(fmt.Errorf("%s damaged", cli.Counted(len(rebuilt.Damaged), "record is", "records are")), "mekiki cluster check names them")
				}
				return err
			})
		},
	}
}

func newCheckCommand(app *cli.App) *cobra.Command {
	var options maintain.CheckOptions
	command := &cobra.Command{
		Use:   "check",
		Short: "Verify the store and compare the engine with it",
		Long: `Read every record of the store with its vectors, and make sure that the engine has
it as it is, and nothing else. --repair puts the engine right, and deletes what processes
that were stopped have left in the store and no record names. Damaged objects of
the store come back from a copy of it, or by indexing the files again.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return runCheck(command.Context(), app, options)
		},
	}
	command.Flags().BoolVar(&options.Tokens, "image-tokens", false, "read the image tokens too, which are most of the store")
	command.Flags().BoolVar(&options.Repair, "repair", false, "bring the engine up to date, and delete what no record names")
	return command
}

func runCheck(ctx context.Context, app *cli.App, options maintain.CheckOptions) error {
	return with(ctx, app, func(library *cli.OnCluster) error {
		options.Progress = report(app, "check")
		checked, err := maintain.Check(ctx, library.Library, options)
		if err != nil {
			return err
		}
		if app.AsJSON {
			err = app.PrintJSON(checked)
		} else {
			_, err = fmt.Fprintf(app.Out, "%s verified, %d in the engine: %d damaged, %d missing, %d stale, %d extra; %d repaired; %s left over (%s)\n",
				cli.Counted(checked.Records, "record", "records"), checked.Objects, checked.Damaged.Count, checked.Missing.Count, checked.Stale.Count, checked.Extra.Count, checked.Repaired,
				cli.Counted(checked.Leftover.Count, "object", "objects"), humanize.IBytes(uint64(checked.Leftover.Bytes)))
			for i, id := range checked.Damaged.IDs {
				fmt.Fprintf(app.Out, "  record %d: %s\n", id, checked.Damaged.Reasons[i])
			}
		}
		switch {
		case err != nil || checked.Good():
			return err
		case checked.Damaged.Count > 0:
			return hint.Wrap(errors.New("objects of the store are damaged or missing"), "restore them from a copy of the store, or index the files again")
		}
		return hint.Wrap(errors.New("the engine is not as the store is"), "mekiki cluster check --repair")
	})
}

func newMigrateCommand(app *cli.App) *cobra.Command {
	back := false
	command := &cobra.Command{
		Use:   "migrate FOLDER",
		Short: "Bring a library of a disk into the cluster, or back",
		Long: `Bring the records of a library on a disk into the cluster, with the vectors and
image tokens of the model that serves, thumbnails and what people gave them; with
--back, those of the cluster into a library on a disk, which is made if need be. The
model is not needed. IDs are given anew, and on a disk the time when a record was
added is that of the migration. Run again after an interruption, it goes on: what is
there already is left as it is. The library that records come from stays.`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, arguments []string) error {
			return with(command.Context(), app, func(library *cli.OnCluster) error {
				return migrate(command.Context(), app, arguments[0], library, back)
			})
		},
	}
	command.Flags().BoolVar(&back, "back", false, "bring the cluster's records into FOLDER")
	return command
}

func migrate(ctx context.Context, app *cli.App, folder string, onCluster *cli.OnCluster, back bool) (err error) {
	onDisk, err := local.Open(ctx, folder, local.Options{ReadOnly: !back, DeferVectors: true, Logger: app.Log()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, onDisk.Close()) }()
	var from, to index.Library = onDisk, onCluster.Library
	files := uploadsIn(onDisk.Folder(), onCluster.Uploads())
	if back {
		from, to, files = to, from, uploadsBack(onDisk.Folder(), app.Log())
	}
	reader, err := from.Reader(ctx)
	if err != nil {
		return err
	}
	defer reader.Close()
	migrated, err := maintain.Migrate(ctx, reader, to, files, report(app, "migrate"))
	if err != nil {
		return err
	}
	if app.AsJSON {
		return app.PrintJSON(migrated)
	}
	_, err = fmt.Fprintf(app.Out, "%s brought in, %d were there already\n", cli.Counted(migrated.Records, "record", "records"), migrated.Known)
	return err
}

// with opens the library that --cluster names, calls do and closes it.
func with(ctx context.Context, app *cli.App, do func(*cli.OnCluster) error) (err error) {
	library, err := app.OpenCluster(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, library.Close()) }()
	return do(library)
}

// report shows how many records are done.
func report(app *cli.App, task string) maintain.Progress {
	reporter := app.Progress()
	return func(done int) {
		reporter.Report(progress.State{Task: task, Done: int64(done), Unit: progress.Steps})
	}
}
