package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/internal/hint"
)

const doctorLong = `Find what keeps Mekiki from working on this machine, and say what to do. It looks
at the program, the processor, the configuration, ONNX Runtime, the cache folder,
the model, the library and its writer, disk space and the browser.

--install first installs ONNX Runtime if it is missing. --server asks a running
server whether it answers searches and checks nothing else, as a health check
does. --cluster looks at the library of several machines that a file of settings
names, in place of the one on this machine: whether its store is there, takes the
credentials, has the bucket, and lets us read, write, list and delete.

Exit status: 0 everything works; 1 something does not. Warnings do not count.`

const doctorExample = `  mekiki doctor
  mekiki doctor --install --model blip2
  mekiki doctor --server http://127.0.0.1:8080
  mekiki doctor --cluster cluster.toml`

// doctorOptions are the flags of doctor.
type doctorOptions struct {
	install bool
	server  string
}

// verdict is how a check went.
type verdict string

const (
	// VerdictOK says that nothing is wrong.
	VerdictOK      verdict = "ok"
	verdictWarning verdict = "warning" // works, but not as it might
	// VerdictFailed says that something does not work.
	VerdictFailed verdict = "failed"
)

// Diagnosis is the result of one check.
type Diagnosis struct {
	Check   string  `json:"check"`
	Verdict verdict `json:"verdict"`
	Detail  string  `json:"detail"`
	Remedy  string  `json:"remedy,omitempty"`
}

// NewDoctorCommand makes the verb "doctor".
func NewDoctorCommand(app *cli.App) *cobra.Command {
	var options doctorOptions
	command := &cobra.Command{
		Use:     "doctor",
		Short:   "Find what keeps Mekiki from working, and say what to do",
		Long:    doctorLong,
		Example: doctorExample,
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return runDoctor(command.Context(), app, options)
		},
	}
	flags := command.Flags()
	flags.BoolVar(&options.install, "install", false, "install ONNX Runtime if it is missing")
	flags.StringVar(&options.server, "server", "", "address of a running server to ask instead, such as http://127.0.0.1:8080")
	return command
}

func runDoctor(ctx context.Context, app *cli.App, options doctorOptions) error {
	doctor := &doctor{app: app, install: options.install, cluster: app.Cluster}
	if options.server != "" {
		doctor.checkServer(ctx, options.server)
	} else {
		doctor.examine(ctx)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return doctor.report()
}

// doctor collects diagnoses.
type doctor struct {
	app       *cli.App
	install   bool
	cluster   string
	diagnoses []Diagnosis
}

func (d *doctor) add(check string, verdict verdict, remedy, format string, arguments ...any) {
	d.diagnoses = append(d.diagnoses, Diagnosis{Check: check, Verdict: verdict, Detail: fmt.Sprintf(format, arguments...), Remedy: remedy})
}

func (d *doctor) ok(check, format string, arguments ...any) {
	d.add(check, VerdictOK, "", format, arguments...)
}

func (d *doctor) warn(check, remedy, format string, arguments ...any) {
	d.add(check, verdictWarning, remedy, format, arguments...)
}

// fail notes an error with its own remedy, or the given one where it has none.
func (d *doctor) fail(check string, err error, remedy string) {
	if own := hint.Of(err); own != "" {
		remedy = own
	}
	d.add(check, VerdictFailed, remedy, "%v", err)
}

func (d *doctor) report() error {
	failed := 0
	for _, diagnosis := range d.diagnoses {
		if diagnosis.Verdict == VerdictFailed {
			failed++
		}
	}
	if err := d.print(failed == 0); err != nil {
		return err
	}
	if failed > 0 {
		return cli.WithStatus(cli.ExitError, nil)
	}
	return nil
}

func (d *doctor) print(healthy bool) error {
	if d.app.AsJSON {
		return d.app.PrintJSON(struct {
			Healthy bool        `json:"healthy"`
			Checks  []Diagnosis `json:"checks"`
		}{healthy, d.diagnoses})
	}
	var out strings.Builder
	for _, diagnosis := range d.diagnoses {
		fmt.Fprintf(&out, "%-8s %-9s %s\n", diagnosis.Verdict, diagnosis.Check, cli.Printable(strings.ReplaceAll(diagnosis.Detail, "\n", "; ")))
		if diagnosis.Remedy != "" {
			fmt.Fprintf(&out, "%-18s try: %s\n", "", cli.Printable(diagnosis.Remedy))
		}
	}
	if !healthy {
		fmt.Fprintln(&out, "Something does not work.")
	}
	_, err := d.app.Out.Write([]byte(out.String()))
	return err
}

// examine runs every check of this machine.
func (d *doctor) examine(ctx context.Context) {
	d.checkProgram()
	d.checkProcessor()
	d.checkConfiguration()
	d.checkCache()
	runtime, err := d.checkRuntime(ctx)
	var engine *cli.Session
	if err == nil {
		engine = d.checkModel(ctx, runtime)
	}
	if d.cluster != "" {
		d.checkCluster(ctx)
	} else {
		d.checkLibrary(ctx, engine)
	}
	d.checkBrowser()
	switch {
	case engine != nil:
		err = engine.Close()
	case err == nil:
		err = runtime.Close()
	default:
		return // what is wrong was said
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		d.fail("runtime", err, "")
	}
}
