package jetstream

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
)

// logger passes what a NATS server says on. What it would end the process for
// becomes the error of opening the stream.
type logger struct {
	log *slog.Logger

	mu   sync.Mutex
	last error
}

func (l *logger) fatal() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

func (l *logger) Noticef(format string, v ...any) { l.log.Debug("nats: " + fmt.Sprintf(format, v...)) }
func (l *logger) Debugf(format string, v ...any)  {}
func (l *logger) Tracef(format string, v ...any)  {}
func (l *logger) Warnf(format string, v ...any)   { l.log.Warn("nats: " + fmt.Sprintf(format, v...)) }
func (l *logger) Errorf(format string, v ...any)  { l.log.Error("nats: " + fmt.Sprintf(format, v...)) }

func (l *logger) Fatalf(format string, v ...any) {
	l.log.Error("nats: " + fmt.Sprintf(format, v...))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = errors.New(fmt.Sprintf(format, v...))
}
