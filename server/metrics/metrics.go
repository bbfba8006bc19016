// Package metrics measures requests and searches for Prometheus.
package metrics

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"mekiki/search/contract"
)

// Metrics are the server's measurements, in a registry of their own.
type Metrics struct {
	// Handler shows them to Prometheus.
	Handler http.Handler
	// InFlight counts the requests at work.
	InFlight prometheus.Gauge

	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	stages   *prometheus.HistogramVec
}

// New makes the measurements and the registry that shows them.
func New() (*Metrics, *prometheus.Registry) {
	m := &Metrics{
		InFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "mekiki_http_requests_in_flight", Help: "Requests at work."}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mekiki_http_requests_total", Help: "Requests answered."}, []string{"method", "route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "mekiki_http_request_duration_seconds", Help: "Time to the end of the answer.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}}, []string{"route"}),
		stages: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "mekiki_search_stage_duration_seconds", Help: "Time of each step of a search.",
			Buckets: []float64{.0001, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5}}, []string{"stage"}),
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(m.InFlight, m.requests, m.duration, m.stages,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.Handler = promhttp.HandlerFor(registry, promhttp.HandlerOpts{DisableCompression: true, EnableOpenMetrics: false})
	return m, registry
}

// Observe notes one request. route is the table's path, never the client's, so
// that the number of series is bounded.
func (m *Metrics) Observe(method, route string, status int, took time.Duration) {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "DELETE":
	default:
		method = "other"
	}
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
	m.duration.WithLabelValues(route).Observe(took.Seconds())
}

// Search notes where the time of one search went.
func (m *Metrics) Search(timings contract.Timings) {
	for stage, milliseconds := range map[string]float64{
		"parse": timings.ParseMS, "embed": timings.EmbedMS, "vector": timings.VectorMS, "keyword": timings.KeywordMS,
		"fuse": timings.FuseMS, "rerank": timings.RerankMS,
	} {
		m.stages.WithLabelValues(stage).Observe(milliseconds / 1000)
	}
}
