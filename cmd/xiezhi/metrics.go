package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	v1 "xiezhi/internal/api/v1"
)

// statusMetrics gives a service's status to Prometheus.
type statusMetrics struct {
	status func(context.Context) v1.Status

	analysed, dropped, state, figure *prometheus.Desc
}

func newStatusMetrics(status func(context.Context) v1.Status) *statusMetrics {
	return &statusMetrics{
		status:   status,
		analysed: prometheus.NewDesc("xiezhi_exchanges_analysed_total", "Exchanges that were judged.", nil, nil),
		dropped:  prometheus.NewDesc("xiezhi_exchanges_dropped_total", "Exchanges that came in and were not judged.", []string{"reason"}, nil),
		state:    prometheus.NewDesc("xiezhi_part_healthy", "1 when a part of the service is as it should be, 0 when it is degraded or failing.", []string{"part", "name"}, nil),
		figure:   prometheus.NewDesc("xiezhi_part_figure", "A figure of a part of the service, as GET /api/v1/status gives it.", []string{"part", "name", "figure"}, nil),
	}
}

// Describe implements prometheus.Collector.
func (m *statusMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.analysed, m.dropped, m.state, m.figure} {
		to <- d
	}
}

// statusTime bounds what a scrape waits for.
const statusTime = 5 * time.Second

// Collect implements prometheus.Collector.
func (m *statusMetrics) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), statusTime)
	defer cancel()
	s := m.status(ctx)
	to <- prometheus.MustNewConstMetric(m.analysed, prometheus.CounterValue, float64(s.Analysed))
	for _, d := range s.Dropped {
		to <- prometheus.MustNewConstMetric(m.dropped, prometheus.CounterValue, float64(d.Count), d.Reason)
	}
	for _, group := range []struct {
		part string
		list []v1.Part
	}{{"source", s.Sources}, {"stream", []v1.Part{s.Stream}}, {"judge", s.Judges}, {"store", s.Stores}} {
		for _, p := range group.list {
			healthy := 1.0
			if p.State == v1.PartStateDegraded || p.State == v1.PartStateFailing {
				healthy = 0
			}
			to <- prometheus.MustNewConstMetric(m.state, prometheus.GaugeValue, healthy, group.part, p.Name)
			for name, v := range p.Figures {
				to <- prometheus.MustNewConstMetric(m.figure, prometheus.GaugeValue, v, group.part, p.Name, name)
			}
		}
	}
}

// serveMetrics serves them until what it gives is called.
func serveMetrics(address string, status func(context.Context) v1.Status, said io.Writer, log *slog.Logger) (stop func() error, err error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("serve metrics: %w; name another address with --metrics", err)
	}
	fmt.Fprintf(said, "metrics at http://%s/metrics\n", l.Addr())
	registry := prometheus.NewRegistry()
	registry.MustRegister(newStatusMetrics(status), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 2 * statusTime}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: statusTime, ReadTimeout: statusTime, WriteTimeout: 4 * statusTime, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	return func() error {
		err := server.Close()
		if e := <-ended; !errors.Is(e, http.ErrServerClosed) {
			err = errors.Join(err, e)
		}
		return err
	}, nil
}
