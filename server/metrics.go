package server

import (
	"context"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"mekiki/index"
	"mekiki/search"
	"mekiki/server/gate"
)

// metrics are the server's measurements, in a registry of their own.
type metrics struct {
	handler  echo.HandlerFunc
	inFlight prometheus.Gauge
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	stages   *prometheus.HistogramVec
}

func newMetrics() (*metrics, *prometheus.Registry) {
	m := &metrics{
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
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
	registry.MustRegister(m.inFlight, m.requests, m.duration, m.stages,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.handler = echo.WrapHandler(promhttp.HandlerFor(registry, promhttp.HandlerOpts{DisableCompression: true, EnableOpenMetrics: false}))
	return m, registry
}

// observe notes one request. route is the table's path, never the client's, so
// that the number of series is bounded.
func (m *metrics) observe(method, route string, status int, took time.Duration) {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "DELETE":
	default:
		method = "other"
	}
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
	m.duration.WithLabelValues(route).Observe(took.Seconds())
}

// watch adds the measurements that are read when they are asked for.
func (s *Server) watch(registry *prometheus.Registry) {
	gauge := func(name, help string, labels prometheus.Labels, read func() float64) {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, read))
	}
	counter := func(name, help string, labels prometheus.Labels, read func() float64) {
		registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels}, read))
	}
	for name, through := range s.gates() {
		labels := prometheus.Labels{"gate": name}
		gauge("mekiki_gate_busy", "Places taken.", labels, func() float64 { return float64(through.Busy()) })
		gauge("mekiki_gate_places", "Places there are.", labels, func() float64 { return float64(through.Slots()) })
		gauge("mekiki_gate_waiting", "Requests that wait for a place.", labels, func() float64 { return float64(through.Waiting()) })
		counter("mekiki_gate_refused_total", "Requests turned away with 429.", labels, func() float64 { return float64(through.Refused()) })
	}
	count := func(kind index.Kind) func() float64 {
		return func() float64 {
			reader, err := s.options.Library.Reader(context.Background())
			if err != nil {
				return 0
			}
			defer closeReader(reader)
			return float64(reader.Count(kind))
		}
	}
	gauge("mekiki_library_images", "Images in the library.", nil, count(index.KindImage))
	gauge("mekiki_library_texts", "Texts in the library.", nil, count(index.KindText))
	gauge("mekiki_connections_open", "Connections open, idle ones included.", nil, func() float64 { return float64(s.connections.open.Load()) })
	gauge("mekiki_jobs_running", "Indexing jobs at work.", nil, func() float64 { return float64(s.jobs.Running()) })
}

func (s *Server) gates() map[string]*gate.Gate {
	return map[string]*gate.Gate{"search": s.searches, "read": s.reads, "body": s.bodies, "upload": s.uploads, "stream": s.streams}
}

// search notes where the time of one search went.
func (m *metrics) search(timings search.Timings) {
	for stage, milliseconds := range map[string]float64{
		"parse": timings.ParseMS, "embed": timings.EmbedMS, "vector": timings.VectorMS, "keyword": timings.KeywordMS,
		"fuse": timings.FuseMS, "rerank": timings.RerankMS,
	} {
		m.stages.WithLabelValues(stage).Observe(milliseconds / 1000)
	}
}
