package server

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"mekiki/index"
	"mekiki/server/gate"
)

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
			counted := 0
			_ = s.library.Read(context.Background(), func(reader index.Reader) error { // of a library that cannot be read: 0
				counted = reader.Count(kind)
				return nil
			})
			return float64(counted)
		}
	}
	gauge("mekiki_library_images", "Images in the library.", nil, count(index.KindImage))
	gauge("mekiki_library_texts", "Texts in the library.", nil, count(index.KindText))
	gauge("mekiki_connections_open", "Connections open, idle ones included.", nil, func() float64 { return float64(s.connections.Open()) })
	gauge("mekiki_jobs_running", "Indexing jobs at work.", nil, func() float64 { return float64(s.jobs.Running()) })
}

func (s *Server) gates() map[string]*gate.Gate {
	return map[string]*gate.Gate{"search": s.searches, "read": s.reads, "rendition": s.making, "body": s.bodies.JSON, "upload": s.bodies.Forms, "stream": s.streams}
}
